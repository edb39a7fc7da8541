import type { FileKind, FileLooks } from "@latchkey/protocol";
import type { ClientErrorCode } from "./failures.ts";

export type { FileKind, FileLooks } from "@latchkey/protocol";

/** A file of a message, as people see it. What its author says of it is their word, but for its size: a file of another one does not open. */
export interface AttachedFile extends FileLooks {
  /** Of this file and no other, on every device. */
  readonly id: string;
  readonly kind: FileKind;
  /** As it may be shown and saved under: no path, no unseen characters; never empty. */
  readonly name: string;
  /** In lower case, without parameters. */
  readonly mediaType: string;
  readonly sizeBytes: number;
  /** What it shows, for who cannot see it; "" where nobody said. */
  readonly description: string;
  /** What is said in it, as far as this device wrote it down (`transcribe`): a program's word. */
  readonly transcript?: string | undefined;
}

/** A file that is to be sent. */
export interface NewFile extends FileLooks {
  /** As others will see it, without a path. */
  readonly name: string;
  /** In lower case, without parameters; `application/octet-stream` where nothing is known. */
  readonly mediaType: string;
  readonly sizeBytes: number;
  /** How it is shown; "file" unless said otherwise. */
  readonly kind?: FileKind | undefined;
  readonly description?: string | undefined;
  /** Its bytes, `sizeBytes` in all: read once, before the message is written down. */
  readonly content: Blob | AsyncIterable<Uint8Array>;
}

/** Where a file is. Its ciphertext is meant where bytes are counted. */
export type FileState =
  /** At its host, as far as this device knows; `hereBytes` of it were fetched. */
  | { readonly kind: "remote"; readonly hereBytes: number; readonly totalBytes: number }
  /** Whole on this device. */
  | { readonly kind: "here" }
  /** On its way to its host. `cause`: why it does not go on now; it is tried again by itself. */
  | { readonly kind: "sending"; readonly sentBytes: number; readonly totalBytes: number; readonly cause?: ClientErrorCode | undefined }
  /** Its host does not have it any more, and this device neither: whoever sent it can send it again. */
  | { readonly kind: "gone" };

/** What it takes to read a file: for whoever decrypts it elsewhere, such as the worker that answers what a page shows. */
export interface FileAccess {
  /** Of the blob at its host. */
  readonly id: string;
  /** Where its host has its ciphertext; `undefined` of what was imported: no host has it. */
  readonly url: string | undefined;
  /** 32 bytes of AES-256-GCM. */
  readonly key: Uint8Array;
  /** What every nonce begins with, 7 bytes. */
  readonly prefix: Uint8Array;
  /** Of the file itself. */
  readonly sizeBytes: number;
  /** By its author's word. */
  readonly mediaType: string;
  /** To save it under. */
  readonly name: string;
  /** Its ciphertext may be kept on this device: not of what is to be seen once, nor of another message's blob. */
  readonly isKept: boolean;
}
