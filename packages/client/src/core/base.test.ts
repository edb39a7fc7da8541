import { describe, expect, it } from "vitest";
import { SimWorld } from "./sim.testing.ts";
import type { SimDevice } from "./sim.testing.ts";
import { stallSentences } from "./stall.ts";

/** Ada added Cyd to her conversation with Ben; Cyd has the Welcome, and has not read it. */
async function added(seed: string): Promise<{ world: SimWorld; ada: SimDevice; ben: SimDevice; cyd: SimDevice }> {
  const world = await SimWorld.create(seed, ["ada", "ben", "cyd"]);
  const [ada, ben, cyd] = world.devices;
  if (ada === undefined || ben === undefined || cyd === undefined) throw new Error("three devices");
  await ada.found([ben]);
  await world.settle([ada, ben]);
  await ada.change([cyd], []);
  await world.settle([ada, ben]);
  await ada.say("welcome");
  await world.settle([ada, ben]);
  return { world, ada, ben, cyd };
}

/** As `added`, by a Welcome with a head that the log never had. */
async function addedFalsely(seed: string): ReturnType<typeof added> {
  const group = await added(seed);
  const { world, cyd } = group;
  cyd.inbox = cyd.inbox.map((item) => ({ ...item, post: { ...item.post, head: world.random(32) } }));
  await read(cyd);
  return group;
}

/** What comes is read, and what it asks for is asked; no timer fires. */
async function read(device: SimDevice): Promise<void> {
  for (let round = 0; round < 20; round++) {
    await device.join();
    await device.connect();
    device.serve();
    device.stream();
    await device.receive();
  }
}

const told = ({ lines }: SimDevice): readonly unknown[] =>
  [...lines.values()].flatMap(({ body, author }) => (body.kind === "alarm" ? [{ reason: body.reason, author }] : []));

describe("the head at which a device joined", () => {
  it("[E-27] is whoever's word who added it, until the server's is the same", async () => {
    const { world, ada, cyd } = await added("true");
    expect(await cyd.join()).toBe(true);
    expect(cyd.state?.base).toEqual({ accountId: ada.self.accountId, isTold: false });
    await world.settle();
    await cyd.say("hello all");
    await world.settle();
    expect(cyd.state?.base).toBeUndefined();
    for (const device of world.devices) expect([device.alarms, [...device.texts().values()]]).toEqual([[], ["welcome", "hello all"]]);
  });

  it("[E-27] a false one stops the joiner, with the name of who added it: nothing is sent, and nobody is convicted by it", async () => {
    const { world, ada, ben, cyd } = await addedFalsely("false");
    await cyd.say("waits");
    await ben.say("hello cyd");
    await world.settle([ada, ben]);
    for (let again = 0; again < 2; again++) {
      await cyd.input({ kind: "timer", name: "retry" });
      await read(cyd);
    }
    expect(cyd.state).toMatchObject({ phase: { kind: "active" }, link: { kind: "stalled", stall: "base" } });
    expect(told(cyd)).toEqual([{ reason: stallSentences.base, author: ada.self.accountId }]);
    // The honest server's public record, and what others say of the log, are no evidence against anybody either.
    const last = world.log.entries.at(-1);
    if (last === undefined) throw new Error("entries");
    for (const device of world.devices) {
      await device.input({ kind: "published_head", published: { seq: last.seq, head: last.head } });
      expect([device.state?.phase.kind, device.alarms, device.forksTold]).toEqual(["active", [], 0]);
      expect([...device.lines.values()].filter(({ body }) => body.kind === "other_view")).toEqual([]);
    }
    expect([...ada.texts().values()]).toEqual(["welcome", "hello cyd"]);
  });

  it("[E-29] of a group that the log does not know: whose word it is stands there, once; when the log knows it, no other can take its place", async () => {
    const { cyd, ada, ben } = await added("squat");
    await cyd.join();
    const { epoch } = cyd.state ?? {};
    if (cyd.state === undefined || epoch === undefined) throw new Error("joined");
    cyd.state = { ...cyd.state, epoch: { ...epoch, access: new Uint8Array(32).fill(1) } };
    for (let again = 0; again < 2; again++) {
      await cyd.input({ kind: "timer", name: "retry" });
      await read(cyd);
    }
    expect(cyd.state).toMatchObject({ link: { kind: "stalled", stall: "base" } });
    expect(told(cyd)).toEqual([{ reason: stallSentences.base, author: ada.self.accountId }]);
    const { accountId, deviceId } = ben.self;
    const invitation = { itemId: new Uint8Array(16), host: "chat.example", accountId, deviceId, wasMember: false, missing: [], atMs: 1 };
    await cyd.input({ kind: "invited", invitation: { ...invitation, notAfterMs: 2 } });
    expect(cyd.state.invitations).toHaveLength(1);
    cyd.state = { ...cyd.state, epoch };
    await cyd.input({ kind: "timer", name: "retry" });
    await read(cyd);
    expect(cyd.state).toMatchObject({ base: undefined, invitations: [], link: { kind: "following", stall: undefined } });
    expect([...cyd.texts().values()]).toEqual(["welcome"]);
  });

  it("[E-29] a place that no log reaches leaves no room for lines: its Welcome is not followed", async () => {
    const { cyd } = await added("far");
    const seq = 2 ** 48;
    cyd.inbox = cyd.inbox.map((item) => ({ ...item, post: { ...item.post, seq, epochId: seq } }));
    await expect(cyd.join()).rejects.toThrow("no key package fits");
    expect([cyd.state, cyd.refusals]).toEqual([undefined, ["disagrees"]]);
  });

  it("[E-27] who is added again, by somebody who says what the server says, goes on", async () => {
    const { world, ben, ada, cyd } = await addedFalsely("again");
    const { accountId, deviceId } = cyd.self;
    const again = { id: "again", adds: [await cyd.joiner()], removes: [], removeDevices: [{ accountId, deviceId }] };
    await ada.input({ kind: "change", change: { ...again, proofs: new Uint8Array(0), update: false } });
    await world.settle([ada, ben]);
    await cyd.input({ kind: "timer", name: "retry" });
    await read(cyd);
    await world.settle();
    await ben.say("back");
    await world.settle();
    expect(cyd.state).toMatchObject({ base: undefined, link: { kind: "following" } });
    expect([...cyd.texts().values()].at(-1)).toBe("back");
  });
});
