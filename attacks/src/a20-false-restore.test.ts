// A20 | a server that says falsely that it was restored, to drive people into new conversations | R
// Source: our own design: what a server says against itself is believed (spec D-7)
// Counter-measure: signed by its log's key and no other, once for each restore, one a day; nothing stops, and the person decides
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { utf8Bytes } from "@latchkey/codec";
import { encodeRestoreStatement, formatNote, nobleSignatures, signNote } from "@latchkey/transparency";
import { describe, expect, test } from "vitest";
import { eventually, foundPair, hear, host, say, Scene, settle } from "./testing/scene.ts";
import type { Person } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

const hourMs = 3_600_000;

/** What an operator greets its people with from now on; they connect anew. */
async function claim(scene: Scene, params: { origin?: string; secretKey: Uint8Array; agoMs?: number }): Promise<() => void> {
  const { origin = `${host}/latchkey`, secretKey, agoMs = hourMs } = params;
  const restoredMs = Date.now() - agoMs;
  const text = encodeRestoreStatement({ origin, size: 2, copiedMs: restoredMs - hourMs, restoredMs, isRecordWhole: true });
  const note = utf8Bytes(formatNote(await signNote({ text, name: origin, secretKey, signatures: nobleSignatures })));
  const stop = scene.operator.override({
    reply: (_line, body) => (body.kind === "hello" ? { ...body, ext: note } : body),
  });
  scene.operator.cut();
  return stop;
}

const stopOf = async ({ client }: Person, id: string) => (await client.conversations()).find((one) => one.id === id)?.stop?.failure;

describe("A20 a server says that it was restored", () => {
  test("signed by another key, or of another server: nothing at all", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, id } = await foundPair(scene);
    const ownKey = new Uint8Array(readFileSync(join(scene.folder, "server", "directory", "log.key")));
    for (const false_ of [{ secretKey: new Uint8Array(32).fill(7) }, { secretKey: ownKey, origin: "other.example/latchkey" }]) {
      const stop = await claim(scene, false_);
      for (const person of [ada, ben]) person.client.wake();
      await say(ada, id, `with ${String(false_.origin)}`);
      await hear(ben, id, `with ${String(false_.origin)}`);
      await settle(ada, ben);
      for (const person of [ada, ben]) {
        expect(await stopOf(person, id)).toBeUndefined();
        expect(await person.alarms()).toEqual([]);
      }
      stop();
    }
    shows(context, "nothing: the conversation goes on");
  });

  test("signed by its own log: the way on is offered and nothing stops; said again, or once more the same day, it offers nothing more", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, id } = await foundPair(scene);
    const secretKey = new Uint8Array(readFileSync(join(scene.folder, "server", "directory", "log.key")));
    await claim(scene, { secretKey });
    for (const person of [ada, ben]) person.client.wake();
    const failure = await eventually(() => stopOf(ben, id), "the way on is offered");
    expect(failure).toMatchObject({ code: "server_restored", canRetry: false });
    await eventually(() => stopOf(ada, id), "to both");
    await say(ada, id, "still here");
    await hear(ben, id, "still here");
    expect(await stopOf(ben, id)).toBeUndefined();
    await say(ben, id, "me too");
    await hear(ada, id, "me too");
    // The same once more, and another restore.
    scene.operator.cut();
    for (const person of [ada, ben]) person.client.wake();
    await claim(scene, { secretKey, agoMs: 0 });
    for (const person of [ada, ben]) person.client.wake();
    await say(ada, id, "and on");
    await hear(ben, id, "and on");
    await settle(ada, ben);
    for (const person of [ada, ben]) {
      expect(await stopOf(person, id)).toBeUndefined();
      expect((await person.client.conversations()).map((one) => one.id)).toEqual([id]);
      expect(await person.alarms()).toEqual([]);
    }
    shows(context, failure);
  });
});
