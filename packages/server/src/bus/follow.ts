import type { Rules } from "../admin/rules.ts";
import { StoreError } from "../errors.ts";
import type { Directory } from "../directory/directory.ts";
import type { InboxService } from "../inboxes/inbox-service.ts";
import type { LogService } from "../logs/log-service.ts";
import type { DeviceRegistry } from "../ws/device-registry.ts";
import type { Bus } from "./bus.ts";
import type { Hint } from "./hint.ts";

/** Who goes by hints. */
export interface Followers {
  readonly logs: Pick<LogService, "hear" | "hearAll" | "hearSignal">;
  readonly inboxes: Pick<InboxService, "hear" | "hearAll">;
  readonly devices: Pick<DeviceRegistry, "has" | "keepOnly" | "replace">;
  readonly directory: Pick<Directory, "account">;
  readonly rules: Pick<Rules, "reload">;
  reportBug(error: unknown): void;
}

/** Has a node go by what the others say. */
export function followBus(bus: Bus, followers: Followers): void {
  const { logs, inboxes, devices, rules, reportBug } = followers;
  const run = (work: () => Promise<void>): void => {
    work().catch((error: unknown) => {
      // Without the database nothing is known; the next gap has it looked at again.
      if (!(error instanceof StoreError)) reportBug(error);
    });
  };
  const rulesAgain = oneAtATime((isWhole) => rules.reload({ isWhole }));
  bus.listen((hint: Hint) => {
    switch (hint.kind) {
      case "log":
        return logs.hear(hint.logId);
      case "inbox":
        return inboxes.hear(hint.inboxId);
      case "signal":
        return logs.hearSignal(hint);
      case "rules":
        return run(() => rulesAgain(true));
      case "account":
        if (devices.has(hint.accountId)) run(() => closeRemoved(followers, hint.accountId));
        return undefined;
      case "device":
        return devices.replace(hint);
      case "record":
        // Lookups are answered from the store each time: nobody waits for it yet.
        return undefined;
    }
  });
  bus.onGap(() => {
    logs.hearAll();
    inboxes.hearAll();
    run(() => rulesAgain(false));
  });
}

/** Closes the connections of devices that an account has no more, as the store knows it. @throws StoreError */
async function closeRemoved({ devices, directory }: Followers, accountId: Uint8Array): Promise<void> {
  const account = await directory.account(accountId);
  const kept = account === undefined || account.state.status === "deleted" ? [] : account.state.devices;
  devices.keepOnly(
    accountId,
    kept.map(({ deviceId }) => deviceId),
  );
}

/** Does work again, once, when it is asked for while it is done: wholly, where it was so asked for. */
function oneAtATime(work: (isWhole: boolean) => Promise<void>): (isWhole: boolean) => Promise<void> {
  let again: { isWhole: boolean } | undefined;
  let isWorking = false;
  return async (isWhole) => {
    again = { isWhole: isWhole || again?.isWhole === true };
    if (isWorking) return;
    isWorking = true;
    try {
      while (again !== undefined) {
        const asked: { isWhole: boolean } = again;
        again = undefined;
        await work(asked.isWhole);
      }
    } finally {
      isWorking = false;
    }
  };
}
