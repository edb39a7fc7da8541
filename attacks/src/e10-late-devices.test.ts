// E10 | what was to go stays on a device that comes back late, or whose clock is wrong or set back | P
// Source: Signal-Desktop#950, #2656, #4117, #6148
// Counter-measure: gone is what is over by the later of the device's clock and its server's, before it is drawn; erased it is when both agree (X-7, E-142)
import { describe, expect, test } from "vitest";
import { eventually, foundPair, hear, say, Scene, settle } from "./testing/scene.ts";
import type { Person } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

const dayMs = 86_400_000;

async function readAll(person: Person, id: string): Promise<void> {
  const last = (await person.client.messages(id, { limit: 1 })).at(-1);
  await person.client.markRead(id, last?.order ?? 0);
}

describe("[E-142] E10 what is to go, on devices that were away", () => {
  test("a message that one device opened is gone from the other, and after 40 days without a network before it is drawn", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, id } = await foundPair(scene);
    const tablet = await scene.device(ben, "tablet");
    await eventually(async () => (await tablet.client.conversations()).some((one) => one.id === id), "it has the conversation");
    await settle(ada, ben, tablet);
    await ada.client.changeSettings(id, { timerS: 7 * 86_400 });
    await settle(ada, ben, tablet);
    await say(ada, id, "the key is under the pot");
    for (const person of [ben, tablet]) await hear(person, id, "the key is under the pot");
    // The tablet has it, and nobody read it; its server cannot be reached for 40 days.
    await settle(tablet);
    scene.operator.override({ request: async ({ person }) => (person === "tablet" ? "drop" : "pass") });
    await readAll(ben, id);
    await tablet.jump(40 * dayMs);
    const drawn: string[] = [...(await tablet.texts(id))];
    expect(drawn).not.toContain("the key is under the pot");
    expect(drawn).toContain("hello");
    const conversation = (await tablet.client.conversations()).find((one) => one.id === id);
    expect(JSON.stringify(conversation?.lastMessage)).not.toContain("pot");
    expect((await tablet.client.search("pot")).found).toEqual([]);
    // Ben's other device is no 40 days ahead: it has it still.
    expect(await ben.texts(id)).toContain("the key is under the pot");
    shows(context, "it is in no page, no list and no search of the late device");
  });

  test("[E-281] what was read on one device goes from the other in time, read there or not; what comes there later was read then", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, id } = await foundPair(scene);
    const tablet = await scene.device(ben, "tablet");
    await eventually(async () => (await tablet.client.conversations()).some((one) => one.id === id), "it has the conversation");
    await settle(ada, ben, tablet);
    await ada.client.changeSettings(id, { timerS: 3600 });
    await settle(ada, ben, tablet);
    await say(ada, id, "read on the telephone");
    for (const person of [ben, tablet]) await hear(person, id, "read on the telephone");
    await readAll(ben, id);
    await eventually(
      async () => (await tablet.client.messages(id, { limit: 100 })).some(({ timer }) => timer?.isRunning === true),
      "the tablet hears of it",
    );
    await say(ada, id, "read by nobody");
    for (const person of [ben, tablet]) await hear(person, id, "read by nobody");
    await tablet.jump(3_700_000);
    await eventually(async () => !(await tablet.texts(id)).includes("read on the telephone"), "it is gone");
    expect(await tablet.texts(id)).toContain("read by nobody");
    const unread = async (): Promise<boolean> => (await tablet.client.conversations()).find((one) => one.id === id)?.unreadCount === 1;
    await eventually(unread, "one is unread");
    shows(context, "gone an hour after it was read elsewhere; what nobody read stays");
  });

  test("a clock that jumps ahead erases nothing for good: what it hid is there again once it is right", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, id } = await foundPair(scene);
    await ada.client.changeSettings(id, { timerS: 3600 });
    await settle(ada, ben);
    await say(ada, id, "see you at nine");
    await hear(ben, id, "see you at nine");
    await readAll(ben, id);
    await ben.jump(400 * dayMs);
    expect(await ben.texts(id)).not.toContain("see you at nine");
    await ben.client.close();
    const client = await scene.reopen("ben");
    const texts = (await client.messages(id, { limit: 100 })).flatMap(({ body }) => (body.kind === "text" ? [body.text] : []));
    expect(texts).toContain("see you at nine");
    shows(context, "hidden by the wrong clock, there again by the right one");
  });
});
