import type { ClientFailure } from "./failures.ts";

/** The backup of an account's messages at its server (spec B-1). */
export interface HistoryBackup {
  /** Which device keeps it: `gone` is one that is none of the account any more, so that nothing new comes into it. */
  readonly keptBy: "nobody" | "this" | "other" | "gone";
  /** Id of that device; `undefined` for nobody. */
  readonly deviceId: string | undefined;
  /** What was written last, as far as this device knows; `undefined` before the first time. */
  readonly written: { readonly atMs: number; readonly messages: number; readonly sizeBytes: number } | undefined;
  /** While this device writes; of the first writing how many conversations are in it, of how many. */
  readonly writing: { readonly done: number; readonly total: number } | undefined;
  /** Messages that are too long to be in it. */
  readonly leftOut: number;
  /** Why it could not be written, or read, the last time. */
  readonly failure: ClientFailure | undefined;
  /** It is turned off, and the server could not be told yet: it has it still. */
  readonly isToBeErased: boolean;
  /** What was found of it when the account was recovered here; `undefined` where nobody looked. */
  readonly found: FoundHistory | undefined;
}

/** A backup that can be read into this profile. */
export interface FoundHistory {
  /** `none`: the server says that there is none. */
  readonly stage: "none" | "offered" | "running" | "done" | "declined";
  /** When it was written, by the clock of the device that did. Whether a later one was, only a device that knows of it can tell. */
  readonly atMs: number;
  readonly messages: number;
  /** Parts of it that were read, of how many, and messages that came by that. */
  readonly done: number;
  readonly total: number;
  readonly restored: number;
  /** Parts that the server did not have any more, or that were others. */
  readonly missing: number;
  /** Lines of it, and whole parts, that this version cannot read. */
  readonly unreadable: number;
}

/** What a client does with the backup of its messages. */
export interface HistoryBackupCalls {
  /** How it stands, as far as this device knows. `isAsked`: the server is looked at first, and whether it shows what was written last. @throws ClientError of that */
  historyBackup(options?: { readonly isAsked?: boolean }): Promise<HistoryBackup>;
  /**
   * This device keeps a backup from now on, in place of whichever did; it is written in the background, and again once a day at most.
   * @param phrase the 24 words; without them those that this profile still has
   * @throws ClientError `backup_unread` while one that was found waits to be read, or something of it could not be, unless it was declined;
   * `server_lied` where one is looked for first; `invalid_phrase`, `server_refused` where the server is of an earlier version, `offline`
   */
  keepHistoryBackup(phrase?: string): Promise<void>;
  /** Writes what is not in it now, or with `isAnew` all of it, so that nothing of what was deleted since stays in it. Resolves when the server has it. @throws ClientError `backup_full` where one writing takes no more */
  writeHistoryBackup(options?: { readonly isAnew?: boolean }): Promise<HistoryBackup>;
  /** No device keeps one any more, and the server erases it: now, or when it can be told. @throws ClientError `backup_unread` as above */
  dropHistoryBackup(): Promise<void>;
  /** Looks for one with the phrase, on a device that began without its history. @throws ClientError `invalid_phrase`, `server_lied`, `offline` */
  findHistoryBackup(phrase: string): Promise<HistoryBackup>;
  /**
   * Reads what was found into this profile; goes on where it was broken off, also by itself after a start. Resolves when all of it is here,
   * and this device then keeps the backup, unless something of it could not be read. @throws ClientError `no_backup` where nothing was found, `offline`
   */
  restoreHistoryBackup(): Promise<HistoryBackup>;
  /** What was found is not to be read, or what could not be read of it is given up: nothing of it is kept here, and another may take its place. */
  declineHistoryBackup(): Promise<void>;
}
