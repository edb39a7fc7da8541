/** What is kept of what members and the public record say of a log (spec L-10, L-11). */
import type { LeafIndex } from "@latchkey/mls";

/** How a device's application messages are counted, and what stands for the newest of them (spec L-10). */
export interface OwnMark {
  readonly number: number;
  readonly mark: Uint8Array;
}

/** A device that spoke of another log than this device's; settled by the published head (spec L-10). */
export interface Doubt {
  readonly leafIndex: LeafIndex;
  readonly accountId: Uint8Array;
  /** As far as it claimed to have seen the log. */
  readonly seq: number;
  /** The published head is on this device's chain, as far as this: whose word it was is told. */
  readonly isNamed: boolean;
}

/** How a member's device numbers its messages (spec L-10). */
export interface Spoken extends OwnMark {
  /** The first number of it that was read. */
  readonly first: number;
  /** Numbers before the newest that are not here, and may come yet. */
  readonly absent: readonly number[];
  /** `unreadEntries` when its newest message was read. */
  readonly unread: number;
  /** When something was told of it last; 0 for never. */
  readonly toldAtMs: number;
}

/** A published head that this device has not read up to, and since when it is known (spec L-11). */
export interface AwaitedHead {
  readonly seq: number;
  readonly head: Uint8Array;
  readonly sinceMs: number;
}

/** When the log was last read to its end, and how long the server then promised to keep what follows (spec L-8). */
export interface Sight {
  readonly atMs: number;
  readonly retentionDays: number;
}
