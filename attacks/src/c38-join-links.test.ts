// C38 | an invite link used after it was taken back; a knock that the server or a member makes, redirects, repeats or answers; a flood of knocks; the link of an administrator who was removed | P
// Source: FEATURES.md X-14
// Counter-measure: a knock is signed by its device, sealed to the key that the link names, for that link alone, and shows the link's secret; letting in is the commit of an administrator; who may not invite any more closes the links that they had (X-14, I-5, E-111 to E-115)
import { setTimeout as delay } from "node:timers/promises";
import { fromBase64Url, toHex } from "@latchkey/codec";
import type { JoinLink } from "@latchkey/client";
import { createNodePlatform } from "@latchkey/client/node";
import { parseJoinLink, sealKnock } from "@latchkey/client/testing";
import { createJoinLinkContent, createTextContent } from "@latchkey/protocol";
import type { JoinLinkWord } from "@latchkey/protocol";
import { describe, expect, test } from "vitest";
import { writeAs } from "./testing/hostile-author.ts";
import { ask } from "./testing/operator.ts";
import { eventually, hear, host, say, Scene, settle } from "./testing/scene.ts";
import type { Person } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";
import { cardOf } from "./testing/stranger.ts";

const platform = createNodePlatform();
const { random } = platform;
const token = new Uint8Array(0);

interface Club {
  readonly ada: Person;
  readonly ben: Person;
  readonly id: string;
  readonly link: JoinLink;
  readonly url: string;
}

/** A group of two that ada owns, with a link. */
async function club(scene: Scene): Promise<Club> {
  const [ada, ben] = [await scene.person("ada"), await scene.person("ben")];
  const { id } = await ada.client.startConversation({ to: ["ben"], name: "Allotment" });
  await say(ada, id, "hello");
  await hear(ben, id, "hello");
  await settle(ada, ben);
  const link = await ada.client.createJoinLink(id);
  return { ada, ben, id, link, url: link.url ?? "" };
}

const waiting = async (person: Person, id: string): Promise<readonly (string | undefined)[]> =>
  (await person.client.waitingRoom(id)).map(({ person: { username } }) => username);

const memberNames = async (person: Person, id: string): Promise<readonly (string | undefined)[]> =>
  (await person.client.details(id)).members.map(({ person: { username } }) => username).toSorted();

