// G16 | an operator lies with the list of suspended accounts, to one person or to all, or learns from it whom somebody knows | D
// Source: FRONT_DOOR.md section 6; private set membership by fetching everything
// Counter-measure: everybody fetches the same padded list, whose hash stands in the public record, and compares it alone (F-12)
import { request } from "node:http";
import { join } from "node:path";
import { encode, fromBase64Url, toBase64Url } from "@latchkey/codec";
import { makeSuspendedList, suspendedListCodec } from "@latchkey/protocol";
import { createNodePlatform } from "@latchkey/client/node";
import { describe, expect, test } from "vitest";
import { askAsIs } from "./testing/operator.ts";
import { eventually, foundTrio, host, Scene, settle } from "./testing/scene.ts";
import type { Person } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

const { random, sha256 } = createNodePlatform();
const minutesMs = 60_000;
const dayMs = 86_400_000;
const listPath = "/v1/suspended";

/** A command of the operator's, over the socket of the server. */
function operate(scene: Scene, command: string, params: object): Promise<number> {
  const socketPath = join(scene.folder, "server", "admin.sock");
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method: "POST", path: `/${command}` }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode ?? 0));
    });
    sent.on("error", reject);
    sent.end(JSON.stringify(params));
  });
}

/** Suspends somebody, and waits until everybody may know: whoever looks before the record names the list looks again a day later. */
async function suspend(scene: Scene, name: string): Promise<void> {
  expect(await operate(scene, "suspend", { name })).toBe(200);
  await eventually(async () => {
    const asked = { kind: "lookup_operator", name: "suspended", knownValues: 0, knownSize: 0 } as const;
    const answer = await askAsIs(scene.server.url, "lookup", asked);
    return answer.kind === "operator_value" && answer.value.length > 0;
  }, "the record names a list");
}

const told = async (person: Person): Promise<readonly (string | undefined)[]> =>
  (await person.client.alarms()).filter(({ failure }) => failure.code === "contact_suspended").map(({ accountId }) => accountId);

describe("G16 the list of suspended accounts", () => {
  test("[F-12] who is in touch with somebody suspended is told once, by a list that is fetched whole; nobody else is, and no name is asked for", async (context) => {
    await using scene = await Scene.open();
    // Whoever looks before the record names the list looks again a day later.
    scene.holdLongTimers();
    const { ada, ben, mal } = await foundTrio(scene);
    const eve = await scene.person("eve");
    await settle(ada, ben, mal, eve);
    const fetched: string[] = [];
    scene.operator.override({
      get: (person, path) => {
        if (path.startsWith(listPath)) fetched.push(`${person} ${path}`);
        return undefined;
      },
    });
    await suspend(scene, "mal");
    const since = scene.mark;
    for (const person of [ada, eve]) await person.jump(6 * minutesMs);
    await eventually(async () => (await told(ada)).length > 0, "ada is told");
    expect(await told(ada)).toEqual([mal.accountId]);
    await eventually(() => Promise.resolve(fetched.length === 2), "eve looked too");
    expect([await told(eve), fetched.toSorted()]).toEqual([[], [`ada ${listPath}`, `eve ${listPath}`]]);
    // Whoever looked asked for the label, and for nobody.
    const asked = scene.operator.seen
      .slice(since)
      .filter(({ person, role }) => role === "lookup" && (person === "ada" || person === "eve"));
    const accounts = asked.flatMap(({ person, body }) =>
      body?.kind === "lookup_account" ? [`${person} ${toBase64Url(body.accountId)}`] : [],
    );
    // Each looks at their own account, as daily.
    expect(accounts.filter((one) => one !== `ada ${ada.accountId}` && one !== `eve ${eve.accountId}`)).toEqual([]);
    expect(new Set(asked.map(({ kind }) => kind)).has("lookup_operator")).toBe(true);
    // Handled is handled, while the same account stands there.
    const [alarm] = await ada.client.alarms();
    await ada.client.acknowledgeAlarm(alarm?.id ?? "");
    await ada.jump(dayMs);
    await ada.jump(minutesMs);
    await settle(ada);
    expect(await told(ada)).toEqual([]);
    shows(context, "Somebody with whom you are in touch was suspended");
  });

  test("[E-189] a list that is not the one of the record, for one person, cut, huge, or not there, tells nothing; the true one does when it comes", async (context) => {
    await using scene = await Scene.open();
    // Whoever looks before the record names the list looks again a day later.
    scene.holdLongTimers();
    const { ada, ben, mal } = await foundTrio(scene);
    await settle(ada, ben, mal);
    await suspend(scene, "mal");
    const lie = makeSuspendedList({ host, day: 1, accountIds: [fromBase64Url(ben.accountId)], sha256, random });
    const lies: readonly (() => Response)[] = [
      () => new Response(encode(suspendedListCodec, lie)),
      () => new Response(encode(suspendedListCodec, lie).slice(0, -1)),
      () => new Response("", { status: 404 }),
      () => new Response(new Uint8Array(8 << 20)),
    ];
    let at = 0;
    let answered = 0;
    scene.operator.override({
      get: (_person, path) => {
        const answer = path === listPath ? lies[at] : undefined;
        if (path === listPath) answered++;
        return answer?.();
      },
    });
    for (at = 0; at < lies.length; at++) {
      const before = answered;
      await ada.jump((at === 0 ? 6 : 61) * minutesMs);
      await eventually(() => Promise.resolve(answered > before), "it is fetched");
      await settle(ada);
      expect(await told(ada)).toEqual([]);
    }
    await ada.jump(61 * minutesMs);
    await eventually(async () => (await told(ada)).length > 0, "ada is told");
    expect(await told(ada)).toEqual([mal.accountId]);
    shows(context, "nothing is told by a list that the record does not name");
  });
});
