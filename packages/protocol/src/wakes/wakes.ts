import {
  CodecError,
  Reader,
  concatBytes,
  encode,
  oneOf,
  opaque,
  opaqueV,
  safeUint64,
  struct,
  text,
  uint16,
  utf8Bytes,
  vector,
} from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { sha256 } from "@noble/hashes/sha2.js";
import { hostCodec } from "../addresses.ts";
import { maxPushEndpointBytes } from "../limits.ts";

/** HPKE `info` of a sealed subscription. */
export const wakeInfo: Uint8Array = utf8Bytes("latchkey/wake/1");
/** The suite of HPKE under which it is sealed: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM. */
export const wakeSuite = 0x0001;

/** Lets whoever holds it wake one device by its host, which learns neither from whom nor in which conversation. */
export interface WakeToken {
  readonly format: 1;
  /** The device's host: it alone opens the token. */
  readonly host: string;
  /** Of `wakeKeyId`. */
  readonly keyId: Uint8Array;
  /** Milliseconds since 1970, `wakeTokenLifeMs` ahead at most. */
  readonly notAfterMs: number;
  readonly kemOutput: Uint8Array;
  /** A `WakeTarget`, padded. */
  readonly ciphertext: Uint8Array;
}

export const wakeTokenCodec: Codec<WakeToken> = struct<WakeToken>({
  format: oneOf(uint16, [1]),
  host: hostCodec,
  keyId: opaque(8),
  notAfterMs: safeUint64,
  kemOutput: opaque(32),
  ciphertext: opaqueV(1280),
});

/** What a token holds for the host's eyes. */
export interface WakeTarget {
  /** Another for each token, 16 random bytes. */
  readonly tokenId: Uint8Array;
  /** Where the push service takes messages for the device (RFC 8030). */
  readonly endpoint: string;
}

const wakeTargetCodec: Codec<WakeTarget> = struct<WakeTarget>({ tokenId: opaque(16), endpoint: text(maxPushEndpointBytes) });

/** Sizes that a target is padded to: by its length a token says little of which push service it is. */
const targetBuckets = [512, 1024] as const;

/** A target with its padding. @throws CodecError where the address is too long */
export function encodeWakeTarget(target: WakeTarget): Uint8Array {
  const bytes = encode(wakeTargetCodec, target);
  const padded = new Uint8Array(targetBuckets.find((size) => size >= bytes.length) ?? bytes.length);
  padded.set(bytes);
  return padded;
}

/** A target without its padding. @throws CodecError */
export function decodeWakeTarget(padded: Uint8Array): WakeTarget {
  const reader = new Reader(padded);
  const target = wakeTargetCodec.read(reader);
  if (padded.subarray(reader.offset).some((byte) => byte !== 0)) throw new CodecError("invalid", "the padding of a wake target is zeros");
  return target;
}

/** What the seal of a token covers beside the target: whose host opens it, and until when. */
export function wakeAad({ host, keyId, notAfterMs }: Pick<WakeToken, "host" | "keyId" | "notAfterMs">): Uint8Array {
  return concatBytes(encode(hostCodec, host), keyId, encode(safeUint64, notAfterMs));
}

/** How a host wakes devices: the value of its operator label `wake` (spec D-8). */
export interface WakeKeys {
  readonly format: 1;
  /** Tokens are sealed to it: X25519. */
  readonly publicKey: Uint8Array;
  /** By which push services know the host (RFC 8292): P-256, uncompressed. */
  readonly vapidKey: Uint8Array;
  /** Push services to which it speaks: hosts, or `*.` and a domain. None: it wakes nobody. */
  readonly services: readonly string[];
  readonly ext: Uint8Array;
}

/** Push services that one host speaks to, at most. */
export const maxPushServices = 32;

export const wakeKeysCodec: Codec<WakeKeys> = struct<WakeKeys>({
  format: oneOf(uint16, [1]),
  publicKey: opaque(32),
  vapidKey: opaque(65),
  services: vector(text(255), { maxBytes: 8192, maxItems: maxPushServices }),
  ext: opaqueV(4096),
});

/** Which key a token is sealed to: the first 8 bytes of H("latchkey/wake-key/1" || public key). */
export function wakeKeyId(publicKey: Uint8Array): Uint8Array {
  return sha256(concatBytes(utf8Bytes("latchkey/wake-key/1"), publicKey)).slice(0, 8);
}

/** Whether an address lies at one of these push services: over https, with nobody's name or password in it. */
export function isAtPushService(endpoint: string, services: readonly string[]): boolean {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url?.protocol !== "https:" || url.username !== "" || url.password !== "") return false;
  return services.some((service) =>
    service.startsWith("*.") ? url.port === "" && url.hostname.endsWith(service.slice(1)) : url.host === service,
  );
}
