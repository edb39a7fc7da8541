// C43 | an administrator gives the others a false invite link, or one beyond all bounds; somebody who was removed comes back by a link that asks nobody; a stranger who was let in unasked is taken for a contact; a server that goes on without end at a link | P
// Source: FEATURES.md X-14, DESIGN.md §4
// Counter-measure: what a member says of a link is bounded before it is believed; a removal counts as a refusal at every link; who was let in by no person's decision is nobody's contact; pages that go nowhere end (X-14, I-4, E-111 to E-115)
import { setTimeout as delay } from "node:timers/promises";
import { encode, fromBase64Url } from "@latchkey/codec";
import { createNodePlatform } from "@latchkey/client/node";
import { sealInboxItem } from "@latchkey/client/testing";
import { createJoinLinkContent, createTextContent, inboxItemKinds, linkShareCodec } from "@latchkey/protocol";
import type { JoinLinkWord, LinkShare } from "@latchkey/protocol";
import { describe, expect, test } from "vitest";
import { writeAs } from "./testing/hostile-author.ts";
import { Insider } from "./testing/insider.ts";
import { ask } from "./testing/operator.ts";
import { begun, eventually, hear, host, say, Scene, settle } from "./testing/scene.ts";
import type { Person } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";
import { cardOf, postTo } from "./testing/stranger.ts";

const platform = createNodePlatform();
const { random, sha256 } = platform;
const dayMs = 86_400_000;

const waiting = async (person: Person, id: string): Promise<readonly (string | undefined)[]> =>
  (await person.client.waitingRoom(id)).map(({ person: { username } }) => username);

const memberNames = async (person: Person, id: string): Promise<readonly (string | undefined)[]> =>
  (await person.client.details(id)).members.map(({ person: { username } }) => username).toSorted();

const derived = (seed: Uint8Array, name: string): Uint8Array => sha256(Buffer.concat([Buffer.from(`latchkey/join-link-${name}/1`), seed]));

/** What one administrator gives the device of another, signed as it should be. */
async function shareAs(
  scene: Scene,
  from: Person,
  to: Person,
  logId: Uint8Array,
  fields: Partial<LinkShare> & Pick<LinkShare, "seed">,
  change: (body: Uint8Array) => Uint8Array = (body) => body,
): Promise<void> {
  const key = await Insider.deviceKeyOf(scene, from);
  const card = await cardOf(scene, to);
  const share: LinkShare = {
    format: 1,
    host,
    logId,
    accountId: fromBase64Url(from.accountId),
    notAfterMs: Date.now() + dayMs,
    maxUses: 50,
    admitted: [],
    refused: [],
    name: "Allotment",
    ext: new Uint8Array(0),
    ...fields,
  };
  const blob = await sealInboxItem({
    platform,
    sender: { host, accountId: fromBase64Url(from.accountId), ...key },
    recipient: { host, ...card },
    kind: inboxItemKinds.linkShare,
    body: change(encode(linkShareCodec, share)),
    itemId: random(16),
    notAfterMs: Date.now() + 20 * dayMs,
  });
  await postTo(scene, card, blob);
}

