import { fromBase64Url } from "@latchkey/codec";
import type { PasskeyJson } from "@latchkey/protocol/desk";
import type { Assertion } from "@latchkey/releases";
import { DeskError } from "../../desk-error.ts";

const longestPart = 11_000;

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
