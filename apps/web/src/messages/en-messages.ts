import { count } from "./count.ts";

/** Words about what belongs to messages: answers, reactions, polls, edits and deletions. */
export const messageParts = {
  heldDeletions: (who: string, n: number): string =>
    `${who} deleted more than fifty messages within an hour. ${count(n, "more waits", "more wait")} for your word: if their device was stolen, keep them.`,
  typing: (names: readonly string[], n: number): string =>
    n > names.length
      ? `${count(n, "person is", "people are")} typing…`
      : `${names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1) ?? ""}`} ${n === 1 ? "is" : "are"} typing…`,
  typingAlone: "typing…",
  heldKeep: "Keep them",
  heldDelete: "Delete them",
  edited: "edited",
  forwarded: (hops: number): string => (hops >= 5 ? "Forwarded many times" : "Forwarded"),
  sharedBy: (who: string): string => `From before you came, given by ${who}`,
  quoteDeleted: "This message was deleted",
  quoteUnknown: "A message that this device does not have",
  reactions: "Reactions",
  reaction: (emoji: string, names: readonly string[], more: number): string =>
    `${emoji} ${String(names.length + more)}, by ${[...names, ...(more > 0 ? [`${String(more)} more`] : [])].join(", ")}`,
  pollEnded: "This poll has ended",
  pollChoices: (most: number): string => (most === 1 ? "Choose one" : `Choose up to ${String(most)}`),
  table: "Table",
  code: "Code",
  copyCode: "Copy this code",
  notCopied: "Your browser did not let Latchkey copy. Select the text and copy it by hand.",
  linkTitle: (host: string): string => `Open ${host}?`,
  linkWarning: {
    other_host: (text: string): string => `The message shows “${text}”, but the link leads elsewhere.`,
    mixed_scripts: (text: string): string =>
      `“${text}” has letters outside of the Latin alphabet, and may only look like the address of somebody you know.`,
    user: (text: string): string => `“${text}” puts a name before the address, which may hide where it leads.`,
  },
  linkOpen: "Open it",
  everybody: "@everybody",
  somebodyElse: "@somebody who is not here",
};
