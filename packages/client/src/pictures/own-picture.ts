import { concatBytes, equalBytes, toBase64Url, utf8Bytes } from "@latchkey/codec";
import { parsePicture } from "@latchkey/protocol";
import type { BlobReference } from "@latchkey/protocol";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import type { BlobSecret } from "../group/blobs.ts";

const label = utf8Bytes("latchkey/picture/1");
/** Conversations of which the derived ids are at hand; beyond, they are made again. */
const maxAtHand = 10_000;

/**
 * The secret of one's own picture in one conversation: made of the one that one's own devices know. The same picture has another blob in each
 * conversation, so that nothing on the server's disk says that two logs have a member in common (spec X-21, P1); and every own device makes
 * the same one.
 */
export function secretIn({ key }: Pick<BlobReference, "key">, logId: Uint8Array): BlobSecret {
  // HKDF (RFC 5869), by what is loaded in any case.
  const pseudorandom = hmac(sha256, logId, key);
  const blobId = hmac(sha256, pseudorandom, concatBytes(label, Uint8Array.of(1)));
  return { blobId, key: hmac(sha256, pseudorandom, concatBytes(blobId, label, Uint8Array.of(2))) };
}

/** The secrets of a picture by conversation, at hand: every step of a conversation asks whether its picture was told. */
export class OwnSecrets {
  #picture: Uint8Array = new Uint8Array(0);
  #reference: BlobReference | undefined;
  readonly #byLog = new Map<string, BlobSecret>();

  /** What leads to the picture that the person has now; empty for none. */
  follow(picture: Uint8Array): BlobReference | undefined {
    if (!equalBytes(this.#picture, picture)) {
      this.#picture = picture.slice();
      this.#reference = parsePicture(picture);
      this.#byLog.clear();
    }
    return this.#reference;
  }

  /** In this conversation; `undefined` without a picture. */
  of(logId: Uint8Array): BlobSecret | undefined {
    if (this.#reference === undefined) return undefined;
    const id = toBase64Url(logId);
    const known = this.#byLog.get(id);
    if (known !== undefined) return known;
    if (this.#byLog.size >= maxAtHand) this.#byLog.clear();
    const secret = secretIn(this.#reference, logId);
    this.#byLog.set(id, secret);
    return secret;
  }
}
