import { mapped, opaqueV, oneOf, struct, uint16, uint32, uint64, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { LeafIndex } from "../tree/tree-math.ts";
import { limits } from "./limits.ts";

/** `ProtocolVersion.mls10`: the only version there is (RFC 9420 section 6). */
export const mls10 = 1;

/** Credential types (RFC 9420 section 17.5). */
export const credentialTypes: { readonly basic: 1; readonly x509: 2 } = { basic: 1, x509: 2 };

/** Extension types (RFC 9420 section 17.3), and last_resort of the MLS extensions document. */
export const extensionTypes: {
  readonly applicationId: 1;
  readonly ratchetTree: 2;
  readonly requiredCapabilities: 3;
  readonly externalPub: 4;
  readonly externalSenders: 5;
  readonly lastResort: 10;
} = { applicationId: 1, ratchetTree: 2, requiredCapabilities: 3, externalPub: 4, externalSenders: 5, lastResort: 10 };

/** Marks a key package that may be used more than once (draft-ietf-mls-extensions). */
export const lastResortExtensionType: number = extensionTypes.lastResort;

/** Proposal types (RFC 9420 section 17.4). */
export const proposalTypes: {
  readonly add: 1;
  readonly update: 2;
  readonly remove: 3;
  readonly psk: 4;
  readonly reinit: 5;
  readonly externalInit: 6;
  readonly groupContextExtensions: 7;
} = { add: 1, update: 2, remove: 3, psk: 4, reinit: 5, externalInit: 6, groupContextExtensions: 7 };

/** `ProtocolVersion`, restricted to mls10. */
export const protocolVersion: Codec<1> = oneOf(uint16, [mls10]);

/** `HPKEPublicKey` and `SignaturePublicKey` (RFC 9420 section 5.1.1). */
export const publicKey: Codec<Uint8Array> = opaqueV(limits.keyBytes);
/** A signature. */
export const signature: Codec<Uint8Array> = opaqueV(limits.keyBytes);
/** `MAC` (RFC 9420 section 6.1). */
export const mac: Codec<Uint8Array> = opaqueV(limits.macBytes);
/** A hash output, or nothing. */
export const hash: Codec<Uint8Array> = opaqueV(limits.hashBytes);
/** A group id, PSK id or nonce. */
export const identifier: Codec<Uint8Array> = opaqueV(limits.identifierBytes);
/** Something as large as a message may be. */
export const bulk: Codec<Uint8Array> = opaqueV(limits.messageBytes);
/** A list of 16-bit numbers with values that we may not know (GREASE included). */
export const numbers: Codec<number[]> = vector(uint16, { maxBytes: limits.listBytes });

/** A uint32 that counts leaves from the left. Whether that leaf exists is for the tree to say. */
// The brand marks the meaning of the number; there is nothing to convert.
export const leafIndex: Codec<LeafIndex> = mapped(
  uint32,
  (index: LeafIndex) => index as number,
  (index) => index as LeafIndex,
);

/**
 * Who a leaf is (RFC 9420 section 5.3). `unknown` credentials are carried along unread, assuming that they are one
 * `opaque<V>`, as every credential defined so far is.
 */
export type Credential =
  | { readonly kind: "basic"; readonly identity: Uint8Array }
  | { readonly kind: "x509"; readonly certificates: readonly Uint8Array[] }
  | { readonly kind: "unknown"; readonly type: number; readonly content: Uint8Array };

const identity = opaqueV(limits.credentialBytes);
const certificates = vector(opaqueV(limits.credentialBytes), { maxBytes: limits.credentialBytes });

/** The number of a credential's type. */
export function credentialType(value: Credential): number {
  switch (value.kind) {
    case "basic":
      return credentialTypes.basic;
    case "x509":
      return credentialTypes.x509;
    case "unknown":
      return value.type;
  }
}

/** `Credential` (RFC 9420 section 5.3). */
export const credential: Codec<Credential> = {
  write(w, value) {
    w.uint16(credentialType(value));
    if (value.kind === "basic") identity.write(w, value.identity);
    else if (value.kind === "x509") certificates.write(w, [...value.certificates]);
    else identity.write(w, value.content);
  },
  read(r) {
    const type = r.uint16();
    if (type === credentialTypes.basic) return { kind: "basic", identity: identity.read(r) };
    if (type === credentialTypes.x509) return { kind: "x509", certificates: certificates.read(r) };
    return { kind: "unknown", type, content: identity.read(r) };
  },
};

/** `Extension` (RFC 9420 section 7.2). */
export interface Extension {
  readonly type: number;
  readonly data: Uint8Array;
}

/** One `Extension`. */
export const extension: Codec<Extension> = struct<Extension>({ type: uint16, data: bulk });
/** `Extension extensions<V>`. */
export const extensions: Codec<readonly Extension[]> = vector(extension, { maxBytes: limits.messageBytes });

/** What a client supports (RFC 9420 section 7.2). Lists may hold numbers that we do not know. */
export interface Capabilities {
  readonly versions: readonly number[];
  readonly cipherSuites: readonly number[];
  readonly extensions: readonly number[];
  readonly proposals: readonly number[];
  readonly credentials: readonly number[];
}

/** `Capabilities`. */
export const capabilities: Codec<Capabilities> = struct<Capabilities>({
  versions: numbers,
  cipherSuites: numbers,
  extensions: numbers,
  proposals: numbers,
  credentials: numbers,
});

/** When a key package may be used: seconds since 1970, both ends included (RFC 9420 section 7.2). */
export interface Lifetime {
  readonly notBefore: bigint;
  readonly notAfter: bigint;
}

/** `Lifetime`. */
export const lifetime: Codec<Lifetime> = struct<Lifetime>({ notBefore: uint64, notAfter: uint64 });

/** What every member must support (RFC 9420 section 11.1): the content of the required_capabilities extension. */
export interface RequiredCapabilities {
  readonly extensions: readonly number[];
  readonly proposals: readonly number[];
  readonly credentials: readonly number[];
}

/** `RequiredCapabilities`. */
export const requiredCapabilities: Codec<RequiredCapabilities> = struct<RequiredCapabilities>({
  extensions: numbers,
  proposals: numbers,
  credentials: numbers,
});

/** One entry of the external_senders extension (RFC 9420 section 12.1.8.1). */
export interface ExternalSender {
  readonly signatureKey: Uint8Array;
  readonly credential: Credential;
}

/** `ExternalSender external_senders<V>`. */
export const externalSenders: Codec<ExternalSender[]> = vector(struct<ExternalSender>({ signatureKey: publicKey, credential }), {
  maxBytes: limits.messageBytes,
});

/** `ExternalPub`: the content of the external_pub extension (RFC 9420 section 12.4.3.2). */
export interface ExternalPub {
  readonly externalPub: Uint8Array;
}

/** `ExternalPub`. */
export const externalPub: Codec<ExternalPub> = struct<ExternalPub>({ externalPub: publicKey });

/** `HPKECiphertext` (RFC 9420 section 7.6). */
export interface HpkeCiphertextValue {
  readonly kemOutput: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/** `HPKECiphertext`. */
export const hpkeCiphertext: Codec<HpkeCiphertextValue> = struct<HpkeCiphertextValue>({ kemOutput: publicKey, ciphertext: bulk });

/** The data of the extension of that type, if the list holds one. */
export function findExtension(list: readonly Extension[], type: number): Uint8Array | undefined {
  return list.find((entry) => entry.type === type)?.data;
}
