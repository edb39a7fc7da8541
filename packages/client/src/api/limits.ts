/** What is allowed with messages and groups, for whoever offers it to a person: the client itself goes by the same numbers. */
export {
  maxFileBytes,
  maxFileDescription,
  maxFiles,
  maxPictureFileBytes,
  maxPicturePx,
  maxTextBytes,
} from "@latchkey/protocol/content-limits";
export { groupReportReasons, maxDescriptionBytes, maxGroupNameBytes, maxGroupReportWordsBytes } from "@latchkey/protocol/limits";
export { maxReportWordsBytes, reportReasons } from "@latchkey/protocol/report-limits";

/** Milliseconds after a message in which its author changes it for all, by their own two stamps (spec X-3). */
export const editWindowMs: number = 86_400_000;
/** Changes of one message that count (spec X-3). */
export const maxEdits: number = 10;
/** Milliseconds after a message in which its author may delete it for all, by their own two stamps (spec X-4). */
export const ownDeletionMs: number = 7 * 86_400_000;
/** A text may wait so long at most before it is sent, so that its author can take it back. */
export const maxUndoMs: number = 60_000;
/** Conversations that a text is sent on to at once (spec X-9). */
export const maxForwards: number = 5;
/** A text that was sent on so often goes to one conversation at a time (spec X-9). */
export const manyHops: number = 5;
/** Characters of the passphrase of a lock (spec O-8). */
export const passphraseLength: { readonly least: number; readonly most: number } = { least: 8, most: 1024 };
