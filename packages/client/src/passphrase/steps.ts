import type { PassphraseCalls } from "../api/passphrases.ts";
import { hasPassphraseLength, isStrongPassphrase, normalPassphrase } from "./passphrase.ts";
import type { Opaque } from "./types.ts";

export { isStrongPassphrase, makePassphrase, passphraseCharacters } from "./passphrase.ts";

/**
 * Sets the account's recovery passphrase (spec A-12): `weak` where it is too short or plain, `refused` where the server's answer is none of OPAQUE's.
 * @param params.phrase the 24 words, where the profile does not have them any more
 * @param params.username of the account: a passphrase that is little else is `weak`
 * @throws the calls' failures
 */
export async function setPassphrase(
  client: Pick<PassphraseCalls, "beginRecoveryPassphrase" | "setRecoveryPassphrase">,
  opaque: Pick<Opaque, "startRegistration" | "finishRegistration">,
  params: { readonly passphrase: string; readonly phrase?: string | undefined; readonly username?: string | undefined },
): Promise<"set" | "weak" | "refused"> {
  const { phrase } = params;
  if (!isStrongPassphrase(params.passphrase, params.username)) return "weak";
  const passphrase = normalPassphrase(params.passphrase);
  const { state, request } = await opaque.startRegistration(passphrase);
  const { response, names } = await client.beginRecoveryPassphrase({ phrase, request });
  const finished = await opaque.finishRegistration({ passphrase, state, response, names });
  if (finished === undefined) return "refused";
  await client.setRecoveryPassphrase({ phrase, ...finished });
  return "set";
}

/**
 * The 24 words of an account, by its passphrase (spec A-13): one try. `undefined` where it opened nothing: it is another one, or the account has none that opens.
 * @throws the calls' failures
 */
export async function phraseByPassphrase(
  client: Pick<PassphraseCalls, "findPassphraseAccount" | "tryRecoveryPassphrase" | "openRecoveryPassphrase">,
  opaque: Pick<Opaque, "startLogin" | "finishLogin">,
  params: { readonly username: string; readonly passphrase: string },
): Promise<string | undefined> {
  const passphrase = normalPassphrase(params.passphrase);
  // What could not have been set is not tried.
  if (!hasPassphraseLength(passphrase)) return undefined;
  const names = await client.findPassphraseAccount(params.username);
  const { state, ke1 } = await opaque.startLogin(passphrase);
  const { ticket, ke2 } = await client.tryRecoveryPassphrase({ names, ke1 });
  const finished = await opaque.finishLogin({ passphrase, state, ke2, names });
  if (finished === undefined) return undefined;
  return client.openRecoveryPassphrase({ names, ticket, ...finished });
}
