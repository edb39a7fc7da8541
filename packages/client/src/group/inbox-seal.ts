import { CodecError, Reader, concatBytes, decode, encode, equalBytes, uint32, utf8Bytes } from "@latchkey/codec";
import { buckets, hostCodec, inboxHeadTbsCodec, inboxPlaintextCodec, maxInlineBytes, sealedItemCodec } from "@latchkey/protocol";
import type { InboxHead, InboxPlaintext, SealedItem } from "@latchkey/protocol";
import { signedContent, TransparencyError, verifyByDevice } from "@latchkey/transparency";
import type { VerifiedAccount } from "@latchkey/transparency";
import { ClientError } from "../errors.ts";
import type { Platform } from "../platform/platform.ts";

/** The suite of every inbox key (spec M-6, section 5). */
export const inboxSuite = 0xf001;

const info = utf8Bytes("latchkey/inbox/1");
const kemOutputBytes = 1120;
/** Longest life of an item: its id is remembered so long (spec I-2). */
const maxLifeMs = 31 * 86_400_000;

/** Plaintext bytes of an item that fills `bucket`: less its format, the encapsulated key, both length headers and the tag. */
function capacity(bucket: number): number {
  const ciphertextHeader = bucket <= 16_384 ? 2 : 4;
  return bucket - 2 - (2 + kemOutputBytes) - ciphertextHeader - 16;
}

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
  const plaintext = encode(inboxPlaintextCodec, { head, signature, body });
  const bucket = buckets.find((size) => size <= maxInlineBytes && capacity(size) >= plaintext.length);
  if (bucket === undefined) throw new ClientError("message_too_large", "This does not fit an inbox.");
  const padded = new Uint8Array(capacity(bucket));
  padded.set(plaintext);
  const sealed = await platform.crypto.suite(inboxSuite).hpkeSeal({
    publicKey: recipient.inboxKey,
    info,
    aad: inboxAad(recipient.host, recipient.inboxId, bucket),
    plaintext: padded,
    random: platform.random,
  });
  const item = encode(sealedItemCodec, { format: 1, ...sealed });
  if (item.length !== bucket) throw new Error("an inbox item does not fill its bucket");
  return item;
}

/** What became of an item of one's own inbox. */
export type OpenedItem =
  | { readonly kind: "opened"; readonly head: InboxHead; readonly body: Uint8Array; readonly sender: VerifiedAccount }
  | {
      readonly kind: "refused";
      readonly reason: "undecryptable" | "malformed" | "not_for_this_device" | "expired" | "seen" | "unknown_sender" | "signature";
    };

/**
 * Opens and verifies an item (spec I-2). The head is checked, and its sender's account looked up, before the body is used.
 * Whoever acts on the body remembers `head.itemId` in the same transaction.
 * @throws whatever `findSender` and `isSeen` throw, such as ClientError `offline`: the item is then to be tried again
 */
export async function openInboxItem(params: {
  platform: Pick<Platform, "crypto" | "signatures" | "sha256" | "nowMs">;
  recipient: { host: string; deviceId: Uint8Array; inboxId: Uint8Array; publicKey: Uint8Array; secretKey: Uint8Array };
  blob: Uint8Array;
  /** The verified account that the head names; `undefined` when there is none. The body is not verified yet: it may hold that account's own proof. */
  findSender: (head: InboxHead, body: Uint8Array) => Promise<VerifiedAccount | undefined>;
  isSeen: (itemId: Uint8Array) => Promise<boolean>;
}): Promise<OpenedItem> {
  const { platform, recipient } = params;
  const sealed = parse(() => decode(sealedItemCodec, params.blob));
  if (sealed === undefined) return refused("malformed");
  const padded = await openSealed(platform, recipient, params.blob.length, sealed);
  if (padded === undefined) return refused("undecryptable");
  const plaintext = parse(() => decodePadded(padded));
  if (plaintext === undefined) return refused("malformed");
  const { head, body } = plaintext;
  if (!equalBytes(head.recipientDeviceId, recipient.deviceId)) return refused("not_for_this_device");
  const nowMs = platform.nowMs();
  // A life beyond what ids are remembered for would let an item come back.
  if (head.notAfterMs < nowMs || head.notAfterMs > nowMs + maxLifeMs) return refused("expired");
  if (await params.isSeen(head.itemId)) return refused("seen");
  const sender = await params.findSender(head, body);
  if (sender === undefined || !equalBytes(sender.accountId, head.senderAccountId)) return refused("unknown_sender");
  if (sender.state.host !== head.senderHost) return refused("unknown_sender");
  try {
    await verifyByDevice({
      account: sender,
      deviceId: head.senderDeviceId,
      label: "InboxHead",
      content: encode(inboxHeadTbsCodec, { head, bodyHash: platform.sha256(body) }),
      signature: plaintext.signature,
      rule: "I-2",
      signatures: platform.signatures,
    });
  } catch (error) {
    if (error instanceof TransparencyError) return refused("signature");
    throw error;
  }
  return { kind: "opened", head, body, sender };
}

/** Largest body that every item can carry, in bytes: with the longest host in its head it still fits the largest bucket. */
export const maxInboxBodyBytes: number = maxInlineBytes - kemOutputBytes - 1024;

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
      info,
      aad: inboxAad(recipient.host, recipient.inboxId, bucket),
      ciphertext: sealed.ciphertext,
    });
  } catch {
    // Whoever posted it chose every byte: whatever the primitives say of it, it is not an item for this inbox.
    return undefined;
  }
}

function inboxAad(host: string, inboxId: Uint8Array, bucket: number): Uint8Array {
  return concatBytes(encode(hostCodec, host), inboxId, encode(uint32, bucket));
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

function refused(reason: Extract<OpenedItem, { kind: "refused" }>["reason"]): OpenedItem {
  return { kind: "refused", reason };
}
