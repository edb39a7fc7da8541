import { concatBytes, decode, encode, uint32, utf8Bytes } from "@latchkey/codec";
import {
  buckets,
  hostCodec,
  inboxHeadTbsCodec,
  inboxItemKinds,
  inboxPlaintextCodec,
  maxInlineBytes,
  sealedItemCodec,
} from "@latchkey/protocol";
import type { InboxHead } from "@latchkey/protocol";
import { deskNoticeCodec } from "@latchkey/reports";
import type { DeskNotice } from "@latchkey/reports";
import { deviceCardCodec, signedCodec, signedContent } from "@latchkey/transparency";
import { dayMs } from "../../days.ts";
import { nodeSignatures } from "../../directory/signatures.ts";
import { sha256 } from "../../hash.ts";
import type { DeskSecrets } from "./desk-keys.ts";
import { random } from "./tellings.ts";

const info = utf8Bytes("latchkey/inbox/1");
/** Of an encapsulated key of the suite 0xF001, and of an AEAD's tag. */
const [kemOutputBytes, tagBytes] = [1120, 16];
/** An item lies in an inbox for 30 days at most. */
const lifeMs: number = 30 * dayMs;

/** Plaintext bytes of an item that fills `bucket` (spec I-2): less its format, the encapsulated key, both length headers and the tag. */
function capacity(bucket: number): number {
  return bucket - 2 - (2 + kemOutputBytes) - (bucket <= 16_384 ? 2 : 4) - tagBytes;
}

/**
 * Seals a notice for one device (spec V-5, I-2): the desk signs in place of a device, and the sender in the head is nobody. The card is one
 * that the server verified when it took it.
 */
export async function sealNotice(params: {
  secrets: DeskSecrets;
  host: string;
  card: Uint8Array;
  inboxId: Uint8Array;
  notice: DeskNotice;
  nowMs: number;
}): Promise<Uint8Array> {
  const { secrets, host, inboxId, notice, nowMs } = params;
  const { deviceId, inboxKey } = decode(deviceCardCodec, decode(signedCodec, params.card).body);
  const body = encode(deskNoticeCodec, notice);
  const head: InboxHead = {
    format: 1,
    kind: inboxItemKinds.notice,
    senderHost: host,
    senderAccountId: new Uint8Array(32),
    senderDeviceId: new Uint8Array(16),
    recipientDeviceId: deviceId,
    itemId: notice.noticeId,
    notAfterMs: nowMs + lifeMs,
  };
  const tbs = encode(inboxHeadTbsCodec, { head, bodyHash: sha256(body) });
  const signature = await nodeSignatures.sign(secrets.signatureKey, signedContent("DeskNotice", tbs));
  const plaintext = encode(inboxPlaintextCodec, { head, signature, body });
  const bucket = buckets.find((size) => size <= maxInlineBytes && capacity(size) >= plaintext.length);
  if (bucket === undefined) throw new Error("a notice of the desk does not fit an inbox");
  const padded = new Uint8Array(capacity(bucket));
  padded.set(plaintext);
  const aad = concatBytes(encode(hostCodec, host), inboxId, encode(uint32, bucket));
  const sealed = await secrets.suite.hpkeSeal({ publicKey: inboxKey, info, aad, plaintext: padded, random });
  return encode(sealedItemCodec, { format: 1, ...sealed });
}
