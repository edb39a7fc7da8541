import type { AttachedFile, FileAccess, FileKind, FileState } from "./files.ts";
import type { Message } from "./messages.ts";

/** Which bytes of a file: from `from` up to, not including, `to`; all of them when absent. */
export interface FileRange {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

/** A file with the message that it came with. */
export interface ListedFile {
  readonly message: Message;
  readonly file: AttachedFile;
  /** How much of its ciphertext is on this device. */
  readonly storedBytes: number;
}

/** How much is kept of files. */
export interface FileStorage {
  /** Ciphertext on this device: what was fetched, what was sent, and what waits to be sent. */
  readonly storedBytes: number;
  /** The most that is kept; `undefined`: as much as there is room for. */
  readonly limitBytes: number | undefined;
}

/** What `Client` has for files. */
export interface FileCalls {
  /** Where a file is. @throws ClientError `unknown_message` */
  fileState(conversationId: string, messageId: string, fileId: string): Promise<FileState>;
  /**
   * What reads a file elsewhere: its key, and where its ciphertext is.
   * Of what is to be seen once (spec X-8) this is the look at it: it is fetched whole, one's other devices are told, and then its key is
   * erased here. What is read of it may be removed by `removeFile` then.
   * @throws ClientError `unknown_message`; `seen_once`; `other_host` where it is not at the conversation's host; `not_accepted` of a stranger's, or a blocked person's
   */
  fileAccess(conversationId: string, messageId: string, fileId: string): Promise<FileAccess>;
  /**
   * Brings a file to this device, whole and verified; goes on where an earlier call stopped. Events of kind `file` tell how far it is.
   * @throws ClientError as `fileAccess`; `file_gone` where its host does not have it any more; `server_lied` for another file;
   * `storage_full`; what may pass, after a minute or two of tries, with `canRetry`; `closed` after `cancelFile`
   */
  fetchFile(conversationId: string, messageId: string, fileId: string): Promise<void>;
  /** Ends a fetch; of a file that is on its way to its host, the message is let go of. @throws ClientError `unknown_message` */
  cancelFile(conversationId: string, messageId: string, fileId: string): Promise<void>;
  /** Takes a file off this device; the message stays, and it can be fetched again. @throws ClientError `unknown_message`, `not_permitted` while it is on its way to its host */
  removeFile(conversationId: string, messageId: string, fileId: string): Promise<void>;
  /**
   * Files with their messages: of a conversation the newest first, before a place (`order`) where one is given; without a conversation
   * those that are kept on this device, the largest first.
   */
  listFiles(
    conversationId: string | undefined,
    params: { kinds?: readonly FileKind[] | undefined; beforeOrder?: number | undefined; limit: number },
  ): Promise<readonly ListedFile[]>;
  /** How much is kept of files, and how much at most. */
  fileStorage(): Promise<FileStorage>;
  /**
   * Sets how much is kept of files on this device, 2 GB unless set; `undefined`: as much as there is room for. What is more goes, and so does what a
   * full disk or a browser's quota leaves no room for: the files first that were used longest ago, never what waits to be sent, what is being
   * read, or what was used last. It can be fetched again while its host has it.
   * @throws ClientError `invalid_setting` for what is no number of bytes
   */
  setFileLimit(limitBytes: number | undefined): Promise<void>;
  /** Whether this client was given a function that writes down what is said (`ClientOptions.transcribe`). */
  canTranscribe(): Promise<boolean>;
  /**
   * Writes down, on this device, what is said in a sound or a film, and keeps it with the message: shown and found with it, erased with it, told
   * to nobody, not to one's other devices either (spec X-27). "" where nothing is said, which is not kept. One file at a time; `cancelFile` ends it.
   * @throws ClientError as `fetchFile`; `not_permitted` where the client has no such function, of another kind of file, and of what is to be seen
   * once; `closed` after `cancelFile`; and whatever the function throws
   */
  transcribe(conversationId: string, messageId: string, fileId: string): Promise<string>;
  /**
   * The bytes of a file, or of a part of it, as they come: each is verified before it is given. What is missing on this device is fetched, and kept
   * where there is space. Where all of it is read, its end is given once the hash of the whole is right. Not from another process or worker.
   * @throws ClientError as `fetchFile`, while it is read
   */
  readFile(conversationId: string, messageId: string, fileId: string, range?: FileRange): AsyncIterable<Uint8Array>;
}
