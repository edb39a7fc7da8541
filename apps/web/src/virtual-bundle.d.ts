/** The files of this build that a browser keeps, listed by the build (bundle-files.ts). */
declare module "virtual:bundle" {
  export const files: readonly import("./service-worker/bundle.ts").BundleFile[];
}
