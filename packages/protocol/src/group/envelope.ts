import {
  CodecError,
  Reader,
  concatBytes,
  decode,
  encode,
  opaque,
  opaqueV,
  safeUint64,
  struct,
  uint8,
  utf8Bytes,
  variant,
} from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { entryHead } from "../entry-bytes.ts";
import { id32 } from "../frames/common.ts";
import { formatThree } from "../format.ts";
import { maxLeavesBytes } from "./leave.ts";
import { bucketFor, maxBlobBytes, maxInlineBytes, maxMessageBlobBytes, maxMessageBytes } from "../limits.ts";
import { entryKindCodec } from "../log-chain.ts";
import type { EntryKind } from "../log-chain.ts";

/** Bytes around a sealed envelope that names no blob: its head in front, then what XChaCha20-Poly1305 adds, a nonce and a tag. */
export const envelopeOverheadBytes: number = 1 + 24 + 16;
/** Bytes that XChaCha20-Poly1305 adds: its nonce in front, its tag behind. */
const sealOverheadBytes = 24 + 16;

/** Label of the exporter for an epoch's access key (spec L-1); the context is the log's id, the length 32 bytes. */
export const accessLabel = "latchkey access";
/** Label of the exporter for an epoch's envelope key (spec L-1); context and length as for `accessLabel`. */
export const envelopeLabel = "latchkey envelope";

/** An encrypted blob kept beside an entry: where it is, its key, and the hash and size of its ciphertext (spec C-4). */
export interface BlobReference {
  readonly blobId: Uint8Array;
  readonly key: Uint8Array;
  readonly hash: Uint8Array;
  readonly sizeBytes: number;
}

export const blobReferenceCodec: Codec<BlobReference> = struct<BlobReference>({
  blobId: id32,
  key: id32,
  hash: id32,
  sizeBytes: safeUint64,
});

/** What an entry holds (spec L-2). */
export interface EnvelopeBody {
  /** The last entry that the sender saw: where to look for its view tag, which alone counts (spec L-10). */
  readonly seq: number;
  readonly mlsMessage: Uint8Array;
  readonly directoryProofs: Uint8Array;
  /** In a commit that changes the group's settings the `SettingsOpening` of what it sets (spec M-1), else empty. */
  readonly settings: Uint8Array;
  /** The signed `Complaint` of a `complaint` entry (spec G-4), or the one that a commit answers (G-5); else empty. */
  readonly complaint: Uint8Array;
  /** In a commit `leavesCodec`, what proves of those whom it removes that they said so (spec M-3); else empty. */
  readonly leaves: Uint8Array;
}

/** Longest `settings` of an envelope: a full list of roles and what stands around it. */
const maxSettingsBytes = 16_384;
const maxComplaintBytes = 65_536;

export const envelopeBodyCodec: Codec<EnvelopeBody> = struct<EnvelopeBody>({
  seq: safeUint64,
  mlsMessage: opaqueV(maxBlobBytes),
  directoryProofs: opaqueV(maxBlobBytes),
  settings: opaqueV(maxSettingsBytes),
  complaint: opaqueV(maxComplaintBytes),
  leaves: opaqueV(maxLeavesBytes),
});

/** What lies in a blob because it does not fit an entry. @throws CodecError `limit` for a message above `maxMessageBytes` */
export function encodeEnvelopeBody(kind: EntryKind, body: EnvelopeBody): Uint8Array {
  checkMessage(kind, body);
  return encode(envelopeBodyCodec, body);
}

/** @throws CodecError when it is malformed, or a message above `maxMessageBytes` */
export function decodeEnvelopeBody(kind: EntryKind, bytes: Uint8Array): EnvelopeBody {
  const body = decode(envelopeBodyCodec, bytes);
  checkMessage(kind, body);
  return body;
}

/** Whatever is read can be kept, with what proves who wrote it (spec L-14): one bound for both, and for whoever writes it (E-2). */
function checkMessage(kind: EntryKind, { mlsMessage }: EnvelopeBody): void {
  if (kind === "message" && mlsMessage.length > maxMessageBytes) throw new CodecError("limit", "message too large");
}

/** In the entry itself, or, above 64 KiB, as EnvelopeBody in an encrypted blob. */
export type EnvelopeContent = ({ readonly kind: "inline" } & EnvelopeBody) | ({ readonly kind: "external" } & BlobReference);

/** What is sealed in an entry, before the zeros that fill its bucket (spec L-2). */
export interface EnvelopePlaintext {
  readonly format: 3;
  readonly kind: EntryKind;
  /** H(access key of the child) in a commit, else 32 zeros: must equal the one that the server was given (spec L-9). */
  readonly nextAccessHash: Uint8Array;
  readonly content: EnvelopeContent;
}

const plaintextCodec: Codec<EnvelopePlaintext> = struct<EnvelopePlaintext>({
  format: formatThree,
  kind: entryKindCodec,
  nextAccessHash: opaque(32),
  content: variant<EnvelopeContent>(uint8, { inline: [1, envelopeBodyCodec], external: [2, blobReferenceCodec] }),
});

/** The additional data of an envelope: `"latchkey/env/1" || log_id || epoch_id || kind || head`, the head as it stands in the entry (spec L-2). */
export function envelopeAad(logId: Uint8Array, epochId: number, kind: EntryKind, head: Uint8Array): Uint8Array {
  return concatBytes(utf8Bytes("latchkey/env/1"), logId, encode(safeUint64, epochId), encode(entryKindCodec, kind), head);
}

/** Whether this content fits an entry with that head, or must go into a blob. */
export function fitsInline(body: EnvelopeBody, head: Uint8Array = entryHead([])): boolean {
  return encode(envelopeBodyCodec, body).length + 64 + head.length + sealOverheadBytes <= maxInlineBytes;
}

/**
 * The plaintext with zeros behind it, so that sealed, behind the head of its entry, it fills a bucket exactly (spec C-4).
 * @throws CodecError `limit` when it fits no entry.
 */
export function encodeEnvelope(plaintext: EnvelopePlaintext, head: Uint8Array = entryHead([])): Uint8Array {
  checkReference(plaintext);
  const encoded = encode(plaintextCodec, plaintext);
  const overheadBytes = head.length + sealOverheadBytes;
  const bucket = bucketFor(encoded.length + overheadBytes);
  if (bucket === undefined || bucket > maxInlineBytes) throw new CodecError("limit", "content too large for an entry");
  const padded = new Uint8Array(bucket - overheadBytes);
  padded.set(encoded);
  return padded;
}

/** @throws CodecError when it is malformed, padded with anything but zeros, or of a message whose content is larger than it may be. */
export function decodeEnvelope(padded: Uint8Array): EnvelopePlaintext {
  const reader = new Reader(padded);
  const plaintext = plaintextCodec.read(reader);
  checkReference(plaintext);
  if (reader.rest().some((byte) => byte !== 0)) throw new CodecError("invalid", "padding is not zero");
  return plaintext;
}

/** A change of a large group needs room; what is said does not, and is fetched by everybody before its author is known (spec E-2). */
function checkReference({ kind, content }: EnvelopePlaintext): void {
  const most = kind === "message" ? maxMessageBlobBytes : maxBlobBytes;
  if (content.kind === "external" && content.sizeBytes > most) throw new CodecError("limit", "content too large for an entry");
}
