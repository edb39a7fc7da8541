// A4 | log rewind, stale tree head | P
// Source: Certificate Transparency literature
// Counter-measure: largest head kept, consistency proof, maximum age
import { describe, expect, test } from "vitest";
import { FalseRecord } from "./testing/false-record.ts";
import { alarmOf, host, refusal, say, Scene } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

const hourMs = 3_600_000;

describe("A4 the log goes back, or stands still", () => {
  test("a smaller log than was seen, signed by every witness: refused with an alarm, and nothing is encrypted", async (context) => {
    await using scene = await Scene.open();
    const record = await FalseRecord.create({ url: scene.server.url, host, witnesses: 3, threshold: 2 });
    scene.operator.override(record.override());
    const [ada] = [await scene.person("ada"), await scene.person("ben")];
    const old = record.fork();
    await scene.person("cyd");
    await ada.client.resolve("cyd");
    scene.operator.override(old.override());
    const since = scene.mark;
    const failure = await refusal(ada.client.startConversation({ to: ["ben"] }));
    expect(failure.code).toBe("directory_fork");
    expect(await scene.sent(ada, since)).toBe(0);
    shows(context, await alarmOf(ada, "directory_fork"));
  });

  test("a head whose witnesses signed it 25 hours ago: nothing new is trusted until it is signed again", async (context) => {
    await using scene = await Scene.open();
    const record = await FalseRecord.create({ url: scene.server.url, host, witnesses: 3, threshold: 2 });
    scene.operator.override(record.override());
    const [ada] = [await scene.person("ada"), await scene.person("ben")];
    record.head = () => ({ cosignedMs: Date.now() - 25 * hourMs });
    const since = scene.mark;
    const failure = await refusal(ada.client.startConversation({ to: ["ben"] }));
    expect(failure).toMatchObject({ code: "directory_stale", canRetry: true });
    expect(await scene.sent(ada, since)).toBe(0);
    record.head = () => ({ cosignedMs: Date.now() });
    const { id } = await ada.client.startConversation({ to: ["ben"] });
    await say(ada, id, "now");
    shows(context, failure);
  });
});
