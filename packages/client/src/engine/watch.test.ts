import { decode, toBase64Url } from "@latchkey/codec";
import { accountStateCodec, nobleSignatures, signedCodec, signStructure, stateHashOf } from "@latchkey/transparency";
import type { AccountState } from "@latchkey/transparency";
import { describe, expect, it } from "vitest";
import { createDirectory, freshMs } from "../account/directory.ts";
import type { Directory } from "../account/directory.ts";
import { createFakeDirectory } from "../account/fake-directory.testing.ts";
import type { FakeDirectory } from "../account/fake-directory.testing.ts";
import { newestOf } from "../account/own-account.ts";
import type { OwnAccount } from "../account/own-account.ts";
import { registerAccount } from "../account/registration.ts";
import type { ClientEvent } from "../api.ts";
import type { ConversationState, Input } from "../core/types.ts";
import { Alarms } from "../directory/alarms.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import type { Store } from "../store/store.ts";
import { createConnections } from "../transport/connection-manager.ts";
import { createFakeServer, settle } from "../transport/fake-server.testing.ts";
import type { FakeServer } from "../transport/fake-server.testing.ts";
import { loadMark, saveMark, takeRecovery } from "./account-news.ts";
import { People } from "./people.ts";
import { AppendSecrets } from "./append-secrets.ts";
import { Posts } from "./posts.ts";
import { SegmentNews } from "../search/segment-news.ts";
import { PeerTokens } from "../wakes/peer-tokens.ts";
import { SureClock } from "./sure-clock.ts";
import { Standings } from "./standings.ts";
import { Watch } from "./watch.ts";
import { Pictures } from "../pictures/pictures.ts";
import { Receipts } from "../receipts/receipts.ts";
import { JoinLinks } from "../join-links/join-links.ts";
import { OwnThings } from "../own/own-things.ts";
import type { Watched, World } from "./world.ts";

const hourMs = 3_600_000;
const noExt = new Uint8Array(0);

interface Person {
  own: OwnAccount;
  readonly store: Store;
  readonly contacts: Directory;
  readonly world: World;
  readonly watch: Watch;
  readonly alarms: Alarms;
  readonly events: ClientEvent[];
  /** What the watched conversation was told. */
  readonly told: Input[];
  watchOver(others: readonly OwnAccount[]): void;
}

async function person(server: FakeServer, username: string): Promise<Person> {
  const { platform } = server;
  const store = createMemoryStore();
  const connections = createConnections({ platform, serverUrl: "https://chat.example" });
  const contacts = createDirectory({ store, platform, connections });
  let own = await registerAccount({ store, platform, connections, directory: contacts, username });
  const events: ClientEvent[] = [];
  const told: Input[] = [];
  const alarms = new Alarms({ store, platform, emit: (event) => events.push(event) });
  const shared = {
    store,
    platform,
    connections,
    directory: contacts,
    get own() {
      return own;
    },
  };
  const standings = new Standings({ store, platform, own });
  const appendSecrets = new AppendSecrets(shared);
  const world: World = {
    ...shared,
    get own() {
      return own;
    },
    people: new People({
      store,
      directory: contacts,
      standings,
      get own() {
        return own;
      },
    }),
    standings,
    ownThings: new OwnThings({ store, platform }),
    receipts: new Receipts(),
    clock: new SureClock(),
    joinLinks: new JoinLinks(store),
    segments: new SegmentNews(),
    files: { gone: () => undefined, waiting: () => undefined, missing: () => undefined },
    appendSecrets,
    posts: new Posts({ ...shared, appendSecrets, alarms }),
    alarms,
    get pictures() {
      return pictures;
    },
    get watch() {
      return watch;
    },
    emit: (event) => events.push(event),
    async refreshOwn() {
      const { record } = await contacts.lookUpOwn(own);
      own = { ...own, ...newestOf(own.accountId, record) };
    },
    syncArrived: () => undefined,
    heardFrom: () => undefined,
    peerTokens: new PeerTokens(store),
    wakeOthers: () => undefined,
    tellWake: () => undefined,
    readOn: () => undefined,
    asked: () => undefined,
    historyMoves: () => undefined,
    timed: () => undefined,
  };
  const pictures = new Pictures(world);
  const watch = new Watch(world);
  const here: Person = {
    get own() {
      return own;
    },
    set own(next) {
      own = next;
    },
    store,
    contacts,
    world,
    watch,
    alarms,
    events,
    told,
    watchOver(others) {
      const leaves = others.map(({ host, accountId, deviceId }) => ({ host, accountId, deviceId, account: toBase64Url(accountId) }));
      // Of a conversation's state the part that watches reads who is in it and where its log is.
      const state = {
        id: "c",
        kind: "group",
        away: [],
        logId: new Uint8Array(32),
        host: "chat.example",
        chain: { seq: 0, head: new Uint8Array(32) },
        doubts: [],
        roster: { leaves: new Map(leaves.entries()), accounts: new Map(leaves.map((leaf) => [leaf.account, [leaf]])) },
      } as unknown as ConversationState;
      const watched: Watched = {
        id: "c",
        state,
        load: async () => undefined,
        input: async (input) => void told.push(input),
        post: (input) => void told.push(input),
        publishedHead: async () => undefined,
      };
      here.watch.adopt(watched);
    },
  };
  await alarms.load();
  await here.watch.load();
  return here;
}

