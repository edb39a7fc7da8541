import { toBase64Url } from "@latchkey/client/bytes";
import type { RequestAt, RequestDetail } from "@latchkey/client/desk";
import type { AskDesk } from "../office/desk-api.ts";
import { askPasskey } from "../office/passkey.ts";
import type { PasskeyRefusal } from "../office/passkey.ts";

/** What came of approving: `other_package` where the server wants something else signed than this browser has seen. */
export type Approval =
  | { readonly kind: "done"; readonly request: RequestDetail }
  | { readonly kind: "refused"; readonly code: PasskeyRefusal | "other_package" };

/** Whether the challenge of a passkey's options is what this browser made of what it showed: what is seen is what is signed. */
export function isChallenge(options: Readonly<Record<string, unknown>>, digest: Uint8Array): boolean {
  return options["challenge"] === toBase64Url(digest);
}

/** Approves a release by passkey: only of the digest that was made here of what was shown. */
export async function approveRelease(
  ask: AskDesk,
  at: RequestAt,
  digest: Uint8Array,
  sign: typeof askPasskey = askPasskey,
): Promise<Approval> {
  const begun = await ask("request-approve-begin", at);
  if (begun.kind === "refused") return begun;
  if (!isChallenge(begun.value.options, digest)) return { kind: "refused", code: "other_package" };
  const response = await sign(begun.value.options);
  if (response === undefined) return { kind: "refused", code: "given_up" };
  const done = await ask("request-approve-finish", { ...at, response });
  return done.kind === "done" ? { kind: "done", request: done.value.request } : done;
}
