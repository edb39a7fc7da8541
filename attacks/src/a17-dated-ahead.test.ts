// A17 | an entry dated ahead makes a new log key or witness policy count at once | P
// Source: found by trying, 2026-11-27
// Counter-measure: entries ahead of the clock are refused, and notice counts between cosignatures of the quorum before (D-2)
import { describe, expect, test } from "vitest";
import { FalseRecord } from "./testing/false-record.ts";
import { addGhost } from "./testing/ghost.ts";
import { host, refusal, Scene } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

const dayMs = 86_400_000;

describe("A17 the log's time", () => {
  test("a new key and no witnesses, with an entry eight days ahead: waited out with the clocks named, nothing is trusted, nobody is accused", async (context) => {
    await using scene = await Scene.open();
    const record = await FalseRecord.create({ url: scene.server.url, host, witnesses: 3, threshold: 2 });
    scene.operator.override(record.override());
    const ada = await scene.person("ada");
    const seed = new Uint8Array(32).fill(7);
    await record.announce({ logSeed: seed, witnesses: 0, threshold: 0 });
    record.setTime(Date.now() + 8 * dayMs);
    const ghost = await addGhost(scene, "ben");
    await record.publish(ghost.account);
    const since = scene.mark;
    // Even where every witness signs what it is told to.
    const failure = await refusal(ada.client.startConversation({ to: ["ben"] }));
    expect(failure).toMatchObject({ code: "clock_skew", canRetry: true });
    record.signWith(seed);
    record.head = () => ({ log: [], map: [] });
    await refusal(ada.client.startConversation({ to: ["ben"] }));
    expect(await scene.sent(ada, since)).toBe(0);
    expect((await ada.alarms()).filter((code) => code !== "directory_changed")).toEqual([]);
    shows(context, failure);
  });
});
