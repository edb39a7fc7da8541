import { equalBytes } from "@latchkey/codec";
import type { SettingsEdit } from "./settings-edit.ts";
import type { Turn } from "./turn.ts";
import type { Change, ChangeOutcome } from "./types.ts";

/** What was set, and what was set after it: of one thing the later counts. */
export function mergedEdit(earlier: SettingsEdit, later: SettingsEdit): SettingsEdit {
  const rights = earlier.rights === undefined && later.rights === undefined ? undefined : { ...earlier.rights, ...later.rights };
  const isLater = (accountId: Uint8Array): boolean => later.roles?.some((entry) => equalBytes(entry.accountId, accountId)) === true;
  const before = earlier.roles?.filter(({ accountId }) => !isLater(accountId)) ?? [];
  const roles = earlier.roles === undefined && later.roles === undefined ? undefined : [...before, ...(later.roles ?? [])];
  const isKeptLater = (accountId: Uint8Array): boolean => later.keptOut?.some((kept) => equalBytes(kept.accountId, accountId)) === true;
  const keptOut = [...(earlier.keptOut ?? []).filter(({ accountId }) => !isKeptLater(accountId)), ...(later.keptOut ?? [])];
  return {
    keptOut: keptOut.length > 0 ? keptOut : undefined,
    name: later.name ?? earlier.name,
    description: later.description ?? earlier.description,
    picture: later.picture ?? earlier.picture,
    timerS: later.timerS ?? earlier.timerS,
    slowModeS: later.slowModeS ?? earlier.slowModeS,
    rights,
    roles,
  };
}

/** The first change with all else that waits and sets something: what waited together is one commit (spec X-13). */
export function withWaitingSettings([first, ...rest]: readonly Change[]): Change | undefined {
  if (first === undefined || !isSettingsAlone(first)) return first;
  return rest.filter((change) => isSettingsAlone(change)).reduce(mergedChange, first);
}

function mergedChange(earlier: Change, later: Change): Change {
  const settings = mergedEdit(earlier.settings ?? {}, later.settings ?? {});
  return { ...earlier, settings, merged: [...(earlier.merged ?? []), later.id, ...(later.merged ?? [])] };
}

/** Whether it sets something, and does nothing else. */
function isSettingsAlone({ settings, adds, removes, removeDevices, update }: Change): boolean {
  return settings !== undefined && adds.length + removes.length + removeDevices.length === 0 && !update;
}

/** Tells what became of a change, and of all that was made with it. */
export function tellOutcome(turn: Turn, { id, merged = [] }: Change, outcome: ChangeOutcome): void {
  for (const one of [id, ...merged]) turn.effects.push({ kind: "change_outcome", id: one, outcome });
}
