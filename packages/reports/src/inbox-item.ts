import { concatBytes, encode, uint32, utf8Bytes } from "@latchkey/codec";
import type { CipherSuite, RandomBytes } from "@latchkey/mls";
import { buckets, hostCodec, inboxPlaintextCodec, maxInlineBytes, sealedItemCodec } from "@latchkey/protocol";
import type { InboxPlaintext } from "@latchkey/protocol";

/** HPKE `info` of every inbox item (spec I-2). */
export const inboxInfo: Uint8Array = utf8Bytes("latchkey/inbox/1");
/** Bytes of an encapsulated key of the suite of inbox keys. */
export const inboxKemBytes = 1120;

/** Whose inbox an item goes into. */
export interface InboxAddress {
  readonly host: string;
  readonly inboxId: Uint8Array;
  readonly inboxKey: Uint8Array;
}

/** Plaintext bytes of an item that fills `bucket`: less its format, the encapsulated key, both length headers and the tag. */
function capacity(bucket: number): number {
  const ciphertextHeader = bucket <= 16_384 ? 2 : 4;
  return bucket - 2 - (2 + inboxKemBytes) - ciphertextHeader - 16;
}

/** HPKE additional data of an item in this inbox. */
export function inboxAad(host: string, inboxId: Uint8Array, bucket: number): Uint8Array {
  return concatBytes(encode(hostCodec, host), inboxId, encode(uint32, bucket));
}

/** Seals a signed item, padded so that it fills a bucket (spec I-2); `undefined` where it fits none. */
export async function sealForInbox(params: {
  readonly suite: CipherSuite;
  readonly random: RandomBytes;
  readonly recipient: InboxAddress;
  readonly plaintext: InboxPlaintext;
}): Promise<Uint8Array | undefined> {
  const { suite, random, recipient } = params;
  const plaintext = encode(inboxPlaintextCodec, params.plaintext);
  const bucket = buckets.find((size) => size <= maxInlineBytes && capacity(size) >= plaintext.length);
  if (bucket === undefined) return undefined;
  const padded = new Uint8Array(capacity(bucket));
  padded.set(plaintext);
  const aad = inboxAad(recipient.host, recipient.inboxId, bucket);
  const sealed = await suite.hpkeSeal({ publicKey: recipient.inboxKey, info: inboxInfo, aad, plaintext: padded, random });
  const item = encode(sealedItemCodec, { format: 1, ...sealed });
  if (item.length !== bucket) throw new Error("an inbox item does not fill its bucket");
  return item;
}
