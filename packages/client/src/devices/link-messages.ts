import {
  CodecError,
  Reader,
  concatBytes,
  decode,
  empty,
  encode,
  enumeration,
  oneOf,
  opaque,
  opaqueV,
  struct,
  text,
  uint16,
  uint8,
  utf8Bytes,
  variant,
} from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { RandomBytes } from "@latchkey/mls";
import { blobReferenceCodec, bucketFor, entryHead, hostCodec, maxInlineBytes } from "@latchkey/protocol";
import type { BlobReference } from "@latchkey/protocol";
import { deviceEntryCodec } from "@latchkey/transparency";
import type { DeviceEntry } from "@latchkey/transparency";
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import type { LinkPlace } from "./link-code.ts";

/** The two devices of a linking. */
export type LinkRole = "new" | "existing";

/** The new device's key, and a promise of its nonce that it cannot take back (spec A-7). */
export interface LinkOfferMessage {
  /** HPKE, X-Wing. */
  readonly publicKey: Uint8Array;
  readonly commitment: Uint8Array;
  readonly deviceName: string;
}

/** Sealed to the offer's key. */
export interface LinkAnswer {
  readonly nonce: Uint8Array;
  readonly channelSecret: Uint8Array;
  readonly host: string;
  readonly accountId: Uint8Array;
  readonly username: string;
  readonly deviceName: string;
}

/** What stands in the log, in the clear for whoever knows the code. */
export type LinkBody =
  | ({ readonly kind: "offer" } & LinkOfferMessage)
  | { readonly kind: "answer"; readonly kemOutput: Uint8Array; readonly ciphertext: Uint8Array }
  | { readonly kind: "reveal"; readonly nonce: Uint8Array }
  /** For the other device alone. */
  | { readonly kind: "channel"; readonly ciphertext: Uint8Array }
  | { readonly kind: "cancel" };

/** A message of the rendezvous: `index` counts those of its sender from 0. */
export interface LinkMessage {
  readonly format: 1;
  readonly sender: LinkRole;
  readonly index: number;
  readonly body: LinkBody;
}

/** What goes through the channel that both devices' people have compared the digits of. */
export type ChannelMessage =
  /** New device: its person said yes; this is what the account's next state takes in. */
  | { readonly kind: "enroll"; readonly device: DeviceEntry; readonly pop: Uint8Array }
  /** Existing device: the state is published; what the new device needs follows or lies in a blob. */
  | { readonly kind: "account"; readonly content: Uint8Array }
  | { readonly kind: "account_blob"; readonly reference: BlobReference }
  /** New device: everything is stored. */
  | { readonly kind: "stored" };

const id32 = opaque(32);
const name = text(256);

const offerCodec: Codec<LinkOfferMessage> = struct<LinkOfferMessage>({ publicKey: opaqueV(2048), commitment: id32, deviceName: name });

export const linkMessageCodec: Codec<LinkMessage> = struct<LinkMessage>({
  format: oneOf(uint16, [1]),
  sender: enumeration<LinkRole>(uint8, { new: 1, existing: 2 }),
  index: uint8,
  body: variant<LinkBody>(uint8, {
    offer: [1, offerCodec],
    answer: [2, struct<{ kemOutput: Uint8Array; ciphertext: Uint8Array }>({ kemOutput: opaqueV(2048), ciphertext: opaqueV(4096) })],
    reveal: [3, struct<{ nonce: Uint8Array }>({ nonce: id32 })],
    channel: [4, struct<{ ciphertext: Uint8Array }>({ ciphertext: opaqueV(60_000) })],
    cancel: [5, empty],
  }),
});

export const linkAnswerCodec: Codec<LinkAnswer> = struct<LinkAnswer>({
  nonce: id32,
  channelSecret: id32,
  host: hostCodec,
  accountId: id32,
  username: text(32),
  deviceName: name,
});

export const channelMessageCodec: Codec<ChannelMessage> = variant<ChannelMessage>(uint8, {
  enroll: [1, struct<{ device: DeviceEntry; pop: Uint8Array }>({ device: deviceEntryCodec, pop: opaqueV(8192) })],
  account: [2, struct<{ content: Uint8Array }>({ content: opaqueV(60_000) })],
  account_blob: [3, struct<{ reference: BlobReference }>({ reference: blobReferenceCodec })],
  stored: [4, empty],
});

/** Content of a channel message that still fits an entry. */
export const maxChannelBytes = 48_000;

/** What stands in front of it in its entry, which names no blobs (spec L-15). */
const headBytes = entryHead([]).length;
const nonceBytes = 24;
const tagBytes = 16;

