// D22 | the server shows one's own entry as sealed: it is sent twice, also to a later joiner | P
// Source: found by trying it, 2026-11-27
// Counter-measure: one's own waiting entry is known by its link of the chain (L-3, L-6)
import { createHash } from "node:crypto";
import { equalBytes, toBase64Url } from "@latchkey/codec";
import { describe, expect, test } from "vitest";
import { eventually, hear, say, Scene, settle } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash("sha256").update(bytes).digest());

describe("D22 the server hides from an author that it has their message", () => {
  test("the acknowledgement is swallowed and the entry shown as sealed: it is sent once, and who joins later does not get it", async (context) => {
    await using scene = await Scene.open();
    const [ada, ben, cyd] = [await scene.person("ada"), await scene.person("ben"), await scene.person("cyd")];
    const { id } = await ben.client.startConversation({ to: ["ada"], name: "Allotment" });
    await say(ben, id, "hello");
    await hear(ada, id, "hello");
    await settle(ada, ben);
    const own: Uint8Array[] = [];
    const stop = scene.operator.override({
      request({ person }, body) {
        if (person === "ada" && body.kind === "append") own.push(body.blob);
        return "pass";
      },
      reply({ person }, body, request) {
        if (person !== "ada") return body;
        if (body.kind === "accepted" && request?.kind === "append") return undefined;
        if (body.kind !== "entry" || !own.some((blob) => equalBytes(blob, body.blob))) return body;
        const { logId, seq, epochId, entryKind, nextAccessHash, blob } = body;
        return { kind: "sealed", logId, seq, epochId, entryKind, nextAccessHash, blobHash: sha256(blob) };
      },
    });
    await ada.client.send(id, "for ben alone");
    await hear(ben, id, "for ben alone");
    await ben.client.addMembers(id, ["cyd"]);
    await say(ben, id, "welcome");
    await hear(cyd, id, "welcome");
    await hear(ada, id, "welcome");
    await eventually(
      async () =>
        (await ada.client.messages(id, { limit: 100 })).some(
          ({ body, delivery }) => body.kind === "text" && body.text === "for ben alone" && delivery?.kind === "accepted",
        ),
      "ada's message counts as sent",
    );
    stop();
    scene.operator.cut();
    await settle(ada, ben, cyd);
    expect((await ben.texts(id)).filter((text) => text === "for ben alone")).toHaveLength(1);
    expect(await cyd.texts(id)).toEqual(["welcome"]);
    const appends = scene.operator.seen.filter(
      ({ person, body }) =>
        person === "ada" && body?.kind === "append" && toBase64Url(body.logId) === id && own.some((blob) => equalBytes(blob, body.blob)),
    );
    expect(new Set(appends.map(({ body }) => (body?.kind === "append" ? toBase64Url(body.blob) : ""))).size).toBe(appends.length);
    shows(context, "the message is accepted at its place, once");
  });
});
