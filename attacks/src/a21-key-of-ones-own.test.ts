// A21 | a token key for one person alone, so that what they do without their name is known as theirs | P
// Source: Privacy Pass, RFC 9576 section 4.4 (issuance and redemption linked by keys)
// Counter-measure: one key a day, committed ahead in the operator label; another one is refused
import { decode } from "@latchkey/codec";
import { issuedTokenCodec } from "@latchkey/protocol/tokens";
import { sodiumVoprf } from "@latchkey/server/testing";
import { describe, expect, test } from "vitest";
import type { Reply, Request } from "./testing/operator.ts";
import { hear, say, Scene } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

/** Tokens that somebody's device showed, whatever it asked for. */
function watch(scene: Scene, person: string): Uint8Array[] {
  const shown: Uint8Array[] = [];
  scene.operator.override({
    request(line, body) {
      if (line.person === person && "token" in body && body.token.length > 0) shown.push(body.token);
      return "pass";
    },
  });
  return shown;
}

type Issue = (body: Extract<Request, { kind: "issue_tokens" }>, honest: Extract<Reply, { kind: "tokens" }>) => Promise<Reply>;

/** Has Ada's tokens made in another way than everybody's. */
async function withKeyOfHerOwn(issue: Issue): Promise<{ shown: readonly Uint8Array[]; others: readonly Uint8Array[] }> {
  await using scene = await Scene.open();
  scene.operator.override({
    reply: async ({ person }, body, request) =>
      person === "ada" && body.kind === "tokens" && request?.kind === "issue_tokens" ? await issue(request, body) : body,
  });
  const [shown, others] = [watch(scene, "ada"), watch(scene, "ben")];
  const [ada, ben, cyd] = [await scene.person("ada"), await scene.person("ben"), await scene.person("cyd")];
  await ada.client.settle();
  const { id } = await ben.client.startConversation({ to: ["cyd"] });
  await say(ben, id, "from ben");
  await hear(cyd, id, "from ben");
  // Without a token her first keys are last-resort ones, and what goes into inboxes waits.
  await ada.client.startConversation({ to: ["cyd"] });
  return { shown, others };
}

describe("[P2] A21 a server gives one person tokens by which it knows them again", () => {
  test("a key of their own, with a proof that holds under it: nothing made with it is ever shown", async (context) => {
    const voprf = await sodiumVoprf();
    const own = voprf.deriveKeyPair(new Uint8Array(32).fill(7), new Uint8Array(0));
    const { shown, others } = await withKeyOfHerOwn(async (body, honest) => {
      const evaluated = voprf.evaluateBatch(own.secretKey, body.blinded, new Uint8Array(64).fill(1));
      if (evaluated === undefined) throw new Error("her elements are elements");
      return { ...honest, evaluated: evaluated.elements, proof: evaluated.proof };
    });
    expect(shown).toEqual([]);
    expect(others.map((token) => decode(issuedTokenCodec, token).issuerHost)).not.toEqual([]);
    shows(context, "what was made with a key of one's own is thrown away");
  });

  test("the key of a day ahead, which is published and nobody else's yet: nothing made with it is ever shown", async (context) => {
    const { shown, others } = await withKeyOfHerOwn(async (_body, honest) => ({ ...honest, day: honest.day + 1 }));
    expect(shown).toEqual([]);
    expect(others.length).toBeGreaterThan(0);
    shows(context, "the key of another day than this is none");
  });
});
