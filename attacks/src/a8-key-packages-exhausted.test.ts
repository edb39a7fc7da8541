// A8 | one-time key packages exhausted | D
// Source: Prekey Pogo, arXiv 2504.07323
// Counter-measure: a token for each; signed post-quantum last-resort package without one
import { fromBase64Url } from "@latchkey/codec";
import { describe, expect, test } from "vitest";
import { ask, askAsIs } from "./testing/operator.ts";
import type { Reply } from "./testing/operator.ts";
import { hear, say, Scene } from "./testing/scene.ts";
import type { Person } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";
import { cardOf } from "./testing/stranger.ts";

const nothing = new Uint8Array(0);

/** What a stranger asks for somebody's keys. */
async function request(scene: Scene, victim: Person) {
  const { deviceId } = await cardOf(scene, victim);
  return { kind: "take_key_package", accountId: fromBase64Url(victim.accountId), deviceId, token: nothing } as const;
}

describe("A8 one-time key packages are taken until none are left", () => {
  test("without a token nobody takes one, however often they ask: those who write to the person get theirs", async (context) => {
    await using scene = await Scene.open();
    const [ada, ben] = [await scene.person("ada"), await scene.person("ben")];
    await ben.client.settle();
    const asked = await request(scene, ben);
    const flood = await Promise.all(Array.from({ length: 150 }, () => askAsIs(scene.server.url, "lookup", asked)));
    expect(new Set(flood.map((answer) => answer.kind === "key_package" && answer.lastResort))).toEqual(new Set([true]));
    const given: Reply[] = [];
    scene.operator.override({
      reply(line, body) {
        if (line.person === "ada" && body.kind === "key_package") given.push(body);
        return body;
      },
    });
    const { id } = await ada.client.startConversation({ to: ["ben"] });
    await say(ada, id, "hello");
    await hear(ben, id, "hello");
    expect(given).toMatchObject([{ lastResort: false }]);
    shows(context, "150 requests without a token were given the last-resort package, and the person who wrote a one-time one");
  });

  test("with an account of one's own as many go as it is given tokens a day; then the last-resort one is left, and it works", async (context) => {
    await using scene = await Scene.open({ tokensPerDay: 40 });
    const [ada, ben] = [await scene.person("ada"), await scene.person("ben")];
    await Promise.all([ada.client.settle(), ben.client.settle()]);
    const asked = await request(scene, ben);
    let taken = 0;
    // Two batches of twenty are what the account is given.
    while (
      await ask(scene.server.url, "lookup", asked).then(
        (answer) => answer.kind === "key_package" && !answer.lastResort,
        () => false,
      )
    )
      taken += 1;
    expect(taken).toBeLessThanOrEqual(40);
    const { id } = await ada.client.startConversation({ to: ["ben"] });
    await say(ada, id, "still");
    await hear(ben, id, "still");
    shows(context, `an account took ${taken} packages; whoever writes after it comes through`);
  });
});
