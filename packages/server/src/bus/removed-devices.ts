import type { Directory } from "../directory/directory.ts";
import { keyOf } from "../keys.ts";
import type { SetTimer } from "../start/parts.ts";
import type { DirectoryStore } from "../store/store.ts";
import type { DeviceRegistry } from "../ws/device-registry.ts";
import { Looks } from "./looks.ts";

/** What it takes to know that a device is none of its account any more. */
export interface RemovedDevicesParts {
  readonly store: Pick<DirectoryStore, "grownAccounts">;
  readonly directory: Pick<Directory, "account">;
  readonly devices: Pick<DeviceRegistry, "accounts" | "account" | "keepOnly">;
  readonly setTimer: SetTimer;
  reportBug(error: unknown): void;
}

/** Ends connections here of devices that were removed at another node, as the store has their accounts. */
export class RemovedDevices {
  readonly #parts: RemovedDevicesParts;
  readonly #looks: Looks;

  constructor(parts: RemovedDevicesParts) {
    const { store, devices, setTimer, reportBug } = parts;
    this.#parts = parts;
    this.#looks = new Looks({
      known: (key) => {
        const account = devices.account(key);
        return account === undefined ? undefined : { id: account.accountId, lastSeq: account.version };
      },
      grown: (known) => store.grownAccounts({ known }),
      onGrown: async (grown) => {
        for (const { key } of grown) await this.#close(key);
        return [];
      },
      setTimer,
      reportBug,
    });
  }

  /** The account may have other devices. */
  hear(accountId: Uint8Array): void {
    const key = keyOf(accountId);
    if (this.#parts.devices.account(key) !== undefined) this.#looks.look(key);
  }

  /** Any account may have other devices. */
  hearAll(): void {
    this.#looks.lookAll(this.#parts.devices.accounts());
  }

  async #close(key: string): Promise<void> {
    const { devices, directory } = this.#parts;
    const known = devices.account(key);
    const account = known === undefined ? undefined : await directory.account(known.accountId);
    if (account === undefined) return;
    const { accountId, state } = account;
    const kept = state.status === "deleted" ? [] : state.devices;
    devices.keepOnly(
      { accountId, version: state.version },
      kept.map(({ deviceId }) => deviceId),
    );
  }
}
