import { describe, expect, it } from "vitest";
import { createTextContent, zeroHash } from "@latchkey/protocol";
import { openEnvelope } from "../group/envelope.ts";
import { HostileMember } from "./hostile.testing.ts";
import { SimWorld } from "./sim.testing.ts";
import type { SimDevice } from "./sim.testing.ts";

const copy = { kind: "unreadable", reason: "It is a copy of another message, or stands in its place." };

/** Three people; what Cyd said was read by all, and Ben is the one who encrypts it again. */
async function trio(seed: string): Promise<{ world: SimWorld; ada: SimDevice; cyd: SimDevice; ben: HostileMember; order: number }> {
  const world = await SimWorld.create(seed, ["ada", "ben", "cyd"]);
  const [ada, ben, cyd] = world.devices;
  if (ada === undefined || ben === undefined || cyd === undefined) throw new Error("three devices");
  await ada.found([ben, cyd]);
  await world.settle();
  await cyd.say("yes, pay it");
  await world.settle();
  const [order] = [...ben.texts().keys()];
  if (order === undefined) throw new Error("ben read it");
  return { world, ada, cyd, ben: new HostileMember(world, ben), order };
}

const told = (device: SimDevice): unknown[] =>
  [...device.lines.values()].filter(({ body }) => body.kind !== "added" && body.kind !== "created").map(({ body }) => body);

describe("[L-10] what somebody says twice", () => {
  it("[E-39] in the same words is two lines, for its author and for everybody; the same entry put there again is one", async () => {
    const { world, ada, cyd } = await trio("twice");
    await cyd.say("yes, pay it");
    await world.settle();
    for (const device of world.devices) {
      expect([...device.texts().values()]).toEqual(["yes, pay it", "yes, pay it"]);
      expect(told(device).map((body) => JSON.stringify(body))).toEqual(
        Array.from({ length: 2 }, () => '{"kind":"text","text":"yes, pay it"}'),
      );
    }
    // The very bytes of an entry are that entry: who sends them again for want of an answer gets the same place (L-6).
    const last = world.log.entries.at(-1);
    const epoch = ada.state?.epoch;
    if (last === undefined || epoch === undefined) throw new Error("an entry");
    const reader = { cursor: 0, opened: new Set<number>() };
    world.log.open(reader, { epochId: epoch.epochId, access: epoch.access, afterSeq: 0 });
    const again = world.log.append(reader, { entryKind: "message", epochId: last.epochId, blob: last.blob });
    expect(again).toMatchObject({ kind: "ok", value: { seq: last.seq } });
    await world.settle();
    expect([...cyd.texts().values()]).toHaveLength(2);
  });
});

describe("[L-10] what somebody signed, encrypted by somebody else", () => {
  it("[E-39] is shown once, names nobody, stops nobody's own device, and costs no message that is on its way", async () => {
    const { world, ada, cyd, ben, order } = await trio("copies");
    const honest = [ada, cyd];
    await cyd.say("sealed before the copies came");
    for (let copies = 0; copies < 3; copies++) ben.append(await ben.copy(order));
    await world.settle(honest);
    await cyd.say("and after");
    await world.settle(honest);
    const texts = ["yes, pay it", "sealed before the copies came", "and after"];
    for (const device of honest) {
      expect([...device.texts().values()]).toEqual(texts);
      expect(device.state?.phase).toEqual({ kind: "active" });
      expect(device.alarms).toEqual([]);
    }
    for (const body of [...told(ada), ...told(cyd)]) expect(body).toSatisfy(({ kind }) => kind === "text" || kind === "unreadable");
    expect(told(ada).filter((body) => JSON.stringify(body) === JSON.stringify(copy))).toHaveLength(3);
  });

  it("[E-39] under a key that was used already it is told, and shown once; so is another message of a device that uses a key twice", async () => {
    const { world, ada, cyd, ben } = await trio("again");
    const { epoch, logId } = ben.state;
    const entry = world.log.entries.at(-1);
    if (epoch === undefined || entry === undefined) throw new Error("an entry");
    const { envelope: key, epochId } = epoch;
    const opened = openEnvelope({ key, logId, epochId, kind: "message", nextAccessHash: zeroHash, blob: entry.blob });
    if (opened.kind !== "inline") throw new Error("content in the entry");
    ben.append(opened.body.mlsMessage);
    await world.settle([ada, cyd]);
    for (const device of [ada, cyd]) expect(told(device)).toEqual([{ kind: "text", text: "yes, pay it" }, copy]);
    const [one, other] = [new HostileMember(world, cyd), new HostileMember(world, cyd)];
    for (const [copyOfCyd, text] of [
      [one, "once"],
      [other, "once more"],
    ] as const)
      await copyOfCyd.say(createTextContent({ text, salt: world.random(16), sentAtMs: 1_700_000_000_000 }), {
        ownNumber: 2,
        previousOwn: cyd.state?.own.mark ?? zeroHash,
      });
    await world.settle([ada]);
    expect(told(ada).slice(2)).toEqual([{ kind: "text", text: "once" }, copy]);
  });

  it("[E-39] is told from what another copy of one's own profile wrote: that stops the conversation", async () => {
    const { world, ada, cyd, ben, order } = await trio("restored");
    ben.append(await ben.copy(order));
    await world.settle([ada, cyd]);
    expect(cyd.state?.phase).toEqual({ kind: "active" });
    await new HostileMember(world, cyd).say(
      createTextContent({ text: "by the copy", salt: world.random(16), sentAtMs: 1_700_000_000_000 }),
    );
    await world.settle([cyd]);
    expect(cyd.state?.phase).toEqual({ kind: "paused", reason: "profile_restored" });
  });
});
