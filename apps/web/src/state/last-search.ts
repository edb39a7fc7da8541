/** What was looked for last in the list: on a phone it is still there for whoever comes back from a message that was found. */
export const lastSearch: { query: string } = { query: "" };
