// C42 | a changed app writes without waiting in slow mode, dates its messages as it likes, and asks without end who has read | P
// Source: FEATURES.md section 3, X-20 and R-3
// Counter-measure: readers fold what an account's own stamps show to be too soon, alike; questions are answered once an hour, and in large groups alone
import { createNodePlatform } from "@latchkey/client/node";
import { createReadQueryContent, createTextContent } from "@latchkey/protocol";
import { fromBase64Url } from "@latchkey/codec";
import { describe, expect, test } from "vitest";
import { writeAs } from "./testing/hostile-author.ts";
import { eventually, foundTrio, hear, say, Scene, settle } from "./testing/scene.ts";
import type { Person } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

const { random } = createNodePlatform();
const hourMs = 3_600_000;
/** Places that an entry of the log has for lines. */
const linesPerEntry = 16;
const at = (text: string, sentAtMs: number): { readonly plaintext: Uint8Array } => ({
  plaintext: createTextContent({ salt: random(16), sentAtMs, text }),
});

/** What a person sees without opening anything. */
async function openTexts(person: Person, id: string): Promise<readonly string[]> {
  const messages = await person.client.messages(id, { limit: 100 });
  return messages.flatMap(({ body, folded }) => (body.kind === "text" && folded === undefined ? [body.text] : []));
}

describe("C42 a member does not wait in slow mode", () => {
  test("what comes too soon, or from a clock that is ahead, is folded for all alike, and who waited is not", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, mal, id } = await foundTrio(scene);
    await ada.client.changeSettings(id, { slowModeS: 3600 });
    await settle(ada, ben, mal);
    const nowMs = Date.now();
    const flood = Array.from({ length: 20 }, (_, number) => at(`buy ${String(number)}`, nowMs + number));
    await writeAs(scene, mal, id, [
      at("long ago", nowMs - 2 * hourMs),
      ...flood,
      // Its next one has to be an hour behind that, and is ahead of everybody then.
      at("tomorrow", nowMs + 1.5 * hourMs),
      at("back again", nowMs),
    ]);
    await ben.client.send(id, "I wait");
    await settle(ada, ben);
    for (const person of [ada, ben]) {
      await hear(person, id, "back again");
      await hear(person, id, "I wait");
      const texts = (await openTexts(person, id)).filter((text) => text !== "hello");
      expect(texts.filter((text) => !text.startsWith("the "))).toEqual(["long ago", "buy 0", "I wait"]);
    }
    shows(context, "two of its twenty-three messages stand open, for everybody the same");
  });

  test("a question who has read, in a small group and without end, causes not one further entry", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, mal, id } = await foundTrio(scene);
    await say(ada, id, "the shed is locked");
    await hear(mal, id, "the shed is locked");
    const target = (await mal.client.messages(id, { limit: 1 }))[0]?.id ?? "";
    const ask = (): { readonly plaintext: Uint8Array } => ({
      plaintext: createReadQueryContent({ salt: random(16), sentAtMs: Date.now(), messageId: fromBase64Url(target) }),
    });
    await writeAs(scene, mal, id, [...Array.from({ length: 30 }, ask), at("done", Date.now())]);
    for (const person of [ada, ben]) await hear(person, id, "done");
    const [last] = await ada.client.messages(id, { limit: 1 });
    await say(ada, id, "and now");
    await hear(ben, id, "and now");
    await eventually(async () => (await ada.client.messages(id, { limit: 2 })).length === 2, "the next one is there");
    const [, next] = await ada.client.messages(id, { limit: 2 });
    // One entry further: nobody answered.
    expect(((next?.order ?? 0) - (last?.order ?? 0)) / linesPerEntry).toBe(1);
    shows(context, "nobody answers, and nothing of it is shown");
  });
});
