import type { AsideLine, ImportedLine } from "../api/imports.ts";

/** What a parser says of a file, in its order. `key` is of a conversation in it. */
export type Parsed =
  | { readonly kind: "conversation"; readonly key: string; readonly title: string }
  | { readonly kind: "line"; readonly key: string; readonly line: ImportedLine; readonly files?: readonly (NamedFile | undefined)[] }
  /** Something that is no message; of no conversation in particular without a key. */
  | ({ readonly kind: "aside"; readonly key: string | undefined } & AsideLine);

/** Where a file that a line names lies, by the place of its name among `fileNames`: as the file says, which may be anywhere. */
export interface NamedFile {
  /** From the folder of the text on. */
  readonly path: string;
  /** "" where only the name says it. */
  readonly mediaType: string;
  readonly isVoice: boolean;
}

/** Files of a kind that nobody can read on, or that are there no more: nothing of them is imported. `deleted`: all that was imported of it was, meanwhile. */
export class ImportError extends Error {
  override readonly name = "ImportError";
  readonly code: "unknown_format" | "not_whole" | "nested" | "unpacks_too_large" | "bad_archive" | "unreadable_file" | "deleted";

  constructor(code: ImportError["code"], message: string) {
    super(message);
    this.code = code;
  }
}

/** A line that somebody wrote, with what is said of it. */
export function textLine(over: Partial<ImportedLine>): ImportedLine {
  return { sentAtMs: undefined, author: "", isOwn: false, kind: "text", text: "", fileNames: [], ...over };
}

/** UTF-16 units of all that is kept of a line. */
export function lengthOf({ text, author, fileNames }: ImportedLine): number {
  return fileNames.reduce((sum, name) => sum + name.length, text.length + author.length);
}
