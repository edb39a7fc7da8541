// D23 | an error, or "there is no such account", taken for absence | P
// Source: found by trying it, 2026-11-27
// Counter-measure: only 404 and 410 say that something is not there; everything else is asked again, by name (E-3); that an account is gone is the public record's to prove (E-57)
import { equalBytes, fromBase64Url } from "@latchkey/codec";
import { decodeKeyPackage } from "@latchkey/mls";
import { httpPaths } from "@latchkey/protocol";
import { describe, expect, test } from "vitest";
import { setTimeout as delay } from "node:timers/promises";
import { eventually, foundPair, foundTrio, hear, messageOf, refusal, say, Scene } from "./testing/scene.ts";
import { Insider } from "./testing/insider.ts";
import { ask } from "./testing/operator.ts";
import type { Override } from "./testing/operator.ts";
import { shows } from "./testing/shown.ts";
import { cardOf } from "./testing/stranger.ts";

const hourMs = 3_600_000;

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

describe("D23 the server says that there is no such account", () => {
  /** Says so of an account to somebody, each time that they ask. */
  const denied = (asker: string, accountId: string, said: () => void): Override => ({
    request({ person }, body) {
      if (person !== asker || body.kind !== "lookup_account" || !equalBytes(body.accountId, fromBase64Url(accountId))) return "pass";
      said();
      return { answer: { kind: "error", code: "not_found", retryAfterMs: 0 } };
    },
  });

  test("of one's own, and of who writes for the first time: nothing is held, and the request is there once it shows them", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, id } = await foundPair(scene);
    const cyd = await scene.person("cyd");
    const dee = await scene.person("dee", { requests: "ask" });
    let [own, theirs] = [0, 0];
    const stops = [
      scene.operator.override(denied("ada", ada.accountId, () => own++)),
      scene.operator.override(denied("dee", cyd.accountId, () => theirs++)),
    ];
    await cyd.client.startConversation({ to: ["dee"] });
    const alarms = await eventually(async () => {
      await ada.jump(2 * hourMs);
      const told = await ada.client.alarms();
      return told.length > 0 && theirs > 0 ? told : undefined;
    }, "both asked, ada for more than a day");
    expect(alarms).toMatchObject([{ failure: { code: "directory_unproven" } }]);
    expect(own).toBeGreaterThan(2);
    for (const stop of stops) stop();
    await say(ada, id, "not held");
    await hear(ben, id, "not held");
    expect((await ada.client.verification(id)).hold).toBeUndefined();
    await dee.jump(hourMs);
    await eventually(async () => (await dee.client.requests()).list.length === 1, "the request is there");
    shows(context, alarms[0]?.failure ?? "");
  });

  test("of a member who was added: nobody is accused, and what is written goes once it shows them", async (context) => {
    await using scene = await Scene.open();
    const [ada, ben, cyd] = [await scene.person("ada"), await scene.person("ben"), await scene.person("cyd")];
    const { id } = await ada.client.startConversation({ to: ["ben"], name: "Choir" });
    await say(ada, id, "hello");
    await hear(ben, id, "hello");
    let said = 0;
    const stop = scene.operator.override(denied("ben", cyd.accountId, () => said++));
    const { deviceId } = await cardOf(scene, cyd);
    const accountId = fromBase64Url(cyd.accountId);
    const taken = await ask(scene.server.url, "lookup", { kind: "take_key_package", accountId, deviceId, token: new Uint8Array(0) });
    if (taken.kind !== "key_package") throw new Error("no key package");
    // No record comes along, so that the server is asked.
    using insider = await Insider.take(scene, ada, id);
    expect((await insider.post(await insider.forge({ adds: [decodeKeyPackage(taken.keyPackage)] }))).kind).toBe("accepted");
    await eventually(async () => said > 0, "ben asked");
    const hold = await eventually(async () => (await ben.client.verification(id)).hold, "ben is told why it waits");
    expect(hold).toMatchObject({ code: "directory_unproven", canRetry: true });
    expect(await ben.alarms()).toEqual([]);
    expect((await ben.client.conversations())[0]).toMatchObject({ status: "active", stop: undefined });
    const waits = await ben.client.send(id, "waits");
    stop();
    await eventually(async () => {
      await ben.jump(60_000);
      return (await ben.client.verification(id)).hold === undefined;
    }, "the server shows her");
    await eventually(async () => (await messageOf(ben, id, waits.id))?.delivery?.kind === "accepted", "it goes");
    shows(context, hold);
  });
});

describe("D23 a commit is refused for good, and stored", () => {
  test("[E-78] its author is not told of another copy of their profile: it is done", async () => {
    await using scene = await Scene.open();
    const { ada, ben, mal, id } = await foundTrio(scene);
    let isLying = true;
    scene.operator.override({
      async reply({ person, role }, body, request) {
        if (person !== "ada" || role !== "log") return body;
        if (isLying && request?.kind === "commit" && body.kind === "accepted") {
          isLying = false;
          return { kind: "error", code: "too_large", retryAfterMs: 0 };
        }
        // What the log has comes a moment later.
        if (request === undefined && body.kind === "entry") await delay(500);
        return body;
      },
    });
    expect(await refusal(ada.client.removeMembers(id, [mal.accountId]))).toMatchObject({ code: "server_refused" });
    const people = async (): Promise<readonly string[]> =>
      (await ada.client.details(id)).members.map(({ person }) => person.username).toSorted();
    await eventually(async () => (await people()).join(" ") === "ada ben", "it is known here that mal is out");
    expect((await ada.client.details(id)).conversation).toMatchObject({ status: "active", stop: undefined });
    expect(await ada.alarms()).toEqual([]);
    await say(ada, id, "still here");
    await hear(ben, id, "still here");
  });
});
