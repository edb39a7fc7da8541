import {
  CodecError,
  decode,
  enumeration,
  mapped,
  oneOf,
  opaque,
  opaqueV,
  safeUint64,
  struct,
  text,
  uint16,
  uint32,
  uint8,
  variant,
  vector,
} from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { sha256 } from "@noble/hashes/sha2.js";
import { TransparencyError } from "../errors.ts";
import { mapProofCodec } from "../map/proof.ts";
import type { MapProof } from "../map/proof.ts";
import type { LabelType } from "./labels.ts";
import { checkpointNoteCodec } from "./note-codec.ts";

/** Reads `uint16 format = 1` (spec C-1). */
export const formatCodec: Codec<1> = oneOf(uint16, [1]);
/** Reads `uint16 format = 2` (spec C-1). */
export const secondFormatCodec: Codec<2> = oneOf(uint16, [2]);
const ext = opaqueV(4096);
const hash = opaque(32);
/** Enough for a tree of 2^63 entries. */
const path = vector(hash, { maxBytes: 128 * 32 });

/** One publication in the log (spec section 40). Its bytes are the log's entry. */
export interface LogEntry {
  readonly format: 1;
  /** Strictly increasing from entry to entry. */
  readonly timestampMs: number;
  /** Leaves of the map after this entry. */
  readonly leafCount: number;
  /** Of the map after this entry; zeros while it is empty. */
  readonly mapRoot: Uint8Array;
  /** H(transition) from the map before; zeros when this entry changed nothing. */
  readonly changesHash: Uint8Array;
  /** Root of the map of heads of logs (spec L-11); zeros when this entry has none. */
  readonly headsRoot: Uint8Array;
  /** Index of the newest entry that has a config: this entry's own when it has one. */
  readonly configIndex: number;
  /** An encoded DirectoryConfig, or nothing. Entry 0 has one. */
  readonly config: Uint8Array;
  readonly ext: Uint8Array;
}

/** The keys and policies of a directory (spec D-2). */
export interface DirectoryConfig {
  readonly format: 1;
  /** `<host>/latchkey`: the origin line of its checkpoints. */
  readonly origin: string;
  /** C2SP verifier key of the log. */
  readonly logKey: string;
  /** Ed25519 point, 32 bytes. Never replaced: a new one means a new log. */
  readonly vrfPublicKey: Uint8Array;
  /** C2SP tlog-policy text for cosignatures of the log; "" asks for none. */
  readonly logPolicy: string;
  /** The same for witnesses that replay the map, named `<witness>/latchkey-map`. */
  readonly mapPolicy: string;
  /** Structure formats in use. */
  readonly formats: readonly number[];
  readonly ext: Uint8Array;
}

/** A checkpoint with the log entry that it ends with: what a client opens first. */
export interface SignedHead {
  /** A C2SP signed note: log signature and cosignatures. */
  readonly checkpoint: Uint8Array;
  /** The encoded LogEntry at size - 1. */
  readonly entry: Uint8Array;
  /** RFC 6962 inclusion of that entry in the checkpoint's tree. */
  readonly inclusion: readonly Uint8Array[];
}

/** One value of a label in a proof: its opening when the value is in the record, else the bare commitment (the value was erased). */
export type LabelItem =
  | { readonly kind: "opening"; readonly opening: Uint8Array }
  | { readonly kind: "commitment"; readonly commitment: Uint8Array };

/** What the map says of one label. */
export interface LabelProof {
  readonly type: LabelType;
  /** 80 bytes; nothing when the asker knew the index. */
  readonly vrfProof: Uint8Array;
  /** Values up to this version are not in `items`: the asker knew the chain. 0: all are there. */
  readonly fromVersion: number;
  readonly items: readonly LabelItem[];
  readonly mapProof: MapProof;
}

/** The proof of a lookup, of an absence or of a publication: `AccountRecord.proof`, `Published.proof`. */
export interface DirectoryProof {
  readonly format: 1;
  readonly head: SignedHead;
  readonly labels: readonly LabelProof[];
  /** From the size that the asker named; nothing when it named 0 or this size. */
  readonly consistency: readonly Uint8Array[];
  readonly ext: Uint8Array;
}

/** The proof that the directory published a head of a log of messages (spec L-11). */
export interface HeadsProof {
  readonly format: 1;
  readonly head: SignedHead;
  /** As in DirectoryProof. */
  readonly consistency: readonly Uint8Array[];
  /** Index of the entry with the `headsRoot` that is used. */
  readonly index: number;
  /** That entry's bytes. */
  readonly entry: Uint8Array;
  /** Its inclusion in the checkpoint's tree. */
  readonly inclusion: readonly Uint8Array[];
  readonly seq: number;
  readonly logHead: Uint8Array;
  readonly mapProof: MapProof;
  readonly ext: Uint8Array;
}

