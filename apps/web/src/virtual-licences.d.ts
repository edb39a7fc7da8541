/** The licences of everything that the app is made of, made by the build. */
declare module "virtual:licences" {
  const licences: readonly { readonly packages: readonly string[]; readonly licence: string; readonly text: string }[];
  export default licences;
}