/** The next state of an account, signed with its own device's key, or by the recovery key's holder. */
async function nextState(own: OwnAccount, change: Partial<AccountState>): Promise<Uint8Array> {
  const { state, stateHash, accountId } = own.account;
  const value: AccountState = { ...state, accountId, version: state.version + 1, prevHash: stateHash, ext: noExt, ...change };
  const { secretKey } = own.signatureKeyPair;
  return await signStructure({ codec: accountStateCodec, value, label: "AccountState", secretKey, signatures: nobleSignatures });
}

async function publish(directory: FakeDirectory, own: OwnAccount, state: Uint8Array): Promise<void> {
  const served = [...directory.accounts.values()].find((account) => account.username === own.username);
  if (served === undefined) throw new Error("no such account");
  served.states.push(state);
  await directory.publish([{ type: "account", label: own.accountId, values: [state] }]);
}

async function world(): Promise<{ server: FakeServer; directory: FakeDirectory; ann: Person }> {
  const server = createFakeServer("watch");
  const directory = createFakeDirectory(server);
  return { server, directory, ann: await person(server, "ann") };
}

const codes = (ann: Person): string[] => ann.alarms.list().map((alarm) => alarm.failure.code);

describe("[A-2] one's own account", () => {
  it("as it was published is no alarm, at the start and every day", async () => {
    const { server, directory, ann } = await world();
    ann.watch.start();
    directory.log.splice(0);
    for (let hours = 0; hours < 50; hours++) {
      server.clock.advance(hourMs);
      await settle();
    }
    expect(directory.log.filter((kind) => kind === "lookup_account").length).toBeGreaterThanOrEqual(2);
    expect(directory.log.filter((kind) => kind === "lookup_account").length).toBeLessThanOrEqual(4);
    expect(codes(ann)).toEqual([]);
    await ann.watch.close();
  });

  it("with a state that this only device did not make is an alarm, and holds sending until it was handled", async () => {
    const { directory, ann } = await world();
    await publish(directory, ann.own, await nextState(ann.own, { timeMs: 5 }));
    await ann.watch.check();
    expect(codes(ann)).toEqual(["account_changed"]);
    expect(ann.watch.hold?.code).toBe("account_changed");
    ann.watchOver([]);
    const [alarm] = ann.alarms.list();
    await ann.alarms.handle(alarm?.id ?? "");
    await settle();
    expect(ann.watch.hold).toBeUndefined();
    // Conversations go on.
    expect(ann.told).toEqual([{ kind: "accounts", recovered: [] }]);
    await ann.watch.check();
    expect(codes(ann)).toEqual([]);
    // The next such state is another alarm.
    await publish(directory, ann.own, await nextState(ann.own, { timeMs: 6 }));
    await ann.watch.check();
    expect(codes(ann)).toEqual(["account_changed"]);
  });

  it("with a state that another device tells of within a minute is none, and one that nobody tells of is", async () => {
    const { server, directory, ann } = await world();
    const { state } = ann.own.account;
    const [device] = state.devices;
    if (device === undefined) throw new Error("one device");
    // Two devices from here on, by this one's doing.
    const second = { ...device, deviceId: new Uint8Array(16).fill(255) };
    ann.own = { ...ann.own, account: { ...ann.own.account, state: { ...state, devices: [device, second] } } };
    const told = await nextState(ann.own, { timeMs: 5, devices: [device] });
    await publish(directory, ann.own, told);
    await ann.watch.ownChanged({ version: 1, isKnown: false });
    await ann.world.refreshOwn();
    // It says one that there is not: of those that come later it knows nothing.
    await ann.watch.ownChanged({ version: 2 ** 32 - 1, isKnown: true });
    server.clock.advance(61_000);
    await settle();
    expect(codes(ann)).toEqual([]);
    await publish(directory, ann.own, await nextState(ann.own, { timeMs: 6 }));
    await ann.world.refreshOwn();
    await ann.watch.ownChanged({ version: 2, isKnown: false });
    server.clock.advance(59_000);
    await settle();
    expect(codes(ann)).toEqual([]);
    server.clock.advance(2000);
    await settle();
    expect(codes(ann)).toEqual(["account_changed"]);
  });

  it("[E-57] that the host shows without a proof, or as another's, is its word: nothing is held, and after a day it is told by its name", async () => {
    const { server, directory, ann } = await world();
    const served = [...directory.accounts.values()][0];
    if (served === undefined) throw new Error("one account");
    const bob = await person(server, "bob");
    const forged = await nextState({ ...ann.own, signatureKeyPair: bob.own.signatureKeyPair }, { timeMs: 5 });
    served.states.push(forged);
    ann.watch.start();
    for (let hours = 0; hours < 20; hours++) {
      server.clock.advance(hourMs);
      await settle();
    }
    await expect(ann.watch.check()).rejects.toMatchObject({ code: "server_lied" });
    expect([codes(ann), ann.watch.hold]).toEqual([[], undefined]);
    for (let hours = 0; hours < 30; hours++) {
      server.clock.advance(hourMs);
      await settle();
    }
    expect([codes(ann), ann.watch.hold]).toEqual([["directory_unproven"], undefined]);
    served.states.pop();
    await ann.watch.check();
    await ann.watch.close();
  });

  it("[E-57] that the host says it does not know, or answers with another's deletion, is its word: nothing is held", async () => {
    const { server, directory, ann } = await world();
    const bob = await person(server, "bob");
    directory.refuse.set("lookup_account", "not_found");
    for (let days = 0; days < 2; days++) {
      await expect(ann.watch.check()).rejects.toMatchObject({ code: "directory_unproven" });
      server.clock.advance(25 * hourMs);
    }
    // Told by its name after a day; nothing more.
    expect([codes(ann), ann.watch.hold]).toEqual([["directory_unproven"], undefined]);
    directory.refuse.clear();
    await ann.watch.check();
    await publish(directory, bob.own, await nextState(bob.own, { status: "deleted" }));
    const theirs = [...directory.accounts.values()].find(({ username }) => username === "bob");
    Object.assign(theirs ?? {}, { erased: 1 });
    const gone = await ann.contacts.refresh("chat.example", bob.own.accountId).catch((error: unknown) => error);
    expect(gone).toMatchObject({ code: "unknown_user" });
    const honest = server.respond;
    server.respond = (connection, body) =>
      honest(connection, body.kind === "lookup_account" ? { ...body, accountId: bob.own.accountId } : body);
    await expect(ann.watch.check()).rejects.toMatchObject({ code: "server_lied" });
    expect(ann.watch.hold).toBeUndefined();
  });

  it("[E-57] to which the signed record commits though its keys did not sign it is an alarm, and holds sending", async () => {
    const { server, directory, ann } = await world();
    const bob = await person(server, "bob");
    await publish(directory, ann.own, await nextState({ ...ann.own, signatureKeyPair: bob.own.signatureKeyPair }, { timeMs: 5 }));
    await expect(ann.watch.check()).rejects.toMatchObject({ code: "account_changed" });
    expect(codes(ann)).toEqual(["account_changed"]);
    expect(ann.watch.hold?.code).toBe("account_changed");
  });

  it("[E-57] which the signed record has as deleted, with what was before erased, is an alarm, and holds sending", async () => {
    const { server, directory, ann } = await world();
    const bob = await person(server, "bob");
    await publish(directory, ann.own, await nextState({ ...ann.own, signatureKeyPair: bob.own.signatureKeyPair }, { status: "deleted" }));
    for (const served of directory.accounts.values()) served.erased = 1;
    await expect(ann.watch.check()).rejects.toMatchObject({ code: "account_changed" });
    expect(codes(ann)).toEqual(["account_changed"]);
    expect(ann.watch.hold?.code).toBe("account_changed");
  });

  it("that the record does not have as it was published is an alarm", async () => {
    const { ann } = await world();
    const signed = await nextState(ann.own, { timeMs: 5 });
    const states = [...ann.own.record.states, signed];
    ann.own = { ...ann.own, ...newestOf(ann.own.accountId, { ...ann.own.record, states }) };
    await ann.watch.ownChanged({ version: 1, isKnown: true });
    await ann.watch.check();
    expect(codes(ann)).toEqual(["server_lied"]);
  });
});

