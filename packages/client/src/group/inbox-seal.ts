import { CodecError, Reader, decode, encode, equalBytes } from "@latchkey/codec";
import { MlsError } from "@latchkey/mls";
import { buckets, inboxHeadTbsCodec, inboxPlaintextCodec, maxInlineBytes, sealedItemCodec } from "@latchkey/protocol";
import type { InboxHead, InboxPlaintext, SealedItem } from "@latchkey/protocol";
import { inboxAad, inboxInfo, inboxKemBytes, sealForInbox } from "@latchkey/reports/inbox-item";
import { signedContent, TransparencyError, verifyByDevice } from "@latchkey/transparency";
import type { VerifiedAccount } from "@latchkey/transparency";
import { ClientError } from "../errors.ts";
import type { Platform } from "../platform/platform.ts";

/** The suite of every inbox key (spec M-6). */
export const inboxSuite = 0xf001;

/** Longest life of an item: its id is remembered so long (spec I-2). */
const maxLifeMs = 31 * 86_400_000;

/** Who seals an item. */
export interface InboxSender {
  readonly host: string;
  readonly accountId: Uint8Array;
  readonly deviceId: Uint8Array;
  /** Its device's signature key. */
  readonly secretKey: Uint8Array;
}

/** Whose inbox it goes into, by the device's verified card. */
export interface InboxRecipient {
  readonly host: string;
  readonly deviceId: Uint8Array;
  readonly inboxId: Uint8Array;
  readonly inboxKey: Uint8Array;
}

type Crypto = Pick<Platform, "crypto" | "signatures" | "random" | "sha256">;

/**
 * Seals an item for one device (spec I-2), padded so that it fills a bucket. Seal once and keep the bytes: the server takes the
 * same bytes again as a retry.
 * @throws ClientError `message_too_large`
 */
export async function sealInboxItem(params: {
  platform: Crypto;
  sender: InboxSender;
  recipient: InboxRecipient;
  /** One of `inboxItemKinds`. */
  kind: number;
  body: Uint8Array;
  /** 16 random bytes. */
  itemId: Uint8Array;
  notAfterMs: number;
}): Promise<Uint8Array> {
  const { platform, sender, recipient, body } = params;
  const head: InboxHead = {
    format: 1,
    kind: params.kind,
    senderHost: sender.host,
    senderAccountId: sender.accountId,
    senderDeviceId: sender.deviceId,
    recipientDeviceId: recipient.deviceId,
    itemId: params.itemId,
    notAfterMs: params.notAfterMs,
  };
  const tbs = encode(inboxHeadTbsCodec, { head, bodyHash: platform.sha256(body) });
  const signature = await platform.signatures.sign(sender.secretKey, signedContent("InboxHead", tbs));
  const { crypto, random } = platform;
  const item = await sealForInbox({ suite: crypto.suite(inboxSuite), random, recipient, plaintext: { head, signature, body } });
  if (item === undefined) throw new ClientError("message_too_large", "This does not fit an inbox.");
  return item;
}

/**
 * Whether something can be sealed to this key: whose it is chose every byte of it. Found by sealing, so that what passes here cannot fail
 * there (spec E-18).
 */
export async function isInboxKey(
  { crypto, random }: { readonly crypto: Pick<Platform["crypto"], "suite">; readonly random: Platform["random"] },
  publicKey: Uint8Array,
): Promise<boolean> {
  const none = new Uint8Array(0);
  try {
    await crypto.suite(inboxSuite).hpkeSeal({ publicKey, info: inboxInfo, aad: none, plaintext: none, random });
    return true;
  } catch (error) {
    if (error instanceof MlsError) return false;
    throw error;
  }
}

/** An item of one's own inbox, opened: its head is parsed, its body is bytes, and nothing of it is verified yet. */
export interface UnsealedItem {
  readonly head: InboxHead;
  readonly signature: Uint8Array;
  readonly body: Uint8Array;
}

/**
 * Opens an item (spec I-2): what costs no more than its bytes, asks nobody and believes nobody. `undefined` for what is no item for
 * this device: not sealed to it, malformed, too old or with a longer life than ids are remembered for.
 */
export async function unsealInboxItem(params: {
  platform: Pick<Platform, "crypto" | "nowMs">;
  recipient: { host: string; deviceId: Uint8Array; inboxId: Uint8Array; publicKey: Uint8Array; secretKey: Uint8Array };
  blob: Uint8Array;
}): Promise<UnsealedItem | undefined> {
  const { platform, recipient, blob } = params;
  if (!buckets.includes(blob.length)) return undefined;
  const sealed = parse(() => decode(sealedItemCodec, blob));
  if (sealed === undefined) return undefined;
  const padded = await openSealed(platform, recipient, blob.length, sealed);
  if (padded === undefined) return undefined;
  const plaintext = parse(() => decodePadded(padded));
  if (plaintext === undefined || !equalBytes(plaintext.head.recipientDeviceId, recipient.deviceId)) return undefined;
  const { notAfterMs } = plaintext.head;
  const nowMs = platform.nowMs();
  // A life beyond what ids are remembered for would let an item come back.
  return notAfterMs < nowMs || notAfterMs > nowMs + maxLifeMs ? undefined : plaintext;
}

/** Whether `sender`, a verified account, signed this item by the device that its head names (spec I-2). */
export async function isSignedBy(
  sender: VerifiedAccount,
  item: UnsealedItem,
  platform: Pick<Platform, "signatures" | "sha256">,
): Promise<boolean> {
  const { head, body, signature } = item;
  if (!equalBytes(sender.accountId, head.senderAccountId) || sender.state.host !== head.senderHost) return false;
  try {
    await verifyByDevice({
      account: sender,
      deviceId: head.senderDeviceId,
      label: "InboxHead",
      content: encode(inboxHeadTbsCodec, { head, bodyHash: platform.sha256(body) }),
      signature,
      rule: "I-2",
      signatures: platform.signatures,
    });
    return true;
  } catch (error) {
    if (error instanceof TransparencyError) return false;
    throw error;
  }
}

/** Largest body that every item can carry, in bytes: with the longest host in its head it still fits the largest bucket. */
export const maxInboxBodyBytes: number = maxInlineBytes - inboxKemBytes - 1024;

async function openSealed(
  platform: Pick<Platform, "crypto">,
  recipient: { host: string; inboxId: Uint8Array; publicKey: Uint8Array; secretKey: Uint8Array },
  bucket: number,
  sealed: SealedItem,
): Promise<Uint8Array | undefined> {
  try {
    return await platform.crypto.suite(inboxSuite).hpkeOpen({
      secretKey: recipient.secretKey,
      publicKey: recipient.publicKey,
      kemOutput: sealed.kemOutput,
      info: inboxInfo,
      aad: inboxAad(recipient.host, recipient.inboxId, bucket),
      ciphertext: sealed.ciphertext,
    });
  } catch {
    // Whoever posted it chose every byte: whatever the primitives say of it, it is not an item for this inbox.
    return undefined;
  }
}

function decodePadded(padded: Uint8Array): InboxPlaintext {
  const reader = new Reader(padded);
  const plaintext = inboxPlaintextCodec.read(reader);
  if (reader.rest().some((byte) => byte !== 0)) throw new CodecError("invalid", "padding is not zero");
  return plaintext;
}

function parse<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
}
