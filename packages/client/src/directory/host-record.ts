import { bool, decode, encode, oneOf, opaque, opaqueV, optional, safeUint64, struct, uint16, uint32, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { directoryViewCodec, replayStateCodec } from "@latchkey/transparency";
import type { DirectoryView, LogEvidence, ReplayState } from "@latchkey/transparency";
import type { StoreTransaction } from "../store/store.ts";

/** A checkpoint that the log signed, and that no proof has joined to the view yet (spec D-4). */
export interface PendingGossip {
  /** The C2SP note, with the log's signature. */
  readonly note: Uint8Array;
  readonly sinceMs: number;
  /** In how many hours the host was there and did not prove it. */
  readonly tries: number;
  /** When that was counted last; 0 for never. */
  readonly triedMs: number;
}

/** Transitions that this device replayed by itself (spec D-3). */
export interface OwnReplay {
  readonly state: ReplayState;
  /** Bytes fetched for it on `day`, days since 1970. */
  readonly day: number;
  readonly fetchedBytes: number;
}

/** What a profile keeps of a host's public record. Immutable. */
export interface HostRecord {
  readonly format: 3;
  readonly view: DirectoryView;
  /** The view's checkpoint with the log's signature: what this device tells others, and what convicts the log (spec D-4). */
  readonly checkpoint: Uint8Array;
  /** What proves the log's keys of now to whoever knows the hash of its first config (spec M-2). */
  readonly log: LogEvidence;
  /** Who vouched for the view when it was last checked, of how many that are asked for. */
  readonly witnesses: number;
  readonly required: number;
  /** Whether witnesses of the map vouched for it. */
  readonly isMapWatched: boolean;
  readonly replay: OwnReplay | undefined;
  readonly gossip: readonly PendingGossip[];
}

const hostRecordCodec: Codec<HostRecord> = struct<HostRecord>({
  format: oneOf(uint16, [3]),
  view: directoryViewCodec,
  checkpoint: opaqueV(16_384),
  log: struct<LogEvidence>({ config: opaqueV(32_768), changes: vector(opaqueV(196_608), { maxBytes: 1_048_576 }) }),
  witnesses: uint32,
  required: uint32,
  isMapWatched: bool,
  replay: optional(struct<OwnReplay>({ state: replayStateCodec, day: safeUint64, fetchedBytes: safeUint64 })),
  gossip: vector(struct<PendingGossip>({ note: opaqueV(4096), sinceMs: safeUint64, tries: uint32, triedMs: safeUint64 }), {
    maxBytes: 262_144,
  }),
});

const recordKey = (host: string): string => `directory/record/${host}`;
const pinKey = (host: string): string => `directory/pin/${host}`;
const pinCodec: Codec<{ configHash: Uint8Array; reserved: Uint8Array }> = struct<{ configHash: Uint8Array; reserved: Uint8Array }>({
  configHash: opaque(32),
  reserved: opaqueV(256),
});

/** What is kept of a host; `undefined` before the first contact. */
export async function loadHostRecord(tx: StoreTransaction, host: string): Promise<HostRecord | undefined> {
  const bytes = await tx.get(recordKey(host));
  return bytes === undefined ? undefined : decode(hostRecordCodec, bytes);
}

export function saveHostRecord(tx: StoreTransaction, host: string, record: HostRecord): void {
  tx.put(recordKey(host), encode(hostRecordCodec, record));
}

/** H(DirectoryConfig) that an invitation or another device named for a host not met yet (spec D-2). */
export async function loadPin(tx: StoreTransaction, host: string): Promise<Uint8Array | undefined> {
  const bytes = await tx.get(pinKey(host));
  return bytes === undefined ? undefined : decode(pinCodec, bytes).configHash;
}

export function savePin(tx: StoreTransaction, host: string, configHash: Uint8Array): void {
  tx.put(pinKey(host), encode(pinCodec, { configHash, reserved: new Uint8Array(0) }));
}
