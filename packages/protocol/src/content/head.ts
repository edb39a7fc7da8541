import { CodecError, decode, encode, utf8Bytes } from "@latchkey/codec";
import { appendSecretCodec } from "../group/append-secret.ts";
import type { AppendSecret } from "../group/append-secret.ts";
import { maxWakeTokenBytes } from "../limits.ts";
import { ContentError } from "./errors.ts";
import type { Expiration, MimiContent } from "./mimi.ts";

/** Longest shown name, in bytes of UTF-8. */
export const maxDisplayNameBytes = 256;

/** What leads to somebody's picture: a blob's id, its key and its hash, and what later versions put behind them. */
export const minPictureBytes = 96;
/** As a group's picture has at most. */
export const maxPictureBytes = 256;

/** What a time in content may be, milliseconds since 1970: before the year 2100. Whatever lies outside is as if it were not there. */
export const maxSentAtMs = 4_102_444_800_000;

/** Hops of a forwarded message are counted as far as this. */
export const maxForwardedHops = 255;

/** Private-use extension keys: the sender's clock in milliseconds since 1970, the name that the sender goes by, what leads to their picture, their AppendSecret, a wake token of their device, how often a text was forwarded. */
const sentAtKey = "latchkey.sent";
const displayNameKey = "latchkey.name";
const pictureKey = "latchkey.picture";
const appendSecretKey = "latchkey.append";
const wakeTokenKey = "latchkey.wake";
const forwardedKey = "latchkey.forwarded";

/** What every kind of content carries. */
export interface ContentHead {
  /** 16 random bytes, never used twice. */
  readonly salt: Uint8Array;
  /** The sender's clock, milliseconds since 1970. */
  readonly sentAtMs: number;
  /** The name that the sender goes by, when it is to be told. */
  readonly displayName?: string | undefined;
  /** What leads to the sender's picture, when it is to be told; nothing for none any more. */
  readonly picture?: Uint8Array | undefined;
  /** What lets the other person of a direct conversation into the sender's inboxes, when it is to be told (spec I-1). */
  readonly appendSecret?: AppendSecret | undefined;
  /** What wakes the sender's device, when it is to be told (spec W-1); nothing for no more. */
  readonly wakeToken?: Uint8Array | undefined;
  /** How long it stays (spec X-7); `undefined` for always. */
  readonly expires?: Expiration | undefined;
}

/** What was found around the body. */
export interface DecodedHead {
  readonly salt: Uint8Array;
  readonly sentAtMs: number | undefined;
  readonly displayName: string | undefined;
  /** A copy; empty for none any more. */
  readonly picture: Uint8Array | undefined;
  readonly appendSecret: AppendSecret | undefined;
  /** A copy, of whatever it is; empty for no more. */
  readonly wakeToken: Uint8Array | undefined;
  readonly inReplyTo: Uint8Array | undefined;
  readonly expires: Expiration | undefined;
  /** How often it was forwarded, by its sender's own word (spec X-9); 0 for what they wrote. */
  readonly forwardedHops: number;
}

/** The fields of content that say nothing of its body. @throws ContentError `too_large` for a longer name, or what leads to no picture */
export function headFields(head: ContentHead & { readonly forwardedHops?: number | undefined }): Omit<MimiContent, "body"> {
  const extensions = new Map<number | string, unknown>([[sentAtKey, head.sentAtMs]]);
  if (head.displayName !== undefined) {
    const name = head.displayName.toWellFormed();
    if (utf8Bytes(name).length > maxDisplayNameBytes) throw new ContentError("too_large", "the name is too long");
    extensions.set(displayNameKey, name);
  }
  if (head.picture !== undefined) {
    if (!canBePicture(head.picture)) throw new ContentError("too_large", "this leads to no picture");
    extensions.set(pictureKey, head.picture);
  }
  if (head.appendSecret !== undefined) extensions.set(appendSecretKey, encode(appendSecretCodec, head.appendSecret));
  if (head.wakeToken !== undefined) extensions.set(wakeTokenKey, head.wakeToken);
  if (head.forwardedHops !== undefined && head.forwardedHops > 0)
    extensions.set(forwardedKey, Math.min(head.forwardedHops, maxForwardedHops));
  return { salt: head.salt, replaces: undefined, topicId: new Uint8Array(0), expires: head.expires, inReplyTo: undefined, extensions };
}

/** What stands around the body; what is out of bounds is as if it were not there. */
export function headOf(content: MimiContent): DecodedHead {
  return {
    salt: content.salt,
    sentAtMs: sentAtOf(content),
    displayName: displayNameOf(content),
    picture: pictureOf(content),
    appendSecret: appendSecretOf(content),
    wakeToken: wakeTokenOf(content),
    inReplyTo: content.inReplyTo,
    expires: content.expires,
    forwardedHops: forwardedHopsOf(content),
  };
}

function sentAtOf(content: MimiContent): number | undefined {
  const value = content.extensions.get(sentAtKey);
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= maxSentAtMs ? value : undefined;
}

function displayNameOf(content: MimiContent): string | undefined {
  const value = content.extensions.get(displayNameKey);
  return typeof value === "string" && value.length > 0 && utf8Bytes(value).length <= maxDisplayNameBytes ? value : undefined;
}

/** Whether bytes have the length of what leads to a picture, or are none. */
export function canBePicture({ length }: Uint8Array): boolean {
  return length === 0 || (length >= minPictureBytes && length <= maxPictureBytes);
}

function pictureOf(content: MimiContent): Uint8Array | undefined {
  const value = content.extensions.get(pictureKey);
  return value instanceof Uint8Array && canBePicture(value) ? value.slice() : undefined;
}

function appendSecretOf(content: MimiContent): AppendSecret | undefined {
  const value = content.extensions.get(appendSecretKey);
  if (!(value instanceof Uint8Array)) return undefined;
  try {
    return decode(appendSecretCodec, value);
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
}

function wakeTokenOf(content: MimiContent): Uint8Array | undefined {
  const value = content.extensions.get(wakeTokenKey);
  return value instanceof Uint8Array && value.length <= maxWakeTokenBytes ? value.slice() : undefined;
}

/** A number that is too large is the largest: whoever says so does not hide that it was forwarded. */
function forwardedHopsOf(content: MimiContent): number {
  const value = content.extensions.get(forwardedKey);
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? Math.min(value, maxForwardedHops) : 0;
}
