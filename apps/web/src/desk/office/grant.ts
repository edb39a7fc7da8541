import { toBase64Url } from "@latchkey/client/bytes";
import { grantText } from "@latchkey/client/desk";
import type { GrantProof, StaffGrant } from "@latchkey/client/desk";
import { sha256 } from "../sha256.ts";
import type { AskDesk } from "./desk-api.ts";
import { askPasskey } from "./passkey.ts";
import type { PasskeyRefusal } from "./passkey.ts";

/** What came of asking for somebody's passkey. */
export type Proving = { readonly kind: "done"; readonly proof: GrantProof } | { readonly kind: "refused"; readonly code: PasskeyRefusal };

/** Has whoever is signed in say by their passkey what they say of somebody: the challenge is made here of what is shown, and no other is signed. */
export async function proveGrant(ask: AskDesk, host: string, grant: StaffGrant, sign: typeof askPasskey = askPasskey): Promise<Proving> {
  const begun = await ask("staff-grant-begin", grant);
  if (begun.kind === "refused") return begun;
  const { nonce, options } = begun.value;
  const challenge = toBase64Url(await sha256(new TextEncoder().encode(grantText(grant, { host, nonce }))));
  if (options["challenge"] !== challenge) return { kind: "refused", code: "passkey_refused" };
  const response = await sign(options);
  return response === undefined ? { kind: "refused", code: "given_up" } : { kind: "done", proof: { nonce, response } };
}
