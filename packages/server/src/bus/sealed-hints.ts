import { CodecError, Reader, concatBytes, decode, encode, opaqueV } from "@latchkey/codec";
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";
import { hintCodec } from "./hint.ts";
import type { Hint } from "./hint.ts";

const [nonceBytes, tagBytes] = [12, 16];
/** What PostgreSQL takes at once is shorter than 8,000 bytes, and text. */
const maxTextLength = 7999;
const maxPlainBytes = Math.floor(maxTextLength / 4) * 3 - nonceBytes - tagBytes;
const textShape = /^[A-Za-z0-9+/]+={0,2}$/;

/** A hint among others: servers of the version before pass over one of a kind that they do not know. */
const enclosed = opaqueV(maxPlainBytes);

/** Bytes of a hint. */
export function hintBytes(hint: Hint): Uint8Array {
  return encode(hintCodec, hint);
}

/**
 * Hints as a text that only nodes of the same server read and make: by AES-256-GCM, under a key that follows from the secret of the directory,
 * which all of them have, and in one channel. One that is shown again opens again.
 */
export class HintSeal {
  readonly #key: Uint8Array;
  readonly #channel: Uint8Array;

  /** @param secret the directory's: 32 bytes */
  constructor(secret: Uint8Array, channel: string) {
    this.#key = createHmac("sha256", secret).update("latchkey bus").digest();
    this.#channel = Buffer.from(channel);
  }

  /** The first of these hints, as bytes: as many as fit, one at least; and how many they are. */
  seal(hints: readonly Uint8Array[]): { readonly text: string; readonly count: number } {
    const enclosures: Uint8Array[] = [];
    let size = 0;
    for (const hint of hints) {
      const enclosure = encode(enclosed, hint);
      size += enclosure.length;
      if (size > maxPlainBytes) break;
      enclosures.push(enclosure);
    }
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv("aes-256-gcm", this.#key, nonce).setAAD(this.#channel);
    const sealed = [nonce, cipher.update(concatBytes(...enclosures)), cipher.final(), cipher.getAuthTag()];
    return { text: Buffer.concat(sealed).toString("base64"), count: enclosures.length };
  }

  /** What a text says that this version knows; `undefined` for one that no node made. */
  open(text: string): readonly Hint[] | undefined {
    if (text.length > maxTextLength || !textShape.test(text)) return undefined;
    const sealed = Buffer.from(text, "base64");
    if (sealed.length < nonceBytes + tagBytes) return undefined;
    let plain: Uint8Array;
    try {
      const decipher = createDecipheriv("aes-256-gcm", this.#key, sealed.subarray(0, nonceBytes), { authTagLength: tagBytes });
      decipher.setAAD(this.#channel).setAuthTag(sealed.subarray(-tagBytes));
      plain = concatBytes(decipher.update(sealed.subarray(nonceBytes, -tagBytes)), decipher.final());
    } catch {
      // Node says so with errors of several kinds.
      return undefined;
    }
    try {
      const reader = new Reader(plain);
      const hints: Hint[] = [];
      while (reader.remaining > 0) hints.push(...known(enclosed.read(reader)));
      return hints;
    } catch (error) {
      if (error instanceof CodecError) return undefined;
      throw error;
    }
  }
}

/** A hint; nothing for one of a later version. */
function known(bytes: Uint8Array): readonly Hint[] {
  try {
    return [decode(hintCodec, bytes)];
  } catch (error) {
    if (error instanceof CodecError) return [];
    throw error;
  }
}
