export * from "./addresses.ts";
export { ContentError } from "./content/errors.ts";
export type { ContentErrorCode } from "./content/errors.ts";
export { maxFileDescription, maxFileName, maxFiles, maxPictureFileBytes, maxPicturePx } from "./content/limits.ts";
export { mediaTypeOf } from "./content/files.ts";
export type { FileKind, FileLooks, FilePart } from "./content/files.ts";
export * from "./content/head.ts";
export { maxHistoryAccounts } from "./content/history.ts";
export type { HistoryGiven } from "./content/history.ts";
export * from "./content/message.ts";
export * from "./content/picture.ts";
export * from "./content/mimi.ts";
export type { JoinLinkWord } from "./content/join-link.ts";
export type { Pin } from "./content/pin.ts";
export { maxPollOption, maxPollOptions, maxPollQuestion, minPollOptions } from "./content/poll.ts";
export type { Poll } from "./content/poll.ts";
export { emojiOf, maxReactions } from "./content/reaction.ts";
export type { MessageStatus } from "./content/status.ts";
export { maxTextBytes } from "./content/limits.ts";
export { markdownType } from "./content/text.ts";
export * from "./entry-bytes.ts";
export * from "./errors.ts";
export * from "./format.ts";
export * from "./frames/common.ts";
export * from "./frames/device.ts";
export * from "./frames/log.ts";
export * from "./frames/lookup.ts";
export {
  maxPassphraseTries,
  maxPassphraseTriesPerDay,
  passphraseTbsCodec,
  type OpenPassphrase,
  type PassphraseChallenge,
  type PassphraseStatus,
  type PassphraseStep,
  type PassphraseTbs,
  type SignedPassphrase,
  type TryPassphrase,
} from "./frames/passphrases.ts";
export * from "./frames/post.ts";
export * from "./frames/role-codecs.ts";
export * from "./files/geometry.ts";
export * from "./group/append-secret.ts";
export * from "./group/blinded.ts";
export * from "./group/limits.ts";
export * from "./group/rights.ts";
export * from "./group/complaint.ts";
export * from "./group/group-report.ts";
export * from "./group/join-link.ts";
export * from "./group/leave.ts";
export * from "./group/envelope.ts";
export * from "./group/structures.ts";
export * from "./limits.ts";
export * from "./log-chain.ts";
export * from "./operator-labels.ts";
export * from "./suspended-list.ts";
export { productVersion } from "./version.ts";
