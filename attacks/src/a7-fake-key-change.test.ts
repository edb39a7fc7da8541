// A7 | fake key change, the sender re-encrypts queued messages | P
// Source: Boelter 2016 (WhatsApp)
// Counter-measure: never re-encrypt by itself to a new key
import { equalBytes } from "@latchkey/codec";
import { describe, expect, test } from "vitest";
import { FalseRecord } from "./testing/false-record.ts";
import { forgeDevice, forgePop, forgeState } from "./testing/forge.ts";
import { eventually, foundPair, hear, host, messageOf, refusal, say, Scene, settle } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

describe("A7 a fake key change while messages wait", () => {
  test("new keys of the receiver, signed by the operator, and the queue sent back as stale: the same bytes or nothing", async (context) => {
    await using scene = await Scene.open();
    const record = await FalseRecord.create({ url: scene.server.url, host, witnesses: 0, threshold: 0 });
    scene.operator.override(record.override());
    const { ada, ben, id } = await foundPair(scene);
    // Undelivered, as for WhatsApp: Ben's phone is "gone", and the server has a new key for him.
    const stop = scene.operator.override({
      request: (_, body) =>
        body.kind === "append" || body.kind === "commit" ? { answer: { kind: "error", code: "stale", retryAfterMs: 0 } } : "pass",
    });
    const since = scene.mark;
    const waiting = await ada.client.send(id, "a secret");
    await eventually(async () => scene.operator.ciphertexts("ada", since) > 0, "the message is sent once");
    const [account, device] = [record.named("ben"), await forgeDevice()];
    const swapped = await forgeState(account, { devices: [device.entry] }, device.secretKey);
    await record.publish({ ...account, states: [swapped], pops: [await forgePop(account, device)], bindings: [] });
    await ada.jump(8 * 86_400_000);
    const failure = await refusal(ada.client.resolve("ben"));
    expect(failure.code).toBe("server_lied");
    for (let round = 0; round < 3; round++) await ada.jump(60_000);
    // A commit, where there is one, renews her leaf, and adds nobody.
    const blobs = scene.operator.seen
      .slice(since)
      .flatMap(({ person, body }) => (person === "ada" && body?.kind === "append" ? [body.blob] : []));
    expect(blobs.length).toBeGreaterThan(0);
    expect(blobs.every((blob) => equalBytes(blob, blobs[0] ?? blob))).toBe(true);
    expect((await messageOf(ada, id, waiting.id))?.delivery?.kind).toBe("pending");
    // The queue is for the device that it was written for, and reaches that one.
    stop();
    scene.operator.cut();
    await hear(ben, id, "a secret");
    shows(context, failure);
    shows(context, "the message stays pending, encrypted to the old keys only");
  });

  test("somebody is added while a message waits: it is not encrypted to them before the person says so", async (context) => {
    await using scene = await Scene.open();
    const [ada, ben, mal] = [await scene.person("ada"), await scene.person("ben"), await scene.person("mal")];
    const { id } = await ben.client.startConversation({ to: ["ada"], name: "Two of us" });
    await say(ben, id, "hello");
    await hear(ada, id, "hello");
    scene.operator.setUnreachable("ada", true);
    const waiting = await ada.client.send(id, "only for ben");
    await ben.client.addMembers(id, ["mal"]);
    const since = scene.mark;
    scene.operator.setUnreachable("ada", false);
    ada.client.wake();
    const failed = await eventually(async () => {
      const delivery = (await messageOf(ada, id, waiting.id))?.delivery;
      return delivery?.kind === "failed" && delivery.failure;
    }, "the message is held");
    expect(failed.code).toBe("members_changed");
    expect(await scene.sent(ada, since)).toBe(0);
    await settle(mal);
    expect(await mal.client.conversations()).toHaveLength(1);
    expect(await mal.texts(id)).toEqual([]);
    shows(context, failed);
  });
});
