import { encode, opaqueV, struct, utf8Bytes } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { ed25519 } from "@noble/curves/ed25519.js";

/** What a key may sign, one label for each use (spec C-2). */
export type SignatureLabel =
  | "AccountState"
  | "DevicePoP"
  | "UsernameBinding"
  | "DeviceCard"
  | "Connect"
  | "Complaint"
  | "InboxHead"
  | "HistoryBackup"
  | "Report"
  | "ReportReceipt"
  | "ReportAnswer"
  | "DeskNotice"
  | "RecoveryPassphrase";

/** Ed25519, the only `sig_alg` so far: its RFC 9420 signature scheme number (RFC 8446 section 4.2.3). */
export const ed25519Algorithm = 0x0807;

/** Signatures of one engine. Keys and signatures are raw: 32, 32 and 64 bytes. */
export interface Signatures {
  sign(secretKey: Uint8Array, message: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /** False for anything malformed: never throws. */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean | Promise<boolean>;
}

/** Ed25519 by @noble/curves, strict (RFC 8032, no malleable or small-order keys): for engines without a native one. */
export const nobleSignatures: Signatures = {
  sign: (secretKey, message) => ed25519.sign(message, secretKey),
  verify(publicKey, message, signature) {
    try {
      return ed25519.verify(signature, message, publicKey, { zip215: false });
    } catch {
      return false;
    }
  },
};

interface SignContent {
  readonly label: Uint8Array;
  readonly content: Uint8Array;
}

const signContentCodec: Codec<SignContent> = struct<SignContent>({ label: opaqueV(255), content: opaqueV(1 << 20) });

/** SignContent of RFC 9420 section 5.1.2 with the prefix "Latchkey 1.0 " (spec C-2). */
export function signedContent(label: SignatureLabel, content: Uint8Array): Uint8Array {
  return encode(signContentCodec, { label: utf8Bytes(`Latchkey 1.0 ${label}`), content });
}
