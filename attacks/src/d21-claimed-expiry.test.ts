// D21 | the server claims expiry of single messages | D
// Source: found by trying it, 2026-11-27
// Counter-measure: an expiry is believed only after the time that the server promised when the log was last read to its end (L-8)
import { toBase64Url } from "@latchkey/codec";
import { describe, expect, test } from "vitest";
import { eventually, foundPair, hear, say, Scene } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

describe("D21 the server claims that a message expired", () => {
  test("a day after the reader was there last it is a gap with its name, whatever the hello promises now, and the message comes in the end", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, id } = await foundPair(scene);
    scene.operator.setUnreachable("ben", true);
    await say(ada, id, "do not sign");
    const stop = scene.operator.override({
      reply({ person }, body) {
        if (person !== "ben") return body;
        if (body.kind === "hello") return { ...body, retentionDays: 1 };
        if (body.kind !== "opened" || toBase64Url(body.logId) !== id) return body;
        return { ...body, firstSeq: body.lastSeq + 1, headBeforeFirst: body.head };
      },
    });
    await ben.jump(2 * 86_400_000);
    scene.operator.setUnreachable("ben", false);
    ben.client.wake();
    const stopped = await eventually(async () => (await ben.client.conversations())[0]?.stop?.failure, "ben is told");
    expect(stopped).toMatchObject({ code: "conversation_unavailable", canRetry: true });
    expect((await ben.client.messages(id, { limit: 100 })).filter(({ body }) => body.kind === "expired")).toEqual([]);
    stop();
    await ben.jump(600_000);
    await hear(ben, id, "do not sign");
    expect((await ben.client.conversations())[0]?.stop).toBeUndefined();
    shows(context, stopped);
  });
});