describe("C38 invite links", () => {
  test("[X-14] whoever has a link waits, is let in by an administrator, and is in the group without another question", async () => {
    await using scene = await Scene.open();
    const { ada, ben, id, link, url } = await club(scene);
    expect(link).toMatchObject({ maxUses: 50, uses: 0, madeBy: { username: "ada" } });
    expect(new URL(url)).toMatchObject({ host: "chat.example", pathname: "/join" });
    const cyd = await scene.person("cyd", { requests: "ask" });
    expect(await cyd.client.readJoinLink(url)).toEqual({ host: "chat.example", name: "Allotment" });
    expect(await cyd.client.knock(url)).toMatchObject({ name: "Allotment" });
    // Once more takes the place of the first.
    await cyd.client.knock(url);
    expect((await cyd.client.knocks()).map(({ name }) => name)).toEqual(["Allotment"]);
    expect(await waiting(ada, id)).toEqual(["cyd"]);
    // Who has not the right sees nobody.
    await expect(ben.client.waitingRoom(id)).rejects.toMatchObject({ code: "not_permitted" });
    await ada.client.admit(id, cyd.accountId);
    await say(ada, id, "welcome");
    await hear(cyd, id, "welcome");
    expect((await cyd.client.requests()).list).toEqual([]);
    await eventually(async () => (await cyd.client.knocks()).length === 0, "cyd waits no more");
    expect(await waiting(ada, id)).toEqual([]);
    expect((await ada.client.joinLinks(id)).map(({ uses }) => uses)).toEqual([1]);
    expect(await memberNames(ben, id)).toEqual(["ada", "ben", "cyd"]);
  });

  test("[E-115] who joined after a link was made, or by another device, and leads the group then, has it, with what became of it", async () => {
    await using scene = await Scene.open();
    const { ada, ben, id, url } = await club(scene);
    const [cyd, dan, eve] = [await scene.person("cyd"), await scene.person("dan"), await scene.person("eve")];
    await cyd.client.knock(url);
    await eve.client.knock(url);
    expect((await waiting(ada, id)).toSorted()).toEqual(["cyd", "eve"]);
    await ada.client.admit(id, cyd.accountId);
    await ada.client.refuse(id, eve.accountId);
    await ada.client.addMembers(id, ["dan"]);
    await say(ada, id, "hello dan");
    await hear(dan, id, "hello dan");
    expect(await dan.client.joinLinks(id)).toEqual([]);
    await ada.client.setRole(id, [dan.accountId], "administrator");
    const [got] = await eventually(async () => {
      const links = await dan.client.joinLinks(id);
      return links.length > 0 && links;
    }, "dan has the link");
    expect(got).toMatchObject({ url, uses: 1, maxUses: 50, madeBy: { username: "ada" } });
    await eve.client.knock(url);
    expect((await dan.client.waitingRoom(id)).map(({ person, refusals }) => [person.username, refusals])).toEqual([["eve", 1]]);
    await dan.client.admit(id, eve.accountId);
    await eventually(async () => (await ada.client.joinLinks(id))[0]?.uses === 2, "it counts for all");
    expect(await memberNames(ben, id)).toEqual(["ada", "ben", "cyd", "dan", "eve"]);
    // Another device of whoever made it.
    const second = await scene.device(ada, "ada-2");
    await eventually(async () => (await second.client.joinLinks(id))[0]?.url === url, "ada's second device has it");
  });

  test("[E-112] a link that was taken back lets nobody in: neither who has it, nor who waited there, nor with a server that keeps it open", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, id, link, url } = await club(scene);
    const [cyd, dan] = [await scene.person("cyd"), await scene.person("dan")];
    await cyd.client.knock(url);
    expect(await waiting(ada, id)).toEqual(["cyd"]);
    // The server says that it closed the inbox, and does not.
    scene.operator.override({ request: (_, body) => (body.kind === "close_link_inbox" ? { answer: { kind: "done" } } : "pass") });
    await ada.client.revokeJoinLink(id, link.linkId);
    await dan.client.knock(url);
    expect([await waiting(ada, id), await ada.client.joinLinks(id)]).toEqual([[], []]);
    for (const knocker of [cyd, dan])
      await expect(ada.client.admit(id, knocker.accountId)).rejects.toMatchObject({ code: "unknown_request" });
    expect(await memberNames(ben, id)).toEqual(["ada", "ben"]);
    expect(await ada.alarms()).toEqual([]);
    shows(context, "nobody waits at a link that is gone");
  });

  test("[E-113] knocks that the server makes, changes, repeats or brings to another link are nobody's", async (context) => {
    await using scene = await Scene.open();
    const { ada, id, link, url } = await club(scene);
    const cyd = await scene.person("cyd");
    const other = await ada.client.startConversation({ to: ["ben"], name: "Another" });
    const elsewhere = await ada.client.createJoinLink(other.id);
    let isKept = true;
    const blobs: Uint8Array[] = [];
    scene.operator.override({
      request(line, body) {
        if (body.kind !== "knock" || line.person !== "cyd") return "pass";
        blobs.push(body.blob.slice());
        return isKept ? { answer: { kind: "done" } } : "pass";
      },
    });
    await cyd.client.knock(url);
    const [blob] = blobs;
    if (blob === undefined) throw new Error("cyd knocked");
    const put = async (linkId: string, bytes: Uint8Array): Promise<void> => {
      const answer = await ask(scene.server.url, "post", { kind: "knock", linkId: fromBase64Url(linkId), blob: bytes, token });
      expect(answer.kind).toBe("done");
    };
    // Sealed for the link that cyd has, it opens at no other.
    await put(elsewhere.linkId, blob);
    await put(
      link.linkId,
      blob.map((byte, at) => (at === blob.length - 20 ? byte ^ 1 : byte)),
    );
    await put(link.linkId, random(4096));
    expect([await waiting(ada, id), await waiting(ada, other.id)]).toEqual([[], []]);
    isKept = false;
    await cyd.client.knock(url);
    await put(link.linkId, blob);
    // The same person, once.
    expect(await waiting(ada, id)).toEqual(["cyd"]);
    await ada.client.admit(id, cyd.accountId);
    await say(ada, id, "welcome");
    await hear(cyd, id, "welcome");
    await ada.client.removeMembers(id, [cyd.accountId]);
    expect(await waiting(ada, id)).toEqual([]);
    shows(context, "cyd waits, once");
  });

  test("[E-113] a knock in the name of another account, by somebody who has the link, is nobody's", async (context) => {
    await using scene = await Scene.open();
    const { ada, id, link, url } = await club(scene);
    const cyd = await scene.person("cyd");
    const { url: serverUrl } = scene.server;
    const found = await ask(serverUrl, "post", { kind: "take_link_key", linkId: fromBase64Url(link.linkId) });
    if (found.kind !== "link_key") throw new Error("the link has a key");
    const { secretKey } = await platform.crypto.suite(0x0001).generateSignatureKeyPair(random);
    const card = await cardOf(scene, cyd);
    // Everything is right but the key that signs: the device is cyd's, then one that cyd has not, then nobody's.
    const made = [
      { accountId: fromBase64Url(cyd.accountId), deviceId: card.deviceId },
      { accountId: fromBase64Url(cyd.accountId), deviceId: random(16) },
      { accountId: random(32), deviceId: random(16) },
    ];
    for (const { accountId, deviceId } of made) {
      const sender = { host, accountId, deviceId, secretKey };
      const sealing = { link: parseJoinLink(url), publicKey: found.key, answer: random(32), notAfterMs: Date.now() + 86_400_000 };
      const blob = await sealKnock({ platform, sender, ...sealing });
      expect((await ask(serverUrl, "post", { kind: "knock", linkId: fromBase64Url(link.linkId), blob, token })).kind).toBe("done");
    }
    expect(await waiting(ada, id)).toEqual([]);
    await cyd.client.knock(url);
    expect(await waiting(ada, id)).toEqual(["cyd"]);
    // Of whom nothing can be found out is tried three times.
    for (const _ of made) expect(await waiting(ada, id)).toEqual(["cyd"]);
    const erased = scene.operator.seen.flatMap(({ body }) => (body?.kind === "erase_knocks" ? body.seqs : []));
    expect([...new Set(erased)].toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
    shows(context, "cyd waits, who knocked");
  });

  test("[E-111] the server learns of a link neither the account that made it nor the group that it is of", async (context) => {
    await using scene = await Scene.open();
    const { ada, id, url } = await club(scene);
    const cyd = await scene.person("cyd");
    await cyd.client.knock(url);
    await ada.client.admit(id, cyd.accountId);
    await settle(ada, cyd);
    const names = new Set(["open_link_inbox", "take_link_key", "knock", "read_knocks", "erase_knocks"]);
    const asked = scene.operator.seen.filter(({ kind }) => names.has(kind));
    expect(new Set(asked.map(({ kind }) => kind))).toEqual(names);
    expect(new Set(asked.map(({ role }) => role))).toEqual(new Set(["post"]));
    const secrets = [id, ada.accountId, cyd.accountId].map((text) => toHex(fromBase64Url(text)));
    for (const { body } of asked) {
      const said = Object.values(body ?? {}).map((value: unknown) => (value instanceof Uint8Array ? toHex(value) : String(value)));
      expect(said.filter((part) => secrets.some((secret) => part.includes(secret)))).toEqual([]);
    }
    shows(context, "nothing: the server sees random names and sealed bytes");
  });

  test("[X-14] where the group asks nobody, who knocks is let in, but for whom somebody refused", async () => {
    await using scene = await Scene.open();
    const { ada, id, url } = await club(scene);
    const [cyd, dan] = [await scene.person("cyd"), await scene.person("dan")];
    await dan.client.knock(url);
    expect(await waiting(ada, id)).toEqual(["dan"]);
    await ada.client.refuse(id, dan.accountId);
    await ada.client.changeSettings(id, { rights: { approval: false } });
    for (const knocker of [cyd, dan]) await knocker.client.knock(url);
    await eventually(async () => (await waiting(ada, id)).join(",") === "dan", "cyd waits no more");
    await say(ada, id, "come in");
    await hear(cyd, id, "come in");
    expect(await memberNames(ada, id)).toEqual(["ada", "ben", "cyd"]);
  });

  test("[E-112] a server that has another key for a link is told nothing", async (context) => {
    await using scene = await Scene.open();
    const { url } = await club(scene);
    const mal = await scene.person("mal");
    const since = scene.mark;
    scene.operator.override({
      reply: (line, body) => (body.kind === "link_key" && line.person === "mal" ? { kind: "link_key", key: random(1216) } : body),
    });
    await expect(mal.client.knock(url)).rejects.toMatchObject({ code: "server_lied" });
    expect(scene.operator.seen.slice(since).filter(({ kind }) => kind === "knock")).toEqual([]);
    expect(await mal.client.knocks()).toEqual([]);
    shows(context, "the server has another key for this link than the link says");
  });

  test("[X-14] who withdraws a knock and is let in by it all the same is asked first", async () => {
    await using scene = await Scene.open();
    const { ada, id, url } = await club(scene);
    const cyd = await scene.person("cyd", { requests: "ask" });
    const { linkId } = await cyd.client.knock(url);
    expect(await waiting(ada, id)).toEqual(["cyd"]);
    await cyd.client.withdrawKnock(linkId);
    expect(await cyd.client.knocks()).toEqual([]);
    await expect(cyd.client.withdrawKnock(linkId)).rejects.toMatchObject({ code: "unknown_join_link" });
    await ada.client.admit(id, cyd.accountId);
    const [request] = await eventually(async () => {
      const { list } = await cyd.client.requests();
      return list.length > 0 && list;
    }, "it waits as any stranger's");
    expect(request).toMatchObject({ state: "asks", person: { username: "ada" } });
    expect(await cyd.client.conversations()).toEqual([]);
  });

  test("[X-14] who asks again, after withdrawing or not, is let in by what an administrator saw before", async () => {
    await using scene = await Scene.open();
    const { ada, id, url } = await club(scene);
    const [cyd, dan] = [await scene.person("cyd", { requests: "ask" }), await scene.person("dan", { requests: "ask" })];
    const { linkId } = await cyd.client.knock(url);
    await dan.client.knock(url);
    // The look that the new link caused is over: another one is two minutes away.
    await ada.jump(2000);
    expect((await waiting(ada, id)).toSorted()).toEqual(["cyd", "dan"]);
    await cyd.client.withdrawKnock(linkId);
    await cyd.client.knock(url);
    await dan.client.knock(url);
    for (const person of [cyd, dan]) {
      await ada.client.admit(id, person.accountId);
      await say(ada, id, `welcome, ${person.accountId}`);
      await hear(person, id, `welcome, ${person.accountId}`);
      expect((await person.client.conversations()).map((conversation) => conversation.id)).toEqual([id]);
      expect(await person.client.knocks()).toEqual([]);
    }
  });

  test("[E-114] nobody is let in by an answer that is not of somebody who leads the group", async (context) => {
    await using scene = await Scene.open();
    const { ada, id, url } = await club(scene);
    const [cyd, mal] = [await scene.person("cyd", { requests: "ask" }), await scene.person("mal")];
    await cyd.client.knock(url);
    // mal has the link too, and invites cyd into a group of the same name.
    await mal.client.knock(url);
    const false_ = await mal.client.startConversation({ to: ["cyd"], name: "Allotment" });
    await eventually(async () => (await cyd.client.requests()).list.length === 1, "it waits as any stranger's");
    await delay(500);
    expect((await cyd.client.conversations()).map((conversation) => conversation.id)).toEqual([]);
    expect((await cyd.client.knocks()).length).toBe(1);
    await ada.client.admit(id, cyd.accountId);
    await say(ada, id, "welcome");
    await hear(cyd, id, "welcome");
    expect((await cyd.client.conversations()).map((conversation) => conversation.id)).toEqual([id]);
    expect(false_.id).not.toBe(id);
    shows(context, "a request of mal's, who is a stranger");
  });

  test("[E-111] [E-113] a flood of 256 keeps somebody out until an administrator looks, and shows nobody", async (context) => {
    await using scene = await Scene.open();
    const { ada, id, link, url } = await club(scene);
    const cyd = await scene.person("cyd");
    const linkId = fromBase64Url(link.linkId);
    // The look that the new link caused is over before they come: another one is two minutes away.
    await ada.jump(2000);
    expect(await waiting(ada, id)).toEqual([]);
    const flood = Array.from({ length: 260 }, () => ask(scene.server.url, "post", { kind: "knock", linkId, blob: random(4096), token }));
    const outcomes = (await Promise.all(flood)).map((answer) => (answer.kind === "error" ? answer.code : answer.kind));
    expect(outcomes.filter((outcome) => outcome === "done")).toHaveLength(256);
    await expect(cyd.client.knock(url)).rejects.toMatchObject({ code: "waiting_room_full" });
    expect(await waiting(ada, id)).toEqual([]);
    await cyd.client.knock(url);
    expect(await waiting(ada, id)).toEqual(["cyd"]);
    shows(context, "too many people wait to be let in there");
  });

  test("[E-115] the link of an administrator who was demoted or removed is closed for all, and what they say of it is nothing", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, id, url } = await club(scene);
    const cyd = await scene.person("cyd");
    await ada.client.setRole(id, [ben.accountId], "administrator");
    // The new administrator gets the link, sees who waits, and may take it back.
    await cyd.client.knock(url);
    await eventually(async () => (await ben.client.joinLinks(id))[0]?.url === url, "ben has the link");
    expect(await waiting(ben, id)).toEqual(["cyd"]);
    const own = await ben.client.createJoinLink(id, { isNamed: false });
    expect(await cyd.client.readJoinLink(own.url ?? "")).toEqual({ host: "chat.example", name: "" });
    await ada.client.setRole(id, [ben.accountId], "member");
    await eventually(async () => (await ada.client.joinLinks(id)).length === 0, "no link stands");
    await eventually(async () => (await ben.client.joinLinks(id)).length === 0, "nor with ben");
    await expect(ben.client.createJoinLink(id)).rejects.toMatchObject({ code: "not_permitted" });
    await expect(ben.client.admit(id, cyd.accountId)).rejects.toMatchObject({ code: "not_permitted" });
    await eventually(async () => {
      const codes = await Promise.all(
        [url, own.url ?? ""].map((one) =>
          cyd.client.knock(one).then(
            () => "taken",
            (error: { code: string }) => error.code,
          ),
        ),
      );
      return codes.every((code) => code === "join_link_gone");
    }, "both inboxes are closed");
    expect(await memberNames(ada, id)).toEqual(["ada", "ben"]);
    // Thrown out while they are one: the same.
    await ada.client.setRole(id, [ben.accountId], "administrator");
    await settle(ada, ben);
    const third = await ben.client.createJoinLink(id);
    await eventually(async () => (await ada.client.joinLinks(id))[0]?.url === third.url, "ada has it");
    await ada.client.removeMembers(id, [ben.accountId]);
    await eventually(async () => (await ada.client.joinLinks(id)).length === 0, "it is closed");
    await eventually(
      () =>
        cyd.client.knock(third.url ?? "").then(
          () => false,
          (error: { code: string }) => error.code === "join_link_gone",
        ),
      "its inbox too",
    );
    shows(context, "no link stands any more");
  });

  test("[E-115] what a member without the right says of links changes nothing: none is opened, closed or used up, nobody is refused", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, id, link, url } = await club(scene);
    const linkId = fromBase64Url(link.linkId);
    const words: readonly JoinLinkWord[] = [
      { word: "close", linkId },
      ...Array.from({ length: 60 }, () => ({ word: "admit" as const, linkId, tag: random(16) })),
      { word: "refuse", linkId, tag: random(16) },
      { word: "open", linkId: random(32), linkHash: random(32), notAfterMs: Date.now() + 86_400_000, maxUses: 1000 },
    ];
    const plaintexts = words.map((said) => ({
      plaintext: createJoinLinkContent({ salt: random(16), sentAtMs: Date.now(), said }),
    }));
    const spoken = { plaintext: createTextContent({ salt: random(16), sentAtMs: Date.now(), text: "nothing to see" }) };
    await writeAs(scene, ben, id, [...plaintexts, spoken]);
    await hear(ada, id, "nothing to see");
    expect((await ada.client.joinLinks(id)).map((one) => [one.linkId, one.uses])).toEqual([[link.linkId, 0]]);
    const cyd = await scene.person("cyd");
    await cyd.client.knock(url);
    expect(await waiting(ada, id)).toEqual(["cyd"]);
    expect(await ada.texts(id)).toEqual(["hello", "nothing to see"]);
    shows(context, "the link stands, and nobody came in by it");
  });

  test("[X-14] two administrators let in at once no more than a link is for, and three refusals end it for somebody", async () => {
    await using scene = await Scene.open();
    const { ada, ben, id } = await club(scene);
    await ada.client.setRole(id, [ben.accountId], "administrator");
    const link = await ada.client.createJoinLink(id, { uses: 1 });
    const url = link.url ?? "";
    const [cyd, dan] = [await scene.person("cyd"), await scene.person("dan")];
    await eventually(async () => (await ben.client.joinLinks(id)).every((one) => one.url !== undefined), "ben has both");
    for (const person of [cyd, dan]) await person.client.knock(url);
    expect([(await waiting(ada, id)).toSorted(), (await waiting(ben, id)).toSorted()]).toEqual([
      ["cyd", "dan"],
      ["cyd", "dan"],
    ]);
    const outcomes = await Promise.allSettled([ada.client.admit(id, cyd.accountId), ben.client.admit(id, dan.accountId)]);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    expect(outcomes.find((outcome) => outcome.status === "rejected")).toMatchObject({ reason: { code: "join_link_used_up" } });
    await eventually(async () => (await memberNames(ada, id)).length === 3, "one is in");
    const [first] = await ada.client.joinLinks(id);
    const eve = await scene.person("eve");
    for (let times = 1; times <= 3; times++) {
      await eve.client.knock(first?.url ?? "");
      expect(await waiting(ada, id)).toContain("eve");
      await ada.client.refuse(id, eve.accountId);
    }
    await eve.client.knock(first?.url ?? "");
    expect(await waiting(ada, id)).not.toContain("eve");
    expect(await waiting(ben, id)).not.toContain("eve");
  });
});
