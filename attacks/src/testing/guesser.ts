import { fromBase64Url, toBase64Url } from "@latchkey/codec";
import { client as opaque, ready } from "@serenity-kit/opaque";
import { ask } from "./operator.ts";
import { host } from "./scene.ts";
import type { Person, Scene } from "./scene.ts";

/** A guess at somebody's recovery passphrase, as anybody makes one without our client: the code of the refusal, or how to see whether it was right. */
export async function guess(scene: Scene, person: Person, passphrase: string): Promise<string | (() => boolean)> {
  await ready;
  const { clientLoginState, startLoginRequest } = opaque.startLogin({ password: passphrase });
  const accountId = fromBase64Url(person.accountId);
  const answer = await ask(scene.server.url, "lookup", { kind: "try_passphrase", accountId, ke1: fromBase64Url(startLoginRequest) });
  if (answer.kind !== "passphrase_challenge") return answer.kind === "error" ? answer.code : answer.kind;
  return () => isRight(clientLoginState, { person, passphrase, ke2: answer.ke2 });
}

/** Whether an answer to a try opens with this passphrase: a second of Argon2id. */
export function isRight(
  clientLoginState: string,
  { person, passphrase, ke2 }: { readonly person: Person; readonly passphrase: string; readonly ke2: Uint8Array },
): boolean {
  const finished = opaque.finishLogin({
    clientLoginState,
    loginResponse: toBase64Url(ke2),
    password: passphrase,
    identifiers: { client: person.accountId, server: host },
  });
  return finished !== undefined;
}
