import { enGroup } from "./en-group.ts";

/** The words about members of a group and how it is run, in the person's language (English is the only one so far). */
export const groupWords: typeof enGroup = enGroup;
