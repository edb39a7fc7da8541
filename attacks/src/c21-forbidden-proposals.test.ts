// C21 | ReInit, PSK or unknown proposal ends a group silently | P
// Source: found by trying, 2026-11-27
// Counter-measure: the public check is an allow-list (M-8)
import { utf8Bytes } from "@latchkey/codec";
import { describe, expect, test } from "vitest";
import { Insider } from "./testing/insider.ts";
import type { Forgery } from "./testing/insider.ts";
import { eventually, foundTrio, hear, say, Scene } from "./testing/scene.ts";
import { shows, skipped } from "./testing/shown.ts";

const key = new Uint8Array(32).fill(7);
const psk = { source: { kind: "external", pskId: utf8Bytes("mine") }, nonce: key } as const;

describe("C21 a plain member commits what ends a group, or mixes a key of its own into it", () => {
  test("a ReInit: skipped by everybody, and what is written afterwards arrives", async (context) => {
    expect(await sent({ reInit: { groupId: key, cipherSuite: 1, extensions: [] } })).toEqual([["mal"], ["mal"]]);
    shows(context, "mal sent a change that nobody can use; nothing came of it");
  });

  test("a PSK: skipped by everybody, and what is written afterwards arrives", async (context) => {
    expect(await sent({ psks: [psk], psk: () => key })).toEqual([["mal"], ["mal"]]);
    shows(context, "mal sent a change that nobody can use; nothing came of it");
  });
});

/** Whom two honest members see named, after the commit and what both write behind it. */
async function sent(forgery: Forgery): Promise<readonly (readonly (string | undefined)[])[]> {
  await using scene = await Scene.open();
  const { ada, ben, mal, id } = await foundTrio(scene);
  using insider = await Insider.take(scene, mal, id);
  expect((await insider.post(await insider.forge(forgery))).kind).toBe("accepted");
  for (const person of [ada, ben]) {
    await eventually(async () => (await skipped(person, id)).length > 0, "the commit is skipped");
    expect((await person.client.details(id)).conversation.status).toBe("active");
  }
  await say(ada, id, "not ended");
  await hear(ben, id, "not ended");
  await say(ben, id, "not at all");
  await hear(ada, id, "not at all");
  for (const person of [ada, ben]) expect(await person.alarms()).toEqual([]);
  return [await skipped(ada, id), await skipped(ben, id)];
}
