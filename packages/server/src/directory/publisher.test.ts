import { decode } from "@latchkey/codec";
import {
  configChangeCodec,
  decodeDirectoryProof,
  isQuorumMet,
  openConfigChange,
  parsePolicy,
  verifyConsistency,
} from "@latchkey/transparency";
import type { ConfigChange } from "@latchkey/transparency";
import { describe, expect, test } from "vitest";
import { FakeWitness } from "../testing/fake-witness.ts";
import { random } from "../testing/fixtures.ts";
import { named, served, setUp, start } from "../testing/publishing.ts";
import type { DirectoryOptions } from "./bootstrap.ts";
import { signerOf } from "./keys.ts";
import { recosignMs } from "./publisher.ts";
import { nodeSignatures as signatures } from "./signatures.ts";

describe("when it publishes", () => {
  test("changes that are being checked go along with those that wait, not later than one and a half seconds", async () => {
    const { store, clock, publisher } = await setUp();
    const size = async (): Promise<number> => (await store.directoryStatus()).size;
    const [arrived, stays] = [publisher.expect(), publisher.expect()];
    const first = publisher.publish(named("alice"));
    arrived();
    expect(clock.next).toBe(1500);
    await clock.pass(400);
    const second = publisher.publish(named("bobby"));
    stays();
    expect(clock.next).toBe(0);
    await clock.pass(0);
    expect(await Promise.all([first, second])).toMatchObject([{ kind: "published" }, { kind: "published" }]);
    expect(await size()).toBe(2);
    // One that takes too long holds up nobody, and one that is refused leaves nothing behind.
    await clock.pass(5000);
    const slow = publisher.expect();
    const third = publisher.publish(named("carol"));
    await clock.pass(1499);
    expect(await size()).toBe(2);
    await clock.pass(1);
    expect(await third).toMatchObject({ kind: "published" });
    slow();
    await clock.pass(5000);
    expect(await size()).toBe(3);
  });

  test("at once while idle, then once a second, everything that came meanwhile in one entry, one at a time", async () => {
    const { store, clock, publisher } = await setUp();
    const size = async (): Promise<number> => (await store.directoryStatus()).size;
    expect(await size()).toBe(1);
    const first = publisher.publish(named("alice"));
    expect(clock.next).toBe(0);
    await clock.pass(0);
    expect(await first).toMatchObject({ kind: "published" });
    expect(await size()).toBe(2);
    const more = ["bobby", "carol", "daisy"].map((name) => publisher.publish(named(name)));
    expect(clock.next).toBe(1000);
    await clock.pass(999);
    expect(await size()).toBe(2);
    await clock.pass(1);
    expect(await Promise.all(more)).toMatchObject(more.map(() => ({ kind: "published" })));
    expect(await size()).toBe(3);
    await clock.pass(5000);
    expect(await size()).toBe(3);
    const late = publisher.publish(named("emily"));
    expect(clock.next).toBe(0);
    await clock.pass(0);
    await late;
    expect(await size()).toBe(4);
  });

  test("what is refused makes no entry; one that is refused does not keep the others back", async () => {
    const { store, clock, publisher } = await setUp();
    const [alice, thief, bobby] = ["alice", "alice", "bobby"].map((name) => publisher.publish(named(name)));
    await clock.pass(0);
    expect(await alice).toMatchObject({ kind: "published" });
    expect(await thief).toMatchObject({ kind: "refused", code: "username_taken" });
    expect(await bobby).toMatchObject({ kind: "published" });
    await clock.pass(2000);
    const again = publisher.publish(named("alice"));
    await clock.pass(0);
    expect(await again).toMatchObject({ kind: "refused" });
    expect(await store.directoryStatus()).toMatchObject({ size: 2, servedSize: 2 });
  });

  test("[A-2] a store that fails before or after the transaction: the publisher may retry, and there is one tree of each size", async () => {
    const { store, clock, publisher, disk, opened } = await setUp();
    const change = named("alice");
    disk.fails = "before commit";
    const failed = publisher.publish(change).catch((error: unknown) => error);
    await clock.pass(0);
    expect(await failed).toMatchObject({ code: "failed" });
    disk.fails = "never";
    expect(await store.directoryStatus()).toMatchObject({ size: 1 });
    const stored = publisher.publish(change);
    await clock.pass(1000);
    expect(await stored).toMatchObject({ kind: "published" });
    const { checkpoint: two } = await served(store, opened.keys.current.vkey);
    const other = named("bobby");
    // The publisher first reads where the directory stands, and looks for heads of logs.
    disk.skip = 2;
    disk.fails = "after commit";
    const unknown = publisher.publish(other).catch((error: unknown) => error);
    await clock.pass(1000);
    expect(await unknown).toMatchObject({ code: "failed" });
    disk.fails = "never";
    const retried = publisher.publish(other);
    await clock.pass(1000);
    const outcome = await retried;
    expect(outcome).toMatchObject({ kind: "known" });
    const { checkpoint: three } = await served(store, opened.keys.current.vkey);
    expect([two.size, three.size]).toEqual([2, 3]);
    const proof = await store.proveConsistency({ from: 2, to: 3 });
    verifyConsistency({ from: 2, to: 3, fromRoot: two.root, toRoot: three.root, proof });
    if (outcome.kind === "refused") throw new Error(outcome.code);
    expect(decodeDirectoryProof(outcome.proof).labels).toHaveLength(2);
  });

  test("[D-2] what would be dated ahead of the clock is refused and stored by nobody; what is stored already is known all the same", async () => {
    const { store, clock, publisher, opened } = await setUp();
    const alice = named("alice");
    const first = publisher.publish(alice);
    await clock.pass(1000);
    expect(await first).toMatchObject({ kind: "published" });
    // The clock was an hour ahead, and is corrected.
    clock.nowMs -= 3_600_000;
    const [known, refused] = [publisher.publish(alice), publisher.publish(named("bobby"))];
    opened.rotate();
    await clock.pass(1000);
    await publisher.tick();
    await clock.pass(1000);
    expect(await Promise.all([known, refused])).toMatchObject([{ kind: "known" }, { kind: "refused", code: "clock_off" }]);
    expect(await store.directoryStatus()).toMatchObject({ size: 2, configIndex: 0, timestampMs: publisher.newestMs });
    await clock.pass(3_600_000 - 300_000);
    const later = publisher.publish(named("bobby"));
    await clock.pass(1000);
    expect(await later).toMatchObject({ kind: "published" });
    await clock.pass(60_000);
    await publisher.tick();
    await clock.pass(1000);
    expect(await store.directoryStatus()).toMatchObject({ size: 3, configIndex: 2 });
  });

  test("closing: what waits is told so, what is under way is finished", async () => {
    const { clock, publisher } = await setUp();
    const first = publisher.publish(named("alice"));
    const closing = clock.pass(0);
    await new Promise(setImmediate);
    const waiting = publisher.publish(named("bobby"));
    await expect(Promise.all([publisher.close(), waiting])).rejects.toMatchObject({ code: "closed" });
    await closing;
    expect(await first).toMatchObject({ kind: "published" });
    await expect(publisher.publish(named("carol"))).rejects.toMatchObject({ code: "closed" });
  });
});

