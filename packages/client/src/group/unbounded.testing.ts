import { encode } from "@latchkey/codec";
import type { RandomBytes } from "@latchkey/mls";
import { encodeEnvelope, entryHead, entryKindCodec, envelopeBodyCodec, zeroHash } from "@latchkey/protocol";
import type { EnvelopeBody, Sha256 } from "@latchkey/protocol";
import { encryptBlob } from "./blobs.ts";
import { seal } from "./envelope.ts";
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
  const head = entryHead([external.reference]);
  // As a commit it may be as large as that.
  const content = { kind: "external" as const, ...external.reference };
  const plaintext = encodeEnvelope({ format: 3, kind: "commit", nextAccessHash: zeroHash, content }, head);
  plaintext.set(encode(entryKindCodec, "message"), kindAt);
  return { blob: seal({ key, logId, epochId, kind: "message" }, { head, padded: plaintext, random }), external };
}