describe("other people's accounts", () => {
  it("[D-5] are asked about again after a week, at a random time, and conversations judge by what is new", async () => {
    const { server, directory, ann } = await world();
    const bob = await person(server, "bob");
    await ann.contacts.resolve({ username: "bob", host: "chat.example" });
    ann.watchOver([ann.own, bob.own]);
    ann.watch.start();
    await publish(directory, bob.own, await nextState(bob.own, { timeMs: 7 }));
    server.clock.advance(hourMs);
    await settle();
    expect(ann.world.people.contact(bob.own.accountId)?.account.state.version).toBe(0);
    for (let hours = 0; hours < freshMs / hourMs + 4; hours++) {
      server.clock.advance(hourMs);
      await settle();
    }
    expect(ann.world.people.contact(bob.own.accountId)?.account.state.version).toBe(1);
    expect(ann.told).toContainEqual({ kind: "accounts", recovered: [] });
    await ann.watch.close();
  });

  it("[E-1] [E-57] of which the host shows what their devices did not sign is an alarm where its signed record commits to that, and else its word", async () => {
    for (const isCommitted of [false, true]) {
      const { server, directory, ann } = await world();
      const bob = await person(server, "bob");
      await ann.contacts.resolve({ username: "bob", host: "chat.example" });
      const { accountId, host } = bob.own;
      const forged = await nextState({ ...bob.own, signatureKeyPair: ann.own.signatureKeyPair }, { timeMs: 7 });
      const served = [...directory.accounts.values()].find(({ username }) => username === "bob");
      if (served === undefined) throw new Error("bob is served");
      if (isCommitted) await publish(directory, bob.own, forged);
      else served.states.push(forged);
      const failure = await ann.contacts.refresh(host, accountId).catch((error: unknown) => error);
      expect(failure).toMatchObject(isCommitted ? { code: "server_lied" } : { code: "directory_unproven", canRetry: true });
      ann.watch.said({ kind: "said", accountId, host, accountVersion: 1, accountChain: new Uint8Array(32), gossip: noExt });
      server.clock.advance(60_000);
      await settle();
      expect([codes(ann), ann.watch.hold]).toEqual([isCommitted ? ["server_lied"] : [], undefined]);
      expect(ann.world.people.contact(accountId)?.account.state.version).toBe(0);
      if (isCommitted) continue;
      // Nothing is final: what it shows next is believed once it is proven.
      served.states.pop();
      await publish(directory, bob.own, await nextState(bob.own, { timeMs: 8 }));
      expect((await ann.contacts.refresh(host, accountId)).account.state.version).toBe(1);
    }
  });

  it("[L-10] a member that names a newer state of its account is asked about", async () => {
    const { server, directory, ann } = await world();
    const bob = await person(server, "bob");
    await ann.contacts.resolve({ username: "bob", host: "chat.example" });
    const { accountId, host, stateHash } = bob.own;
    const said = { kind: "said" as const, accountId, host, accountVersion: 0, accountChain: stateHash, gossip: noExt };
    ann.watch.said(said);
    await publish(directory, bob.own, await nextState(bob.own, { timeMs: 7 }));
    ann.watch.said({ ...said, accountVersion: 1 });
    server.clock.advance(60_000);
    await settle();
    expect(ann.world.people.contact(accountId)?.account.state.version).toBe(1);
    expect(codes(ann)).toEqual([]);
  });

  it("[E-51] a member that says its account has another history is looked up once an hour and named: no alarm, no hold", async () => {
    const { server, directory, ann } = await world();
    const bob = await person(server, "bob");
    await ann.contacts.resolve({ username: "bob", host: "chat.example" });
    const { accountId, host } = bob.own;
    directory.log.splice(0);
    const say = async (accountVersion: number): Promise<void> => {
      ann.watch.said({ kind: "said", accountId, host, accountVersion, accountChain: new Uint8Array(32), gossip: noExt });
      server.clock.advance(60_000);
      await settle();
    };
    for (let at = 0; at < 50; at++) await say(at % 2 === 0 ? 0 : 4_000_000_000);
    expect(directory.log).toEqual(["lookup_account"]);
    expect(ann.watch.falseWord(accountId)).toMatchObject({ speaker: toBase64Url(accountId), kind: "account" });
    expect(codes(ann)).toEqual([]);
    expect(ann.watch.hold).toBeUndefined();
    // What the record then proves is believed, whatever was said before.
    server.clock.advance(hourMs);
    await publish(directory, bob.own, await nextState(bob.own, { timeMs: 7 }));
    await say(1);
    expect(ann.world.people.contact(accountId)?.account.state.version).toBe(1);
    expect(codes(ann)).toEqual([]);
  });

  it("[A-1] a recovered one is told once, and its mark is no longer good", async () => {
    const { server, ann } = await world();
    const bob = await person(server, "bob");
    const { accountId } = bob.own;
    await ann.contacts.resolve({ username: "bob", host: "chat.example" });
    await settle();
    ann.watchOver([ann.own, bob.own]);
    await ann.store.transact("write", (tx) => saveMark(tx, accountId, { verified: true, changed: false, atMs: 1 }));
    const signed = await nextState(bob.own, { signer: { kind: "recovery" } });
    const heard = await ann.store.transact("read", (tx) => ann.contacts.cached(tx, accountId));
    if (heard === undefined) throw new Error("bob is known");
    const { body } = decode(signedCodec, signed);
    const state = decode(accountStateCodec, body);
    const account = { accountId, state, stateHash: stateHashOf(body) };
    const recovered = { ...heard, account, record: { ...heard.record, states: [...heard.record.states, signed] } };
    expect(await ann.store.transact("write", (tx) => takeRecovery(tx, recovered))).toBe(true);
    expect(await ann.store.transact("write", (tx) => takeRecovery(tx, recovered))).toBe(false);
    expect(await ann.store.transact("read", (tx) => loadMark(tx, accountId))).toMatchObject({ verified: true, changed: true });
    await ann.watch.markVerified(toBase64Url(accountId), true);
    expect(await ann.store.transact("read", (tx) => loadMark(tx, accountId))).toMatchObject({ verified: true, changed: false });
  });

  it("[D-5] one's own new state is posted to every conversation with its proof", async () => {
    const { directory, ann } = await world();
    ann.watchOver([ann.own]);
    const signed = await nextState(ann.own, { timeMs: 5 });
    await publish(directory, ann.own, signed);
    await ann.world.refreshOwn();
    await ann.watch.ownChanged({ version: 1, isKnown: true, isOurs: true });
    const posted = ann.told.find((input) => input.kind === "announce");
    if (posted?.kind !== "announce") throw new Error("nothing was posted");
    expect(posted.proofs.length).toBeGreaterThan(signed.length);
    expect(codes(ann)).toEqual([]);
  });

  it("[E-2] a fault while one is taken in is told, and the next one is taken in all the same", async () => {
    const { server, ann } = await world();
    const [bob, cyd] = [await person(server, "bob"), await person(server, "cyd")];
    ann.watchOver([bob.own, cyd.own]);
    const fails: Watched = {
      id: "d",
      state: {} as ConversationState,
      load: async () => {
        throw new TypeError("a fault");
      },
      input: async () => undefined,
      post: () => undefined,
      publishedHead: async () => undefined,
    };
    ann.watch.adopt(fails);
    for (const username of ["bob", "cyd"]) {
      await ann.contacts.resolve({ username, host: "chat.example" });
      await settle();
    }
    expect(ann.told.filter(({ kind }) => kind === "accounts")).toHaveLength(2);
    expect(ann.events.filter(({ kind }) => kind === "alarm")).toHaveLength(2);
  });
});
