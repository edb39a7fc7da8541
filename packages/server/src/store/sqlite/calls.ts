import type { StoreFaultParts } from "../../errors.ts";
import type { CallName as CalledName, CallParams as CalledParams, CallResult as CalledResult } from "../called-store.ts";
import type { Breakage } from "./breakage.ts";
import type { Failed } from "./fault.ts";
import type { Packed } from "./packing.ts";

/** The operations that cross to the store's thread one by one; appends go in blocks. */
export type CallName = CalledName | "scrub" | "shrink";

/** What an operation takes. */
export type CallParams<Name extends CallName> = Name extends CalledName ? CalledParams<Name> : undefined;

/**
 * What an operation answers on the store's thread: lists of bytes packed. `shrink` moves some of the newest entries to their places, or gives
 * some of the room that was freed back to the file system, so that nobody waits for it, and answers 0 where nothing is left to do.
 */
export type CallResult<Name extends CallName> = Name extends "readEntries" | "readItems"
  ? Packed
  : Name extends CalledName
    ? CalledResult<Name>
    : Name extends "shrink"
      ? number
      : void;

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
