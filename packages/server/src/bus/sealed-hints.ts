import { CodecError, Reader, concatBytes, encode } from "@latchkey/codec";
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";
import { hintCodec } from "./hint.ts";
import type { Hint } from "./hint.ts";

const [nonceBytes, tagBytes] = [12, 16];
/** What PostgreSQL takes at once is shorter than 8,000 bytes, and text. */
const maxTextLength = 7999;
const maxPlainBytes = Math.floor(maxTextLength / 4) * 3 - nonceBytes - tagBytes;
const textShape = /^[A-Za-z0-9+/]+={0,2}$/;

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
    let [count, size] = [0, 0];
    for (const { length } of hints) {
      if (size + length > maxPlainBytes) break;
      [count, size] = [count + 1, size + length];
    }
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv("aes-256-gcm", this.#key, nonce).setAAD(this.#channel);
    const sealed = [nonce, cipher.update(concatBytes(...hints.slice(0, count))), cipher.final(), cipher.getAuthTag()];
    return { text: Buffer.concat(sealed).toString("base64"), count };
  }

  /** What a text says; `undefined` for one that no node of this version made. */
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
      while (reader.remaining > 0) hints.push(hintCodec.read(reader));
      return hints;
    } catch (error) {
      if (error instanceof CodecError) return undefined;
      throw error;
    }
  }
}
