import { CodecError, concatBytes, equalBytes } from "@latchkey/codec";
import type { RandomBytes } from "@latchkey/mls";
import {
  decodeEnvelope,
  decodeEnvelopeBody,
  encodeEnvelope,
  encodeEnvelopeBody,
  entryHead,
  envelopeAad,
  fitsInline,
  joinEntry,
  splitEntry,
  zeroHash,
} from "@latchkey/protocol";
import type { BlobReference, EntryKind, EnvelopeBody, EnvelopePlaintext, NamedBlob, Sha256 } from "@latchkey/protocol";
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { encryptBlob } from "./blobs.ts";

const nonceBytes = 24;

/** What a sealed entry is bound to (spec L-2). */
interface EnvelopeAddress {
  /** The epoch's `envelope` key (spec L-1). */
  readonly key: Uint8Array;
  readonly logId: Uint8Array;
  /** The epoch whose envelope this is; a commit lies in its parent's. */
  readonly epochId: number;
  readonly kind: EntryKind;
}

/** A sealed entry, and the blob that must be uploaded before it, if its content is too large for an entry. */
export interface SealedEnvelope {
  readonly blob: Uint8Array;
  readonly external: { readonly reference: BlobReference; readonly ciphertext: Uint8Array } | undefined;
}

/**
 * Seals the content of an entry by XChaCha20-Poly1305, padded to its bucket (spec L-2, C-4).
 * `nextAccessHash` is H(access key of the child epoch) for a commit and absent otherwise.
 * @throws CodecError `limit` for a message above `maxMessageBytes`
 */
export function sealEnvelope(
  params: EnvelopeAddress & {
    readonly nextAccessHash?: Uint8Array;
    readonly body: EnvelopeBody;
    /** What else it needs, which lies on the server already: kept as long as the entry (spec L-15). */
    readonly names?: readonly NamedBlob[];
    readonly random: RandomBytes;
    readonly sha256: Sha256;
  },
): SealedEnvelope {
  const { body, names = [], random, sha256 } = params;
  const external = fitsInline(body, entryHead(names))
    ? undefined
    : encryptBlob({ plaintext: encodeEnvelopeBody(params.kind, body), random, sha256 });
  const head = entryHead(external === undefined ? names : [external.reference, ...names]);
  const plaintext: EnvelopePlaintext = {
    format: 3,
    kind: params.kind,
    nextAccessHash: params.nextAccessHash ?? zeroHash,
    content: external === undefined ? { kind: "inline", ...body } : { kind: "external", ...external.reference },
  };
  return { blob: seal(params, { head, padded: encodeEnvelope(plaintext, head), random }), external };
}

/** The bytes of an entry: its head in the clear and bound to the seal, the nonce, and the sealed plaintext. */
export function seal(
  { key, logId, epochId, kind }: EnvelopeAddress,
  { head, padded, random }: { readonly head: Uint8Array; readonly padded: Uint8Array; readonly random: RandomBytes },
): Uint8Array {
  const nonce = random(nonceBytes);
  return joinEntry(head, concatBytes(nonce, xchacha20poly1305(key, nonce, envelopeAad(logId, epochId, kind, head)).encrypt(padded)));
}

/** An entry of one's own, sealed anew as it is but for some of the blobs that it names; `undefined` where it does not open. */
export function withoutName(
  params: EnvelopeAddress & { readonly blob: Uint8Array; readonly random: RandomBytes; readonly isNamed: (blob: NamedBlob) => boolean },
): Uint8Array | undefined {
  const { key, logId, epochId, kind, blob, random, isNamed } = params;
  const parts = splitEntry(blob);
  if (parts === undefined) return undefined;
  const aad = envelopeAad(logId, epochId, kind, parts.head);
  const head = entryHead(parts.blobs.filter((named) => !isNamed(named)));
  try {
    const sealed = xchacha20poly1305(key, parts.sealed.subarray(0, nonceBytes), aad).decrypt(parts.sealed.subarray(nonceBytes));
    return seal(params, { head, padded: encodeEnvelope(decodeEnvelope(sealed), head), random });
  } catch {
    return undefined;
  }
}

/** What an entry held. */
export type OpenedEnvelope =
  | { readonly kind: "inline"; readonly nextAccessHash: Uint8Array; readonly body: EnvelopeBody }
  | { readonly kind: "external"; readonly nextAccessHash: Uint8Array; readonly reference: BlobReference }
  /** Not sealed by a member for this place, or not what a member may seal. */
  | { readonly kind: "unreadable"; readonly reason: "undecryptable" | "malformed" }
  /** The access hash inside is not the one that the server showed: the server lied (spec L-9). */
  | { readonly kind: "access_hash_differs" };

/** Opens an entry. `nextAccessHash` is the one that the server showed with it (32 zeros but for a commit). */
export function openEnvelope(params: EnvelopeAddress & { readonly nextAccessHash: Uint8Array; readonly blob: Uint8Array }): OpenedEnvelope {
  const parts = splitEntry(params.blob);
  if (parts === undefined) return { kind: "unreadable", reason: "malformed" };
  const { head, blobs, sealed } = parts;
  let padded: Uint8Array;
  try {
    const aad = envelopeAad(params.logId, params.epochId, params.kind, head);
    padded = xchacha20poly1305(params.key, sealed.subarray(0, nonceBytes), aad).decrypt(sealed.subarray(nonceBytes));
  } catch {
    return { kind: "unreadable", reason: "undecryptable" };
  }
  let plaintext: EnvelopePlaintext;
  try {
    plaintext = decodeEnvelope(padded);
  } catch (error) {
    if (error instanceof CodecError) return { kind: "unreadable", reason: "malformed" };
    throw error;
  }
  const { nextAccessHash, content } = plaintext;
  if (plaintext.kind !== params.kind || (params.kind === "commit") === equalBytes(nextAccessHash, zeroHash)) {
    return { kind: "unreadable", reason: "malformed" };
  }
  if (!equalBytes(nextAccessHash, params.nextAccessHash)) return { kind: "access_hash_differs" };
  if (content.kind === "inline") {
    const { kind: _kind, ...body } = content;
    return { kind: "inline", nextAccessHash, body };
  }
  const { blobId, key, hash, sizeBytes } = content;
  // The server took the entry for what it names: content anywhere else is content that nobody may have (spec L-15).
  const isIt = (named: NamedBlob): boolean =>
    equalBytes(named.blobId, blobId) && equalBytes(named.hash, hash) && named.sizeBytes === sizeBytes;
  if (!blobs.some(isIt)) {
    return { kind: "unreadable", reason: "malformed" };
  }
  return { kind: "external", nextAccessHash, reference: { blobId, key, hash, sizeBytes } };
}

/** The content that `getBlob` fetched for an external envelope; `undefined` when its sender put something else there, or too much. */
export function decodeExternalBody(kind: EntryKind, plaintext: Uint8Array): EnvelopeBody | undefined {
  try {
    return decodeEnvelopeBody(kind, plaintext);
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
}
