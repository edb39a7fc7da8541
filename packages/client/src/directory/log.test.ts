import { encode, utf8Bytes } from "@latchkey/codec";
import { encodeCheckpoint, formatNote, gossipOf, logEntryCodec, parseNote, signNote } from "@latchkey/transparency";
import { createMemoryDirectory, createPerson } from "@latchkey/transparency/testing";
import type { MemoryDirectory } from "@latchkey/transparency/testing";
import { describe, expect, it } from "vitest";
import { settle } from "../transport/fake-server.testing.ts";

import { host, hourMs, dayMs, setting, listen, logOf, publish, evidence, codeOf } from "./log.testing.ts";
import type { Setting } from "./log.testing.ts";

describe("accounts in the public record", () => {
  it("[D-1] [D-2] are proven from the first contact on, with the config pinned; the view is kept over a restart", async () => {
    const here = await setting();
    const [ann, bob] = [await createPerson("ann"), await createPerson("bob")];
    await publish(here, ann);
    const proven = await here.log.proveAccount(await evidence(here, ann));
    expect(proven).toMatchObject({
      account: { version: 1 },
      username: { version: 1 },
      size: 2,
      witnesses: 3,
      required: 2,
      status: "checked",
    });
    expect(await here.log.configHash(host)).toEqual(here.record.configHash);
    await publish(here, bob);
    here.fetched.splice(0);
    await here.log.proveAccount(await evidence(here, bob));
    // The answer leads on from the size that was named: nothing else is fetched.
    expect(here.fetched).toEqual([]);
    // Two answers from the same size, one after the other: the second is joined by the record's files.
    const [cat, dee] = [await createPerson("cat"), await createPerson("dee")];
    await publish(here, cat);
    const first = await evidence(here, cat);
    await publish(here, dee);
    const second = await evidence(here, dee);
    expect([first.askedSize, second.askedSize]).toEqual([3, 3]);
    await Promise.all([here.log.proveAccount(first), here.log.proveAccount(second)]);
    expect(here.alarms).toEqual([]);
    const again = logOf(here.server, here.store);
    expect(await again.knownSize(host)).toBe(5);
    expect(await again.status(host)).toMatchObject({ size: 5, witnesses: 3, required: 2, status: "checked" });
  });

  it("[D-1] absence is proven; a name that is there is not absent", async () => {
    const here = await setting();
    const ann = await createPerson("ann");
    await publish(here, ann);
    const absent = { host, bindings: [] };
    await here.log.proveAbsence({ ...absent, username: "nobody", proof: await here.record.nameProof("nobody") });
    expect(await codeOf(here.log.proveAbsence({ ...absent, username: "ann", proof: await here.record.nameProof("nobody") }))).toBe(
      "directory_unproven",
    );
    const proof = await here.record.nameProof("ann");
    expect(await codeOf(here.log.proveAbsence({ ...absent, username: "ann", proof }))).toBe("directory_unproven");
  });

  it("[D-2] another config than the one that was named is refused", async () => {
    const here = await setting();
    const ann = await createPerson("ann");
    await publish(here, ann);
    await here.log.pin(host, new Uint8Array(32).fill(1));
    expect(await codeOf(here.log.proveAccount(await evidence(here, ann)))).toBe("directory_fork");
    expect(await here.log.knownSize(host)).toBe(0);
    await here.log.pin(host, here.record.configHash);
    await here.log.proveAccount(await evidence(here, ann));
    expect(await codeOf(here.log.pin(host, new Uint8Array(32).fill(1)))).toBe("directory_fork");
  });

  it("[D-2] a config that the log does not begin with is refused", async () => {
    const here = await setting();
    const ann = await createPerson("ann");
    await publish(here, ann);
    const first = here.record;
    const config = first.changedConfig({ threshold: 1 });
    here.record = { ...first, config };
    // The file is not signed: it may be damaged, and nobody is accused (E-58).
    expect(await codeOf(here.log.proveAccount(await evidence(here, ann, { record: first })))).toBe("directory_unproven");
    expect(here.alarms).toEqual([]);
    expect(await here.log.knownSize(host)).toBe(0);
  });

  it("[D-3] too few witnesses, or too old ones, are refused in plain words; nothing of it is kept", async () => {
    const here = await setting();
    const ann = await createPerson("ann");
    await publish(here, ann);
    expect(await codeOf(here.log.proveAccount(await evidence(here, ann, { log: [0], map: [0] })))).toBe("directory_stale");
    const old = await evidence(here, ann, { cosignedMs: here.record.nowMs() - 25 * hourMs });
    expect(await codeOf(here.log.proveAccount(old))).toBe("directory_stale");
    expect(await codeOf(here.log.proveAccount(await evidence(here, ann, { map: [] })))).toBe("directory_stale");
    expect(await here.log.knownSize(host)).toBe(0);
    expect(await codeOf(here.log.proveAccount(await evidence(here, ann, { log: [0, 2], map: [0, 2] })))).toBe("resolved");
    expect(here.alarms).toEqual([]);
  });

  it("[D-4] a record that was forked is an alarm, for what came before and after; the view stays", async () => {
    const here = await setting();
    const [ann, bob, cat] = [await createPerson("ann"), await createPerson("bob"), await createPerson("cat")];
    await publish(here, ann);
    const fork = here.record.fork();
    await publish(here, bob);
    await here.log.proveAccount(await evidence(here, bob));
    await fork.publish(cat.changes);
    expect(await codeOf(here.log.proveAccount(await evidence(here, cat, { record: fork })))).toBe("directory_fork");
    expect(here.alarms).toEqual(["directory_fork"]);
    // A larger one, and the files are those of the other: the log signed it, and does not join it within a day.
    await fork.publish([]);
    await fork.publish([]);
    const newer = await evidence(here, cat, { record: fork, knownSize: 3 });
    expect(await codeOf(here.log.proveAccount(newer))).toBe("directory_unproven");
    for (let hours = 0; hours < 24; hours++) {
      here.server.clock.advance(hourMs);
      await here.log.upkeep(host);
    }
    expect(here.alarms).toEqual(["directory_fork"]);
    here.server.clock.advance(hourMs);
    await here.log.upkeep(host);
    expect(here.alarms).toEqual(["directory_fork", "directory_fork"]);
    expect(here.evidence[1]?.length).toBe(2);
    expect(await here.log.knownSize(host)).toBe(3);
    // With the fork's own files it is one at once.
    const there = await setting();
    there.record = here.record;
    await there.log.proveAccount(await evidence(there, bob));
    there.record = fork;
    expect(await codeOf(there.log.proveAccount(await evidence(there, cat, { knownSize: 3 })))).toBe("directory_fork");
    expect(there.alarms).toEqual(["directory_fork"]);
  });

  it("a label with fewer values than were verified, or others, is refused", async () => {
    const here = await setting();
    const ann = await createPerson("ann");
    await publish(here, ann);
    const next = await ann.nextState();
    await here.record.publish([{ type: "account", label: ann.accountId, values: [next] }]);
    const known = await here.log.proveAccount(await evidence(here, ann));
    expect(known.account.version).toBe(2);
    const fork = here.record.fork();
    await fork.publish([{ type: "account", label: ann.accountId, values: [await ann.nextState({ timeMs: 9 })] }]);
    const other = await evidence(here, ann, { known, record: fork, knownSize: 3 });
    expect(await codeOf(here.log.proveAccount({ ...other, record: { ...other.record, states: other.record.states.slice(0, 2) } }))).toBe(
      "directory_unproven",
    );
    expect(await codeOf(here.log.proveAccount({ ...other, record: { ...other.record, proof: utf8Bytes("nothing") } }))).toBe(
      "directory_unproven",
    );
    expect(await codeOf(here.log.proveAccount({ ...other, record: { ...other.record, proof: new Uint8Array(0) } }))).toBe(
      "directory_unproven",
    );
  });
});

