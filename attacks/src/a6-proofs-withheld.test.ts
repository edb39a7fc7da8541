// A6 | proofs withheld ("temporarily unavailable") | P
// Source: deployment gap
// Counter-measure: fail closed for new keys, say so
import { describe, expect, test } from "vitest";
import { httpPaths } from "@latchkey/protocol";
import { hear, refusal, say, Scene } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

const nothing = new Uint8Array(0);

describe("[P4] A6 proofs are withheld", () => {
  test("an account without its proof: nothing is encrypted to it, and those met before are still written to", async (context) => {
    await using scene = await Scene.open();
    const [ada, ben] = [await scene.person("ada"), await scene.person("ben")];
    await scene.person("cyd");
    const { id } = await ada.client.startConversation({ to: ["ben"] });
    await say(ada, id, "hello");
    await hear(ben, id, "hello");
    const stop = scene.operator.override({ reply: (_, body) => (body.kind === "account" ? { ...body, proof: nothing } : body) });
    // Her own account's proof too: that is no sign that anybody changed it.
    await ada.jump(3000);
    const since = scene.mark;
    const failure = await refusal(ada.client.startConversation({ to: ["cyd"] }));
    expect(failure).toMatchObject({ code: "directory_unproven", canRetry: true });
    expect(await ada.alarms()).toEqual([]);
    expect(await scene.sent(ada, since)).toBe(0);
    await say(ada, id, "still here");
    await hear(ben, id, "still here");
    stop();
    const later = await ada.client.startConversation({ to: ["cyd"] });
    await say(ada, later.id, "now");
    shows(context, failure);
  });

  test("the record's files are temporarily unavailable: nothing new can be checked, and it says so", async (context) => {
    await using scene = await Scene.open();
    const ada = await scene.person("ada");
    const stop = scene.operator.override({
      get: (_, path) => (path.startsWith(httpPaths.directory) ? new Response("later", { status: 503 }) : undefined),
      // Without a proof of consistency either, which would come along.
      reply: (_, body) => (body.kind === "account" ? { ...body, proof: nothing } : body),
    });
    await scene.person("ben").then(
      () => expect.unreachable("a new device cannot check its own registration"),
      () => undefined,
    );
    stop();
    // Before Cyd is there: Ada's device looks at the record by itself now and then.
    scene.operator.override({
      get: (person, path) =>
        person === "ada" && path.startsWith(httpPaths.directory) ? new Response("later", { status: 503 }) : undefined,
      // She is told what everybody who is new is told, whatever her device asks: from the beginning, without the proof that leads on from
      // what she knows.
      request: ({ person }, body) => (person === "ada" && "knownSize" in body ? { pass: { ...body, knownSize: 0 } } : "pass"),
    });
    await scene.person("cyd");
    // Her device looks at the record by itself, too.
    await ada.jump(2 * 3_600_000);
    await ada.rest();
    const since = scene.mark;
    const failure = await refusal(ada.client.startConversation({ to: ["cyd"] }));
    expect(failure).toMatchObject({ code: "directory_unproven", canRetry: true });
    expect(await scene.sent(ada, since)).toBe(0);
    shows(context, failure);
  });

  test("the proof of one's own registration is withheld: the account does not count, and no keys of it are published", async (context) => {
    await using scene = await Scene.open();
    scene.operator.override({
      reply: (_, body) => (body.kind === "published" || body.kind === "account" ? { ...body, proof: nothing } : body),
    });
    const failure = await refusal(scene.person("ada"));
    // It is kept, says what it waits for, and counts for nobody until the proof comes.
    expect(failure).toMatchObject({ code: "account_waits", canRetry: true, message: expect.stringMatching(/public record/) });
    expect(scene.operator.seen.filter(({ kind }) => kind === "publish_key_packages" || kind === "card")).toEqual([]);
    shows(context, failure);
  });
});
