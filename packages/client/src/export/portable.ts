import type { AttachedFile, Message } from "../api.ts";

/** What is in an export, and what is not: `export.json` has the same. */
export interface ExportCounts {
  readonly conversations: number;
  readonly messages: number;
  readonly files: number;
  /** Left out on purpose: what is to be seen once. */
  readonly seenOnce: number;
  /** Left out on purpose: what goes after a time (spec X-7). */
  readonly timed: number;
  /** Left out since they are not in the log yet, or could not be sent. */
  readonly unsent: number;
  /** Lines that say that something could not be read here. */
  readonly unreadable: number;
  /** Messages that the server no longer kept when this device came for them. */
  readonly expired: number;
  readonly missingFiles: number;
}

/** What became of a file: where it is in the archive, or why it is not. */
export type FileFate = { readonly path: string } | { readonly missing: MissingFile };

/** Why a file is not in an export. */
export type MissingFile =
  /** Its host does not have it any more, and this device neither. */
  | "gone"
  /** It is not what its author sent. */
  | "broken"
  /** Of somebody who is not accepted, or at another host. */
  | "not_accepted"
  /** It could not be had now. */
  | "failed"
  /** The person wanted none. */
  | "left_out";

/** A file as an export has it. */
export type ExportedFile = AttachedFile & { readonly path?: string; readonly missing?: MissingFile };

/** A message as an export has it. */
export interface PortableMessage extends Omit<Message, "files" | "failedChanges"> {
  readonly files?: readonly ExportedFile[];
}

/**
 * A message as it may leave the profile: of what is to be seen once (spec X-8) nothing but that there was one; no changes that were not sent.
 * @param fateOf what became of its files; `undefined` of those that the person wanted none of
 */
export function portableMessage(message: Message, fateOf: (file: AttachedFile) => FileFate | undefined): PortableMessage {
  const { failedChanges: _failedChanges, files, ...said } = message;
  if (message.isOnce === true) {
    const { id, conversationId, order, author, sentAtMs, delivery } = message;
    return { id, conversationId, order, author, body: { kind: "text", text: "" }, sentAtMs, delivery, isOnce: true };
  }
  if (files === undefined) return said;
  return { ...said, files: files.map((file) => ({ ...file, ...(fateOf(file) ?? { missing: "left_out" as const }) })) };
}

/** The message without words of what does not leave the profile. @param withheldIds of the messages before it */
export function portableQuote(message: PortableMessage, withheldIds: ReadonlySet<string>): PortableMessage {
  const { quote } = message;
  return quote?.messageId !== undefined && withheldIds.has(quote.messageId) ? { ...message, quote: { ...quote, text: "" } } : message;
}

/** Why a file is missing, by what fetching or reading it threw. */
export function whyMissing(error: unknown): MissingFile {
  switch (codeOf(error)) {
    case "file_gone":
    case "unknown_message":
      return "gone";
    case "server_lied":
      return "broken";
    case "other_host":
    case "not_accepted":
      return "not_accepted";
    default:
      return "failed";
  }
}

/** Also of what came from another process or worker. */
function codeOf(error: unknown): unknown {
  if (typeof error !== "object" || error === null) return undefined;
  if ("code" in error) return error.code;
  return "failure" in error ? codeOf(error.failure) : undefined;
}
