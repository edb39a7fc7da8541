import { concatBytes, utf8Bytes } from "@latchkey/codec";
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";
import { giveUp } from "../../give-up.ts";
import type { Person } from "./evidence.ts";

const [nonceLength, tagLength] = [12, 16];
/** Bytes that go through a cipher at once: its answers are given up as they come, so that of a large file no second copy lies about. */
const stepBytes = 65_536;

/** The key of one case: erased with it, so that nothing under it can be read any more, wherever a copy lies. */
export function newCaseKey(): Uint8Array {
  return new Uint8Array(randomBytes(32));
}

/** What stands for a conversation in this case and in no other. */
export function conversationMac(key: Uint8Array, conversation: Uint8Array): Uint8Array {
  return mac(key, "latchkey/desk/conversation", conversation);
}

/** What stands for somebody in this case and in no other. */
export function personMac(key: Uint8Array, { host, accountId }: Person): Uint8Array {
  return mac(key, "latchkey/desk/person", concatBytes(accountId, utf8Bytes(host)));
}

/** Encrypts what a case keeps (AES-256-GCM): nonce, ciphertext, tag. */
export function sealForCase(key: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const nonce = randomBytes(nonceLength);
  const cipher = createCipheriv("aes-256-gcm", mac(key, "latchkey/desk/seal", new Uint8Array()), nonce);
  const sealed = new Uint8Array(nonceLength + plaintext.length + tagLength);
  sealed.set(nonce);
  passThrough(cipher, plaintext, sealed.subarray(nonceLength));
  // Neither has bytes of its own to add in this mode.
  cipher.final();
  sealed.set(cipher.getAuthTag(), sealed.length - tagLength);
  return sealed;
}

/** @throws Error for what was not sealed under this key */
export function openOfCase(key: Uint8Array, sealed: Uint8Array): Uint8Array {
  const decipher = createDecipheriv("aes-256-gcm", mac(key, "latchkey/desk/seal", new Uint8Array()), sealed.slice(0, nonceLength));
  decipher.setAuthTag(sealed.slice(-tagLength));
  const ciphertext = sealed.subarray(nonceLength, -tagLength);
  const plaintext = new Uint8Array(ciphertext.length);
  passThrough(decipher, ciphertext, plaintext);
  decipher.final();
  return plaintext;
}

function passThrough(cipher: { update(bytes: Uint8Array): Uint8Array }, from: Uint8Array, to: Uint8Array): void {
  for (let at = 0; at < from.length; at += stepBytes) {
    const step = cipher.update(from.subarray(at, at + stepBytes));
    to.set(step, at);
    giveUp(step);
  }
}

function mac(key: Uint8Array, label: string, content: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac("sha256", key).update(utf8Bytes(label)).update(Uint8Array.of(0)).update(content).digest());
}
