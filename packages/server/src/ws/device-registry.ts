import { closeCodes } from "@latchkey/protocol";
import { keyOf } from "../keys.ts";
import { ConnectedMembers } from "../admission/members.ts";
import type { Members } from "../admission/members.ts";
import type { Connection } from "./connection.ts";

/** A connection that is younger is not replaced by one to another node: which of the two came later is not known. */
const settledMs = 1000;

/** What is done to a connection here. */
type DeviceConnection = Pick<Connection, "address" | "close">;

/** The `device` connections by device: one each, the newest wins. */
export class DeviceRegistry {
  readonly #accounts = new Map<string, Map<string, DeviceConnection>>();
  readonly #sinceMs = new WeakMap<DeviceConnection, number>();
  readonly #members = new ConnectedMembers();
  readonly #elapsedMs: () => number;

  /** @param elapsedMs time that has passed since some moment */
  constructor(elapsedMs: () => number) {
    this.#elapsedMs = elapsedMs;
  }

  /** The accounts that are connected, by network address. */
  get members(): Members {
    return this.#members;
  }

  /** Registers a connection; an older one of the same device is closed as replaced. */
  add(params: { accountId: Uint8Array; deviceId: Uint8Array; connection: DeviceConnection }): void {
    const account = keyOf(params.accountId);
    let devices = this.#accounts.get(account);
    if (devices === undefined) {
      devices = new Map();
      this.#accounts.set(account, devices);
    }
    const device = keyOf(params.deviceId);
    const before = devices.get(device);
    if (before === params.connection) return;
    devices.set(device, params.connection);
    this.#sinceMs.set(params.connection, this.#elapsedMs());
    this.#members.add(params.connection.address, account);
    if (before === undefined) return;
    this.#members.remove(before.address, account);
    before.close(closeCodes.replaced);
  }

  /** Forgets a connection that ended. */
  remove(params: { accountId: Uint8Array; deviceId: Uint8Array; connection: DeviceConnection }): void {
    const account = keyOf(params.accountId);
    const devices = this.#accounts.get(account);
    const device = keyOf(params.deviceId);
    if (devices?.get(device) !== params.connection) return;
    devices.delete(device);
    this.#members.remove(params.connection.address, account);
    if (devices.size === 0) this.#accounts.delete(account);
  }

  /** Whether a device of the account is connected here. */
  has(accountId: Uint8Array): boolean {
    return this.#accounts.has(keyOf(accountId));
  }

  /** The device has connected to another node: its connection here is closed as replaced. */
  replace({ accountId, deviceId }: { readonly accountId: Uint8Array; readonly deviceId: Uint8Array }): void {
    const connection = this.#accounts.get(keyOf(accountId))?.get(keyOf(deviceId));
    if (connection === undefined) return;
    if (this.#elapsedMs() - (this.#sinceMs.get(connection) ?? 0) >= settledMs) connection.close(closeCodes.replaced);
  }

  /** Closes the connections of devices that the account no longer has. */
  keepOnly(accountId: Uint8Array, deviceIds: readonly Uint8Array[]): void {
    const kept = new Set(deviceIds.map(keyOf));
    for (const [device, connection] of this.#accounts.get(keyOf(accountId)) ?? []) {
      if (!kept.has(device)) connection.close(closeCodes.deviceRemoved);
    }
  }
}
