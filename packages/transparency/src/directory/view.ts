import { mapped, opaque, opaqueV, optional, safeUint64, struct, text } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { directoryConfigCodec, secondFormatCodec } from "./structures.ts";
import type { DirectoryConfig } from "./structures.ts";

/** A config that was logged and is not in effect yet (spec D-2). */
export interface PendingConfig {
  readonly config: DirectoryConfig;
  /** Index of its entry. */
  readonly index: number;
  /** Log time from which on it may be in effect: what people are told. That it is takes a ConfigChange. */
  readonly effectiveAtMs: number;
  /** When this reader last met the log without it, by its own clock; 0 for never. */
  readonly sightMs: number;
}

/** What a client or witness keeps for each host: the largest head that it verified. Immutable. */
export interface DirectoryView {
  /** `<host>/latchkey`. */
  readonly origin: string;
  /** H of entry 0's config: pinned. */
  readonly configHash: Uint8Array;
  /** In effect for heads of this size on. */
  readonly config: DirectoryConfig;
  /** Index of the entry with `config`. */
  readonly configIndex: number;
  readonly pendingConfig: PendingConfig | undefined;
  /** 1 or more. */
  readonly size: number;
  /** Of the log's tree at `size`. */
  readonly root: Uint8Array;
  /** Of the map at `size`. */
  readonly mapRoot: Uint8Array;
  readonly leafCount: number;
  /** Log time of the newest entry. */
  readonly timestampMs: number;
  /** Since when the quorum of log witnesses vouches for `size`; 0 when none is asked for or reached. */
  readonly logQuorumMs: number;
  /** The same for the quorum of map witnesses. */
  readonly mapQuorumMs: number;
  /** When this view last met a head of this size or a larger one. */
  readonly checkedAtMs: number;
}

const storedDirectoryView: Codec<DirectoryView & { format: 2; ext: Uint8Array }> = struct<DirectoryView & { format: 2; ext: Uint8Array }>({
  format: secondFormatCodec,
  origin: text(300),
  configHash: opaque(32),
  config: directoryConfigCodec,
  configIndex: safeUint64,
  pendingConfig: optional(
    struct<PendingConfig>({ config: directoryConfigCodec, index: safeUint64, effectiveAtMs: safeUint64, sightMs: safeUint64 }),
  ),
  size: safeUint64,
  root: opaque(32),
  mapRoot: opaque(32),
  leafCount: safeUint64,
  timestampMs: safeUint64,
  logQuorumMs: safeUint64,
  mapQuorumMs: safeUint64,
  checkedAtMs: safeUint64,
  // Kept locally: another version of it is another format.
  ext: opaqueV(0),
});

export const directoryViewCodec: Codec<DirectoryView> = mapped(
  storedDirectoryView,
  (value) => ({ ...value, format: 2 as const, ext: new Uint8Array(0) }),
  ({ format: _format, ext: _ext, ...value }) => value,
);
