import { expect, test } from "vitest";
import { withoutDevice } from "./link-task.ts";
import type { LinkedAccount } from "./linked-account.ts";
import { verifyLinked } from "./linked-account.ts";
import { createNewDevice } from "./new-device.ts";
import type { NewDevice } from "./new-device.ts";
import { adding, createWorld, platform } from "./own-states.testing.ts";
import type { World } from "./own-states.testing.ts";
import type { OwnStates } from "./own-states.ts";

/** What the existing device sends to a new one that it took in. */
function sentBy({ own }: OwnStates): LinkedAccount {
  return { format: 1, displayName: own.displayName, ...own.record, names: [], records: [], conversations: [] };
}

const verified = (world: World, states: OwnStates, device: NewDevice, linked: LinkedAccount) =>
  verifyLinked({ linked, device, host: "chat.example", accountId: states.own.accountId, platform, directory: world.host.directory });

test("[A-7] [E-117] the account that a new device is sent is the one of the public record, with this device in it", async () => {
  const world = await createWorld();
  const states = await world.open();
  const [device, other] = [await createNewDevice(platform, "Tablet"), await createNewDevice(platform, "Phone")];
  await states.publish(await adding(states, device));
  const linked = sentBy(states);
  expect(await verified(world, states, device, linked)).toMatchObject({ username: "ann", stateVersion: 1, deviceName: "Tablet" });
  await expect(verified(world, states, other, linked)).rejects.toMatchObject({ code: "server_lied" });
  // A record that is shorter than what was sent, or another one.
  const newest = world.host.states.pop();
  await expect(verified(world, states, device, linked)).rejects.toMatchObject({ code: "server_lied" });
  const elsewhere = await createWorld();
  await expect(verified(elsewhere, states, device, linked)).rejects.toMatchObject({ code: "server_lied" });
  if (newest !== undefined) world.host.states.push(newest);
  expect(await verified(world, states, device, linked)).toMatchObject({ stateVersion: 1 });
});

test("[E-117] what the account's devices changed since is no lie of the server: the new device has the account as it is now, or is none of it any more", async () => {
  const world = await createWorld();
  const states = await world.open();
  const [undone, device] = [await createNewDevice(platform, "Earlier"), await createNewDevice(platform, "Tablet")];
  await states.publish(await adding(states, undone));
  await states.publish(await adding(states, device));
  const linked = sentBy(states);
  // A linking that came to nothing is undone while the next one is under way.
  await states.publish((state) => withoutDevice(state, undone.deviceId));
  const own = await verified(world, states, device, linked);
  expect([own.stateVersion, own.account.state.devices.length, own.record.states.length]).toEqual([3, 2, 4]);
  await states.publish((state) => withoutDevice(state, device.deviceId));
  await expect(verified(world, states, device, linked)).rejects.toMatchObject({ code: "link_refused" });
});
