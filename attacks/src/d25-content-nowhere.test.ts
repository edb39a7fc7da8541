// D25 | messages whose content lies nowhere, one after the other: everybody waits for each of them | P
// Source: found by trying, 2026-11-28
// Counter-measure: the server takes an entry only with the content that it names; what it keeps back itself holds 10 s a minute (L-15, E-15)
import { httpPaths, zeroHash } from "@latchkey/protocol";
import { describe, expect, test } from "vitest";
import { sealGarbage, writeAs } from "./testing/hostile-author.ts";
import { Insider } from "./testing/insider.ts";
import { eventually, hear, say, Scene, settle } from "./testing/scene.ts";
import type { Person } from "./testing/scene.ts";
import { linesOf, shows } from "./testing/shown.ts";

async function allotment(scene: Scene): Promise<{ id: string; ada: Person; ben: Person; mal: Person }> {
  const [ada, ben, mal] = [await scene.person("ada"), await scene.person("ben"), await scene.person("mal")];
  const { id } = await ada.client.startConversation({ to: ["ben", "mal"], name: "Allotment" });
  await say(ada, id, "hello");
  for (const person of [ben, mal]) await hear(person, id, "hello");
  return { id, ada, ben, mal };
}

describe("D25 content that lies nowhere", () => {
  test("[L-15] a member alone cannot write it: the server does not take what it has no content of", async (context) => {
    await using scene = await Scene.open();
    const { id, ada, ben, mal } = await allotment(scene);
    await expect(writeAs(scene, mal, id, [{ plaintext: new Uint8Array(70_000), isNowhere: true }])).rejects.toThrow("unknown_blob");
    await say(ada, id, "behind it");
    await hear(ben, id, "behind it");
    for (const person of [ada, ben]) expect(await linesOf(person, id, "unreadable")).toEqual([]);
    shows(context, "unknown_blob");
  });

  test("[L-15] what is there and does not open holds nobody, is nobody's but its author's, and a change of that kind is passed over", async (context) => {
    await using scene = await Scene.open();
    const { id, ada, ben, mal } = await allotment(scene);
    await settle(mal);
    using insider = await Insider.take(scene, mal, id);
    await insider.open();
    for (let at = 0; at < 10; at++) {
      const blob = await sealGarbage(scene.server.url, insider, { kind: "message", nextAccessHash: zeroHash });
      expect(await insider.append(insider.state.epoch?.epochId ?? 0, blob)).toMatchObject({ kind: "accepted" });
    }
    const nextAccessHash = new Uint8Array(32).fill(7);
    const change = await sealGarbage(scene.server.url, insider, { kind: "commit", nextAccessHash });
    expect(await insider.postBlob(change, nextAccessHash)).toMatchObject({ kind: "accepted" });
    await say(ada, id, "behind them");
    await hear(ben, id, "behind them");
    for (const person of [ada, ben]) {
      const lines = await linesOf(person, id, "unreadable");
      expect(lines.map(({ body }) => (body.kind === "unreadable" ? body.reason : ""))).toEqual(Array(10).fill("It is damaged."));
      expect((await person.client.details(id)).conversation.stop).toBeUndefined();
      expect(await person.alarms()).toEqual([]);
    }
    shows(context, "It is damaged.");
  });

  test("[E-15] forty messages whose content the server keeps back hold nobody for long, and what is said behind them is read", async (context) => {
    await using scene = await Scene.open();
    const { id, ada, ben, mal } = await allotment(scene);
    scene.operator.override({
      get: (_, path) => (path.startsWith(httpPaths.blobs) ? new Response(undefined, { status: 404 }) : undefined),
    });
    const beganMs = performance.now();
    await writeAs(
      scene,
      mal,
      id,
      Array.from({ length: 40 }, () => ({ plaintext: new Uint8Array(70_000) })),
    );
    await say(ada, id, "behind them");
    await hear(ben, id, "behind them");
    // Each of them alone takes four seconds until it is told.
    expect(performance.now() - beganMs).toBeLessThan(100_000);
    for (const person of [ada, ben]) {
      // Ada's own message may be accepted before she has read those in front of it.
      await eventually(async () => (await linesOf(person, id, "unreadable")).length === 40, "all forty are told");
      expect(await person.alarms()).toEqual([]);
    }
    shows(context, "The server does not give out its content.");
  });
});
