import { enMenu } from "./en-menu.ts";

/** The words about what is done with messages, in the person's language (English is the only one so far). */
export const menuWords: typeof enMenu = enMenu;
