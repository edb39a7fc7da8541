import { toBase64Url } from "@latchkey/codec";
import { inboxItemKinds } from "@latchkey/protocol";
import type { InboxItem } from "@latchkey/protocol";
import { seededRandom } from "@latchkey/testkit";
import { describe, expect, test } from "vitest";
import { createDirectory } from "../account/directory.ts";
import { ClientError } from "../errors.ts";
import { createFakeDirectory } from "../account/fake-directory.testing.ts";
import type { FakeDirectory } from "../account/fake-directory.testing.ts";
import { recoveryPhrase } from "../account/own-account.ts";
import type { OwnAccount } from "../account/own-account.ts";
import { recoverAccount } from "../account/recover.ts";
import { registerAccount } from "../account/registration.ts";
import { sealInboxItem, unsealInboxItem } from "../group/inbox-seal.ts";
import type { UnsealedItem } from "../group/inbox-seal.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import type { Store } from "../store/store.ts";
import { createConnections } from "../transport/connection-manager.ts";
import { createFakeServer, settle } from "../transport/fake-server.testing.ts";
import type { FakeServer } from "../transport/fake-server.testing.ts";
import { AppendSecrets } from "./append-secrets.ts";
import { InboxShelf } from "./inbox-shelf.ts";
import { InboxWork } from "./inbox-work.ts";
import type { RequestPolicy } from "./inbox-work.ts";
import { People } from "./people.ts";
import { Requests } from "./requests.ts";
import { Standings, standingPrefix } from "./standings.ts";
import type { World } from "./world.ts";

const minuteMs = 60_000;
const random = seededRandom("inbox work");
const shelfHandlers = { isOwn: () => false, onFailed: () => undefined };

async function account(server: FakeServer, username: string): Promise<{ store: Store; own: OwnAccount; world: World }> {
  const { platform } = server;
  const store = createMemoryStore();
  const connections = createConnections({ platform, serverUrl: "https://chat.example" });
  const directory = createDirectory({ store, platform, connections });
  const own = await registerAccount({ store, platform, connections, directory, username });
  const standings = new Standings({ store, platform, own });
  const people = new People({ store, directory, own, standings });
  const appendSecrets = new AppendSecrets({ store, platform, own });
  await appendSecrets.load();
  // What inbox items need of the world; conversations are another test's.
  const world = {
    store,
    platform,
    connections,
    directory,
    own,
    standings,
    appendSecrets,
    people,
    emit: () => undefined,
  } as unknown as World;
  return { store, own, world };
}

interface Scene {
  readonly server: FakeServer;
  readonly directory: FakeDirectory;
  readonly ann: { store: Store; own: OwnAccount; world: World };
  readonly bob: OwnAccount;
  readonly work: InboxWork;
  readonly requests: Requests;
  /** History notices that were dealt with. */
  readonly notices: Uint8Array[];
  /** What the next of them fail with. */
  readonly failures: ClientError[];
  /** Seals an item to Ann and hands it in. */
  send(from: OwnAccount, item?: Partial<{ kind: number; body: Uint8Array; host: string; part: InboxItem["part"] }>): Promise<UnsealedItem>;
  lookups(): number;
}

async function scene(policy: RequestPolicy = "ask"): Promise<Scene> {
  const server = createFakeServer("inbox work");
  const directory = createFakeDirectory(server);
  const ann = await account(server, "ann");
  const { own: bob } = await account(server, "bob");
  const notices: Uint8Array[] = [];
  const failures: ClientError[] = [];
  const handlers = {
    onJoined: async () => undefined,
    awaited: () => new Set<string>(),
    putHistoryNotice: (_tx: unknown, body: Uint8Array) => {
      const failure = failures.shift();
      if (failure !== undefined) throw failure;
      notices.push(body);
    },
    onHistoryNotice: () => undefined,
    isKnocking: () => false,
    onAdmission: async () => undefined,
    onLinkShare: async () => undefined,
    onGroupReport: async () => undefined,
    onNotice: async () => undefined,
    onRequests: () => undefined,
  };
  const work = new InboxWork(ann.world, handlers, policy);
  await work.start();
  return {
    server,
    directory,
    ann,
    bob,
    work,
    requests: new Requests(ann.world, work),
    notices,
    failures,
    async send(from, { kind = inboxItemKinds.welcome, body = random(50), host = from.host, part = "strangers" } = {}) {
      const { own } = ann;
      const blob = await sealInboxItem({
        platform: server.platform,
        sender: { host, accountId: from.accountId, deviceId: from.deviceId, secretKey: from.signatureKeyPair.secretKey },
        recipient: { host: own.host, deviceId: own.deviceId, inboxId: own.inboxId, inboxKey: own.inboxKeyPair.publicKey },
        kind,
        body,
        itemId: random(16),
        notAfterMs: server.clock.now() + 20 * 86_400_000,
      });
      const recipient = { host: own.host, deviceId: own.deviceId, inboxId: own.inboxId, ...own.inboxKeyPair };
      const item = await unsealInboxItem({ platform: server.platform, recipient, blob });
      if (item === undefined) throw new Error("it was sealed to her");
      await work.arrive(item, part);
      return item;
    },
    lookups: () => directory.log.filter((line) => line.includes("lookup_account")).length,
  };
}

