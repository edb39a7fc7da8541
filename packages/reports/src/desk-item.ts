import { decode, encode, equalBytes } from "@latchkey/codec";
import { inboxHeadTbsCodec, inboxItemKinds } from "@latchkey/protocol";
import type { InboxHead, InboxPlaintext } from "@latchkey/protocol";
import { signedContent } from "@latchkey/transparency";
import type { Signatures } from "@latchkey/transparency";
import { sha256 } from "@noble/hashes/sha2.js";
import { ReportError } from "./errors.ts";
import { deskNoticeCodec } from "./notice.ts";
import type { DeskNotice } from "./notice.ts";
import { parse } from "./seal.ts";

/** The sender in the head of a notice: the desk is no device of an account. */
export const nobody: Pick<InboxHead, "senderAccountId" | "senderDeviceId"> = {
  senderAccountId: new Uint8Array(32),
  senderDeviceId: new Uint8Array(16),
};

/** Whether a head is that of a notice of the desk of this host, by its word (spec V-5). */
export function isDeskHead(head: InboxHead, host: string): boolean {
  const { kind, senderHost, senderAccountId, senderDeviceId } = head;
  const isNobody = equalBytes(senderAccountId, nobody.senderAccountId) && equalBytes(senderDeviceId, nobody.senderDeviceId);
  return kind === inboxItemKinds.notice && senderHost === host && isNobody;
}

/** What the desk signs of a notice. */
export function noticeTbs(head: InboxHead, body: Uint8Array): Uint8Array {
  return signedContent("DeskNotice", encode(inboxHeadTbsCodec, { head, bodyHash: sha256(body) }));
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
  const isSigned = await signatures.verify(deskKey, noticeTbs(item.head, item.body), item.signature);
  if (!isSigned || !isDeskHead(item.head, self.host)) throw new ReportError("signature", "not signed by the desk");
  const notice = parse(() => decode(deskNoticeCodec, item.body));
  const isOwn = notice.host === self.host && equalBytes(notice.accountId, self.accountId);
  if (!isOwn) throw new ReportError("signature", "a notice for another account");
  return notice;
}
