import { concatBytes, equalBytes, utf8Bytes } from "@latchkey/codec";
import { wakeAad, wakeInfo, wakeKeyId } from "@latchkey/protocol/wakes";
import type { WakeToken } from "@latchkey/protocol/wakes";
import { createDecipheriv, createECDH, createHmac, createPrivateKey, createPublicKey, decapsulate, hkdfSync, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";

/** PKCS #8 (RFC 8410) around the 32 bytes of a private key of X25519. */
const x25519Prefix = Buffer.from("302e020100300506032b656e04220420", "hex");
/** The order of P-256, less one. */
const p256Scalars = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550n;
const none = new Uint8Array(0);
const tagBytes = 16;
/** The identifiers of the suite (RFC 9180 section 7): DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM. */
const suiteId = concatBytes(utf8Bytes("HPKE"), Uint8Array.of(0, 0x20, 0, 1, 0, 1));
/** So long a push service is shown the same signature (RFC 8292: a day at most). */
const vapidLifeS = 43_200;

/** The secret side of how a host wakes devices (spec W-1); all of it follows from one secret, which every backup has. */
export class WakeKeyring {
  /** Tokens are sealed to it. */
  readonly publicKey: Uint8Array;
  /** By which push services know the host (RFC 8292), uncompressed. */
  readonly vapidKey: Uint8Array;
  readonly #keyId: Uint8Array;
  readonly #openKey: KeyObject;
  readonly #signKey: KeyObject;

  /** @param secret the directory's: 32 bytes */
  constructor(secret: Uint8Array) {
    this.#openKey = createPrivateKey({ key: Buffer.concat([x25519Prefix, seedOf(secret, "wake-key", 32)]), format: "der", type: "pkcs8" });
    const { x } = createPublicKey(this.#openKey).export({ format: "jwk" });
    this.publicKey = new Uint8Array(Buffer.from(x ?? "", "base64url"));
    this.#keyId = wakeKeyId(this.publicKey);
    const point = createECDH("prime256v1");
    point.setPrivateKey(scalarOf(seedOf(secret, "vapid-key", 48)));
    this.vapidKey = new Uint8Array(point.getPublicKey());
    const text = (part: Uint8Array): string => Buffer.from(part).toString("base64url");
    const jwk = { kty: "EC", crv: "P-256", x: text(this.vapidKey.subarray(1, 33)), y: text(this.vapidKey.subarray(33)) };
    this.#signKey = createPrivateKey({ key: { ...jwk, d: text(point.getPrivateKey()) }, format: "jwk" });
  }

  /** Whether a token was sealed to this host's key. */
  isOurs(token: WakeToken): boolean {
    return equalBytes(token.keyId, this.#keyId);
  }

  /** The padded target in a token; `undefined` where it does not open (RFC 9180, base mode). */
  open(token: WakeToken): Uint8Array | undefined {
    const { kemOutput, ciphertext } = token;
    if (ciphertext.length < tagBytes) return undefined;
    try {
      const shared = decapsulate(this.#openKey, kemOutput);
      const context = concatBytes(Uint8Array.of(0), extract(none, "psk_id_hash", none), extract(none, "info_hash", wakeInfo));
      const secret = extract(shared, "secret", none);
      const decipher = createDecipheriv("aes-128-gcm", expand(secret, "key", context, 16), expand(secret, "base_nonce", context, 12));
      decipher.setAAD(wakeAad(token));
      decipher.setAuthTag(ciphertext.subarray(-tagBytes));
      return concatBytes(decipher.update(ciphertext.subarray(0, -tagBytes)), decipher.final());
    } catch {
      // Node says with errors of several kinds that a point or a tag is none.
      return undefined;
    }
  }

  /**
   * What tells a push service who asks (RFC 8292), for its `Authorization` header.
   * @param params `audience` the origin of the push service, `subject` where who runs the host is reached
   */
  vapid({ audience, subject, nowMs }: { audience: string; subject: string; nowMs: number }): string {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const claims = { aud: audience, exp: Math.floor(nowMs / 1000) + vapidLifeS, sub: subject };
    const signed = `${part({ typ: "JWT", alg: "ES256" })}.${part(claims)}`;
    const signature = sign("sha256", Buffer.from(signed), { key: this.#signKey, dsaEncoding: "ieee-p1363" }).toString("base64url");
    return `vapid t=${signed}.${signature}, k=${Buffer.from(this.vapidKey).toString("base64url")}`;
  }
}

function seedOf(secret: Uint8Array, what: string, bytes: number): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, none, `latchkey/${what}/1`, bytes));
}

/** A private key of P-256 out of 48 uniform bytes. */
function scalarOf(seed: Buffer): Buffer {
  const scalar = (BigInt(`0x${seed.toString("hex")}`) % p256Scalars) + 1n;
  return Buffer.from(scalar.toString(16).padStart(64, "0"), "hex");
}

/** `LabeledExtract` of RFC 9180. */
function extract(salt: Uint8Array, label: string, ikm: Uint8Array): Uint8Array {
  return createHmac("sha256", salt)
    .update(concatBytes(utf8Bytes("HPKE-v1"), suiteId, utf8Bytes(label), ikm))
    .digest();
}

/** `LabeledExpand` of RFC 9180, of one block at most. */
function expand(secret: Uint8Array, label: string, info: Uint8Array, bytes: number): Uint8Array {
  const labeled = concatBytes(Uint8Array.of(0, bytes), utf8Bytes("HPKE-v1"), suiteId, utf8Bytes(label), info, Uint8Array.of(1));
  return createHmac("sha256", secret).update(labeled).digest().subarray(0, bytes);
}
