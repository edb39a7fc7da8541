/** How texts are folded and segments written: one more with each change of it, so that the index is made again. */
export const indexVersion = 2;

/** Where it stands, a byte, once everything is in the index. */
export const indexDoneKey = "search-done";
