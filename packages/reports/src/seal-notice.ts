import { encode } from "@latchkey/codec";
import type { CipherSuite, RandomBytes } from "@latchkey/mls";
import { inboxItemKinds } from "@latchkey/protocol";
import type { InboxHead } from "@latchkey/protocol";
import type { Signatures } from "@latchkey/transparency";
import { noticeTbs, nobody } from "./desk-item.ts";
import { ReportError } from "./errors.ts";
import { sealForInbox } from "./inbox-item.ts";
import type { InboxAddress } from "./inbox-item.ts";
import { deskNoticeCodec } from "./notice.ts";
import type { DeskNotice } from "./notice.ts";

/**
 * The desk's side: signs a notice and seals it for one device of the account.
 * @param params `itemId` 16 random bytes; `notAfterMs` 31 days ahead at most
 * @throws ReportError `too_large`
 */
export async function sealNotice(params: {
  readonly suite: CipherSuite;
  readonly signatures: Signatures;
  readonly random: RandomBytes;
  /** The desk's signature key. */
  readonly secretKey: Uint8Array;
  readonly recipient: InboxAddress & { readonly deviceId: Uint8Array };
  readonly notice: DeskNotice;
  readonly itemId: Uint8Array;
  readonly notAfterMs: number;
}): Promise<Uint8Array> {
  const { suite, signatures, random, recipient, itemId, notAfterMs } = params;
  const body = encode(deskNoticeCodec, params.notice);
  const head: InboxHead = {
    format: 1,
    kind: inboxItemKinds.notice,
    senderHost: recipient.host,
    ...nobody,
    recipientDeviceId: recipient.deviceId,
    itemId,
    notAfterMs,
  };
  const signature = await signatures.sign(params.secretKey, noticeTbs(head, body));
  const item = await sealForInbox({ suite, random, recipient, plaintext: { head, signature, body } });
  if (item === undefined) throw new ReportError("too_large", "This does not fit an inbox.");
  return item;
}