async function idle(work: InboxWork): Promise<void> {
  while (!work.isIdle) await settle();
}

describe("[E-64] somebody accepted who came back by their recovery phrase, and lost what they were told", () => {
  async function recovered({ server }: Scene, before: OwnAccount): Promise<OwnAccount> {
    const { platform } = server;
    const store = createMemoryStore();
    const connections = createConnections({ platform, serverUrl: "https://chat.example" });
    const directory = createDirectory({ store, platform, connections });
    const phrase = (await recoveryPhrase(before)) ?? "";
    return await recoverAccount({ store, platform, connections, directory, username: before.username, phrase });
  }

  test("[I-4] stays accepted by their account: what their new device sends is no request, though it knows no capability", async () => {
    const here = await scene();
    const { ann, bob, work, requests, send } = here;
    await ann.world.directory.resolve({ username: "bob", host: bob.host });
    await ann.world.standings.accept([bob.accountId]);
    const again = await recovered(here, bob);
    expect(again.accountId).toEqual(bob.accountId);
    expect(again.deviceId).not.toEqual(bob.deviceId);
    const before = here.lookups();
    await send(again);
    await idle(work);
    // Opened without asking, in the room of those who are accepted, once its signature held: it is told that these bytes are no Welcome.
    expect(work.shelf.list()).toMatchObject([{ stage: "failed", isStrangers: false, account: toBase64Url(bob.accountId) }]);
    expect((await requests.list()).list.map(({ state }) => state)).toEqual(["failed"]);
    expect(here.lookups() - before).toBe(1);
  });

  test("[I-4] is a stranger as before where they were one; and so is a device that only says that it is theirs", async () => {
    const here = await scene();
    const { ann, bob, work, requests, send } = here;
    await send(await recovered(here, bob));
    await idle(work);
    expect((await requests.list()).list).toHaveLength(1);
    await ann.world.standings.accept([bob.accountId]);
    const { own: mal } = await account(here.server, "mal");
    const before = work.shelf.list().length;
    await send({ ...mal, accountId: bob.accountId });
    await idle(work);
    // It is no device of the account: dropped, whatever the person said of that account.
    expect(work.shelf.list().filter(({ stage }) => stage !== "sender").length).toBeLessThanOrEqual(before);
    expect(work.shelf.list().filter(({ stage }) => stage === "request")).toEqual([]);
  });
});

