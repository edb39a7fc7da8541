import type { ZipFile } from "../zip/read-zip.ts";
import type { AttachedFile, FileAccess, FileKind } from "./files.ts";

/** Which program wrote what is imported. */
export type ImportSource = "whatsapp" | "telegram" | "signal";

/**
 * A line of an imported conversation: what another program's file says, and nobody's word beyond that. It is signed by nobody, was never sent from here
 * and never is.
 */
export interface ImportedLine {
  /** When the file says that it was said, milliseconds since 1970; `undefined` where it does not say so. Of files without a zone, in that of the device that read them. */
  readonly sentAtMs: number | undefined;
  /** As the file calls them; "" of what nobody wrote. */
  readonly author: string;
  /** The file, or the person, says that its owner wrote it. */
  readonly isOwn: boolean;
  /** `event`: what happened, in the words of the file; `deleted` and `left_out`, which was to be seen once or had ended, have no words. */
  readonly kind: "text" | "event" | "deleted" | "left_out";
  readonly text: string;
  /** What came with it, as the file calls it. */
  readonly fileNames: readonly string[];
}

/** A line with its place. */
export interface PlacedLine extends ImportedLine {
  /** From 0, without gaps. */
  readonly order: number;
  /** What of `fileNames` is on this device. */
  readonly files: readonly ImportedFile[];
}

/** A file that came with a line, and is kept on this device. */
export interface ImportedFile extends AttachedFile {
  /** Which of the line's `fileNames` it is, from 0. */
  readonly at: number;
}

/** A file in an archive that the person chose, and the lines that name it. */
export interface ArchivedFile {
  readonly archive: Blob;
  /** What the archive's directory says of it: what is unpacked is held against that. */
  readonly entry: Omit<ZipFile, "name">;
  readonly name: string;
  readonly kind: FileKind;
  readonly mediaType: string;
  /** At most 1,000: the line's place, and which of its `fileNames` this is. */
  readonly places: readonly { readonly order: number; readonly at: number }[];
}

/** What became of a file of an archive. */
export type ArchivedFileFate =
  | "kept"
  /** It is not what the archive says of it, larger than a file may be, or the archive is not what was chosen any more. */
  | "unreadable"
  /** None of these lines has such a name, or what it names is here already. */
  | "unnamed"
  /** There is no room for it on this device, or for more files in this import. */
  | "full"
  | "stopped";

/** What is there of the files that lines name. */
export interface ImportedFileCounts {
  /** Names in lines, also those beyond what is kept with a line: each may come with a file. */
  readonly named: number;
  /** Names of which the file is here. */
  readonly kept: number;
  /** Of all that is here. */
  readonly sizeBytes: number;
  /** Why no more of them were taken over, where they could have been. */
  readonly ended: "full" | "stopped" | undefined;
}

/** Why something of a file was kept aside. */
export type AsideReason =
  /** It stands where a message should, and is none. */
  | "no_message"
  /** Its date is none. */
  | "bad_date"
  /** Longer than what is read. */
  | "too_long";

/** Something of a file that could not be read as a message. */
export interface AsideLine {
  readonly why: AsideReason;
  /** Its beginning, at most 1,000 UTF-16 units. */
  readonly text: string;
}

/** A conversation of another program, on this device alone: no group, no contact, and nothing that anything can be sent to. */
export interface ImportedConversation {
  readonly id: string;
  readonly title: string;
  readonly source: ImportSource;
  readonly importedAtMs: number;
  readonly lineCount: number;
  /** Everything that was kept aside; the first thousand are there to be read. */
  readonly asideCount: number;
  /** Of the first and the last line that says when. */
  readonly fromMs: number | undefined;
  readonly toMs: number | undefined;
  /** Its file was read to its end: else it was broken off, and what is here is a part. */
  readonly isWhole: boolean;
  readonly files: ImportedFileCounts;
}

/** A line that was found. */
export interface FoundLine {
  readonly importId: string;
  readonly line: PlacedLine;
  /** A piece of its text around what was looked for, and where that stands in it, in UTF-16 units. */
  readonly snippet: string;
  readonly hits: readonly { readonly start: number; readonly end: number }[];
}

/** What `Client` has for conversations of other programs. */
export interface ImportCalls {
  /** Newest import first. */
  imports(): Promise<readonly ImportedConversation[]>;
  /** Begins one that has no lines yet; its id. @throws ClientError `not_permitted` where there are 1,000 already */
  beginImport(about: { title: string; source: ImportSource }): Promise<string>;
  /**
   * Adds lines behind those that are there, and what was kept aside; at most 1,000 of each at once. Texts are cut at 65,536 UTF-16 units, names at 256.
   * @throws ClientError `unknown_conversation`; `not_permitted` once it is whole, or beyond 5,000,000 lines
   */
  addToImport(importId: string, more: { lines: readonly ImportedLine[]; aside: readonly AsideLine[]; asideCount: number }): Promise<void>;
  /**
   * Takes a file out of an archive and keeps it for these lines: on this device alone, sealed as all files are, and never taken off to make room
   * for others. One at a time; not from another process unless its archive is of `archiveAt`.
   * @throws ClientError `unknown_conversation`; `not_permitted` once it is whole
   */
  keepImportedFile(importId: string, file: ArchivedFile): Promise<ArchivedFileFate>;
  /** Ends what `keepImportedFile` is at: nothing of that file stays. */
  stopImportedFiles(importId: string): Promise<void>;
  /** Its file was read to its end. @param ended why not all files were taken over @throws ClientError `unknown_conversation` */
  finishImport(importId: string, ended?: ImportedFileCounts["ended"]): Promise<ImportedConversation>;
  /** What reads a file that came with a line. It has no address: all of it is here. @throws ClientError `unknown_message` */
  importedFile(importId: string, order: number, fileId: string): Promise<FileAccess>;
  /** Lines, oldest first: the `limit` before a place (the last ones when absent), or right after one. At most 500. @throws ClientError `unknown_conversation` */
  importedLines(
    importId: string,
    range: { beforeOrder?: number | undefined; afterOrder?: number | undefined; limit: number },
  ): Promise<readonly PlacedLine[]>;
  /**
   * The bytes of a file that came with a line, as they come: each is verified before it is given. Not from another process or worker.
   * @throws ClientError as `importedFile`, `file_gone` where it is not on this disk any more, or damaged there
   */
  readImportedFile(importId: string, order: number, fileId: string): AsyncIterable<Uint8Array>;
  /** What was kept aside, in the order of the file. @throws ClientError `unknown_conversation` */
  importAside(importId: string): Promise<readonly AsideLine[]>;
  /**
   * Lines that have every word of a query in their text, their author's name or the names of their files; of one import or of all, the last lines first.
   * Words are compared as in `search`. At most 200.
   */
  searchImports(query: string, options?: { importId?: string | undefined; limit?: number | undefined }): Promise<readonly FoundLine[]>;
  /** Erases it with its files and everything that it is found by. */
  deleteImport(importId: string): Promise<void>;
}
