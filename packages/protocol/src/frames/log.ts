import { empty, opaque, opaqueV, safeUint64, struct, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { wireErrorCodec } from "../errors.ts";
import { maxClosedEpochs, signalBytes } from "../limits.ts";
import type { WireError } from "../errors.ts";
import { wireEntryKindCodec } from "../log-chain.ts";
import type { WireEntryKind } from "../log-chain.ts";
import { blobBytes, frameCodec, helloCodec, id32, tokenCodec } from "./common.ts";
import type { FrameCodec, Hello } from "./common.ts";

/** Creates a log with its epoch 0 and opens that epoch. Answer: `opened`. Refused as `log_exists`; the same id and hash again are a retry. */
export interface CreateLog {
  readonly logId: Uint8Array;
  /** H(access key of epoch 0). */
  readonly accessHash: Uint8Array;
  readonly token: Uint8Array;
}

/**
 * Shows the access key of an epoch (spec L-3). Answer: `opened`, then an `entry` or `sealed` event for every entry after
 * `afterSeq`, in order, until the commit that ends the newest epoch opened here; opening its child lets the stream go on.
 */
export interface OpenEpoch {
  readonly logId: Uint8Array;
  readonly epochId: number;
  readonly access: Uint8Array;
  /** The last entry that the client has; the stream starts after it. Ignored when this connection streams the log already. */
  readonly afterSeq: number;
  /** Epochs that have closed, to be open as well before the stream starts (spec L-3); one whose key is another is passed over. */
  readonly closed: readonly EpochAccess[];
}

/** The access key of an epoch. */
export interface EpochAccess {
  readonly epochId: number;
  readonly access: Uint8Array;
}

/** A message or complaint (spec L-4). Answer: `accepted`. */
export interface Append {
  readonly logId: Uint8Array;
  readonly epochId: number;
  readonly entryKind: WireEntryKind;
  /** Its bytes: what it names in the clear, and what is sealed (`splitEntry`). */
  readonly blob: Uint8Array;
}

/** Ends an epoch and opens its child, or answers `conflict` (spec L-5). Answer: `accepted`. */
export interface CommitEpoch {
  readonly logId: Uint8Array;
  readonly epochId: number;
  /** The last commit of this epoch that the client has seen, 0 for none: a later one makes a conflict. */
  readonly afterSeq: number;
  readonly nextAccessHash: Uint8Array;
  readonly blob: Uint8Array;
  readonly token: Uint8Array;
}

/** What a client asks on a `log` connection. */
export type LogRequest =
  | ({ readonly kind: "create" } & CreateLog)
  | ({ readonly kind: "open" } & OpenEpoch)
  | ({ readonly kind: "append" } & Append)
  | ({ readonly kind: "commit" } & CommitEpoch)
  | { readonly kind: "close"; readonly logId: Uint8Array }
  /** The head of an opened log as the directory's log has it (spec L-11). Answer: `head_proof`. */
  | ({ readonly kind: "head_proof" } & LogHeadRequest)
  /** Answer: `done`, also where the signal was dropped. */
  | ({ readonly kind: "signal" } & Signal)
  | { readonly kind: "ping" };

/** What is relayed to those who have an epoch open now, is stored nowhere and has no place in the log (spec N-1). */
export interface Signal {
  readonly logId: Uint8Array;
  readonly epochId: number;
  /** `signalBytes`, sealed. */
  readonly bytes: Uint8Array;
}

/** Asks for the published head of a log. */
export interface LogHeadRequest {
  readonly logId: Uint8Array;
  /** Size of the directory's log that the asker has verified; 0 for none. */
  readonly knownSize: number;
}

/** An entry on disk, of an epoch opened on this connection. */
export interface EntryEvent {
  readonly logId: Uint8Array;
  readonly seq: number;
  readonly epochId: number;
  readonly entryKind: WireEntryKind;
  /** Day of arrival, days since 1970-01-01. */
  readonly day: number;
  readonly nextAccessHash: Uint8Array;
  readonly blob: Uint8Array;
}

/** An entry of an epoch not opened: its link of the head chain, and what that is made of (spec L-3). */
export interface SealedEvent {
  readonly logId: Uint8Array;
  readonly seq: number;
  readonly epochId: number;
  readonly entryKind: WireEntryKind;
  readonly nextAccessHash: Uint8Array;
  /** H(blob). With what stands beside it `leaf_s`: so the chain proves of each entry which epoch it is of, and what it is. */
  readonly blobHash: Uint8Array;
}

/** What an open log is at. */
export interface Opened {
  readonly logId: Uint8Array;
  /** The epoch that the newest commit opened, 0 for none; whether it counts is for the members to tell (spec G-3). */
  readonly currentEpochId: number;
  /** Last entry, 0 for none, and the head after it. */
  readonly lastSeq: number;
  readonly head: Uint8Array;
  /** First entry still kept, and the head before it (spec L-8). */
  readonly firstSeq: number;
  readonly headBeforeFirst: Uint8Array;
}

/** On disk (spec L-7). */
export interface Accepted {
  readonly seq: number;
  readonly head: Uint8Array;
}

/** What the server answers or sends on a `log` connection. */
export type LogReply =
  | ({ readonly kind: "hello" } & Hello)
  | ({ readonly kind: "error" } & WireError)
  | ({ readonly kind: "opened" } & Opened)
  | ({ readonly kind: "accepted" } & Accepted)
  | ({ readonly kind: "entry" } & EntryEvent)
  | ({ readonly kind: "sealed" } & SealedEvent)
  /** HeadsProof (`@latchkey/transparency`), empty where no head of this log was published since it was last written to. */
  | { readonly kind: "head_proof"; readonly proof: Uint8Array }
  /** From somebody who has the epoch open, or made by the server: nothing of consequence follows from it. */
  | ({ readonly kind: "signal" } & Signal)
  | { readonly kind: "done" };

const epochAccess: Codec<EpochAccess> = struct<EpochAccess>({ epochId: safeUint64, access: id32 });
const closedEpochs: Codec<readonly EpochAccess[]> = vector(epochAccess, { maxBytes: 40 * maxClosedEpochs });
// A log's id is always its 32 random bytes.
const logId = id32;
const signal: Codec<Signal> = struct<Signal>({ logId, epochId: safeUint64, bytes: opaque(signalBytes) });

export const logRequestCodec: FrameCodec<LogRequest> = frameCodec<LogRequest>({
  create: [1, struct<CreateLog>({ logId, accessHash: id32, token: tokenCodec })],
  open: [2, struct<OpenEpoch>({ logId, epochId: safeUint64, access: id32, afterSeq: safeUint64, closed: closedEpochs })],
  append: [3, struct<Append>({ logId, epochId: safeUint64, entryKind: wireEntryKindCodec, blob: blobBytes })],
  commit: [
    4,
    struct<CommitEpoch>({
      logId,
      epochId: safeUint64,
      afterSeq: safeUint64,
      nextAccessHash: id32,
      blob: blobBytes,
      token: tokenCodec,
    }),
  ],
  close: [5, struct<{ logId: Uint8Array }>({ logId })],
  ping: [6, empty],
  head_proof: [7, struct<LogHeadRequest>({ logId, knownSize: safeUint64 })],
  signal: [8, signal],
});

export const logReplyCodec: FrameCodec<LogReply> = frameCodec<LogReply>({
  hello: [0, helloCodec],
  error: [1, wireErrorCodec],
  opened: [
    2,
    struct<Opened>({
      logId,
      currentEpochId: safeUint64,
      lastSeq: safeUint64,
      head: id32,
      firstSeq: safeUint64,
      headBeforeFirst: id32,
    }),
  ],
  accepted: [3, struct<Accepted>({ seq: safeUint64, head: id32 })],
  entry: [
    4,
    struct<EntryEvent>({
      logId,
      seq: safeUint64,
      epochId: safeUint64,
      entryKind: wireEntryKindCodec,
      day: safeUint64,
      nextAccessHash: id32,
      blob: blobBytes,
    }),
  ],
  sealed: [
    5,
    struct<SealedEvent>({
      logId,
      seq: safeUint64,
      epochId: safeUint64,
      entryKind: wireEntryKindCodec,
      nextAccessHash: id32,
      blobHash: id32,
    }),
  ],
  done: [6, empty],
  head_proof: [7, struct<{ proof: Uint8Array }>({ proof: opaqueV(65_536) })],
  signal: [8, signal],
});
