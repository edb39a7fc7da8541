import { decode, encode, oneOf, opaque, opaqueV, optional, safeUint64, struct, uint16, uint32, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { maxMessageBytes, settingsOpeningCodec, wireEntryKindCodec } from "@latchkey/protocol";
import type { SettingsOpening, WireEntryKind } from "@latchkey/protocol";

/** An entry of the span without its seq, which follows from its place: what its leaf in the chain is made of (spec section 10). */
export interface ArchivedEntry {
  readonly kind: WireEntryKind;
  readonly epochId: number;
  readonly blobHash: Uint8Array;
  /** Of a commit. */
  readonly nextAccessHash: Uint8Array | undefined;
}

/** An epoch of the group in which something in the span was said. */
export interface ArchivedEpoch {
  /** GroupContext, which members signed with all that they said in it. */
  readonly context: Uint8Array;
  /** Which of `openings` is what its hashes stand for. */
  readonly opening: number;
}

/** A device that said something in the span. */
export interface ArchivedAuthor {
  readonly accountId: Uint8Array;
  readonly deviceId: Uint8Array;
  readonly signaturePublicKey: Uint8Array;
}

/** A message as its author signed it. */
export interface ArchivedMessage {
  /** Which entry of the span it was. */
  readonly at: number;
  readonly epoch: number;
  readonly author: number;
  /** Version, wire format and FramedContent. */
  readonly content: Uint8Array;
  readonly signature: Uint8Array;
}

/** What a member gives joiners of what was said before they came, with what proves it (spec R-5). */
export interface HistoryArchive {
  readonly format: 1;
  /** The first entry of the span; the last is the commit by which they joined. */
  readonly firstSeq: number;
  /** The head of the log before it. */
  readonly headBefore: Uint8Array;
  readonly entries: readonly ArchivedEntry[];
  readonly openings: readonly SettingsOpening[];
  readonly epochs: readonly ArchivedEpoch[];
  readonly authors: readonly ArchivedAuthor[];
  /** By their places. */
  readonly messages: readonly ArchivedMessage[];
  /** AccountRecords of the authors with their proofs (spec D-5). */
  readonly records: Uint8Array;
}

/** Entries of a span at most. */
export const maxArchiveEntries = 8192;
/** Of them messages with what proves them: so many signatures a joiner verifies. */
export const maxArchiveMessages = 4096;
/** Epochs of the group, and devices that speak, at most. */
export const maxArchiveEpochs = 1024;
export const maxArchiveAuthors = 1024;
/** Bytes of an archive at most, encrypted: the largest bucket. */
export const maxArchiveBlobBytes = 4_194_304;
/** What fits into it, with room for how a blob is encrypted. */
export const maxArchiveBytes: number = maxArchiveBlobBytes - 4096;
/** Of it the records of those who are no members any more; of more accounts the joiner asks their host. */
export const maxRecordsBytes = 1_048_576;

const id32 = opaque(32);
const entry: Codec<ArchivedEntry> = struct<ArchivedEntry>({
  kind: wireEntryKindCodec,
  epochId: safeUint64,
  blobHash: id32,
  nextAccessHash: optional(id32),
});
const author: Codec<ArchivedAuthor> = struct<ArchivedAuthor>({
  accountId: id32,
  deviceId: opaque(16),
  signaturePublicKey: opaqueV(512),
});
const message: Codec<ArchivedMessage> = struct<ArchivedMessage>({
  at: uint32,
  epoch: uint16,
  author: uint16,
  content: opaqueV(maxMessageBytes),
  signature: opaqueV(512),
});
const most = { maxBytes: maxArchiveBytes };

const archiveCodec: Codec<HistoryArchive> = struct<HistoryArchive>({
  format: oneOf(uint16, [1]),
  firstSeq: safeUint64,
  headBefore: id32,
  entries: vector(entry, { ...most, minItems: 1, maxItems: maxArchiveEntries }),
  openings: vector(settingsOpeningCodec, { ...most, maxItems: maxArchiveEpochs }),
  epochs: vector(struct<ArchivedEpoch>({ context: opaqueV(8192), opening: uint16 }), { ...most, maxItems: maxArchiveEpochs }),
  authors: vector(author, { ...most, maxItems: maxArchiveAuthors }),
  messages: vector(message, { ...most, maxItems: maxArchiveMessages }),
  records: opaqueV(maxRecordsBytes),
});

/** @throws CodecError `limit` outside of its bounds */
export function encodeArchive(archive: HistoryArchive): Uint8Array {
  return encode(archiveCodec, archive);
}

/** @throws CodecError for what is none, or more than the bounds allow */
export function decodeArchive(bytes: Uint8Array): HistoryArchive {
  return decode(archiveCodec, bytes);
}
