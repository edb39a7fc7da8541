import { exportSecret } from "@latchkey/mls";
import type { GroupState } from "@latchkey/mls";
import { accessLabel, envelopeLabel, viewLabel } from "@latchkey/protocol";
import type { EpochKeys } from "./types.ts";

/** The keys of the epoch that `group` is in, opened by entry `epochId` (spec L-1). */
export function epochKeys(group: GroupState, logId: Uint8Array, epochId: number): EpochKeys {
  return {
    epochId,
    access: exportSecret(group, accessLabel, logId, 32),
    envelope: exportSecret(group, envelopeLabel, logId, 32),
    view: exportSecret(group, viewLabel, logId, 32),
  };
}
