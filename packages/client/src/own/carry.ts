import type { OwnFact } from "./facts.ts";
import type { OwnThings } from "./own-things.ts";
import { factOf } from "./view.ts";

/** What the person set of a conversation goes along where they go on in another one (spec M-9, L-12), as far as nothing is set of that yet. */
export async function carryOwn(things: OwnThings, from: Uint8Array, to: Uint8Array): Promise<void> {
  const facts: OwnFact[] = [];
  const mute = factOf(things, "mute", from);
  if (mute !== undefined && factOf(things, "mute", to) === undefined) facts.push({ ...mute, logId: to });
  const pin = factOf(things, "pin", from);
  if (pin?.rank !== undefined) {
    facts.push({ ...pin, rank: undefined });
    if (factOf(things, "pin", to) === undefined) facts.push({ ...pin, logId: to });
  }
  await things.say(facts);
}
