// D23 | a proxy's error taken for absence | P
// Source: found by trying it, 2026-11-27
// Counter-measure: only 404 and 410 say that something is not there; everything else is asked again, by name (E-3)
import { httpPaths } from "@latchkey/protocol";
import { describe, expect, test } from "vitest";
import { eventually, foundPair, hear, say, Scene } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

describe("D23 a hiccup of a proxy while a large message is fetched", () => {
  test("503, 403 and 429: nothing is called expired, it is named, and the messages come in their order", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, id } = await foundPair(scene);
    let refused = 0;
    const stop = scene.operator.override({
      get(person, path) {
        if (person !== "ben" || !path.startsWith(httpPaths.blobs)) return undefined;
        refused += 1;
        return new Response(undefined, { status: [503, 403, 429][refused % 3] ?? 503 });
      },
    });
    const large = "x".repeat(65_000);
    // The second is short, and does not overtake the first.
    await ada.client.send(id, large);
    await say(ada, id, "short");
    const stopped = await eventually(async () => (await ben.client.conversations())[0]?.stop?.failure, "ben is told");
    expect(stopped).toMatchObject({ code: "conversation_unavailable", canRetry: true });
    expect(refused).toBeGreaterThan(1);
    expect(
      (await ben.client.messages(id, { limit: 100 })).filter(({ body }) => body.kind === "unreadable" || body.kind === "expired"),
    ).toEqual([]);
    stop();
    await ben.jump(600_000);
    await hear(ben, id, "short");
    expect(await ben.texts(id)).toEqual(["hello", large, "short"]);
    shows(context, stopped);
  });

  test("404 does not stop the others: what follows is read, and the line says what is missing", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, id } = await foundPair(scene);
    scene.operator.override({
      get: (person, path) => (person === "ben" && path.startsWith(httpPaths.blobs) ? new Response(undefined, { status: 404 }) : undefined),
    });
    await ada.client.send(id, "x".repeat(65_000));
    await say(ada, id, "short");
    // What ben writes meanwhile does not wait for it.
    await say(ben, id, "and back");
    await hear(ben, id, "short");
    const line = (await ben.client.messages(id, { limit: 100 })).find(({ body }) => body.kind === "unreadable");
    expect(line?.body).toEqual({ kind: "unreadable", reason: "The server does not give out its content." });
    expect((await ben.client.conversations())[0]).toMatchObject({ status: "active", stop: undefined });
    shows(context, "The server does not give out its content.");
  });
});
