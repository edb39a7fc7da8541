import { CodecError, concatBytes, decode, encode, equalSecrets, utf8Bytes } from "@latchkey/codec";
import { inboxItemKinds, knockCodec, knockMac, maxKnockBytes } from "@latchkey/protocol";
import type { JoinLinkCode, Knock } from "@latchkey/protocol";
import { sealInboxItem, unsealInboxItem } from "../group/inbox-seal.ts";
import type { InboxSender, UnsealedItem } from "../group/inbox-seal.ts";
import type { Platform } from "../platform/platform.ts";
import type { LinkKeys } from "./link-keys.ts";

/** A knock that was sealed to a link by somebody who has it: who signed it is still to be verified. */
export interface OpenedKnock {
  readonly item: UnsealedItem;
  readonly answer: Uint8Array;
}

/** What stands in the place of a recipient's device. */
function mailbox(linkId: Uint8Array): Uint8Array {
  return linkId.slice(0, 16);
}

/** H(key) as a link says it. */
export function keyHashOf(sha256: Platform["sha256"], publicKey: Uint8Array): Uint8Array {
  return sha256(concatBytes(utf8Bytes("latchkey/join-link-key/1"), publicKey));
}

/**
 * Seals a knock (spec X-14): signed by the device, for this link alone. `publicKey` was checked against the link's hash of it.
 * @throws MlsError for a key to which nothing can be sealed
 */
export async function sealKnock(params: {
  platform: Pick<Platform, "crypto" | "signatures" | "random" | "sha256">;
  sender: InboxSender;
  link: JoinLinkCode;
  publicKey: Uint8Array;
  answer: Uint8Array;
  notAfterMs: number;
}): Promise<Uint8Array> {
  const { platform, sender, link, publicKey, answer, notAfterMs } = params;
  const { linkId, host, secret } = link;
  const { accountId, deviceId } = sender;
  const mac = knockMac(platform.sha256, secret, { host, accountId, deviceId, linkId, answer });
  return sealInboxItem({
    platform,
    sender,
    recipient: { host, deviceId: mailbox(linkId), inboxId: linkId, inboxKey: publicKey },
    kind: inboxItemKinds.knock,
    body: encode(knockCodec, { format: 1, mac, answer, ext: new Uint8Array(0) }),
    itemId: platform.random(16),
    notAfterMs,
  });
}

/** Opens what lies in a link's inbox; `undefined` for what is no knock of somebody who has the link. Asks nobody. */
export async function openKnock(params: {
  platform: Pick<Platform, "crypto" | "nowMs" | "sha256">;
  host: string;
  keys: LinkKeys;
  blob: Uint8Array;
}): Promise<OpenedKnock | undefined> {
  const { platform, host, keys, blob } = params;
  const { linkId, keyPair, secret } = keys;
  if (blob.length > maxKnockBytes) return undefined;
  const recipient = { host, deviceId: mailbox(linkId), inboxId: linkId, ...keyPair };
  const item = await unsealInboxItem({ platform, recipient, blob });
  if (item?.head.kind !== inboxItemKinds.knock || item.head.senderHost !== host) return undefined;
  const knock = parse(item.body);
  if (knock === undefined) return undefined;
  const { senderAccountId: accountId, senderDeviceId: deviceId } = item.head;
  const { answer, mac } = knock;
  const expected = knockMac(platform.sha256, secret, { host, accountId, deviceId, linkId, answer });
  return equalSecrets(mac, expected) ? { item, answer: answer.slice() } : undefined;
}

function parse(body: Uint8Array): Knock | undefined {
  try {
    return decode(knockCodec, body);
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
}
