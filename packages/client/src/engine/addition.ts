import { toBase64Url } from "@latchkey/codec";
import type { Contact } from "../account/contacts.ts";
import type { TakenPackage } from "../account/directory.ts";
import type { Joiner, WantedChange } from "../core/types.ts";
import { ClientError } from "../errors.ts";
import { sentenceOf } from "./sentences.ts";
import type { World } from "./world.ts";

/**
 * A change that adds every device of these accounts, with what the members need to verify them (spec D-5).
 * @throws ClientError why nothing is sent now, `unreachable_device`, or what `takeKeyPackages` throws
 */
export async function addition(world: World, contacts: readonly Contact[], ownDevices: readonly Joiner[] = []): Promise<WantedChange> {
  const { directory, store, own, platform, watch } = world;
  // Nobody is given keys either while nothing is sent (attacks A2, A5).
  const { hold } = watch;
  if (hold !== undefined && contacts.length > 0) throw new ClientError(hold.code, hold.message, { canRetry: hold.canRetry });
  const adds: Joiner[] = [...ownDevices];
  for (const contact of contacts) {
    for (const taken of await reachable(world, contact)) {
      adds.push({
        host: contact.host,
        accountId: contact.accountId,
        deviceId: taken.deviceId,
        inboxId: taken.card.inboxId,
        inboxKey: taken.card.inboxKey,
        keyPackage: taken.message,
      });
    }
  }
  const accountIds = contacts.map((contact) => contact.accountId);
  if (ownDevices.length > 0) accountIds.push(own.accountId);
  const proofs = await store.transact("read", (tx) => directory.proofsOf(tx, accountIds));
  return { id: toBase64Url(platform.random(8)), adds, removes: [], removeDevices: [], proofs, update: false };
}

/** Key packages of a person's devices. Where none has any, they may have other devices by now: their host is asked. */
async function reachable(world: World, contact: Contact): Promise<TakenPackage[]> {
  const taken = await takePackages(world, contact);
  if (taken.length > 0) return taken;
  const newest = await world.directory.refresh(contact.host, contact.accountId);
  const again = newest.account.state.version > contact.account.state.version ? await takePackages(world, newest) : [];
  if (again.length === 0) throw new ClientError("unreachable_device", sentenceOf("unreachable_device"));
  return again;
}

/** A device that has no key package now is left out: it is added by their other devices, later. */
async function takePackages({ directory }: World, contact: Contact): Promise<TakenPackage[]> {
  const { account } = contact;
  const { devices } = account.state;
  try {
    return await directory.takeKeyPackages(contact);
  } catch (error) {
    if (!(error instanceof ClientError) || error.code !== "unreachable_device") throw error;
    if (devices.length === 1) return [];
  }
  const taken: TakenPackage[] = [];
  for (const device of devices) {
    try {
      taken.push(
        ...(await directory.takeKeyPackages({ ...contact, account: { ...account, state: { ...account.state, devices: [device] } } })),
      );
    } catch (error) {
      if (!(error instanceof ClientError) || error.code !== "unreachable_device") throw error;
    }
  }
  return taken;
}
