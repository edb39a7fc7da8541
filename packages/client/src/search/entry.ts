import type { FileKind } from "@latchkey/protocol";
import type { Line } from "../timeline/line.ts";
import { transcriptIn } from "../files/transcripts.ts";
import { versionsOf } from "../timeline/fold.ts";
import { foldMessage } from "./fold.ts";
import type { Entry } from "./segment.ts";

/** Addresses as people write them, with a scheme and without. */
const link =
  /(?:https?|ftp):\/\/[^ ]|www\.[^ ]|[\p{L}\d]\.(?:com|org|net|edu|gov|info|biz|app|dev|io|eu|de|at|ch|fr|es|it|nl|pl|uk|us|ir|sa|ae|eg)(?![\p{L}\d.-])/u;

/**
 * What of a line is searched: the text of a message as it is now, with the names, descriptions and transcripts of its files; a poll with its options;
 * `undefined` for what has none, and for what is to be seen once (spec X-8).
 */
export function searchedText(line: Line): string | undefined {
  if (line.message === undefined) return undefined;
  if (line.body.kind === "poll") return [line.body.question, ...line.body.options].join("\n");
  if (line.body.kind !== "text" || line.body.isOnce === true) return undefined;
  const files = line.body.files?.map((file) => ({ ...file, transcript: transcriptIn(line, file.blobId) }));
  return withFiles(versionsOf(line).at(-1)?.text ?? line.body.text, files);
}

/** A text with what is said of its files, and in them; what a voice message is called nobody chose. */
export function withFiles(
  text: string,
  files: readonly {
    readonly kind: FileKind;
    readonly name: string;
    readonly description: string;
    readonly transcript?: string | undefined;
  }[] = [],
): string {
  return [
    text,
    ...files.flatMap(({ kind, name, description, transcript = "" }) => [...(kind === "voice" ? [] : [description, name]), transcript]),
  ]
    .filter((words) => words !== "")
    .join("\n");
}

/** A line as the index has it. */
export function entryOf(line: Line): Entry | undefined {
  const text = searchedText(line);
  if (text === undefined || line.author === undefined) return undefined;
  const folded = foldMessage(text);
  const files = (line.body.kind === "text" ? line.body.files : undefined) ?? [];
  return {
    order: line.order,
    timeS: Math.floor(line.sentAtMs / 1000),
    author: authorNumber(line.author),
    hasLink: hasLink(folded),
    isPoll: line.body.kind === "poll",
    hasFile: files.length > 0,
    hasPicture: files.some(({ kind }) => kind === "picture"),
    hasVoice: files.some(({ kind }) => kind === "voice"),
    folded,
  };
}

/** How the index tells authors apart. */
export function authorNumber(account: Uint8Array): number {
  const view = new DataView(account.buffer, account.byteOffset, account.length);
  return view.getUint16(0) * 2 ** 32 + view.getUint32(2);
}

/** Whether somebody wrote an address, as far as can be told. */
export function hasLink(folded: string): boolean {
  return link.test(folded);
}
