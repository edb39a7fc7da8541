import { equalBytes } from "@latchkey/codec";
import type { RoleEntry, SettingsOpening } from "@latchkey/protocol";
import { deletedBy } from "./departed.ts";
import { leaversOf } from "./leaving.ts";
import { isGoneWhole } from "./permitted.ts";
import { roleOf, roles } from "./rights.ts";
import { edited, isSameSettings, successionOf } from "./settings.ts";
import type { Turn } from "./turn.ts";
import type { Change, Joiner, Roster, RosterLeaf } from "./types.ts";

/**
 * The settings that a commit of this device leaves, under a new salt: what the person set, with the roles of those who go, and with the
 * successor of the last owner (spec X-13). `undefined` where it sets nothing.
 */
export async function openingAfter(
  turn: Turn,
  change: Change,
  made: { readonly roster: Roster; readonly adds: readonly Joiner[]; readonly removes: readonly RosterLeaf[] },
): Promise<SettingsOpening | undefined> {
  const { opening } = turn.state;
  const before = opening.settings;
  const set = change.settings === undefined ? before : edited(before, change.settings);
  const settings = { ...set, roles: await rolesAfter(turn, change, { ...made, set: set.roles }) };
  return isSameSettings(settings, before) ? undefined : { salt: turn.context.random(32), settings };
}

async function rolesAfter(
  turn: Turn,
  change: Change,
  made: {
    readonly roster: Roster;
    readonly adds: readonly Joiner[];
    readonly removes: readonly RosterLeaf[];
    readonly set: readonly RoleEntry[];
  },
): Promise<readonly RoleEntry[]> {
  const { roster, removes, set } = made;
  const adds = made.adds.map((joiner) => ({ ...joiner, format: 1 as const }));
  const going = leaversOf(turn.state).flatMap(({ leafIndex }) => roster.leaves.get(leafIndex) ?? []);
  const leaving = new Set(going.filter((leaf) => removes.includes(leaf)).map(({ account }) => account));
  const ownerGoes = removes.some(({ account }) => roleOf(roster, account) === roles.owner);
  const deleted = ownerGoes ? await deletedBy(change.proofs, roster.settings, turn.context.signatures) : new Set<string>();
  const succession = successionOf(roster, { leaving, deleted }, { adds, removes });
  if (succession !== undefined) return succession;
  // An owner's role is taken by owners alone; whose devices left their account, as after a recovery, comes back to it.
  const isOwner = roleOf(roster, turn.context.self.account) === roles.owner;
  const goes = ({ accountId, role }: RoleEntry): boolean => {
    const leaf = removes.find((removed) => equalBytes(removed.accountId, accountId));
    if (leaf === undefined || !change.removes.some((account) => equalBytes(account, accountId))) return false;
    return (isOwner || role === roles.administrator) && isGoneWhole(roster, { adds, removes }, leaf.account);
  };
  return set.filter((entry) => !goes(entry));
}
