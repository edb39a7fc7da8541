import { conversationKinds } from "@latchkey/protocol";
import type { JoinLinkWord } from "@latchkey/protocol";
import { toBase64Url } from "@latchkey/codec";
import { leafOf } from "./roster.ts";
import { hasAny, holds, rightsOf, roles } from "./rights.ts";
import type { Turn } from "./turn.ts";
import type { Roster, RosterLeaf } from "./types.ts";

/** The devices that are given a group's join links: of all accounts that have the right `invite` (spec X-14). */
export function invitersIn(roster: Roster): readonly RosterLeaf[] {
  const { conversationKind, rights, roles: entries } = roster.settings;
  if (conversationKind !== conversationKinds.group) return [];
  // Who has a role is looked for among those few, and not for each of a thousand.
  const isEverybodys = rights.invite === "everyone" || !hasAny(roster, roles.administrator);
  if (isEverybodys) return [...roster.leaves.values()];
  const accounts = entries.map(({ accountId }) => toBase64Url(accountId)).filter((account) => holds(roster, account, rights.invite));
  return accounts.flatMap((account) => roster.accounts.get(account) ?? []);
}

/** Somebody said something of a join link: it counts by their rights at that place. */
export function hearLinkWord(turn: Turn, author: Pick<RosterLeaf, "accountId" | "account">, said: JoinLinkWord): void {
  if (!rightsOf(turn.state, author).invite) return;
  turn.effects.push({ kind: "join_link", event: { kind: "said", accountId: author.accountId, said } });
}

/** A commit takes the right, or a device that has it, away: whoever had the links has them still, so that they are closed (spec X-14). */
export function closeLinksOfGone(turn: Turn, after: Roster): void {
  const { roster: before } = turn.state;
  if (before === undefined) return;
  const still = new Set(invitersIn(after).map(({ account }) => account));
  const isGone = invitersIn(before).some((leaf) => !still.has(leaf.account) || leafOf(after, leaf) === undefined);
  if (isGone) turn.effects.push({ kind: "join_link", event: { kind: "inviter_gone" } });
}
