import { closeCodes } from "@latchkey/protocol";
import { keyOf } from "../keys.ts";
import { ConnectedMembers } from "../admission/members.ts";
import type { Members } from "../admission/members.ts";
import type { Connection } from "./connection.ts";

/** A connection that is younger is not replaced by one to another node: which of the two came later is not known. */
const settledMs = 1000;

/** What is done to a connection here. */
type DeviceConnection = Pick<Connection, "address" | "close">;

/** An account of which devices are connected: the newest state of it that is known here. */
interface Account {
  readonly accountId: Uint8Array;
  version: number;
  readonly devices: Map<string, DeviceConnection>;
}

/** The `device` connections by device: one each, the newest wins. */
export class DeviceRegistry {
  readonly #accounts = new Map<string, Account>();
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
  add(params: { accountId: Uint8Array; version: number; deviceId: Uint8Array; connection: DeviceConnection }): void {
    const account = keyOf(params.accountId);
    let known = this.#accounts.get(account);
    if (known === undefined) {
      known = { accountId: params.accountId, version: params.version, devices: new Map() };
      this.#accounts.set(account, known);
    }
    const { devices } = known;
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
    const devices = this.#accounts.get(account)?.devices;
    const device = keyOf(params.deviceId);
    if (devices?.get(device) !== params.connection) return;
    devices.delete(device);
    this.#members.remove(params.connection.address, account);
    if (devices.size === 0) this.#accounts.delete(account);
  }

  /** The accounts of which devices are connected here, as keys. */
  accounts(): Iterable<string> {
    return this.#accounts.keys();
  }

  /** One of them, and its newest state that is known here, as a version. */
  account(key: string): { readonly accountId: Uint8Array; readonly version: number } | undefined {
    return this.#accounts.get(key);
  }

  /** The device has connected to another node: its connection here is closed as replaced. */
  replace({ accountId, deviceId }: { readonly accountId: Uint8Array; readonly deviceId: Uint8Array }): void {
    const connection = this.#accounts.get(keyOf(accountId))?.devices.get(keyOf(deviceId));
    if (connection === undefined) return;
    if (this.#elapsedMs() - (this.#sinceMs.get(connection) ?? 0) >= settledMs) connection.close(closeCodes.replaced);
  }

  /** Closes the connections of devices that the account has no more, as of this version of it. */
  keepOnly({ accountId, version }: { readonly accountId: Uint8Array; readonly version: number }, deviceIds: readonly Uint8Array[]): void {
    const account = this.#accounts.get(keyOf(accountId));
    if (account === undefined) return;
    account.version = Math.max(account.version, version);
    const kept = new Set(deviceIds.map(keyOf));
    for (const [device, connection] of account.devices) if (!kept.has(device)) connection.close(closeCodes.deviceRemoved);
  }
}
