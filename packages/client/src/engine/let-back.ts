import { toBase64Url } from "@latchkey/codec";
import { isAway } from "../core/away.ts";
import { readdition } from "../core/rejoin.ts";
import type { ConversationState, WantedChange } from "../core/types.ts";
import { ClientError } from "../errors.ts";
import { addition } from "./addition.ts";
import type { World } from "./world.ts";

/**
 * The change that lets an account back whose devices left it: the same account, with the devices that it has now by its host's public
 * record, and what is left of the old ones removed in the same commit (spec E-64).
 * @throws ClientError `unknown_user` for who is not away, `already_member`, and as `Directory.refresh`
 */
export async function changeToLetBack(world: World, state: ConversationState, accountId: Uint8Array): Promise<WantedChange> {
  const { directory, people } = world;
  const leaves = state.roster?.accounts.get(toBase64Url(accountId)) ?? [];
  const isGone = leaves.length > 0 ? leaves.every((leaf) => people.departed(leaf)) : isAway(state.away, accountId);
  const known = people.contact(accountId);
  if (!isGone || known === undefined) throw new ClientError("unknown_user", "This person does not wait to be let back.");
  const contact = await directory.refresh(known.host, known.accountId);
  people.keep(contact);
  const change = readdition({ state, added: await addition(world, [contact]), again: false, departed: (leaf) => people.departed(leaf) });
  if (change === undefined) throw new ClientError("already_member", "This person is in the group already.");
  return change;
}
