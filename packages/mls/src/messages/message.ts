import { struct, uint16, variant } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { MlsError } from "../errors.ts";
import { mls10, protocolVersion } from "./basics.ts";
import { decodeStructure, encodeStructure } from "./coding.ts";
import { privateMessage, publicMessage, wireFormats } from "./framing.ts";
import type { PrivateMessage, PublicMessage } from "./framing.ts";
import { groupInfo, welcome } from "./group-context.ts";
import type { GroupInfo, Welcome } from "./group-context.ts";
import { keyPackage } from "./nodes.ts";
import type { KeyPackage } from "./nodes.ts";

/** What an `MLSMessage` holds, by its wire format (RFC 9420 section 6). */
export type MlsMessageBody =
  | { readonly kind: "public-message"; readonly publicMessage: PublicMessage }
  | { readonly kind: "private-message"; readonly privateMessage: PrivateMessage }
  | { readonly kind: "welcome"; readonly welcome: Welcome }
  | { readonly kind: "group-info"; readonly groupInfo: GroupInfo }
  | { readonly kind: "key-package"; readonly keyPackage: KeyPackage };

/** `MLSMessage` (RFC 9420 section 6). */
export interface MlsMessage {
  readonly version: 1;
  readonly body: MlsMessageBody;
}

/** `MLSMessage`. */
export const mlsMessage: Codec<MlsMessage> = struct<MlsMessage>({
  version: protocolVersion,
  body: variant<MlsMessageBody>(uint16, {
    "public-message": [wireFormats["public-message"], struct<{ publicMessage: PublicMessage }>({ publicMessage })],
    "private-message": [wireFormats["private-message"], struct<{ privateMessage: PrivateMessage }>({ privateMessage })],
    welcome: [wireFormats.welcome, struct<{ welcome: Welcome }>({ welcome })],
    "group-info": [wireFormats["group-info"], struct<{ groupInfo: GroupInfo }>({ groupInfo })],
    "key-package": [wireFormats["key-package"], struct<{ keyPackage: KeyPackage }>({ keyPackage })],
  }),
});

/**
 * The content of an `MLSMessage`; its byte fields are views of `bytes`.
 * @throws MlsError `unsupported` for another protocol version, `malformed` for bytes that do not decode.
 */
export function decodeMessage(bytes: Uint8Array): MlsMessageBody {
  const [high, low] = bytes;
  if (high !== undefined && low !== undefined && (high << 8) + low !== mls10) {
    throw new MlsError("unsupported", "another version of MLS", { clause: "RFC 9420 §6" });
  }
  return decodeStructure(mlsMessage, bytes, "MLSMessage").body;
}

/** The `MLSMessage` holding `body`. @throws MlsError `usage` when a field exceeds its bound. */
export function encodeMessage(body: MlsMessageBody): Uint8Array<ArrayBuffer> {
  return encodeStructure(mlsMessage, { version: mls10, body }, "MLSMessage");
}
