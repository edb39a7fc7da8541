import { closeCodes } from "@latchkey/protocol";
import { keyOf } from "../keys.ts";
import type { Connection } from "./connection.ts";

/** The `device` connections by device: one each, the newest wins. */
export class DeviceRegistry {
  readonly #accounts = new Map<string, Map<string, Connection>>();

  /** Registers a connection; an older one of the same device is closed as replaced. */
  add(params: { accountId: Uint8Array; deviceId: Uint8Array; connection: Connection }): void {
    const account = keyOf(params.accountId);
    let devices = this.#accounts.get(account);
    if (devices === undefined) {
      devices = new Map();
      this.#accounts.set(account, devices);
    }
    const device = keyOf(params.deviceId);
    const before = devices.get(device);
    devices.set(device, params.connection);
    if (before !== undefined && before !== params.connection) before.close(closeCodes.replaced);
  }

  /** Forgets a connection that ended. */
  remove(params: { accountId: Uint8Array; deviceId: Uint8Array; connection: Connection }): void {
    const account = keyOf(params.accountId);
    const devices = this.#accounts.get(account);
    const device = keyOf(params.deviceId);
    if (devices?.get(device) !== params.connection) return;
    devices.delete(device);
    if (devices.size === 0) this.#accounts.delete(account);
  }

  /** Closes the connections of devices that the account no longer has. */
  keepOnly(accountId: Uint8Array, deviceIds: readonly Uint8Array[]): void {
    const kept = new Set(deviceIds.map(keyOf));
    for (const [device, connection] of this.#accounts.get(keyOf(accountId)) ?? []) {
      if (!kept.has(device)) connection.close(closeCodes.deviceRemoved);
    }
  }
}