describe("what comes into an inbox", () => {
  test("[I-3] [E-41] what cannot be dealt with now is put aside and tried again; what comes behind it goes on", async () => {
    const { server, ann, bob, work, requests, notices, send } = await scene();
    server.unreachable = true;
    await send(bob);
    await send(ann.own, { kind: inboxItemKinds.history, body: new Uint8Array([7]) });
    await idle(work);
    expect(notices).toEqual([new Uint8Array([7])]);
    expect((await requests.list()).list).toEqual([]);
    expect(work.shelf.list()).toMatchObject([{ stage: "sender", attempts: 1, lastCode: "offline" }]);
    // Less and less often, and it survives the end of the process.
    await server.clock.advance(minuteMs);
    await idle(work);
    const [waiting] = work.shelf.list();
    expect(waiting?.attempts).toBe(2);
    expect((waiting?.nextTryMs ?? 0) - server.clock.now()).toBeGreaterThan(0);
    const restarted = new InboxShelf(ann.store, shelfHandlers);
    await restarted.load();
    expect(restarted.list()).toEqual(work.shelf.list());
    server.unreachable = false;
    await work.connected(30);
    await idle(work);
    expect((await requests.list()).list).toMatchObject([
      { id: toBase64Url(bob.accountId), count: 1, state: "asks", person: { username: "bob" } },
    ]);
  });

  test("[I-3] what is only early is tried again after a second, then less and less often", async () => {
    const { server, ann, work, notices, failures, send } = await scene();
    const early = new ClientError("conversation_unavailable", "early", { canRetry: true, retryAfterMs: 1000 });
    failures.push(early, early, early);
    await send(ann.own, { kind: inboxItemKinds.history, body: new Uint8Array([7]) });
    for (const waitMs of [1000, 4000, 16_000]) {
      await idle(work);
      const [item] = work.shelf.list();
      expect((item?.nextTryMs ?? 0) - server.clock.now()).toBe(waitMs);
      await server.clock.advance(waitMs);
    }
    await idle(work);
    expect(notices).toHaveLength(1);
    expect(work.shelf.list()).toEqual([]);
  });

  test("[I-4] [E-42] a stranger's Welcome waits: its head is verified, its body is not read, and nothing is fetched", async () => {
    const { server, bob, work, requests, send, lookups } = await scene();
    const fetchedBefore = server.fetched.length;
    // No bundle at all: whoever read it would see that.
    await send(bob, { body: new Uint8Array(0) });
    await idle(work);
    expect(lookups()).toBe(1);
    expect(server.fetched.slice(fetchedBefore).filter((url) => url.includes("/blobs/"))).toEqual([]);
    const { list } = await requests.list();
    expect(list).toMatchObject([{ state: "asks" }]);
    // Now that it is read, it is none.
    await expect(requests.accept(list[0]?.id ?? "")).rejects.toMatchObject({ code: "invitation_expired" });
    expect((await requests.list()).list).toMatchObject([{ state: "failed" }]);
    await requests.decline(list[0]?.id ?? "");
    expect(await requests.list()).toEqual({ list: [], dropped: 0 });
    await expect(requests.accept(list[0]?.id ?? "")).rejects.toMatchObject({ code: "unknown_request" });
  });

  test("[I-2] [E-43] who did not sign it has sent nothing; of a host that is not one's own nobody is asked about", async () => {
    const { bob, ann, work, send, lookups } = await scene();
    const forger = { ...bob, signatureKeyPair: ann.own.signatureKeyPair };
    await send(forger);
    await idle(work);
    expect(lookups()).toBe(1);
    expect(work.shelf.list()).toEqual([]);
    // Known by now: nobody is asked again.
    await send(forger);
    await send(bob, { host: "192.168.1.5" });
    await send({ ...bob, accountId: random(32) }, { kind: inboxItemKinds.forkNotice });
    await idle(work);
    expect(lookups()).toBe(1);
    expect(work.shelf.list()).toEqual([]);
    await send(bob);
    expect(work.shelf.list()).toMatchObject([{ stage: "request" }]);
  });

  test("[E-43] whoever names accounts that are none costs a bounded number of look-ups, and holds up nobody", async () => {
    const { server, ann, bob, work, requests, notices, send, lookups } = await scene();
    for (let junk = 0; junk < 40; junk++) await send({ ...bob, accountId: random(32) });
    await send(ann.own, { kind: inboxItemKinds.history });
    await idle(work);
    expect(notices).toHaveLength(1);
    expect(lookups()).toBeLessThanOrEqual(20);
    await ann.world.standings.accept([bob.accountId]);
    // Whoever shows the capability does not stand in line with strangers.
    await send(bob, { part: "contacts" });
    await idle(work);
    expect((await requests.list()).list).toMatchObject([{ state: "failed", person: { username: "bob" } }]);
    // That there is no such account is the server's word: it is asked six times, and then they go.
    const waiting = (): number => work.shelf.list().filter(({ stage }) => stage === "sender").length;
    expect(waiting()).toBe(40);
    for (let minutes = 0; minutes < 360 && waiting() > 0; minutes += 10) {
      server.clock.advance(10 * minuteMs);
      await idle(work);
    }
    expect(waiting()).toBe(0);
    expect(lookups()).toBeLessThan(40 * 6 + 10);
  });

  test.each(["an accepted friend", "oneself"])(
    "[E-43] what names %s is a stranger's until its signature holds: neither is looked up more often, nor does anything verified go for it",
    async (whom) => {
      const { ann, bob, work, requests, send, lookups, failures } = await scene();
      await send(bob);
      await idle(work);
      await requests.decline(toBase64Url(bob.accountId));
      await ann.world.standings.accept([bob.accountId]);
      // One of each of theirs waits: a Welcome that cannot be opened now, and a notice of another device of her own.
      const early = new ClientError("offline", "no network");
      failures.push(early, early);
      await send(ann.own, { kind: inboxItemKinds.history });
      await idle(work);
      const [waiting] = work.shelf.list();
      expect(waiting).toMatchObject({ stage: "work", attempts: 1 });
      const before = lookups();
      const { accountId } = whom === "oneself" ? ann.own : bob;
      for (let junk = 0; junk < 600; junk++) await send({ ...bob, accountId, deviceId: random(16) });
      for (let junk = 0; junk < 200; junk++) await send({ ...bob, accountId, deviceId: random(16) }, { part: "contacts" });
      await idle(work);
      // Twenty for those without the capability, twenty for those with it.
      expect(lookups() - before).toBeLessThanOrEqual(40);
      expect(work.shelf.list()).toContainEqual(waiting);
      const unverified = work.shelf.list().filter(({ stage }) => stage === "sender");
      expect(unverified.filter(({ part }) => part === "contacts").length).toBeLessThanOrEqual(128);
      expect(unverified.filter(({ part }) => part === "strangers").length).toBeLessThanOrEqual(64);
      // And a friend's own Welcome stands behind none of it: that it cannot be opened is known at once.
      await send(bob);
      await idle(work);
      expect((await requests.list()).list).toMatchObject([{ state: "failed", person: { username: "bob" } }]);
    },
  );

  test("[E-43] of verified items those of whoever has the most go, and an invitation of somebody accepted that has to go is told", async () => {
    const { server, ann, bob } = await scene();
    let failed = 0;
    const shelf = new InboxShelf(ann.store, { isOwn: () => false, onFailed: () => (failed += 1) });
    let atMs = server.clock.now();
    const put = async (senderAccountId: Uint8Array): Promise<string> => {
      const head = {
        format: 1 as const,
        kind: inboxItemKinds.welcome,
        senderHost: bob.host,
        senderAccountId,
        senderDeviceId: bob.deviceId,
        recipientDeviceId: ann.own.deviceId,
        itemId: random(16),
        notAfterMs: atMs + 86_400_000,
      };
      atMs += 1;
      const item = { head, signature: random(64), body: random(10) };
      return (await shelf.put(item, { stage: "work", part: "contacts", isStrangers: false, nowMs: atMs })).id;
    };
    const friends = random(32);
    const first = await put(friends);
    for (let count = 0; count < 515; count++) await put(bob.accountId);
    expect(shelf.get(first)).toMatchObject({ stage: "work" });
    expect(shelf.list().filter(({ stage }) => stage === "work")).toHaveLength(512);
    expect(failed).toBeGreaterThan(0);
    const told = shelf.list().filter(({ stage }) => stage === "failed");
    expect(new Set(told.map(({ account }) => account))).toEqual(new Set([toBase64Url(bob.accountId)]));
    expect(told.length).toBeLessThanOrEqual(2);
  });

  test("[I-4] [E-44] what a blocked account sends is dropped, what waits of it too; it is let in again by hand alone", async () => {
    const { ann, bob, work, requests, send } = await scene();
    const id = toBase64Url(bob.accountId);
    await send(bob);
    await idle(work);
    await requests.block(id);
    expect((await requests.list()).list).toEqual([]);
    expect(await requests.blocked()).toMatchObject([{ username: "bob" }]);
    await send(bob);
    expect(work.shelf.list()).toEqual([]);
    await requests.unblock(id);
    await send(bob);
    expect((await requests.list()).list).toMatchObject([{ state: "asks" }]);
    const again = new Standings(ann.world);
    await again.load();
    expect(again.of(bob.accountId)).toBe("stranger");
  });

  test("[I-4] a bot accepts whoever asks", async () => {
    const { ann, bob, work, send } = await scene("accept");
    await send(bob);
    await idle(work);
    expect(ann.world.standings.of(bob.accountId)).toBe("accepted");
  });

  test("[E-45] requests are bounded, in all and of each sender; what was dropped is a number", async () => {
    const { server, ann, bob } = await scene();
    const shelf = new InboxShelf(ann.store, shelfHandlers);
    let atMs = server.clock.now();
    const put = (senderAccountId: Uint8Array): Promise<unknown> => {
      const head = {
        format: 1 as const,
        kind: inboxItemKinds.welcome,
        senderHost: bob.host,
        senderAccountId,
        senderDeviceId: bob.deviceId,
        recipientDeviceId: ann.own.deviceId,
        itemId: random(16),
        notAfterMs: atMs + 86_400_000,
      };
      atMs += 1;
      const item = { head, signature: random(64), body: random(10) };
      return shelf.put(item, { stage: "request", part: "strangers", isStrangers: true, nowMs: atMs });
    };
    for (let count = 0; count < 12; count++) await put(bob.accountId);
    expect(shelf.list()).toHaveLength(8);
    expect(shelf.dropped).toBe(4);
    for (let count = 0; count < 60; count++) await put(random(32));
    expect(new Set(shelf.list().map((item) => item.account)).size).toBe(50);
    const restarted = new InboxShelf(ann.store, shelfHandlers);
    await restarted.load();
    expect(restarted.list()).toEqual(shelf.list());
    expect(restarted.dropped).toBe(shelf.dropped);
    await restarted.remove(restarted.list().map((item) => item.id));
    expect(restarted.dropped).toBe(0);
  });

  test("[E-46] of what one's own devices say of an account the latest counts, in whatever order it comes", async () => {
    const { ann, bob } = await scene();
    const key = standingPrefix + toBase64Url(bob.accountId);
    const value = (): Promise<Uint8Array | undefined> => ann.store.transact("read", (tx) => tx.get(key));
    await ann.world.standings.accept([bob.accountId]);
    const accepted = await value();
    await ann.world.standings.setBlocked(bob.accountId, true);
    const blocked = await value();
    if (accepted === undefined || blocked === undefined) throw new Error("they are stored");
    await ann.world.standings.take(key, accepted);
    expect(ann.world.standings.of(bob.accountId)).toBe("blocked");
    await ann.store.transact("write", (tx) => tx.put(key, accepted));
    await ann.world.standings.take(key, blocked);
    expect(await value()).toEqual(blocked);
  });

  test("[E-46] what is dated ahead, or declines what is to come, is not taken; what a wrong clock here dated gives way to what is said now", async () => {
    const { server, ann, bob } = await scene();
    const { standings } = ann.world;
    const key = standingPrefix + toBase64Url(bob.accountId);
    /** Accepted until then, said at that time. */
    const word = (declinedThroughMs: number, atMs: number): Uint8Array => {
      const bytes = new Uint8Array(18);
      bytes[0] = 1;
      const view = new DataView(bytes.buffer);
      view.setBigUint64(2, BigInt(declinedThroughMs));
      view.setBigUint64(10, BigInt(atMs));
      return bytes;
    };
    const now = server.clock.now();
    const dayMs = 86_400_000;
    for (const [declined, at] of [
      [0, Number.MAX_SAFE_INTEGER],
      [0, now + dayMs + 1],
      [now + 1, now],
    ] as const) {
      await expect(standings.take(key, word(declined, at))).rejects.toMatchObject({ code: "invalid" });
    }
    expect(standings.of(bob.accountId)).toBe("stranger");
    // As far ahead as clocks may differ: the person's own word counts over it, here and for whoever hears both.
    await standings.take(key, word(0, now + dayMs));
    await standings.setBlocked(bob.accountId, true);
    expect(standings.of(bob.accountId)).toBe("blocked");
    await standings.take(key, word(0, now + dayMs));
    expect(standings.of(bob.accountId)).toBe("blocked");
    // This device's own clock was years ahead.
    await ann.store.transact("write", (tx) => tx.put(key, word(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)));
    const again = new Standings(ann.world);
    await again.load();
    await again.setBlocked(bob.accountId, true);
    const said = await ann.store.transact("read", (tx) => tx.get(key));
    expect(again.of(bob.accountId)).toBe("blocked");
    await ann.store.transact("write", (tx) => tx.put(key, word(0, Number.MAX_SAFE_INTEGER)));
    await again.take(key, said ?? new Uint8Array(0));
    expect(await ann.store.transact("read", (tx) => tx.get(key))).toEqual(said);
  });
});
