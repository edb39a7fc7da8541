// C10 | server drops the removal | D
// Source: Rösler, Mainka, Schwenk, EuroS&P 2018
// Counter-measure: pending removal blocks sending; roster in each message
import { describe, expect, test } from "vitest";
import { branch, forkAlarm, foundGroup, hasMember, publishHeads } from "./testing/branches.ts";
import { eventually, hear, messageOf, refusal, say, Scene, settle } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

describe("C10 the server drops a removal", () => {
  test("the commit is swallowed: what is written after the removal waits for it, and is never encrypted for who was removed", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, cyd, id } = await foundGroup(scene);
    const stop = scene.operator.override({ request: ({ person }, body) => (person === "ada" && body.kind === "commit" ? "drop" : "pass") });
    const since = scene.mark;
    const removal = ada.client.removeMembers(id, [cyd.accountId]);
    removal.catch(() => undefined);
    await eventually(async () => scene.operator.seen.slice(since).some(({ kind }) => kind === "commit"), "the removal is sent");
    const waiting = await ada.client.send(id, "without cyd");
    for (let round = 0; round < 2; round++) await ada.jump(20_000);
    await scene.sent(ada, since);
    const appends = (): number =>
      scene.operator.seen.slice(since).filter(({ person, kind }) => person === "ada" && kind === "append").length;
    expect(appends()).toBe(0);
    expect((await messageOf(ada, id, waiting.id))?.delivery?.kind).toBe("pending");
    shows(context, "the message stays pending while the removal is not in the log");
    // Let through, the removal comes first.
    stop();
    scene.operator.cut();
    ada.client.wake();
    await hear(ben, id, "without cyd");
    await settle(cyd);
    expect(await cyd.texts(id)).not.toContain("without cyd");
    expect(await hasMember(ada, id, cyd)).toBe(false);
  });

  test("the removal is acknowledged and not carried out: nothing is sent before it stands in the log", async (context) => {
    await using scene = await Scene.open();
    const { ada, cyd, id } = await foundGroup(scene);
    scene.operator.override({
      request: ({ person }, body) =>
        person === "ada" && body.kind === "commit" ? { answer: { kind: "accepted", seq: 1000, head: new Uint8Array(32).fill(9) } } : "pass",
    });
    const since = scene.mark;
    ada.client.removeMembers(id, [cyd.accountId]).catch(() => undefined);
    await eventually(async () => scene.operator.seen.slice(since).some(({ kind }) => kind === "commit"), "the removal is sent");
    const waiting = await ada.client.send(id, "without cyd");
    for (let round = 0; round < 2; round++) await ada.jump(20_000);
    await scene.sent(ada, since);
    expect(scene.operator.seen.slice(since).filter(({ person, kind }) => person === "ada" && kind === "append")).toEqual([]);
    expect((await messageOf(ada, id, waiting.id))?.delivery?.kind).toBe("pending");
    shows(context, "the message stays pending while the removal is not in the log");
  });

  test("the removal is shown to some only: the public record tells the others, and they stop", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, cyd, id } = await foundGroup(scene);
    await branch(scene, { people: [ada, ben, cyd], apart: [ben, cyd] });
    await ada.client.removeMembers(id, [cyd.accountId]);
    await say(ada, id, "without cyd");
    await say(ben, id, "cyd still hears this");
    await hear(cyd, id, "cyd still hears this");
    expect(await cyd.texts(id)).not.toContain("without cyd");
    // The publication may come after the first look at the record: he looks until it is there.
    await publishHeads(scene, []);
    const alarm = await forkAlarm(ben);
    const since = scene.mark;
    expect((await refusal(ben.client.send(id, "a secret"))).code).toBe("log_fork");
    expect(await scene.written(ben, since)).toBe(0);
    shows(context, alarm);
  });
});
