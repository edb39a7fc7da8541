// B5 | revoked device kept in the list by the server | P
// Source: Labyrinth white paper, limitations
// Counter-measure: monotonic signed versions
import { describe, expect, test } from "vitest";
import { FalseRecord } from "./testing/false-record.ts";
import { alarmOf, eventually, foundPair, hear, host, refusal, say, Scene } from "./testing/scene.ts";
import type { Person } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

/** Ben has two devices; one is stolen, and he removes it. `before` is what the record had until then. */
async function stolen(
  scene: Scene,
): Promise<{ record: FalseRecord; before: FalseRecord; ada: Person; ben: Person; thief: Person; id: string }> {
  const record = await FalseRecord.create({ url: scene.server.url, host, witnesses: 3, threshold: 2 });
  scene.operator.override(record.override());
  const { ada, ben, id } = await foundPair(scene);
  const thief = await scene.device(ben, "ben-tablet");
  await eventually(async () => (await ada.client.details(id)).members.some(({ deviceCount }) => deviceCount === 2), "the tablet is in");
  await say(ada, id, "to both of ben's");
  await hear(thief, id, "to both of ben's");
  const before = record.fork();
  const tablet = (await ben.client.devices()).find(({ isThisDevice }) => !isThisDevice);
  await ben.client.removeDevice(tablet?.deviceId ?? "");
  await eventually(async () => (await ada.client.details(id)).members.every(({ deviceCount }) => deviceCount === 1), "the tablet is out");
  await eventually(async () => (await ada.client.directoryStatus()).size === record.size, "the new state is verified");
  return { record, before, ada, ben, thief, id };
}

describe("B5 a revoked device that the server keeps in the list", () => {
  test("the newest state is left out of the answer: who meets the account refuses it, and nothing is encrypted to the device", async (context) => {
    await using scene = await Scene.open();
    const { record } = await stolen(scene);
    const dan = await scene.person("dan");
    scene.operator.override({
      request: async ({ person }, body) => {
        if (person !== "dan" || body.kind !== "lookup_username") return "pass";
        const answer = await record.answer(record.named("ben"), body);
        return { answer: { ...answer, states: answer.states.slice(0, -1) } };
      },
    });
    const since = scene.mark;
    const failure = await refusal(dan.client.startConversation({ to: ["ben"] }));
    expect(failure.code).toBe("directory_unproven");
    expect(await scene.sent(dan, since)).toBe(0);
    shows(context, failure);
  });

  test("the whole record as it was before, signed by every witness: who saw a newer one refuses it, with an alarm", async (context) => {
    await using scene = await Scene.open();
    const { before, ada, thief, id } = await stolen(scene);
    await say(ada, id, "not to the tablet");
    expect(await thief.texts(id)).not.toContain("not to the tablet");
    scene.operator.override(before.override());
    await ada.jump(8 * 86_400_000);
    before.head = () => ({ cosignedMs: Date.now() + 8 * 86_400_000 });
    const since = scene.mark;
    const failure = await refusal(ada.client.startConversation({ to: ["ben"], name: "Allotment" }));
    expect(failure.code).toBe("directory_fork");
    const alarm = await alarmOf(ada, "directory_fork");
    expect(await scene.sent(ada, since)).toBe(0);
    const ofBen = (await ada.client.verification(id)).members.find(({ person }) => !person.isSelf);
    expect(ofBen?.devices).toHaveLength(1);
    shows(context, alarm);
  });

  test("the device goes on reading the log: what is written after the removal it cannot read", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, thief, id } = await stolen(scene);
    await say(ada, id, "not to the tablet");
    await hear(ben, id, "not to the tablet");
    await say(ben, id, "good");
    thief.client.wake();
    await thief.jump(60_000);
    expect(await thief.texts(id)).toEqual(["hello", "to both of ben's"]);
    const lines = await ada.client.messages(id, { limit: 100 });
    const line = lines.find(({ body }) => body.kind === "device_removed");
    expect(line?.body).toMatchObject({ kind: "device_removed", person: { username: "ben" } });
    shows(context, "a line: a device of ben left this conversation");
  });
});
