import { equalBytes, toBase64Url } from "@latchkey/codec";
import { isSameRights, roleName, roleOf } from "./rights.ts";
import { missingOf } from "./settings.ts";
import type { LineBody, Roster, RosterSettings } from "./types.ts";

/** What the stream tells of settings that a commit changed: one line for each thing. */
export function settingsLines(before: RosterSettings, { settings: after, accounts }: Roster): readonly LineBody[] {
  const lines: LineBody[] = [];
  if (after.name !== before.name) lines.push({ kind: "renamed", name: after.name });
  if (after.description !== before.description) lines.push({ kind: "described", description: after.description });
  if (!equalBytes(after.picture, before.picture)) lines.push({ kind: "picture_changed" });
  if (after.timerS !== before.timerS) lines.push({ kind: "timer_changed", seconds: after.timerS });
  if (after.slowModeS !== before.slowModeS) lines.push({ kind: "slow_mode_changed", seconds: after.slowModeS });
  if (!isSameRights(after.rights, before.rights)) lines.push({ kind: "rights_changed" });
  const keptOut = missingOf(after.keptOut, before.keptOut);
  if (keptOut.length > 0) lines.push({ kind: "kept_out", accounts: keptOut });
  const letIn = missingOf(before.keptOut, after.keptOut);
  if (letIn.length > 0) lines.push({ kind: "kept_out_ended", accounts: letIn });
  const listed = new Map([...before.roles, ...after.roles].map(({ accountId }) => [toBase64Url(accountId), accountId] as const));
  for (const [id, account] of listed) {
    const role = roleOf({ settings: after }, id);
    // Of who went with their role the line about their going says enough.
    if (role !== roleOf({ settings: before }, id) && accounts.has(id)) lines.push({ kind: "role_changed", account, role: roleName(role) });
  }
  return lines;
}