describe("witnesses", () => {
  const names = ["one.example", "two.example", "three.example"];

  test("[D-3] all are asked about every head before it is served, and their cosignatures are in it", async () => {
    const witnesses = names.map((name) => new FakeWitness(name));
    const { store, clock, publisher, opened } = await setUp({ witnesses });
    // The first head, when the server starts.
    expect((await served(store, opened.keys.current.vkey, witnesses)).cosignatures).toHaveLength(6);
    const change = publisher.publish(named("alice"));
    await clock.pass(0);
    await change;
    const { checkpoint, cosignatures } = await served(store, opened.keys.current.vkey, witnesses);
    expect(checkpoint.size).toBe(2);
    expect(cosignatures.map(({ name }) => name)).toEqual(names.flatMap((name) => [name, `${name}/latchkey-map`]));
    for (const text of opened.askedPolicies) {
      const policy = parsePolicy(text);
      expect(isQuorumMet(policy, ["w1", "w2"])).toBe(true);
      expect(isQuorumMet(policy, ["w3"])).toBe(false);
    }
    for (const { requests } of witnesses)
      expect(requests).toEqual([
        { oldSize: "old 0", status: 200 },
        { oldSize: "old 1", status: 200 },
      ]);
  });

  test("one that is down, slow, busy or lying keeps nobody waiting and is asked again; only what verifies is taken", async () => {
    const witnesses = names.map((name) => new FakeWitness(name));
    const [first, second, third] = witnesses;
    if (first === undefined || second === undefined || third === undefined) throw new Error("three witnesses");
    const { store, clock, publisher, opened, bugs } = await setUp({ witnesses });
    second.mood = "down";
    third.mood = "lying";
    const change = publisher.publish(named("alice"));
    await clock.pass(0);
    expect(await change).toMatchObject({ kind: "published" });
    const cosigners = async () => (await served(store, opened.keys.current.vkey, witnesses)).cosignatures.map(({ name }) => name);
    expect(await cosigners()).toEqual([names[0], `${names[0] ?? ""}/latchkey-map`]);
    expect(bugs).toEqual(["no quorum"]);
    // By place, with the cause: what an operator's log and metrics tell of them.
    const failures = (): unknown[] => publisher.state.witnesses.map(({ failure }) => failure);
    expect(failures()).toEqual([undefined, "it cannot be reached", "its signature is of another key, or wrong"]);
    expect(publisher.state.witnesses[0]?.cosignedMs).toBe(first.timeSeconds * 1000);
    expect(publisher.state).toMatchObject({ hasQuorum: false, publishedMs: expect.any(Number) });
    second.mood = "log only";
    third.mood = "busy";
    await clock.pass(2000);
    expect(await cosigners()).toEqual([names[0], `${names[0] ?? ""}/latchkey-map`, names[1]]);
    expect(failures()).toEqual([undefined, undefined, "it refused"]);
    second.mood = "honest";
    third.mood = "honest";
    await clock.pass(10_000);
    expect(await cosigners()).toHaveLength(6);
    expect(failures()).toEqual([undefined, undefined, undefined]);
    expect(bugs).toEqual(["no quorum", "quorum"]);
    // All have answered: nobody is asked any more.
    expect(clock.next).toBeUndefined();
  });

  test("[D-3] while they are out of reach and clients go on asking for their changes, they are asked again as planned, at most a minute apart", async () => {
    const witness = new FakeWitness("one.example");
    const { store, clock, publisher, opened, bugs } = await setUp({ witnesses: [witness] });
    witness.mood = "down";
    const change = named("alice");
    const first = publisher.publish(change);
    await clock.pass(0);
    expect(await first).toMatchObject({ kind: "published" });
    const cosigners = async () => (await served(store, opened.keys.current.vkey, [witness])).cosignatures.length;
    // The same change again and again, as a client does whose registration does not count yet: nothing new is published.
    const retry = async (passMs: number) => {
      const again = publisher.publish(change);
      await clock.pass(passMs);
      return again;
    };
    for (let seconds = 0; seconds < 600; seconds++) expect(await retry(1000)).toMatchObject({ kind: "known" });
    expect(await cosigners()).toBe(0);
    witness.mood = "busy";
    const before = witness.requests.length;
    for (let seconds = 0; seconds < 300; seconds++) await retry(1000);
    expect(witness.requests.length - before).toBeGreaterThanOrEqual(5);
    expect(witness.requests.length - before).toBeLessThan(10);
    witness.mood = "honest";
    for (let seconds = 0; seconds < 62; seconds++) await retry(1000);
    expect(await cosigners()).toBe(2);
    expect(bugs).toEqual(["no quorum", "quorum"]);
  });

  test("[D-3] with new changes all the time a witness that is back cosigns the next one", async () => {
    const witness = new FakeWitness("one.example");
    const { clock, publisher, bugs } = await setUp({ witnesses: [witness] });
    witness.mood = "down";
    const publish = async (name: string) => {
      const change = publisher.publish(named(name));
      await clock.pass(1000);
      await change;
    };
    for (let number = 0; number < 20; number++) await publish(`name${String(number)}`);
    expect(bugs).toEqual(["no quorum"]);
    witness.mood = "honest";
    await publish("alice");
    expect(bugs).toEqual(["no quorum", "quorum"]);
    await clock.pass(300_000);
    // All have answered: nobody is asked any more.
    expect(clock.next).toBeUndefined();
  });

  test("one that never answers: the head is served after two seconds all the same", async () => {
    const witness = new FakeWitness("one.example");
    const { store, clock, publisher } = await setUp({ witnesses: [witness] });
    witness.mood = "hanging";
    const change = publisher.publish(named("alice"));
    const startedMs = performance.now();
    await clock.pass(0);
    expect(await store.directoryStatus()).toMatchObject({ size: 2, servedSize: 1 });
    expect(await change).toMatchObject({ kind: "published" });
    expect(performance.now() - startedMs).toBeGreaterThan(1500);
    expect(await store.directoryStatus()).toMatchObject({ size: 2, servedSize: 2 });
  });

  test("a witness that knows another size than the server says so, and is asked from there", async () => {
    const witness = new FakeWitness("one.example");
    const { store, clock, publisher, dataDirectory, options } = await setUp({ witnesses: [witness] });
    const change = publisher.publish(named("alice"));
    await clock.pass(0);
    await change;
    await publisher.close();
    witness.requests.length = 0;
    const again = await start({ store, clock, options, witnesses: [witness], dataDirectory });
    expect(witness.requests).toEqual([
      { oldSize: "old 0", status: 409 },
      { oldSize: "old 2", status: 200 },
    ]);
    const more = again.publisher.publish(named("bobby"));
    await clock.pass(1000);
    await more;
    expect(witness.requests.at(-1)).toEqual({ oldSize: "old 2", status: 200 });
  });

  test("a log that was put back from an old copy is not cosigned, and the operator is told", async () => {
    const witness = new FakeWitness("one.example");
    const { store, clock, publisher } = await setUp({ witnesses: [witness] });
    for (const name of ["alice", "bobby"]) {
      const change = publisher.publish(named(name));
      await clock.pass(1000);
      await change;
    }
    expect(witness.latest?.size).toBe(3);
    await store.close();
    const old = await setUp({ witnesses: [witness] });
    expect(old.bugs).toEqual(["behind", "no quorum"]);
    expect(old.publisher.state.witnesses[0]?.failure).toBe("it has seen a longer log than this one");
    expect((await served(old.store, old.opened.keys.current.vkey, [witness])).cosignatures).toEqual([]);
  });

  test("[D-3] the current size is cosigned again every six hours, even when idle", async () => {
    const witness = new FakeWitness("one.example");
    const { store, clock, publisher, opened } = await setUp({ witnesses: [witness] });
    const time = async () => (await served(store, opened.keys.current.vkey, [witness])).cosignatures[0]?.timeSeconds;
    expect(await time()).toBe(1_000_000);
    witness.timeSeconds = 1_021_600;
    await clock.pass(recosignMs - 1);
    await publisher.tick();
    expect(await time()).toBe(1_000_000);
    await clock.pass(1);
    await publisher.tick();
    expect(await time()).toBe(1_021_600);
    // A clock that is set back puts nothing off: cosignatures count for a day.
    clock.stepMs = -48 * 3_600_000;
    witness.timeSeconds = 1_043_200;
    await clock.pass(recosignMs);
    await publisher.tick();
    expect(await time()).toBe(1_043_200);
    expect(await store.directoryStatus()).toMatchObject({ size: 1 });
  });

  test("a head that was signed and not served is cosigned and served by the next start, and no other of its size", async () => {
    const witness = new FakeWitness("one.example");
    const { store, clock, publisher, opened, dataDirectory, options } = await setUp({ witnesses: [witness] });
    await publisher.close();
    // What a kill between the transaction and the witnesses leaves behind.
    const change = named("alice");
    const signer = signerOf(opened.keys, opened.origin);
    const publication = {
      changes: [change],
      config: new Uint8Array(),
      withHeads: false,
      nowMs: clock.nowMs,
      signer,
      isServed: false,
    };
    const { head } = await store.publishDirectory(publication);
    expect(await store.directoryStatus()).toMatchObject({ size: 2, servedSize: 1 });
    expect(
      await store.lookup({
        by: { kind: "username", username: "alice" },
        fromVersion: 0,
        accountValues: 0,
        nameValues: 0,
        knownSize: 0,
        maxBytes: 1e5,
      }),
    ).toMatchObject({ kind: "absent" });
    const again = await start({ store, clock, options, witnesses: [witness], dataDirectory });
    expect(await store.directoryStatus()).toMatchObject({ size: 2, servedSize: 2 });
    const { note, cosignatures } = await served(store, opened.keys.current.vkey, [witness]);
    expect(head?.note.startsWith(`${note.text}\n`)).toBe(true);
    expect(cosignatures).toHaveLength(2);
    const retried = again.publisher.publish(change);
    await clock.pass(1000);
    expect(await retried).toMatchObject({ kind: "known" });
  });
});

