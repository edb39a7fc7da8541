import { equalBytes, toBase64Url } from "@latchkey/codec";
import { withoutGroup } from "./erase.ts";
import { hasEnded } from "./phase.ts";
import { renumbered } from "./rejoin.ts";
import { roleOf } from "./rights.ts";
import { isRunAlike } from "./settings.ts";
import { dropAllChanges, dropOutgoing, set } from "./turn.ts";
import type { Turn } from "./turn.ts";
import type { ContinuationOffer, ConversationState, Effect, Roster } from "./types.ts";

/** Offers to go on elsewhere that wait at a time. */
const maxOffers = 16;
/** Places that stay free in the old conversation for what may still come there. */
const roomForOld = 2 ** 24;

/**
 * Whether a conversation that was joined goes on with an old one: it names an epoch that this device was in, whoever founded it was in it
 * as well, nobody is in it who was not, it is called and run as the old one, it gives a role to nobody who did not have it, here or not, everybody may do what
 * they might, and who left an account is proven by the same public log.
 * @param old with its roster
 * @param sender the account that signed the Welcome
 */
export function goesOnWith(old: ConversationState, joined: ConversationState, sender: string): boolean {
  const { roster } = joined;
  const before = old.roster;
  if (roster === undefined || before === undefined || old.kind !== joined.kind || old.host !== joined.host) return false;
  const { continues, directory, roles } = roster.settings;
  if (!isRunAlike(roster.settings, before.settings) || !equalBytes(directory, before.settings.directory)) return false;
  if (continues.length === 0 || !old.continuity.some((epochName) => equalBytes(epochName, continues))) return false;
  if (!before.accounts.has(sender)) return false;
  if (old.kind === "direct" && (old.peer === undefined || joined.peer === undefined || !equalBytes(old.peer, joined.peer))) return false;
  // One that is listed for somebody who is not there would be theirs whenever they come.
  if (!roles.every((entry) => roleOf(before, toBase64Url(entry.accountId)) === entry.role)) return false;
  return [...roster.accounts.keys()].every(
    (account) => before.accounts.has(account) && roleOf(roster, account) === roleOf(before, account),
  );
}

/** The offers of those who are members still. */
export function standingOffers(offers: readonly ContinuationOffer[], { accounts }: Roster): readonly ContinuationOffer[] {
  return offers.filter(({ accountId }) => accounts.has(toBase64Url(accountId)));
}

/** Puts an offer beside those that wait: the newest of each account. */
export function addOffer(waiting: readonly ContinuationOffer[], offer: ContinuationOffer): readonly ContinuationOffer[] {
  return [...waiting.filter(({ accountId }) => !equalBytes(accountId, offer.accountId)), offer].slice(-maxOffers);
}

/** A conversation that was made or joined, placed behind the one that it goes on with. */
export function placedBehind(
  old: ConversationState,
  begun: { readonly state: ConversationState; readonly effects: readonly Effect[] },
): { readonly state: ConversationState; readonly effects: readonly Effect[] } {
  const { effects, lastOrder } = renumbered(begun.effects, begun.state.id, old.lastOrder + roomForOld);
  return { state: { ...begun.state, lastOrder, readThrough: old.lastOrder, continuesId: old.id }, effects };
}

/** The old conversation is over: the person goes on in another one. Its keys go; what waited there is the other's, by the engine. */
export function endByContinuation(turn: Turn, by: string): void {
  const { state } = turn;
  if (hasEnded(state.phase)) return;
  dropAllChanges(turn, "not_a_member");
  dropOutgoing(turn, () => true);
  set(turn, {
    ...withoutGroup(state),
    phase: { kind: "continued", by },
    invitations: [],
    offers: [],
  });
  turn.effects.push({ kind: "close" });
}
