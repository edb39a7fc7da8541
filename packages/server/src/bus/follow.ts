import type { Rules } from "../admin/rules.ts";
import { StoreError } from "../errors.ts";
import type { InboxService } from "../inboxes/inbox-service.ts";
import type { LogService } from "../logs/log-service.ts";
import type { SetTimer } from "../start/parts.ts";
import type { DeviceRegistry } from "../ws/device-registry.ts";
import type { Bus } from "./bus.ts";
import type { Hint } from "./hint.ts";
import type { RemovedDevices } from "./removed-devices.ts";

/** The least time between two readings of the rules, in milliseconds. */
const rulesPauseMs = 250;

/** Who goes by hints. */
export interface Followers {
  readonly logs: Pick<LogService, "hear" | "hearAll" | "hearSignal">;
  readonly inboxes: Pick<InboxService, "hear" | "hearAll">;
  readonly devices: Pick<DeviceRegistry, "replace">;
  readonly removedDevices: Pick<RemovedDevices, "hear" | "hearAll">;
  readonly rules: Pick<Rules, "reload">;
  readonly setTimer: SetTimer;
  reportBug(error: unknown): void;
}

/** Has a node go by what the others say. */
export function followBus(bus: Bus, followers: Followers): void {
  const { logs, inboxes, devices, removedDevices } = followers;
  const readRules = rulesReader(followers);
  bus.listen((hint: Hint) => {
    switch (hint.kind) {
      case "log":
        return logs.hear(hint.logId);
      case "inbox":
        return inboxes.hear(hint.inboxId);
      case "signal":
        return logs.hearSignal(hint);
      case "rules":
        return readRules({ isWhole: true });
      case "account":
        return removedDevices.hear(hint.accountId);
      case "device":
        return devices.replace(hint);
    }
  });
  bus.onGap(() => {
    logs.hearAll();
    inboxes.hearAll();
    removedDevices.hearAll();
    readRules({ isWhole: false });
  });
}

/** Reads the rules when it is asked to: at once, and again once where it is asked meanwhile, after a pause. */
function rulesReader({ rules, setTimer, reportBug }: Followers): (asked: { readonly isWhole: boolean }) => void {
  let next: { isWhole: boolean } | undefined;
  let isReading = false;
  const run = async (): Promise<void> => {
    while (next !== undefined) {
      const asked: { isWhole: boolean } = next;
      next = undefined;
      try {
        await rules.reload(asked);
      } catch (error) {
        // Without the database nothing is known; the next gap has it looked at again.
        if (!(error instanceof StoreError)) reportBug(error);
      }
      await new Promise<void>((resolve) => {
        setTimer(rulesPauseMs, resolve);
      });
    }
    isReading = false;
  };
  return ({ isWhole }) => {
    next = { isWhole: isWhole || next?.isWhole === true };
    if (isReading) return;
    isReading = true;
    void run();
  };
}
