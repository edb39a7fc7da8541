import { exportSecret } from "@latchkey/mls";
import type { GroupState } from "@latchkey/mls";
import { accessLabel, envelopeLabel, viewLabel } from "@latchkey/protocol";
import type { ClosedEpoch, EpochKeys } from "./types.ts";

/** How long the keys of a closed epoch are kept (spec L-4). */
export const closedEpochMs: number = 7 * 86_400_000;

/** The keys of the epoch that `group` is in, opened by entry `epochId` (spec L-1). */
export function epochKeys(group: GroupState, logId: Uint8Array, epochId: number): EpochKeys {
  return {
    epochId,
    access: exportSecret(group, accessLabel, logId, 32),
    envelope: exportSecret(group, envelopeLabel, logId, 32),
    view: exportSecret(group, viewLabel, logId, 32),
  };
}

/** The closed epochs to keep once this one has closed (spec L-4). */
export function closeEpoch(
  closed: readonly ClosedEpoch[],
  { epochId, access, envelope }: EpochKeys,
  by: Pick<ClosedEpoch, "child" | "childAuthor" | "kept" | "keptCount" | "unheard"> & { readonly nowMs: number },
): readonly ClosedEpoch[] {
  const { nowMs, ...change } = by;
  const kept = closed.filter((epoch) => nowMs - epoch.closedAtMs < closedEpochMs);
  return [...kept, { epochId, access, envelope, closedAtMs: nowMs, stuck: [], asked: [], arrived: [], ...change }];
}
