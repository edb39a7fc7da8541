import { equalBytes, toBase64Url } from "@latchkey/codec";
import type { DeviceEntry } from "@latchkey/transparency";
import type { Contact } from "../account/contacts.ts";
import type { TakenPackage } from "../account/directory.ts";
import type { DeviceReference, Joiner, WantedChange } from "../core/types.ts";
import type { World } from "../engine/world.ts";
import { ClientError } from "../errors.ts";

/** What the ids of changes begin with that bring a conversation in line with the account's devices. */
export const changePrefix = "devices-";

/** Key packages of one's other devices, as far as they have some now: for a conversation that begins. */
export async function ownJoiners(world: World): Promise<Joiner[]> {
  const { own } = world;
  const joiners: Joiner[] = [];
  for (const device of own.account.state.devices) {
    if (equalBytes(device.deviceId, own.deviceId)) continue;
    const taken = await takeFrom(world, device);
    if (taken !== undefined) joiners.push(joinerOf(own, taken));
  }
  return joiners;
}

/** A change that adds those of the missing devices that can be added now, and removes those that are gone. */
export async function changeFor(world: World, missing: readonly DeviceEntry[], gone: readonly DeviceReference[]): Promise<WantedChange> {
  const { platform, store, directory, own } = world;
  const adds: Joiner[] = [];
  for (const device of missing) {
    if (equalBytes(device.deviceId, own.deviceId)) continue;
    const taken = await takeFrom(world, device);
    if (taken !== undefined) adds.push(joinerOf(own, taken));
  }
  return {
    id: changePrefix + toBase64Url(platform.random(8)),
    adds,
    removes: [],
    removeDevices: gone.map(({ accountId, deviceId }) => ({ accountId, deviceId })),
    proofs: adds.length === 0 ? new Uint8Array(0) : await store.transact("read", (tx) => directory.proofsOf(tx, [own.accountId])),
    update: false,
  };
}

/** A key package of one of one's own devices; `undefined` while it has none. */
export async function takeFrom({ own, platform, directory }: World, device: DeviceEntry): Promise<TakenPackage | undefined> {
  try {
    const [taken] = await directory.takeKeyPackages(ownContact(own, [device], platform.nowMs()));
    return taken;
  } catch (error) {
    if (error instanceof ClientError && error.code === "unreachable_device") return undefined;
    throw error;
  }
}

function ownContact(own: World["own"], devices: readonly DeviceEntry[], nowMs: number): Contact {
  const { host, username, accountId, account, record } = own;
  return {
    host,
    username,
    accountId,
    account: { ...account, state: { ...account.state, devices } },
    record,
    checkedAtMs: nowMs,
    proven: undefined,
    nameLookedUpAtMs: 0,
  };
}

function joinerOf(own: World["own"], taken: TakenPackage): Joiner {
  const { host, accountId } = own;
  const { deviceId, card, message } = taken;
  return { host, accountId, deviceId, inboxId: card.inboxId, inboxKey: card.inboxKey, keyPackage: message };
}
