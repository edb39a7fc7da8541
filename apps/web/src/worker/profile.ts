/** The one profile of this app in a browser. */
export const profile = "default";