describe("C43 invite links, from inside", { timeout: 180_000 }, () => {
  test("[E-115] a link that an administrator gives to another beyond all bounds is none, and holds up nothing that is said", async (context) => {
    await using scene = await Scene.open();
    const [ada, ben, cyd] = [await scene.person("ada"), await scene.person("ben"), await scene.person("cyd")];
    const id = await begun([ada, ben, cyd], "Allotment");
    await ada.client.setRole(id, [ben.accountId, cyd.accountId], "administrator");
    await settle(ada, ben, cyd);
    const seed = random(32);
    const linkId = derived(seed, "id");
    // Its inbox is there.
    const inbox = { linkId, readHash: sha256(derived(seed, "read")), key: random(1216), notAfterMs: Date.now() + dayMs };
    expect((await ask(scene.server.url, "post", { kind: "open_link_inbox", ...inbox, token: new Uint8Array(0) })).kind).toBe("done");
    await writeAs(scene, ben, id, async ({ state: { logId } }) => {
      const admitted = Array.from({ length: 1000 }, () => random(16));
      // As many as no link is for, until a day that no calendar has.
      const endless = (body: Uint8Array): Uint8Array => {
        const changed = body.slice();
        const view = new DataView(changed.buffer, 2 + 1 + host.length + 3 * 32);
        view.setBigUint64(0, BigInt(Number.MAX_SAFE_INTEGER));
        view.setUint16(8, 65_535);
        return changed;
      };
      await shareAs(scene, ben, cyd, logId, { seed, admitted }, endless);
      await settle(cyd);
      await delay(1000);
      const said: JoinLinkWord = { word: "admit", linkId, tag: random(16) };
      return [
        { plaintext: createJoinLinkContent({ salt: random(16), sentAtMs: Date.now(), said }) },
        { plaintext: createTextContent({ salt: random(16), sentAtMs: Date.now(), text: "nothing to see" }) },
      ];
    });
    await hear(cyd, id, "nothing to see");
    expect(await cyd.client.joinLinks(id)).toEqual([]);
    const bodies = (await cyd.client.messages(id, { limit: 100 })).map(({ body }) => body.kind);
    expect(bodies).not.toContain("unreadable");
    await say(cyd, id, "still here");
    await hear(ada, id, "still here");
    shows(context, "no such link; the group goes on");
  });

  test("[X-14] who was removed is not let in unasked by a link of the group: an administrator decides", async (context) => {
    await using scene = await Scene.open();
    const [ada, ben, mal] = [await scene.person("ada"), await scene.person("ben"), await scene.person("mal")];
    const id = await begun([ada, ben], "Allotment");
    await ada.client.changeSettings(id, { rights: { approval: false } });
    const { url = "" } = await ada.client.createJoinLink(id);
    await mal.client.knock(url);
    await eventually(async () => {
      await ada.client.waitingRoom(id);
      return (await memberNames(ada, id)).includes("mal");
    }, "mal is let in unasked");
    await settle(ada, ben, mal);
    await ada.client.removeMembers(id, [mal.accountId]);
    await settle(ada, ben, mal);
    await mal.client.knock(url);
    for (let look = 0; look < 4; look++) expect(await waiting(ada, id)).toEqual(["mal"]);
    expect(await memberNames(ada, id)).toEqual(["ada", "ben"]);
    // An administrator may.
    await ada.client.admit(id, mal.accountId);
    await eventually(async () => (await memberNames(ada, id)).includes("mal"), "mal is let in again");
    shows(context, "mal waits, and is not let in");
  });

  test("[I-4] who was let in unasked by a link is nobody's contact: what they ask for waits as any stranger's", async (context) => {
    await using scene = await Scene.open();
    const [ada, ben, mal] = [await scene.person("ada", { requests: "ask" }), await scene.person("ben"), await scene.person("mal")];
    const id = await begun([ada, ben], "Allotment");
    await ada.client.changeSettings(id, { rights: { approval: false } });
    const { url = "" } = await ada.client.createJoinLink(id);
    await mal.client.knock(url);
    await eventually(async () => {
      await ada.client.waitingRoom(id);
      return (await memberNames(ada, id)).includes("mal");
    }, "mal is let in unasked");
    await say(ada, id, "welcome");
    await hear(mal, id, "welcome");
    await mal.client.startConversation({ to: ["ada"], name: "Buy now" });
    await eventually(async () => (await ada.client.requests()).list.length === 1, "it waits as any stranger's");
    expect((await ada.client.conversations()).map((one) => one.id)).toEqual([id]);
    shows(context, "a request of mal's, who is a stranger");
  });

  test("[T-2] a crowd at a link that asks nobody takes no token that its administrator needs: they wait, and whoever is let in by a person is in", async (context) => {
    await using scene = await Scene.open({ tokensPerDay: 40 });
    const [ada, ben] = [await scene.person("ada"), await scene.person("ben")];
    const { id } = await ada.client.startConversation({ to: ["ben"], name: "Allotment" });
    await ada.client.changeSettings(id, { rights: { approval: false } });
    const { url = "" } = await ada.client.createJoinLink(id);
    const [cyd, dan, eve] = [await scene.person("cyd"), await scene.person("dan"), await scene.person("eve")];
    for (const one of [cyd, dan, eve]) await one.client.knock(url);
    for (let look = 0; look < 3; look++) expect(await waiting(ada, id)).toHaveLength(3);
    expect(await memberNames(ada, id)).toEqual(["ada", "ben"]);
    // A decision of the person's own, and what they begin.
    await ada.client.admit(id, cyd.accountId);
    const talk = await ada.client.startConversation({ to: ["dan"] });
    await say(ada, talk.id, "I come out to you");
    await hear(dan, talk.id, "I come out to you");
    expect(await memberNames(ada, id)).toEqual(["ada", "ben", "cyd"]);
    await settle(ada, ben);
    shows(context, "who waits at a link that asks nobody waits while there are tokens for the person alone");
  });

  test("[E-111] a server that says without end that there is more at a link is not listened to for ever", async (context) => {
    await using scene = await Scene.open();
    const [ada, ben, cyd] = [await scene.person("ada"), await scene.person("ben"), await scene.person("cyd")];
    const id = await begun([ada, ben], "Allotment");
    const { url = "" } = await ada.client.createJoinLink(id);
    await cyd.client.knock(url);
    let pages = 0;
    const stop = scene.operator.override({
      reply(_, body) {
        if (body.kind !== "knocks") return body;
        pages += 1;
        return { kind: "knocks", knocks: [{ seq: 1, blob: random(100) }], isMore: pages < 2000 };
      },
    });
    expect(await waiting(ada, id)).toEqual([]);
    expect(pages).toBeLessThan(20);
    stop();
    shows(context, "nobody waits there");
  });

  test("[E-113] who cannot be looked up for a while goes on waiting", async (context) => {
    await using scene = await Scene.open();
    const [ada, ben, cyd] = [await scene.person("ada"), await scene.person("ben"), await scene.person("cyd")];
    const id = await begun([ada, ben], "Allotment");
    const { url = "" } = await ada.client.createJoinLink(id);
    await cyd.client.knock(url);
    const stop = scene.operator.override({
      request: (line, body) =>
        line.person === "ada" && body.kind === "lookup_account"
          ? { answer: { kind: "error", code: "rate_limited", retryAfterMs: 60_000 } }
          : "pass",
    });
    for (let look = 0; look < 5; look++) expect(await waiting(ada, id)).toEqual([]);
    stop();
    expect(await waiting(ada, id)).toEqual(["cyd"]);
    shows(context, "cyd waits, who knocked");
  });

  test("[X-14] somebody whom no key package reaches is tried less and less often, and not with every look", async (context) => {
    await using scene = await Scene.open();
    const [ada, ben, mal] = [await scene.person("ada"), await scene.person("ben"), await scene.person("mal")];
    const id = await begun([ada, ben], "Allotment");
    await ada.client.changeSettings(id, { rights: { approval: false } });
    const { url = "" } = await ada.client.createJoinLink(id);
    let taken = 0;
    const stop = scene.operator.override({
      request(line, body) {
        if (line.person !== "ada" || body.kind !== "take_key_package") return "pass";
        taken += 1;
        return { answer: { kind: "error", code: "not_found", retryAfterMs: 0 } };
      },
    });
    await mal.client.knock(url);
    for (let look = 0; look < 5; look++) expect(await waiting(ada, id)).toEqual(["mal"]);
    expect(taken).toBe(1);
    expect(await memberNames(ada, id)).toEqual(["ada", "ben"]);
    // Once they can be reached.
    stop();
    await ada.jump(130_000);
    await eventually(async () => {
      await ada.client.waitingRoom(id);
      return (await memberNames(ada, id)).includes("mal");
    }, "mal is let in");
    shows(context, "mal waits");
  });

  test("[E-111] a link whose inbox another key opens holds up no other link of the group, neither while it is open nor when it is taken back", async (context) => {
    await using scene = await Scene.open();
    const [ada, mal, cyd] = [await scene.person("ada"), await scene.person("mal"), await scene.person("cyd")];
    const id = await begun([ada, mal], "Allotment");
    await ada.client.setRole(id, [mal.accountId], "administrator");
    await settle(ada, mal);
    const seed = random(32);
    const linkId = derived(seed, "id");
    const notAfterMs = Date.now() + dayMs;
    // Whoever comes first says which key opens it.
    const inbox = { linkId, readHash: random(32), key: random(1216), notAfterMs };
    expect((await ask(scene.server.url, "post", { kind: "open_link_inbox", ...inbox, token: new Uint8Array(0) })).kind).toBe("done");
    await writeAs(scene, mal, id, async ({ state: { logId } }) => {
      await shareAs(scene, mal, ada, logId, { seed });
      const said: JoinLinkWord = { word: "open", linkId, linkHash: derived(seed, "hash"), notAfterMs, maxUses: 50 };
      return [{ plaintext: createJoinLinkContent({ salt: random(16), sentAtMs: Date.now(), said }) }];
    });
    await eventually(async () => (await ada.client.joinLinks(id)).length === 1, "ada has it");
    const { url = "" } = await ada.client.createJoinLink(id);
    await cyd.client.knock(url);
    expect(await waiting(ada, id)).toEqual(["cyd"]);
    const [bad] = (await ada.client.joinLinks(id)).filter((link) => link.url !== url);
    if (bad !== undefined) await ada.client.revokeJoinLink(id, bad.linkId);
    expect(await waiting(ada, id)).toEqual(["cyd"]);
    await ada.client.removeMembers(id, [mal.accountId]);
    const next = await ada.client.createJoinLink(id);
    await cyd.client.knock(next.url ?? "");
    expect(await waiting(ada, id)).toEqual(["cyd"]);
    await ada.client.admit(id, cyd.accountId);
    await say(ada, id, "welcome");
    await hear(cyd, id, "welcome");
    shows(context, "cyd waits, who knocked");
  });

  test("[E-113] a clock that is days off takes no knock away, and makes none that nobody takes", async (context) => {
    await using scene = await Scene.open();
    const [ada, ben, cyd] = [await scene.person("ada"), await scene.person("ben"), await scene.person("cyd")];
    const id = await begun([ada, ben], "Allotment");
    const { url = "" } = await ada.client.createJoinLink(id);
    await cyd.jump(8 * dayMs);
    await expect(cyd.client.knock(url)).rejects.toMatchObject({ code: "clock_skew" });
    expect(await cyd.client.knocks()).toEqual([]);
    await cyd.jump(-8 * dayMs);
    await cyd.client.knock(url);
    await ada.jump(-8 * dayMs);
    await expect(ada.client.waitingRoom(id)).rejects.toMatchObject({ code: "clock_skew" });
    await ada.jump(8 * dayMs);
    expect(await waiting(ada, id)).toEqual(["cyd"]);
    shows(context, "“This device's clock is 8 days ahead of the server's. Correct the date and time of this device”");
  });

  test("[X-14] who waits at a link that is used up, and at another, is let in by the other", async (context) => {
    await using scene = await Scene.open();
    const [ada, ben, cyd] = [await scene.person("ada"), await scene.person("ben"), await scene.person("cyd")];
    const dan = await scene.person("dan");
    const id = await begun([ada, ben], "Allotment");
    const small = await ada.client.createJoinLink(id, { uses: 1 });
    const other = await ada.client.createJoinLink(id);
    for (const knocker of [cyd, dan]) {
      await knocker.client.knock(small.url ?? "");
      expect(await waiting(ada, id)).toContain(knocker.name);
    }
    await ada.client.admit(id, cyd.accountId);
    await expect(ada.client.admit(id, dan.accountId)).rejects.toMatchObject({ code: "join_link_used_up" });
    await dan.client.knock(other.url ?? "");
    expect(await waiting(ada, id)).toEqual(["dan", "dan"]);
    await ada.client.admit(id, dan.accountId);
    await say(ada, id, "welcome");
    await hear(dan, id, "welcome");
    expect(await waiting(ada, id)).toEqual([]);
    shows(context, "dan is in the group");
  });

  test("[E-115] a device to which nothing can be sealed takes no turn from the others: it is tried once an hour", async (context) => {
    await using scene = await Scene.open();
    const [ada, ben, cyd] = [await scene.person("ada"), await scene.person("ben"), await scene.person("cyd")];
    const id = await begun([ada, ben, cyd], "Allotment");
    await ada.client.setRole(id, [ben.accountId, cyd.accountId], "administrator");
    await settle(ada, ben, cyd);
    const { deviceId } = await cardOf(scene, ben);
    let asked = 0;
    scene.operator.override({
      request(line, body) {
        if (line.person !== "ada" || body.kind !== "lookup_card" || !Buffer.from(body.deviceId).equals(deviceId)) return "pass";
        asked += 1;
        return { answer: { kind: "error", code: "not_found", retryAfterMs: 0 } };
      },
    });
    const { url } = await ada.client.createJoinLink(id);
    for (let look = 0; look < 5; look++) expect(await waiting(ada, id)).toEqual([]);
    expect(asked).toBe(1);
    await eventually(async () => (await cyd.client.joinLinks(id))[0]?.url === url, "cyd has it");
    shows(context, "the link, with cyd");
  });

  test("[E-112] a link whose time is over is gone from the server too: who has it is told, and waits for nobody", async (context) => {
    await using scene = await Scene.open();
    const [ada, ben, cyd] = [await scene.person("ada"), await scene.person("ben"), await scene.person("cyd")];
    const id = await begun([ada, ben], "Allotment");
    await ada.client.setRole(id, [ben.accountId], "administrator");
    await settle(ada, ben);
    const { url = "" } = await ada.client.createJoinLink(id);
    // One that lasts for some seconds.
    const seed = random(32);
    const linkId = derived(seed, "id");
    const notAfterMs = Date.now() + 8000;
    const inbox = { linkId, readHash: sha256(derived(seed, "read")), key: random(1216), notAfterMs };
    expect((await ask(scene.server.url, "post", { kind: "open_link_inbox", ...inbox, token: new Uint8Array(0) })).kind).toBe("done");
    await writeAs(scene, ben, id, async ({ state: { logId } }) => {
      await shareAs(scene, ben, ada, logId, { seed, notAfterMs });
      const said: JoinLinkWord = { word: "open", linkId, linkHash: derived(seed, "hash"), notAfterMs, maxUses: 50 };
      return [{ plaintext: createJoinLinkContent({ salt: random(16), sentAtMs: Date.now(), said }) }];
    });
    await eventually(async () => {
      expect(await waiting(ada, id)).toEqual([]);
      const answer = await ask(scene.server.url, "post", { kind: "take_link_key", linkId });
      return answer.kind === "error" && answer.code === "not_found";
    }, "the server has it no more");
    // The other one stands.
    expect((await ada.client.joinLinks(id)).map((link) => link.url)).toEqual([url]);
    await cyd.client.knock(url);
    expect(await waiting(ada, id)).toEqual(["cyd"]);
    shows(context, "this link does not hold any more");
  });
});
