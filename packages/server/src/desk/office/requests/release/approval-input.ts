import { fromBase64Url } from "@latchkey/codec";
import type { PasskeyJson } from "@latchkey/protocol/desk";
import { maxAnswerBytes } from "@latchkey/releases";
import type { Assertion } from "@latchkey/releases";
import { DeskError } from "../../desk-error.ts";

/** No longer than whoever verifies the release reads, as base64url. */
const longestPart = Math.floor((maxAnswerBytes * 4) / 3);

/** What of a browser's answer an approval keeps. @throws DeskError `passkey_refused` */
export function readAssertion(response: PasskeyJson): { readonly credential: string; readonly assertion: Assertion } {
  const { id, response: parts } = response;
  if (typeof id !== "string" || typeof parts !== "object" || parts === null) throw new DeskError("passkey_refused");
  const read = (name: string): Uint8Array => {
    const value: unknown = Reflect.get(parts, name);
    if (typeof value !== "string" || value.length > longestPart) throw new DeskError("passkey_refused");
    try {
      return fromBase64Url(value);
    } catch {
      throw new DeskError("passkey_refused");
    }
  };
  return {
    credential: id,
    assertion: { clientDataJson: read("clientDataJSON"), authenticatorData: read("authenticatorData"), signature: read("signature") },
  };
}
