// A9 | one key package served twice, or an old one | P
// Source: X3DH (common knowledge)
// Counter-measure: single use enforced by the joiner; lifetime signed
import { describe, expect, test } from "vitest";
import type { Reply } from "./testing/operator.ts";
import { hear, refusal, say, Scene, settle } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

describe("A9 one key package is served twice, or an old one", () => {
  test("the same package to two people: the second Welcome opens nothing, and its joiner writes nothing there", async (context) => {
    await using scene = await Scene.open();
    const [ada, ben, cyd] = [await scene.person("ada"), await scene.person("ben"), await scene.person("cyd")];
    let kept: Reply | undefined;
    scene.operator.override({
      reply(_, body) {
        if (body.kind !== "key_package") return body;
        kept ??= body;
        return kept;
      },
    });
    const { id: first } = await ada.client.startConversation({ to: ["ben"] });
    await say(ada, first, "from ada");
    await hear(ben, first, "from ada");
    const since = scene.mark;
    const { id: second } = await cyd.client.startConversation({ to: ["ben"] });
    await say(cyd, second, "from cyd");
    await settle(cyd, ben);
    expect((await ben.client.conversations()).map(({ id }) => id)).toEqual([first]);
    expect(await scene.sent(ben, since)).toBe(0);
    // Whom it was first served to loses nothing.
    await say(ben, first, "still here");
    await hear(ada, first, "still here");
    shows(context, "the second conversation never appears at the joiner");
  });

  test("a package of weeks ago, after its lifetime: not used, and nothing is encrypted", async (context) => {
    await using scene = await Scene.open();
    const [ada, ben] = [await scene.person("ada"), await scene.person("ben")];
    await ben.client.settle();
    const since = scene.mark;
    await ada.jump(40 * 86_400_000);
    const failure = await refusal(ada.client.startConversation({ to: ["ben"] }));
    expect(["unreachable_device", "invalid_key_package"]).toContain(failure.code);
    expect(await scene.sent(ada, since)).toBe(0);
    shows(context, failure);
  });

  test("the package of one person for another: not used, and nothing is encrypted", async (context) => {
    await using scene = await Scene.open();
    const [ada] = [await scene.person("ada"), await scene.person("ben"), await scene.person("cyd")];
    let kept: Extract<Reply, { kind: "key_package" }> | undefined;
    scene.operator.override({
      reply(_, body) {
        if (body.kind !== "key_package") return body;
        kept ??= body;
        // With the card of whom it was asked for.
        return { ...body, keyPackage: kept.keyPackage };
      },
    });
    await ada.client.startConversation({ to: ["cyd"] });
    await ada.client.settle();
    const since = scene.mark;
    const failure = await refusal(ada.client.startConversation({ to: ["ben"] }));
    expect(failure.code).toBe("invalid_key_package");
    expect(await scene.sent(ada, since)).toBe(0);
    shows(context, failure);
  });
});
