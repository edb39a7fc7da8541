import { enPages } from "./en-pages.ts";

/** The words of screens that come when they are needed, in the person's language (English is the only one so far). */
export const pageWords: typeof enPages = enPages;
