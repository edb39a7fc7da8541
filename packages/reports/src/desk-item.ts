import { decode, encode, equalBytes } from "@latchkey/codec";
import type { CipherSuite, RandomBytes } from "@latchkey/mls";
import { inboxHeadTbsCodec, inboxItemKinds } from "@latchkey/protocol";
import type { InboxHead, InboxPlaintext } from "@latchkey/protocol";
import { signedContent } from "@latchkey/transparency";
import type { Signatures } from "@latchkey/transparency";
import { sha256 } from "@noble/hashes/sha2.js";
import { ReportError } from "./errors.ts";
import { sealForInbox } from "./inbox-item.ts";
import type { InboxAddress } from "./inbox-item.ts";
import { deskNoticeCodec } from "./notice.ts";
import type { DeskNotice } from "./notice.ts";
import { parse } from "./seal.ts";

const nobody = { accountId: new Uint8Array(32), deviceId: new Uint8Array(16) };

/** Whether a head is that of a notice of the desk of this host, by its word (spec V-5). */
export function isDeskHead(head: InboxHead, host: string): boolean {
  const { kind, senderHost, senderAccountId, senderDeviceId } = head;
  const isNobody = equalBytes(senderAccountId, nobody.accountId) && equalBytes(senderDeviceId, nobody.deviceId);
  return kind === inboxItemKinds.notice && senderHost === host && isNobody;
}

const tbsOf = (head: InboxHead, body: Uint8Array): Uint8Array =>
  signedContent("DeskNotice", encode(inboxHeadTbsCodec, { head, bodyHash: sha256(body) }));

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
    senderAccountId: nobody.accountId,
    senderDeviceId: nobody.deviceId,
    recipientDeviceId: recipient.deviceId,
    itemId,
    notAfterMs,
  };
  const signature = await signatures.sign(params.secretKey, tbsOf(head, body));
  const item = await sealForInbox({ suite, random, recipient, plaintext: { head, signature, body } });
  if (item === undefined) throw new ReportError("too_large", "This does not fit an inbox.");
  return item;
}

/**
 * The accused's side: the notice in an item whose head is the desk's.
 * @param params `deskKey` the desk's signature key by the public record
 * @throws ReportError `signature` where that key did not sign it, or it is for another account; `malformed`
 */
export async function openNotice(params: {
  readonly signatures: Signatures;
  readonly deskKey: Uint8Array;
  readonly item: InboxPlaintext;
  readonly self: { readonly host: string; readonly accountId: Uint8Array };
}): Promise<DeskNotice> {
  const { signatures, deskKey, item, self } = params;
  const isSigned = await signatures.verify(deskKey, tbsOf(item.head, item.body), item.signature);
  if (!isSigned || !isDeskHead(item.head, self.host)) throw new ReportError("signature", "not signed by the desk");
  const notice = parse(() => decode(deskNoticeCodec, item.body));
  const isOwn = notice.host === self.host && equalBytes(notice.accountId, self.accountId);
  if (!isOwn) throw new ReportError("signature", "a notice for another account");
  return notice;
}
