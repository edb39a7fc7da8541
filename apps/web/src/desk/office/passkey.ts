import { browserSupportsWebAuthn, startAuthentication, startRegistration } from "@simplewebauthn/browser";
import type { PublicKeyCredentialCreationOptionsJSON, PublicKeyCredentialRequestOptionsJSON } from "@simplewebauthn/browser";
import type { DeskSession, PasskeyJson } from "@latchkey/client/desk";
import type { AskDesk, DeskRefusal, DeskResult } from "./desk-api.ts";

/** Why nobody is signed in: the desk's reason, or the browser's. */
export type PasskeyRefusal = DeskRefusal | "given_up" | "no_passkeys";

type Outcome = { readonly kind: "in"; readonly session: DeskSession } | { readonly kind: "refused"; readonly code: PasskeyRefusal };

/** With a one-time code: has the browser make a passkey, and signs in with that. */
export async function enrol(ask: AskDesk, code: string): Promise<Outcome> {
  if (!browserSupportsWebAuthn()) return { kind: "refused", code: "no_passkeys" };
  const begun = await ask("enrol-begin", { code });
  if (begun.kind === "refused") return begun;
  const response = await makePasskey(begun.value.options);
  return response === undefined ? { kind: "refused", code: "given_up" } : done(await ask("enrol-finish", { code, response }));
}

/** Signs in with a passkey that the person chooses. */
export async function signIn(ask: AskDesk): Promise<Outcome> {
  if (!browserSupportsWebAuthn()) return { kind: "refused", code: "no_passkeys" };
  const begun = await ask("sign-in-begin", {});
  if (begun.kind === "refused") return begun;
  const response = await askPasskey(begun.value.options);
  return response === undefined ? { kind: "refused", code: "given_up" } : done(await ask("sign-in-finish", { response }));
}

/** Has the browser make a passkey; absent where the person or the browser gave up. */
export async function makePasskey(options: PasskeyJson): Promise<PasskeyJson | undefined> {
  // The options are made by the same library on the server.
  return await answered(() => startRegistration({ optionsJSON: options as unknown as PublicKeyCredentialCreationOptionsJSON }));
}

/** Has a passkey sign the challenge of these options; absent where the person or the browser gave up. */
export async function askPasskey(options: PasskeyJson): Promise<PasskeyJson | undefined> {
  return await answered(() => startAuthentication({ optionsJSON: options as unknown as PublicKeyCredentialRequestOptionsJSON }));
}

function done(result: DeskResult<DeskSession>): Outcome {
  return result.kind === "done" ? { kind: "in", session: result.value } : result;
}

/** The browser's answer; absent where the person or the browser gave up. Which of these it was, browsers do not say. */
async function answered(start: () => Promise<object>): Promise<PasskeyJson | undefined> {
  try {
    return { ...(await start()) };
  } catch {
    return undefined;
  }
}
