import { concatBytes, toBase64Url, utf8Bytes } from "@latchkey/codec";
import { sha256 } from "@noble/hashes/sha2.js";
import type { Approval, ApproverRole } from "../approvals.ts";

/** A passkey of a test's own (Ed25519): what it answers to a challenge, as WebAuthn Level 3 §6.3.3 has it. */
export class TestPasskey {
  readonly #pair: CryptoKeyPair;
  readonly credential: string;
  readonly publicKey: Uint8Array;

  private constructor(pair: CryptoKeyPair, raw: Uint8Array) {
    this.#pair = pair;
    this.credential = toBase64Url(sha256(raw).slice(0, 16));
    // COSE (RFC 9053 §7.2): an OKP key of EdDSA on Ed25519.
    this.publicKey = concatBytes(Uint8Array.of(0xa4, 0x01, 0x01, 0x03, 0x27, 0x20, 0x06, 0x21, 0x58, 0x20), raw);
  }

  static async create(): Promise<TestPasskey> {
    const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
    return new TestPasskey(pair, new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey)));
  }

  /** Approves a digest. */
  async approve(params: {
    digest: Uint8Array;
    origin: string;
    who: string;
    role?: ApproverRole;
    atMs: number;
    isUnverified?: boolean;
  }): Promise<Approval> {
    const { digest, origin, who, role = "reviewer", atMs, isUnverified = false } = params;
    const clientDataJson = utf8Bytes(JSON.stringify({ type: "webauthn.get", challenge: toBase64Url(digest), origin, crossOrigin: false }));
    const flags = isUnverified ? 0x01 : 0x05;
    const authenticatorData = concatBytes(sha256(utf8Bytes(new URL(origin).hostname)), Uint8Array.of(flags, 0, 0, 0, 1));
    const message = concatBytes(authenticatorData, sha256(clientDataJson));
    const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", this.#pair.privateKey, message));
    const { credential, publicKey } = this;
    return { who, role, atMs, credential, publicKey, assertion: { clientDataJson, authenticatorData, signature } };
  }

  /** Signs as an operator's key does. */
  async sign(message: Uint8Array): Promise<{ key: Uint8Array; signature: Uint8Array }> {
    const key = new Uint8Array(await crypto.subtle.exportKey("raw", this.#pair.publicKey));
    return { key, signature: new Uint8Array(await crypto.subtle.sign("Ed25519", this.#pair.privateKey, concatBytes(message))) };
  }
}
