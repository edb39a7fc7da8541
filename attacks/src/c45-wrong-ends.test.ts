// C45 | a member has messages stay that are to go: without an end, with one of 136 years, or dated ahead; or has them end before they came, or at once | P
// Source: FEATURES.md section 2.3, X-7; Signal-Desktop#950, #2656, #5300
// Counter-measure: the shorter of what a message and its epoch say counts, and a time of arrival where its stamp is later (X-7, E-280)
import { createNodePlatform } from "@latchkey/client/node";
import { createTextContent } from "@latchkey/protocol";
import { describe, expect, test } from "vitest";
import { writeAs } from "./testing/hostile-author.ts";
import { eventually, foundTrio, hear, say, Scene, settle } from "./testing/scene.ts";
import type { Person } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

const { random } = createNodePlatform();
const hourMs = 3_600_000;
const yearMs = 365 * 24 * hourMs;
const with_ = (
  text: string,
  expires: { relative: boolean; seconds: number } | undefined,
  sentAtMs = Date.now(),
): { readonly plaintext: Uint8Array } => ({ plaintext: createTextContent({ salt: random(16), sentAtMs, text, expires }) });

/** The person reads all that is there. */
async function readAll(person: Person, id: string): Promise<void> {
  const last = (await person.client.messages(id, { limit: 1 })).at(-1);
  await person.client.markRead(id, last?.order ?? 0);
}

describe("[E-280] C45 members who say wrong ends", () => {
  test("what has no end, one of 136 years, or comes from the future, goes with the group's timer everywhere", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, mal, id } = await foundTrio(scene);
    await ada.client.changeSettings(id, { timerS: 3600 });
    await settle(ada, ben, mal);
    const nowMs = Date.now();
    await writeAs(scene, mal, id, [
      with_("no end", undefined),
      with_("136 years", { relative: true, seconds: 0xffff_ffff }),
      with_("in 2106", { relative: false, seconds: 0xffff_ffff }),
      with_("none said", { relative: true, seconds: 0 }),
      with_("tomorrow", undefined, nowMs + 70 * yearMs),
    ]);
    const stay = ["no end", "136 years", "in 2106", "none said", "tomorrow"];
    for (const person of [ada, ben]) {
      await hear(person, id, "tomorrow");
      await readAll(person, id);
      expect((await person.texts(id)).filter((text) => stay.includes(text))).toEqual(stay);
      await person.jump(hourMs - 60_000);
      expect((await person.texts(id)).filter((text) => stay.includes(text))).toEqual(stay);
      await person.jump(2 * 60_000);
      await eventually(async () => !(await person.texts(id)).some((text) => stay.includes(text)), "they are gone");
      expect((await person.client.search("years")).found).toEqual([]);
      // What was said before there was a timer stays.
      expect(await person.texts(id)).toContain("hello");
    }
    shows(context, "all five are gone an hour after they were read, from everybody and the search");
  });

  test("what ended before it came is shown and counted nowhere, and what ends at once takes nothing else along", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, mal, id } = await foundTrio(scene);
    const nowMs = Date.now();
    await writeAs(scene, mal, id, [
      with_("ended in 1970", { relative: false, seconds: 1 }),
      with_("sent long ago", { relative: true, seconds: 1 }, nowMs - yearMs),
      with_("for a second", { relative: true, seconds: 1 }),
      with_("for good", undefined),
    ]);
    await hear(ben, id, "for good");
    const shown = async (): Promise<string[]> => (await ben.texts(id)).filter((text) => text !== "hello");
    const unread = async (): Promise<number | undefined> =>
      (await ben.client.conversations()).find((conversation) => conversation.id === id)?.unreadCount;
    // Nobody has read it yet: its second has not begun.
    expect((await shown()).slice(-2)).toEqual(["for a second", "for good"]);
    expect(await shown()).not.toContain("ended in 1970");
    expect(await shown()).not.toContain("sent long ago");
    const before = (await unread()) ?? 0;
    await readAll(ben, id);
    await eventually(async () => !(await shown()).includes("for a second"), "it is gone");
    expect([before > 0, await unread()]).toEqual([true, 0]);
    await say(ben, id, "and we go on");
    await hear(ada, id, "and we go on");
    expect((await shown()).slice(-2)).toEqual(["for good", "and we go on"]);
    expect([await ben.alarms(), await ada.alarms()]).toEqual([[], []]);
    shows(context, "the two that were over are nowhere, and nothing stops");
  });
});