describe("[D-5] what members show", () => {
  it("is joined to the own view by static files, whether older or newer, and however old its witnesses are", async () => {
    const here = await setting();
    const people = await Promise.all(["ann", "bob", "cat", "dee"].map((name) => createPerson(name)));
    const [ann, bob, cat, dee] = people;
    if (ann === undefined || bob === undefined || cat === undefined || dee === undefined) throw new Error("four people");
    await publish(here, ann);
    const older = await evidence(here, ann, { source: "member" });
    here.server.clock.advance(3 * dayMs);
    for (const person of [bob, cat]) await publish(here, person);
    await here.log.proveAccount(await evidence(here, bob));
    here.fetched.splice(0);
    const proven = await here.log.proveAccount(older);
    expect(proven).toMatchObject({ size: 2, account: { version: 1 } });
    // It held when it was made; that it holds now nobody said.
    expect(proven.checkedAtMs).toBeLessThan(here.server.clock.now() - 2 * dayMs);
    expect(here.fetched.every((path) => path.startsWith("tile/"))).toBe(true);
    await publish(here, dee);
    const newer = await evidence(here, dee, { source: "member", cosignedMs: here.record.nowMs() - 2 * dayMs });
    expect(await here.log.proveAccount(newer)).toMatchObject({ size: 5 });
    expect(here.fetched.some((path) => path.includes("dee"))).toBe(false);
    expect(await here.log.knownSize(host)).toBe(5);
  });

  it("of another branch is refused, and an alarm", async () => {
    const here = await setting();
    const [ann, bob, cat] = [await createPerson("ann"), await createPerson("bob"), await createPerson("cat")];
    await publish(here, ann);
    const fork = here.record.fork();
    await fork.publish(cat.changes);
    for (const person of [bob]) await publish(here, person);
    await here.log.proveAccount(await evidence(here, bob));
    expect(await codeOf(here.log.proveAccount(await evidence(here, cat, { source: "member", record: fork })))).toBe("directory_fork");
    expect(here.alarms).toEqual(["directory_fork"]);
  });

  it("is not trusted while the host's files cannot be had, and that is said so", async () => {
    const here = await setting();
    const [ann, bob, cat] = [await createPerson("ann"), await createPerson("bob"), await createPerson("cat")];
    await publish(here, ann);
    const older = await evidence(here, ann, { source: "member" });
    for (const person of [bob, cat]) {
      await publish(here, person);
      await here.log.proveAccount(await evidence(here, person));
    }
    here.gone.add("tile/");
    const failure = await here.log.proveAccount(older).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "directory_unproven", canRetry: true });
    here.gone.clear();
    expect(await codeOf(here.log.proveAccount(older))).toBe("resolved");
  });
});