describe("keys and policies", () => {
  const day = 86_400_000;

  test("[D-2] another policy is logged at the start, and the next one only when it is in effect", async () => {
    const witnesses = ["one.example", "two.example"].map((name) => new FakeWitness(name));
    const { store, clock, publisher, dataDirectory } = await setUp();
    await publisher.close();
    const withOne: DirectoryOptions = { witnesses: witnesses.slice(0, 1).map(({ option }) => option) };
    const one = await start({ store, clock, options: withOne, witnesses, dataDirectory });
    expect(await store.directoryStatus()).toMatchObject({ size: 2, configIndex: 1 });
    expect((await store.configChange({ index: 1 }))?.length).toBeGreaterThan(100);
    await one.publisher.close();
    const withTwo: DirectoryOptions = { witnesses: witnesses.map(({ option }) => option) };
    clock.nowMs += 3 * day;
    const two = await start({ store, clock, options: withTwo, witnesses, dataDirectory });
    expect(await store.directoryStatus()).toMatchObject({ size: 2, configIndex: 1 });
    clock.nowMs += 5 * day;
    await two.publisher.tick();
    await clock.pass(1000);
    const status = await store.directoryStatus();
    expect(status).toMatchObject({ size: 3, configIndex: 2 });
    await two.publisher.close();
    await start({ store, clock, options: withTwo, witnesses, dataDirectory });
    expect(await store.directoryStatus()).toMatchObject({ size: 3 });
  });

  test("[D-2] a new log key is announced under the old one; both sign until only the new one counts", async () => {
    const { store, clock, publisher, opened, dataDirectory } = await setUp();
    const old = opened.keys.current.vkey;
    await publisher.close();
    const rotating = await start({ store, clock, options: { rotateLogKey: true }, witnesses: [], dataDirectory });
    const next = rotating.opened.keys.next?.vkey ?? "";
    const status = await store.directoryStatus();
    expect(status).toMatchObject({ size: 2, configIndex: 1 });
    for (const vkey of [old, next]) expect((await served(store, vkey)).checkpoint.size).toBe(2);
    await rotating.publisher.close();
    // Asked for again while it is announced: nothing more happens.
    const again = await start({ store, clock, options: { rotateLogKey: true }, witnesses: [], dataDirectory });
    expect(again.opened.keys.next?.vkey).toBe(next);
    clock.nowMs += 8 * day;
    const change = again.publisher.publish(named("alice"));
    await clock.pass(1000);
    await change;
    await again.publisher.close();
    const after = await start({ store, clock, options: {}, witnesses: [], dataDirectory });
    expect(after.opened.keys).toMatchObject({ current: { vkey: next }, next: undefined });
    const more = after.publisher.publish(named("bobby"));
    await clock.pass(1000);
    await more;
    expect((await served(store, next)).checkpoint.size).toBe(4);
    await expect(served(store, old)).rejects.toMatchObject({ code: "signature" });
  });

  test("[D-2] the way over a change begins with its first head and ends with one that the witnesses before cosigned seven days later", async () => {
    const witnesses = ["one.example", "two.example"].map((name) => new FakeWitness(name));
    const [before, after] = witnesses.map(({ option }) => ({ witnesses: [option] }));
    if (before === undefined || after === undefined) throw new Error("there are two");
    for (const witness of witnesses) witness.timeSeconds = 1_800_000_000;
    const { store, clock, publisher, dataDirectory } = await setUp({ options: before, witnesses });
    const config = (await store.directoryStatus()).firstConfig;
    await publisher.close();
    // Other witnesses from now on: those before are asked as well, until clients go by the new ones.
    const changing = await start({ store, clock, options: after, witnesses, dataDirectory });
    const index = 1;
    const changeNow = async (): Promise<ConfigChange> =>
      decode(configChangeCodec, (await store.configChange({ index })) ?? new Uint8Array(0));
    const follow = async (): Promise<unknown> => {
      const change = await changeNow();
      const parts = { config, host: "latchkey.example", view: undefined, nowMs: clock.nowMs, signatures };
      return await openConfigChange({ ...parts, change, consistency: [] }).then(
        ({ configIndex }) => configIndex,
        (error: unknown) => error,
      );
    };
    expect(await follow()).toMatchObject({ code: "config" });
    const first = await changeNow();
    for (let days = 0; days < 8; days++) {
      clock.nowMs += day;
      for (const witness of witnesses) witness.timeSeconds = clock.nowMs / 1000;
      const change = changing.publisher.publish(named(`alice${days}`));
      await clock.pass(1000);
      await change;
      if (days < 6) expect(await follow()).toMatchObject({ code: "config" });
    }
    expect((await changeNow()).first).toEqual(first.first);
    expect(await follow()).toBe(index);
  });

  test("witnesses that cannot be are refused at the start with what to do", async () => {
    const witness = new FakeWitness("one.example").option;
    const other = new FakeWitness("two.example").option;
    const refused = async (options: DirectoryOptions): Promise<void> => {
      await expect(setUp({ options })).rejects.toMatchObject({ code: "invalid_options", message: expect.stringMatching(/^[^\n]+$/) });
    };
    await refused({ witnesses: [{ url: witness.url, logKey: "nonsense" }] });
    await refused({ witnesses: [{ ...witness, mapKey: other.mapKey ?? "" }] });
    await refused({ witnesses: [witness, witness] });
    await refused({ witnesses: [witness], witnessQuorum: 2 });
    await refused({ witnesses: [witness, { url: other.url, logKey: other.logKey }], witnessQuorum: 2 });
    await refused({ witnesses: [witness], logPolicy: "quorum none\n" });
    await refused({ logPolicy: "quorum of three\n" });
  });

  test("a config that clients could not read is never logged", async () => {
    const { store, clock, opened } = await setUp();
    const signer = signerOf(opened.keys, opened.origin);
    const publication = { changes: [], withHeads: false, nowMs: clock.nowMs, signer, isServed: true };
    await expect(store.publishDirectory({ ...publication, config: random(40) })).rejects.toMatchObject({ code: "failed" });
    expect(await store.directoryStatus()).toMatchObject({ size: 1 });
  });
});