function sealAad(place: LinkPlace): Uint8Array {
  return concatBytes(utf8Bytes("latchkey/link/1"), place.logId);
}

/** An entry of the rendezvous: padded to a bucket and sealed under the code's key. */
export function sealLinkMessage(place: LinkPlace, message: LinkMessage, random: RandomBytes): Uint8Array {
  const encoded = encode(linkMessageCodec, message);
  const around = headBytes + nonceBytes + tagBytes;
  const bucket = bucketFor(encoded.length + around);
  if (bucket === undefined || bucket > maxInlineBytes) throw new CodecError("limit", "a linking message is too large");
  const padded = new Uint8Array(bucket - around);
  padded.set(encoded);
  const nonce = random(nonceBytes);
  return concatBytes(nonce, xchacha20poly1305(place.sealKey, nonce, sealAad(place)).encrypt(padded));
}

/** The message in an entry; `undefined` for anything that nobody who knows the code wrote. */
export function openLinkMessage(place: LinkPlace, blob: Uint8Array): LinkMessage | undefined {
  try {
    const padded = xchacha20poly1305(place.sealKey, blob.subarray(0, nonceBytes), sealAad(place)).decrypt(blob.subarray(nonceBytes));
    const reader = new Reader(padded);
    const message = linkMessageCodec.read(reader);
    return reader.rest().some((byte) => byte !== 0) ? undefined : message;
  } catch {
    // Whoever wrote it chose every byte: whatever the primitives say of it, it is no message of a linking.
    return undefined;
  }
}

/** H of the promised nonce (spec A-7). */
export function commitmentOf(nonce: Uint8Array): Uint8Array {
  return sha256(concatBytes(utf8Bytes("latchkey/link-commit/1"), nonce));
}

/** Everything that was said before the digits. Whoever sat in between made two of them. */
export function transcriptOf(params: {
  place: LinkPlace;
  offer: LinkMessage;
  answer: LinkMessage;
  newNonce: Uint8Array;
  existingNonce: Uint8Array;
}): Uint8Array {
  const { place, offer, answer, newNonce, existingNonce } = params;
  const hashed = [offer, answer].map((message) => sha256(encode(linkMessageCodec, message)));
  return sha256(concatBytes(utf8Bytes("latchkey/link-transcript/1"), place.logId, ...hashed, newNonce, existingNonce));
}

/** Six digits of the transcript, for people to compare. */
export function digitsOf(transcript: Uint8Array): string {
  const hash = sha256(concatBytes(utf8Bytes("latchkey/link-digits/1"), transcript));
  const number = new DataView(hash.buffer, hash.byteOffset).getBigUint64(0) % 1_000_000n;
  return String(number).padStart(6, "0");
}

/** The keys of the channel, one for each direction. */
export interface ChannelKeys {
  readonly new: Uint8Array;
  readonly existing: Uint8Array;
}

export function channelKeys(channelSecret: Uint8Array, transcript: Uint8Array): ChannelKeys {
  const keys = hkdf(sha256, channelSecret, transcript, utf8Bytes("latchkey/link-channel/1"), 64);
  return { new: keys.slice(0, 32), existing: keys.slice(32) };
}

const channelAad = (sender: LinkRole, index: number): Uint8Array =>
  concatBytes(utf8Bytes("latchkey/link-channel/1"), new Uint8Array([sender === "new" ? 1 : 2, index]));

/** Seals for the other device alone. */
export function sealChannel(params: {
  keys: ChannelKeys;
  sender: LinkRole;
  index: number;
  message: ChannelMessage;
  random: RandomBytes;
}): Uint8Array {
  const { keys, sender, index } = params;
  const nonce = params.random(nonceBytes);
  const cipher = xchacha20poly1305(keys[sender], nonce, channelAad(sender, index));
  return concatBytes(nonce, cipher.encrypt(encode(channelMessageCodec, params.message)));
}

/** `undefined` for anything that the other device did not write. */
export function openChannel(params: {
  keys: ChannelKeys;
  sender: LinkRole;
  index: number;
  ciphertext: Uint8Array;
}): ChannelMessage | undefined {
  const { keys, sender, index, ciphertext } = params;
  try {
    const cipher = xchacha20poly1305(keys[sender], ciphertext.subarray(0, nonceBytes), channelAad(sender, index));
    return decode(channelMessageCodec, cipher.decrypt(ciphertext.subarray(nonceBytes)));
  } catch {
    // As above.
    return undefined;
  }
}
