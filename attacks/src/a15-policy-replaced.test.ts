// A15 | the witness policy or the log's key is replaced | D
// Source: Certificate Transparency literature; C2SP tlog-policy
// Counter-measure: seven days of notice between cosignatures of the quorum before; everybody is told (D-2)
import { describe, expect, test } from "vitest";
import { FalseRecord } from "./testing/false-record.ts";
import { addGhost } from "./testing/ghost.ts";
import { alarmOf, host, refusal, Scene } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

describe("A15 other keys and witnesses", () => {
  test("a new key and no witnesses are announced and used at once: the person is told, and the old key and quorum count", async (context) => {
    await using scene = await Scene.open();
    const record = await FalseRecord.create({ url: scene.server.url, host, witnesses: 3, threshold: 2 });
    scene.operator.override(record.override());
    const [ada] = [await scene.person("ada"), await scene.person("cyd")];
    const seed = new Uint8Array(32).fill(7);
    await record.announce({ logSeed: seed, witnesses: 0, threshold: 0 });
    await ada.client.resolve("cyd");
    const alarm = await alarmOf(ada, "directory_changed");
    const ghost = await addGhost(scene, "ben");
    await record.publish(ghost.account);
    record.signWith(seed);
    record.head = () => ({ log: [], map: [] });
    const since = scene.mark;
    const failure = await refusal(ada.client.startConversation({ to: ["ben"] }));
    expect(failure.code).toBe("directory_unproven");
    expect(await scene.sent(ada, since)).toBe(0);
    shows(context, alarm);
    shows(context, failure);
  });
});