describe("[D-4] gossip", () => {
  async function met(witnesses = 3): Promise<Setting> {
    const here = await setting({ witnesses });
    for (const name of ["ann", "bob"]) await publish(here, await createPerson(name));
    await here.log.proveAccount(await evidence(here, await createPerson("bob")));
    return here;
  }
  /** What the log signed, without its witnesses. */
  async function gossip(record: MemoryDirectory, size = record.size()): Promise<Uint8Array> {
    return gossipOf((await record.head({ size, log: [], map: [] })).checkpoint);
  }
  async function hear(here: Setting, bytes: Uint8Array, speaker = "bob"): Promise<void> {
    here.log.hear(bytes, speaker);
    here.server.clock.advance(30_000);
    await settle();
  }

  it("says the own view, and is joined to it when others see more or less", async () => {
    const here = await met();
    expect(here.log.gossip(host)).toEqual(await gossip(here.record));
    expect(here.log.gossip("other.example")).toEqual(new Uint8Array(0));
    await hear(here, await gossip(here.record, 2));
    await publish(here, await createPerson("cat"));
    await hear(here, await gossip(here.record));
    // The host was asked for its newest head: what a member saw is seen here too.
    expect(await here.log.knownSize(host)).toBe(here.record.size());
    here.server.clock.advance(2 * dayMs);
    await here.log.upkeep(host);
    expect(here.alarms).toEqual([]);
    expect(here.words).toEqual([]);
  });

  it("[E-50] what the log did not sign is a word: its speaker is named, nothing is asked, and nothing ever comes of it", async () => {
    const here = await met();
    const { checkpoint } = await here.record.head({ log: [], map: [] });
    const { text, signatures: lines } = parseNote(checkpoint);
    const [origin = ""] = text.split("\n");
    const madeUp = encodeCheckpoint({ origin, size: here.record.size(), root: new Uint8Array(32).fill(1), extensions: [] });
    const larger = encodeCheckpoint({ origin, size: 9000, root: new Uint8Array(32).fill(1), extensions: [] });
    const { signatures } = here.server.platform;
    const stranger = await signNote({ text: larger, name: origin, secretKey: new Uint8Array(32).fill(9), signatures });
    here.fetched.splice(0);
    await hear(here, gossipOf(utf8Bytes(formatNote({ text: madeUp, signatures: lines }))), "mallory");
    await hear(here, gossipOf(utf8Bytes(formatNote(stranger))), "eve");
    await hear(here, utf8Bytes("noise"), "noah");
    // A thousand at once are four.
    for (let size = 1; size < 1000; size++) {
      const note = { text: encodeCheckpoint({ origin, size, root: new Uint8Array(32).fill(1), extensions: [] }), signatures: lines };
      here.log.hear(gossipOf(utf8Bytes(formatNote(note))), "zoe");
    }
    here.server.clock.advance(30_000);
    await settle();
    expect(here.words).toEqual(["mallory", "eve", "zoe", "zoe", "zoe", "zoe"]);
    for (let hours = 0; hours < 30; hours++) {
      here.server.clock.advance(hourMs);
      await here.log.upkeep(host);
    }
    expect(here.alarms).toEqual([]);
    expect(here.fetched).toEqual([]);
  });

  it("[E-50] another tree that the log signed convicts it at once, of whatever size: both notes are the evidence", async () => {
    const here = await met();
    const fork = here.record.fork();
    await publish(here, await createPerson("cat"));
    await here.log.proveAccount(await evidence(here, await createPerson("cat")));
    const own = new TextDecoder().decode((await here.record.head({ log: [], map: [] })).checkpoint);
    await fork.publish([]);
    await hear(here, await gossip(fork));
    expect(here.alarms).toEqual(["directory_fork"]);
    expect(here.evidence).toEqual([[own, new TextDecoder().decode((await fork.head({ log: [], map: [] })).checkpoint)]]);
    // An older tree that the view's own does not hold.
    await publish(here, await createPerson("dan"));
    await here.log.proveAccount(await evidence(here, await createPerson("dan")));
    await hear(here, await gossip(fork));
    expect(here.alarms).toEqual(["directory_fork", "directory_fork"]);
  });

  it("[E-50] a signed tree that the host does not join to the view within a day convicts it, and not before; over a restart too", async () => {
    const here = await met();
    const fork = here.record.fork();
    for (let i = 0; i < 3; i++) await fork.publish([]);
    await hear(here, await gossip(fork));
    here.server.clock.advance(23 * hourMs);
    await here.log.upkeep(host);
    expect(here.alarms).toEqual([]);
    const again = logOf(here.server, here.store);
    listen(here, again);
    here.server.clock.advance(2 * hourMs);
    await again.upkeep(host);
    expect(here.alarms).toEqual(["directory_fork"]);
    expect(here.evidence[0]?.length).toBe(2);
    await again.upkeep(host);
    expect(here.alarms).toEqual(["directory_fork"]);
  });

  it("[E-50] a host that refuses its files and answers anything else is told of after a day, and nobody new is trusted until it joins; what it signed smaller than that convicts it", async () => {
    const here = await met(0);
    here.gone.add("tile/").add("checkpoint");
    const fork = here.record.fork();
    for (let i = 0; i < 3; i++) await fork.publish([]);
    const pass = async (hours: number, isThere: boolean, step = 1): Promise<void> => {
      for (let hour = 0; hour < hours; hour += step) {
        here.server.clock.advance(step * hourMs);
        if (isThere) here.heardAtMs = here.server.clock.now();
        await here.log.upkeep(host);
      }
    };
    await publish(here, await createPerson("cat"));
    await hear(here, await gossip(here.record));
    expect(await here.log.isInDoubt(host)).toBe(false);
    await pass(25, false);
    expect(await here.log.isInDoubt(host)).toBe(true);
    here.gone.clear();
    await pass(1, false);
    expect(await here.log.isInDoubt(host)).toBe(false);
    here.gone.add("tile/").add("checkpoint");
    await hear(here, await gossip(fork));
    await pass(24, true);
    expect(here.alarms).toEqual([]);
    await pass(1, true);
    expect(here.alarms).toEqual(["record_withheld"]);
    expect(here.evidence[0]?.length).toBe(2);
    // Refused files are not signed: a proxy before an honest host refuses them too. It is the same warning, until a week is over.
    await pass(24, true);
    expect(new Set(here.abouts).size).toBe(1);
    await pass(6 * 24, true, 12);
    expect(new Set(here.abouts).size).toBe(2);
    expect(new Set(here.alarms)).toEqual(new Set(["record_withheld"]));
    expect(await here.log.isInDoubt(host)).toBe(true);
    // An answer to a look-up is signed: the log of today is smaller than what it signed.
    here.alarms.splice(0);
    await here.log.proveAccount(await evidence(here, await createPerson("cat")));
    await pass(1, true);
    expect(here.alarms).toEqual(["directory_fork"]);
  });

  it("[E-50] [E-58] files that are refused or damaged for weeks, of a host that shows its head, convict nobody: it is told, and over once they are whole", async () => {
    for (const how of ["gone", "damaged"] as const) {
      const here = await met();
      const older = await gossip(here.record, 2);
      await publish(here, await createPerson("cat"));
      await here.log.proveAccount(await evidence(here, await createPerson("cat")));
      if (how === "gone") here.gone.add("tile/");
      else Object.assign(here, { damage: Number.POSITIVE_INFINITY, damaged: "tile/" });
      await hear(here, older);
      for (let halves = 0; halves < 20 * 2; halves++) {
        here.server.clock.advance(dayMs / 2);
        // It answers look-ups all the while: its newest head is the view's, and larger than what waits.
        if (halves % 8 === 7) await here.log.proveAccount(await evidence(here, await createPerson("cat"))).catch(() => undefined);
        await here.log.upkeep(host);
      }
      expect(new Set(here.alarms)).toEqual(new Set(["record_withheld"]));
      expect(new Set(here.abouts).size).toBe(3);
      expect(await here.log.isInDoubt(host)).toBe(true);
      here.gone.clear();
      here.damage = 0;
      here.alarms.splice(0);
      await here.log.upkeep(host);
      expect([await here.log.isInDoubt(host), here.alarms]).toEqual([false, []]);
    }
  });

  it("[D-4] of gossip the log's signature alone is kept, and a checkpoint with extension lines is none of a directory", async () => {
    const here = await met();
    const fork = here.record.fork();
    await fork.publish([]);
    await fork.publish([]);
    const head = await fork.head({ log: [], map: [] });
    const { text, signatures: lines } = parseNote(head.checkpoint);
    const others = Array.from({ length: 40 }, (_, keyId) => ({ name: "x".repeat(250), keyId, signature: new Uint8Array(1) }));
    const padded = gossipOf(utf8Bytes(formatNote({ text, signatures: [...lines, ...others] })));
    // Ten kilobytes of others' lines fit into the room of a message.
    expect(padded.length).toBeLessThan(1024);
    await hear(here, padded);
    here.server.clock.advance(25 * hourMs);
    for (let hour = 0; hour < 3; hour++) {
      await here.log.upkeep(host);
      here.server.clock.advance(hourMs);
    }
    expect([here.words, here.alarms]).toEqual([[], ["directory_fork"]]);
    expect(here.evidence[0]?.[1]).toBe(new TextDecoder().decode(head.checkpoint));
    here.record.extensions.push("x".repeat(1000));
    const cat = await createPerson("cat");
    await publish(here, cat);
    expect(await codeOf(here.log.proveAccount(await evidence(here, cat)))).toBe("directory_unproven");
    await hear(here, await gossip(here.record), "mal");
    // Nobody's client has such a head.
    expect(here.words).toEqual([]);
    expect(here.log.gossip(host)).not.toEqual(new Uint8Array(0));
  });

  it("[E-58] a host that is out of reach for a week convicts nobody, nor does a file that was damaged on the way", async () => {
    const here = await met(0);
    const older = await gossip(here.record, 2);
    here.gone.add("tile/");
    here.gone.add("checkpoint");
    await publish(here, await createPerson("cat"));
    await hear(here, older);
    await hear(here, await gossip(here.record));
    for (let hours = 0; hours < 7 * 24; hours++) {
      here.server.clock.advance(hourMs);
      await here.log.upkeep(host);
    }
    expect(here.alarms).toEqual([]);
    here.gone.clear();
    // Once damaged: fetched anew, and then it joins.
    here.damage = 1;
    await here.log.upkeep(host);
    await here.log.upkeep(host);
    expect(await here.log.knownSize(host)).toBe(here.record.size());
    expect(here.alarms).toEqual([]);
  });

  it("[E-58] tiles that stay damaged convict nobody, whatever they are needed for, and what the log signed is joined once they are whole", async () => {
    const here = await met();
    const [ann, cat] = [await createPerson("ann"), await createPerson("cat")];
    const older = await evidence(here, ann, { size: here.record.size() - 1, source: "member" });
    const olderGossip = await gossip(here.record, here.record.size() - 1);
    await publish(here, cat);
    here.damage = Number.POSITIVE_INFINITY;
    here.damaged = "tile/";
    const size = await here.log.knownSize(host);
    expect(await codeOf(here.log.advance(host))).toBe("directory_unproven");
    expect(await codeOf(here.log.proveAccount(older))).toBe("directory_unproven");
    expect(await codeOf(here.log.proveAccount(await evidence(here, cat, { source: "member" })))).toBe("directory_unproven");
    await hear(here, olderGossip);
    for (let hours = 0; hours < 20; hours++) {
      here.server.clock.advance(hourMs);
      await here.log.upkeep(host);
    }
    expect([await here.log.knownSize(host), here.alarms]).toEqual([size, []]);
    here.damage = 0;
    await here.log.upkeep(host);
    await here.log.proveAccount(await evidence(here, cat, { source: "member" }));
    expect([await here.log.knownSize(host), here.alarms]).toEqual([size + 1, []]);
  });

  it("[E-58] a consistency proof is not signed: one that does not lead on convicts nobody where the tiles do", async () => {
    const here = await met();
    const cat = await createPerson("cat");
    await publish(here, cat);
    const askedSize = await here.log.knownSize(host);
    const false1 = { ...(await evidence(here, cat, { knownSize: askedSize - 1 })), askedSize };
    expect(await here.log.proveAccount(false1)).toMatchObject({ size: askedSize + 1 });
    expect(here.alarms).toEqual([]);
  });

  it("[E-59] a head that a member made up convicts nobody: the log has not signed it, whatever size and root it names", async () => {
    const here = await met();
    const ann = await createPerson("ann");
    const proof = await here.record.lookup(ann, { size: 2 });
    for (const seed of [7, 8]) {
      // Another log under the same name, of the same size as the view and larger: its own key signed it.
      const false1 = await createMemoryDirectory({ host, witnesses: 3, threshold: 2, nowMs: here.server.clock.now() });
      false1.signWith(new Uint8Array(32).fill(seed));
      for (let at = 0; at < seed - 5; at++) await false1.publish(ann.changes.slice(at, at + 1));
      const record = await false1.lookup(ann).catch(() => proof);
      const { accountId, username } = ann;
      expect(await codeOf(here.log.proveAccount({ host, accountId, username, record, known: undefined, source: "member" }))).toBe(
        "directory_unproven",
      );
    }
    expect(here.alarms).toEqual([]);
    // The log's own, that does not continue the view, does: both notes are kept.
    const fork = here.record.fork();
    await publish(here, await createPerson("cat"));
    await here.log.proveAccount(await evidence(here, await createPerson("cat")));
    await fork.publish([]);
    const record = await fork.lookup(ann);
    const { accountId, username } = ann;
    expect(await codeOf(here.log.proveAccount({ host, accountId, username, record, known: undefined, source: "member" }))).toBe(
      "directory_fork",
    );
    expect(here.alarms).toEqual(["directory_fork"]);
    expect(here.evidence[0]?.length).toBe(2);
  });

  it("of a host that was never asked says nothing", async () => {
    const here = await setting();
    await hear(here, await gossip(here.record));
    expect(here.alarms).toEqual([]);
    expect(here.words).toEqual([]);
  });
});

