import { decode, equalBytes, fromBase64Url } from "@latchkey/codec";
import { deviceCardCodec, signedCodec } from "@latchkey/transparency";
import { ghostPrefix } from "./false-record.ts";
import type { ShownAccount } from "./false-record.ts";
import { askAsIs } from "./operator.ts";
import type { Person, Scene } from "./scene.ts";

/** An account under somebody else's name whose keys the operator has. Its client works: what is encrypted to it, it reads. */
export interface Ghost {
  readonly person: Person;
  readonly account: ShownAccount;
}

/**
 * Makes a ghost: a real client, registered in a back room. Its key packages, its inbox and its conversations are served like anybody's;
 * that it is in no record which others see is for the case to change.
 */
export async function addGhost(scene: Scene, username: string): Promise<Ghost> {
  const { operator } = scene;
  const room = await scene.backRoom();
  const name = ghostPrefix + username;
  operator.route({ people: [name], roles: ["device", "lookup", "post"], url: room.url });
  const person = await scene.person(name, { username });
  await person.client.settle();
  const accountId = fromBase64Url(person.accountId);
  const found = await askAsIs(room.url, "lookup", { kind: "lookup_username", username, fromVersion: 0, knownSize: 0 });
  if (found.kind !== "account") throw new Error("the ghost is not in its room");
  const { states, pops, bindings } = found;
  const inboxes: Uint8Array[] = [];
  operator.override({
    async request(line, body) {
      if (line.person === name) return "pass";
      if ((body.kind === "take_key_package" || body.kind === "lookup_card") && equalBytes(body.accountId, accountId)) {
        const answer = await askAsIs(room.url, "lookup", body);
        if (answer.kind === "key_package" || answer.kind === "card") {
          inboxes.push(decode(deviceCardCodec, decode(signedCodec, answer.card).body).inboxId.slice());
        }
        return { answer };
      }
      if (body.kind === "post" && inboxes.some((inbox) => equalBytes(inbox, body.inboxId)))
        return { answer: await askAsIs(room.url, "post", body) };
      return "pass";
    },
  });
  return { person, account: { accountId, username, states, pops, bindings } };
}
