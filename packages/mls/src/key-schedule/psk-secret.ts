import { encode, struct, uint16 } from "@latchkey/codec";
import { expandWithLabel } from "../crypto/labeled.ts";
import type { CipherSuite } from "../crypto/suite.ts";
import { MlsError } from "../errors.ts";
import { preSharedKeyId } from "../messages/proposals.ts";
import type { PreSharedKeyId } from "../messages/proposals.ts";
import { zeroSecret } from "./epoch-secrets.ts";

/** A pre-shared key and the id that stands in the commit or Welcome. */
export interface PreSharedKey {
  readonly id: PreSharedKeyId;
  readonly psk: Uint8Array;
}

interface PskLabel {
  id: PreSharedKeyId;
  index: number;
  count: number;
}

const pskLabel = struct<PskLabel>({ id: preSharedKeyId, index: uint16, count: uint16 });

/** psk_secret over the keys in their order (RFC 9420 section 8.4). None gives zeros. */
export function computePskSecret(suite: CipherSuite, psks: readonly PreSharedKey[]): Uint8Array {
  if (psks.length > 0xffff) throw new MlsError("usage", "too many pre-shared keys");
  const zeros = zeroSecret(suite);
  let secret = zeros;
  for (const [index, { id, psk }] of psks.entries()) {
    const input = expandWithLabel(suite, {
      secret: suite.extract(zeros, psk),
      label: "derived psk",
      context: encode(pskLabel, { id, index, count: psks.length }),
      sizeBytes: suite.hashBytes,
    });
    secret = suite.extract(input, secret);
  }
  return secret;
}
