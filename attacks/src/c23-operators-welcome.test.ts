// C23 | the operator pauses a direct conversation, then welcomes the victim into its own | P
// Source: found by trying it, 2026-11-27
// Counter-measure: the other person of a direct conversation never changes, whoever's Welcome comes (M-9)
import { fromBase64Url, toBase64Url } from "@latchkey/codec";
import { describe, expect, test } from "vitest";
import { alarmOf, eventually, foundPair, say, Scene, settle } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

describe("C23 the operator's own conversation in the place of a direct one", () => {
  test("stopped by a lie of the server, the conversation keeps its person: the operator's Welcome changes nothing in it", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, id } = await foundPair(scene);
    // Forty days later the server says that a change of the group has expired.
    const stop = scene.operator.override({
      reply({ person }, body) {
        if (person !== "ada" || body.kind !== "opened" || toBase64Url(body.logId) !== id) return body;
        const firstSeq = body.lastSeq + 5;
        return { ...body, firstSeq, headBeforeFirst: new Uint8Array(32).fill(7), lastSeq: firstSeq, currentEpochId: firstSeq - 1 };
      },
    });
    scene.operator.setUnreachable("ada", true);
    await eventually(async () => (await ada.client.connection()).kind !== "online", "ada is offline");
    await ada.jump(40 * 86_400_000);
    scene.operator.setUnreachable("ada", false);
    ada.client.wake();
    const alarm = await alarmOf(ada, "changes_expired");
    stop();

    const room = await scene.backRoom();
    scene.operator.route({ people: ["zed"], roles: ["log"], url: room.url });
    let isArmed = false;
    const zed = await scene.person("zed", { tamper: (random) => (size) => (isArmed && size === 32 ? fromBase64Url(id) : random(size)) });
    isArmed = true;
    expect((await zed.client.startConversation({ to: ["ada"] })).id).toBe(id);
    isArmed = false;
    await settle(zed);
    await eventually(async () => (await ada.client.connection()).kind === "online", "ada is online");
    for (const request of (await ada.client.requests()).list) await ada.client.acceptRequest(request.id).catch(() => undefined);
    await say(zed, id, "it is me, ben");
    const conversation = (await ada.client.conversations()).find((one) => one.id === id);
    expect(conversation).toMatchObject({ status: "paused", invitations: [], peer: { accountId: ben.accountId } });
    expect(await ada.texts(id)).toEqual(["hello"]);
    const since = scene.mark;
    await expect(ada.client.send(id, "a secret")).rejects.toMatchObject({ code: "changes_expired" });
    expect(await scene.written(ada, since)).toBe(0);
    shows(context, alarm);
  });
});
