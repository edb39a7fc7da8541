import { decode, encode } from "@latchkey/codec";
import { accountStateCodec, signedCodec } from "@latchkey/transparency";
import { describe, expect, test } from "vitest";
import { withoutDevice } from "./link-task.ts";
import { createNewDevice } from "./new-device.ts";
import { adding, createWorld, otherDevice, platform } from "./own-states.testing.ts";

describe("[A-2] the next state of one's own account", () => {
  test("is stored before it is sent, proven, and kept", async () => {
    const world = await createWorld();
    const states = await world.open();
    const device = await createNewDevice(platform, "Tablet");
    await states.publish(await adding(states, device));
    expect(states.own.account.state.devices).toHaveLength(2);
    expect(states.own.stateVersion).toBe(1);
    expect(world.changes.map(({ isOwn, after }) => [isOwn, after.stateVersion])).toEqual([[true, 1]]);
    expect((await world.open()).own).toEqual(states.own);
    // Nothing left to do is nothing sent.
    await states.publish(await adding(states, device));
    expect(world.host.states).toHaveLength(2);
  });

  test("is sent again, the same bytes, after a lost request or answer, even by the next start", async () => {
    for (const fault of ["before", "after", "rate_limited"] as const) {
      const world = await createWorld();
      const states = await world.open();
      const device = await createNewDevice(platform, "Tablet");
      world.host.faults.push(fault);
      await expect(states.publish(await adding(states, device))).rejects.toMatchObject({ canRetry: true });
      const again = await world.open();
      expect(again.own.stateVersion).toBe(0);
      await again.resume();
      expect(again.own.stateVersion).toBe(1);
      expect(world.host.states).toHaveLength(2);
      for (const received of world.host.received) expect(received).toEqual(world.host.states[1]);
      await again.resume();
      expect(world.host.received.length).toBeLessThanOrEqual(2);
    }
  });

  test("does not count while the public log does not show it", async () => {
    const world = await createWorld();
    const states = await world.open();
    world.host.proves = false;
    const device = await createNewDevice(platform, "Tablet");
    await expect(states.publish(await adding(states, device))).rejects.toMatchObject({ code: "directory_unproven" });
    expect(states.own.stateVersion).toBe(0);
    world.host.proves = true;
    await states.resume();
    expect(states.own.stateVersion).toBe(1);
  });

  test("that the server refuses for good is not sent for ever", async () => {
    const world = await createWorld();
    const states = await world.open();
    world.host.faults.push("invalid_account_state");
    const device = await createNewDevice(platform, "Tablet");
    await expect(states.publish(await adding(states, device))).rejects.toMatchObject({ code: "server_refused", canRetry: false });
    await states.resume();
    expect(world.host.received).toHaveLength(1);
  });

  test("builds on the winner when another device was faster", async () => {
    const world = await createWorld();
    const first = await world.open();
    const [second, third, fourth] = [
      await createNewDevice(platform, "2"),
      await createNewDevice(platform, "3"),
      await createNewDevice(platform, "4"),
    ];
    await first.publish(await adding(first, second));
    const other = await otherDevice(world, first.own, second);
    // Both add a device at the same time, from the same state.
    await Promise.all([first.publish(await adding(first, third)), other.publish(await adding(other, fourth))]);
    await Promise.all([first.refresh(), other.refresh()]);
    expect(world.host.states).toHaveLength(4);
    expect(first.own.account.state.devices).toHaveLength(4);
    expect(other.own.account.state).toEqual(first.own.account.state);
    expect(world.changes.filter(({ isOwn }) => !isOwn).length).toBeGreaterThan(0);
  });

  test("many at once from one device are made one after the other", async () => {
    const world = await createWorld();
    const states = await world.open();
    const devices = await Promise.all(Array.from({ length: 5 }, (_, index) => createNewDevice(platform, String(index))));
    await Promise.all(devices.map(async (device) => states.publish(await adding(states, device))));
    expect(states.own.account.state.devices).toHaveLength(6);
    expect(states.own.stateVersion).toBe(5);
  });
});

describe("[A-1] a device that another one took out of the account", () => {
  test("knows it when it looks, and signs nothing any more", async () => {
    const world = await createWorld();
    const first = await world.open();
    const second = await createNewDevice(platform, "2");
    await first.publish(await adding(first, second));
    const other = await otherDevice(world, first.own, second);
    await first.publish((state) => withoutDevice(state, second.deviceId));
    await other.refresh();
    expect(other.own.status).toBe("removed");
    await expect(other.publish(() => ({}))).rejects.toMatchObject({ code: "device_removed" });
    expect(first.own.status).toBe("registered");
  });

  test("and a deleted account has no further state", async () => {
    const world = await createWorld();
    const states = await world.open();
    await states.publish(() => ({ status: "deleted" }));
    expect(states.own.status).toBe("deleted");
    await expect(states.publish(() => ({}))).rejects.toMatchObject({ code: "account_deleted" });
  });
});

describe("[A-2] what the host shows of one's own account", () => {
  test("is refused when it is another chain, or one that no device signed", async () => {
    const world = await createWorld();
    const states = await world.open();
    const device = await createNewDevice(platform, "2");
    await states.publish(await adding(states, device));
    const [genesis = new Uint8Array(0), second = new Uint8Array(0)] = world.host.states;
    const { body, signature } = decode(signedCodec, second);
    const forged = encode(signedCodec, { body: encode(accountStateCodec, { ...decode(accountStateCodec, body), timeMs: 1 }), signature });
    world.host.states.splice(0, 2, genesis, forged);
    await expect(states.refresh()).rejects.toMatchObject({ code: "account_changed" });
    world.host.states.splice(0, 2, genesis, second, forged);
    await expect(states.refresh()).rejects.toMatchObject({ code: "server_lied" });
    expect(states.own.stateVersion).toBe(1);
  });
});