describe("[D-3] a record without witnesses", () => {
  it("is unwatched until this device replayed what is new in it; a rewound history is an alarm", async () => {
    const here = await setting({ witnesses: 0 });
    const ann = await createPerson("ann");
    await publish(here, ann);
    expect(await here.log.proveAccount(await evidence(here, ann))).toMatchObject({ status: "checked", witnesses: 0, required: 0 });
    expect(here.log.isWatched(host, 2)).toBe(true);
    await publish(here, await createPerson("bob"));
    expect(await here.log.proveAccount(await evidence(here, ann))).toMatchObject({ status: "unwatched" });
    expect(here.log.isWatched(host, 3)).toBe(false);
    await here.log.upkeep(host);
    expect(here.log.isWatched(host, 3)).toBe(true);
    expect(await here.log.proveAccount(await evidence(here, ann))).toMatchObject({ status: "checked" });
    // An entry with a map that no transition leads to.
    const entry = encode(logEntryCodec, {
      format: 1,
      timestampMs: here.record.nowMs() + 5000,
      leafCount: 9,
      mapRoot: new Uint8Array(32).fill(3),
      changesHash: new Uint8Array(32),
      headsRoot: new Uint8Array(32),
      configIndex: 0,
      config: new Uint8Array(0),
      ext: new Uint8Array(0),
    });
    await here.record.publishRaw(entry);
    await here.log.advance(host);
    await here.log.upkeep(host);
    expect(here.alarms).toEqual(["directory_unproven"]);
    expect(await here.log.status(host)).toMatchObject({ status: "unwatched" });
  });

  it.each(["transition/", "tile/"])(
    "[E-58] files below %s that stay damaged convict nobody: the record is unwatched until they are whole",
    async (path) => {
      const here = await setting({ witnesses: 0 });
      const ann = await createPerson("ann");
      await publish(here, ann);
      await here.log.proveAccount(await evidence(here, ann));
      await publish(here, await createPerson("bob"));
      await here.log.proveAccount(await evidence(here, ann));
      here.damage = Number.POSITIVE_INFINITY;
      here.damaged = path;
      for (let tries = 0; tries < 3; tries++) await here.log.upkeep(host);
      expect([here.alarms, await here.log.status(host)]).toMatchObject([[], { status: "unwatched" }]);
      here.damage = 0;
      await here.log.upkeep(host);
      expect([here.alarms, await here.log.status(host)]).toMatchObject([[], { status: "checked" }]);
    },
  );

  it("stays unwatched while transitions are withheld, or are more than a day's measure", async () => {
    const here = await setting({ witnesses: 0 });
    const ann = await createPerson("ann");
    await publish(here, ann);
    await here.log.proveAccount(await evidence(here, ann));
    await here.log.upkeep(host);
    await publish(here, await createPerson("bob"));
    await here.log.advance(host);
    here.gone.add("transition/");
    await here.log.upkeep(host);
    expect(await here.log.status(host)).toMatchObject({ status: "unwatched" });
    expect(here.alarms).toEqual([]);
    here.gone.clear();
    await here.log.upkeep(host);
    expect(await here.log.status(host)).toMatchObject({ status: "checked" });
  });
});

describe("[L-11] heads of logs", () => {
  it("are proven by the entry that published them", async () => {
    const here = await setting();
    const logId = new Uint8Array(32).fill(5);
    const head = new Uint8Array(32).fill(6);
    await here.record.publish([], { heads: [{ logId, seq: 12, head }] });
    const proof = await here.record.headsProof(logId, 1);
    expect(await here.log.proveLogHead({ host, logId, proof })).toMatchObject({ seq: 12, head });
    expect(await codeOf(here.log.proveLogHead({ host, logId: new Uint8Array(32), proof }))).toBe("directory_unproven");
  });
});
