/** Longest text of one message, in bytes of UTF-8. */
export const maxTextBytes = 65_536;
