/** The names of all emoji in one language, made by the build from emojibase-data. */
declare module "virtual:emoji/en" {
  const data: import("frimousse").EmojiData;
  export default data;
}
