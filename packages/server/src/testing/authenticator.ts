import { toBase64Url, concatBytes, fromBase64Url, utf8Bytes } from "@latchkey/codec";
import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import type { PasskeyJson } from "@latchkey/protocol/desk";
import { sha256 } from "../hash.ts";

const [userPresent, userVerified, attested] = [0x01, 0x04, 0x40];

/** How a test's authenticator is unlike an honest one. */
export interface AuthenticatorTwist {
  readonly origin?: string;
  readonly rpId?: string;
  /** Without the person's finger or code. */
  readonly isUnverified?: boolean;
  readonly counter?: number;
  /** In place of the one that the options name. */
  readonly challenge?: string;
}

/** An authenticator in software: what a browser and a key make of the server's options (WebAuthn Level 3 §6, §7), as JSON. */
export class TestAuthenticator {
  readonly credential: string = toBase64Url(new Uint8Array(randomBytes(16)));
  readonly origin: string;
  readonly #algorithm: -7 | -8 | -257;
  readonly #publicKey: KeyObject;
  readonly #privateKey: KeyObject;
  #counter = 0;

  constructor(origin: string, algorithm: -7 | -8 | -257 = -7) {
    this.origin = origin;
    this.#algorithm = algorithm;
    const pair =
      algorithm === -7
        ? generateKeyPairSync("ec", { namedCurve: "P-256" })
        : algorithm === -8
          ? generateKeyPairSync("ed25519")
          : generateKeyPairSync("rsa", { modulusLength: 2048 });
    this.#publicKey = pair.publicKey;
    this.#privateKey = pair.privateKey;
  }

  /** Answers `navigator.credentials.create`. */
  create(options: PasskeyJson, twist: AuthenticatorTwist = {}): PasskeyJson {
    const clientData = this.#clientData("webauthn.create", options, twist);
    const id = fromBase64Url(this.credential);
    const attestedData = concatBytes(new Uint8Array(16), Uint8Array.of(id.length >> 8, id.length & 0xff), id, this.#coseKey());
    const authData = concatBytes(this.#authData(twist, attested), attestedData);
    const attestation = concatBytes(
      cborHead(5, 3),
      cborText("fmt"),
      cborText("none"),
      cborText("attStmt"),
      cborHead(5, 0),
      cborText("authData"),
      cborBytes(authData),
    );
    return this.#answer({ clientDataJSON: toBase64Url(clientData), attestationObject: toBase64Url(attestation), transports: ["internal"] });
  }

  /** Answers `navigator.credentials.get`. */
  get(options: PasskeyJson, twist: AuthenticatorTwist = {}): PasskeyJson {
    const clientData = this.#clientData("webauthn.get", options, twist);
    const authData = this.#authData(twist, 0);
    const signed = concatBytes(authData, sha256(clientData));
    const signature = sign(this.#algorithm === -8 ? null : "sha256", signed, this.#privateKey);
    return this.#answer({
      clientDataJSON: toBase64Url(clientData),
      authenticatorData: toBase64Url(authData),
      signature: toBase64Url(new Uint8Array(signature)),
    });
  }

  #answer(response: object): PasskeyJson {
    return { id: this.credential, rawId: this.credential, type: "public-key", clientExtensionResults: {}, response };
  }

  #clientData(type: string, options: PasskeyJson, twist: AuthenticatorTwist): Uint8Array {
    const { challenge = options["challenge"], origin = this.origin } = twist;
    return utf8Bytes(JSON.stringify({ type, challenge, origin, crossOrigin: false }));
  }

  #authData({ rpId = new URL(this.origin).hostname, isUnverified = false, counter }: AuthenticatorTwist, flag: number): Uint8Array {
    this.#counter = counter ?? this.#counter + 1;
    const count = new Uint8Array(4);
    new DataView(count.buffer).setUint32(0, this.#counter);
    return concatBytes(sha256(utf8Bytes(rpId)), Uint8Array.of(userPresent | (isUnverified ? 0 : userVerified) | flag), count);
  }

  /** RFC 9053 §7. */
  #coseKey(): Uint8Array {
    const jwk = this.#publicKey.export({ format: "jwk" });
    const bytes = (text: string | undefined): Uint8Array => cborBytes(fromBase64Url(text ?? ""));
    if (this.#algorithm === -8) {
      return concatBytes(
        cborHead(5, 4),
        cborInt(1),
        cborInt(1),
        cborInt(3),
        cborInt(-8),
        cborInt(-1),
        cborInt(6),
        cborInt(-2),
        bytes(jwk.x),
      );
    }
    if (this.#algorithm === -257) {
      return concatBytes(
        cborHead(5, 4),
        cborInt(1),
        cborInt(3),
        cborInt(3),
        cborInt(-257),
        cborInt(-1),
        bytes(jwk.n),
        cborInt(-2),
        bytes(jwk.e),
      );
    }
    const curve = concatBytes(cborInt(1), cborInt(2), cborInt(3), cborInt(-7), cborInt(-1), cborInt(1));
    return concatBytes(cborHead(5, 5), curve, cborInt(-2), bytes(jwk.x), cborInt(-3), bytes(jwk.y));
  }
}

/** RFC 8949 §3: of lengths and numbers below 65,536. */
function cborHead(major: number, value: number): Uint8Array {
  if (value < 24) return Uint8Array.of((major << 5) | value);
  return value < 256 ? Uint8Array.of((major << 5) | 24, value) : Uint8Array.of((major << 5) | 25, value >> 8, value & 0xff);
}

function cborInt(value: number): Uint8Array {
  return value < 0 ? cborHead(1, -1 - value) : cborHead(0, value);
}

function cborBytes(bytes: Uint8Array): Uint8Array {
  return concatBytes(cborHead(2, bytes.length), bytes);
}

function cborText(text: string): Uint8Array {
  return concatBytes(cborHead(3, text.length), utf8Bytes(text));
}
