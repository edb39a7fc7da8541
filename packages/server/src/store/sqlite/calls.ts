import type { StoreFaultParts } from "../../errors.ts";
import type { AdminStore } from "../admin-store.ts";
import type { DirectoryLogStore } from "../directory-store.ts";
import type { HistoryStore } from "../history-store.ts";
import type { LinkStore } from "../link-store.ts";
import type { BlobIndex, DayStore, DirectoryStore, InboxStore, LogStore, Store } from "../store.ts";
import type { PassphraseStore } from "../passphrase-store.ts";
import type { TokenStore } from "../token-store.ts";
import type { Breakage } from "./breakage.ts";
import type { Failed } from "./fault.ts";
import type { Packed } from "./packing.ts";

type Methods = Omit<LogStore, "append"> &
  Omit<InboxStore, "eraseItems"> &
  LinkStore &
  DirectoryStore &
  DirectoryLogStore &
  BlobIndex &
  DayStore &
  AdminStore &
  TokenStore &
  PassphraseStore &
  HistoryStore &
  Pick<Store, "scrub"> &
  Slices;

/** What the store does in slices, so that nobody waits for it. */
interface Slices {
  /** Erases the first items up to `uptoSeq`; answers whether there may be more of them. */
  eraseSome(params: { inboxId: Uint8Array; uptoSeq: number }): Promise<boolean>;
  /** Moves some of the newest entries to their places, or gives some of the room that was freed back to the file system; answers 0 where nothing is left to do. */
  shrink(): Promise<number>;
}

/** The operations that cross to the store's thread one by one; appends go in blocks. */
export type CallName = keyof Methods;

/** What an operation takes. */
export type CallParams<Name extends CallName> = Parameters<Methods[Name]>[0];

/** What an operation answers on the store's thread: lists of bytes packed. */
export type CallResult<Name extends CallName> = Name extends "readEntries" | "readItems" ? Packed : Awaited<ReturnType<Methods[Name]>>;

/** One operation. */
export interface Call {
  readonly name: CallName;
  readonly params: CallParams<CallName>;
}

/** What became of one operation. */
export type CallOutcome = { readonly kind: "done"; readonly value: unknown } | Failed;

/** Operations that become one transaction of each database that they concern. */
export interface Batch {
  readonly kind: "batch";
  readonly appends: Packed | undefined;
  readonly calls: readonly Call[];
}

export interface BatchResult {
  readonly kind: "result";
  readonly appends: Packed | undefined;
  readonly calls: readonly CallOutcome[];
  /** Why appends failed, where there is room and the disk works: of the first that did. */
  readonly appendFault?: StoreFaultParts;
  /** The executor does nothing any more, and why. */
  readonly breakage?: Breakage;
}

/** To the store's thread. */
export type ToWorker = Batch | { readonly kind: "close" };

/** From the store's thread. `ready` or `refused` comes first. */
export type FromWorker =
  | BatchResult
  | { readonly kind: "ready" }
  | { readonly kind: "refused"; readonly code: string; readonly message: string }
  /** It failed while nobody had asked for anything: it does nothing any more. */
  | { readonly kind: "broken"; readonly breakage: Breakage }
  /** `isDiskFull`: something stays in the write-ahead logs for the next start. */
  | { readonly kind: "closed"; readonly isDiskFull: boolean };

/** Where the database is and how it is opened. */
export interface DatabaseOptions {
  /** The directory that holds it; made if absent. */
  readonly directory: string;
  /** Upper bound of each database file, in pages of 4 KiB: beyond it writes answer `full`. Unbounded when absent. */
  readonly maxPages?: number;
}
