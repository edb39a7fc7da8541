import { enJoin } from "./en-join.ts";

/** The words about links into groups, in the person's language (English is the only one so far). */
export const joinWords: typeof enJoin = enJoin;
