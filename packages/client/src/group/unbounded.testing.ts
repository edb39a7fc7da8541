import { concatBytes, encode } from "@latchkey/codec";
import type { RandomBytes } from "@latchkey/mls";
import { encodeEnvelope, entryKindCodec, envelopeAad, envelopeBodyCodec, zeroHash } from "@latchkey/protocol";
import type { EnvelopeBody, Sha256 } from "@latchkey/protocol";
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { encryptBlob } from "./blobs.ts";
import type { SealedEnvelope } from "./envelope.ts";

/** Where the kind of an entry stands in its plaintext: behind the format. */
const kindAt = 2;

/** A message of any size, its content in a blob, sealed by a member whose own code knows no bounds. */
export function sealUnbounded(params: {
  readonly key: Uint8Array;
  readonly logId: Uint8Array;
  readonly epochId: number;
  readonly body: EnvelopeBody;
  readonly random: RandomBytes;
  readonly sha256: Sha256;
}): SealedEnvelope & { readonly external: NonNullable<SealedEnvelope["external"]> } {
  const { key, logId, epochId, body, random, sha256 } = params;
  const external = encryptBlob({ plaintext: encode(envelopeBodyCodec, body), random, sha256 });
  // As a commit it may be as large as that.
  const plaintext = encodeEnvelope({
    format: 3,
    kind: "commit",
    nextAccessHash: zeroHash,
    content: { kind: "external", ...external.reference },
  });
  plaintext.set(encode(entryKindCodec, "message"), kindAt);
  const nonce = random(24);
  const sealed = xchacha20poly1305(key, nonce, envelopeAad(logId, epochId, "message")).encrypt(plaintext);
  return { blob: concatBytes(nonce, sealed), external };
}