/** Which tree the sender of a message sees, signed by the log (spec D-4). */
export interface Gossip {
  readonly format: 2;
  /** A C2SP signed note with the log's own signature. */
  readonly checkpoint: Uint8Array;
  readonly ext: Uint8Array;
}

/** A later config with the proof that the old log key and the old quorum saw it, for seven days (spec D-2). */
export interface ConfigChange {
  readonly format: 2;
  /** Index of the entry with the config. */
  readonly index: number;
  /** That entry's bytes. */
  readonly entry: Uint8Array;
  /** Its inclusion in the tree of `first`. */
  readonly inclusion: readonly Uint8Array[];
  /** A head larger than `index`, signed and cosigned under the config before: its notice begins with it. */
  readonly first: SignedHead;
  /** One that continues it, signed and cosigned under the config before, and seven days later. */
  readonly last: SignedHead;
  /** From `first` to `last`. */
  readonly consistency: readonly Uint8Array[];
  readonly ext: Uint8Array;
}

export const logEntryCodec: Codec<LogEntry> = struct<LogEntry>({
  format: formatCodec,
  timestampMs: safeUint64,
  leafCount: safeUint64,
  mapRoot: hash,
  changesHash: hash,
  headsRoot: hash,
  configIndex: safeUint64,
  config: opaqueV(32_768),
  ext,
});

export const directoryConfigCodec: Codec<DirectoryConfig> = struct<DirectoryConfig>({
  format: formatCodec,
  origin: text(300),
  logKey: text(512),
  vrfPublicKey: hash,
  logPolicy: text(8192),
  mapPolicy: text(8192),
  formats: vector(uint16, { maxBytes: 64 }),
  ext,
});

const entry = opaqueV(40_960, 1);

export const signedHeadCodec: Codec<SignedHead> = struct<SignedHead>({ checkpoint: checkpointNoteCodec, entry, inclusion: path });

/** Nothing, or a proof of RFC 9381's size. */
const vrfProof: Codec<Uint8Array> = mapped(
  opaqueV(80),
  (value) => value,
  (value) => {
    if (value.length !== 0 && value.length !== 80) throw new CodecError("invalid", "a VRF proof has 80 bytes");
    return value;
  },
);

export const labelProofCodec: Codec<LabelProof> = struct<LabelProof>({
  type: enumeration(uint8, { username: 1, account: 2, operator: 3 }),
  vrfProof,
  fromVersion: uint32,
  items: vector(
    variant<LabelItem>(uint8, {
      opening: [1, struct<{ opening: Uint8Array }>({ opening: hash })],
      commitment: [2, struct<{ commitment: Uint8Array }>({ commitment: hash })],
    }),
    { maxBytes: 1 << 20 },
  ),
  mapProof: mapProofCodec,
});

export const directoryProofCodec: Codec<DirectoryProof> = struct<DirectoryProof>({
  format: formatCodec,
  head: signedHeadCodec,
  labels: vector(labelProofCodec, { maxBytes: 1 << 21, minItems: 1, maxItems: 4 }),
  consistency: path,
  ext,
});

export const headsProofCodec: Codec<HeadsProof> = struct<HeadsProof>({
  format: formatCodec,
  head: signedHeadCodec,
  consistency: path,
  index: safeUint64,
  entry,
  inclusion: path,
  seq: uint32,
  logHead: hash,
  mapProof: mapProofCodec,
  ext,
});

export const gossipCodec: Codec<Gossip> = struct<Gossip>({
  format: secondFormatCodec,
  checkpoint: checkpointNoteCodec,
  ext: opaqueV(256),
});

export const configChangeCodec: Codec<ConfigChange> = struct<ConfigChange>({
  format: secondFormatCodec,
  index: safeUint64,
  entry,
  inclusion: path,
  first: signedHeadCodec,
  last: signedHeadCodec,
  consistency: path,
  ext,
});

/** The origin of a host's directory: the first line of its checkpoints. */
export function directoryOrigin(host: string): string {
  return `${host}/latchkey`;
}

/** The name under which a witness signs that it replayed the map (spec D-3). */
export function mapWitnessName(witnessName: string): string {
  return `${witnessName}/latchkey-map`;
}

/** What clients pin: H of entry 0's config (spec D-2). */
export function configHashOf(encodedConfig: Uint8Array): Uint8Array {
  return sha256(encodedConfig);
}

/** Decodes a structure of the directory. @throws TransparencyError `malformed`, naming the rule. */
export function decodeOrRefuse<T>(codec: Codec<T>, bytes: Uint8Array, rule: string): T {
  try {
    return decode(codec, bytes);
  } catch (cause) {
    if (cause instanceof CodecError)
      throw new TransparencyError("malformed", rule, "a structure of the directory does not decode", { cause });
    throw cause;
  }
}
