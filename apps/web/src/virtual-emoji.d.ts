/** The names of all emoji in one language, made by the build (emoji-data.ts). */
declare module "virtual:emoji/*" {
  const data: import("frimousse").EmojiData;
  export default data;
}
