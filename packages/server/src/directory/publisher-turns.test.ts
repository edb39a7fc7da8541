// Several publishers of one store, as the nodes of a cluster have them: here of one process, which the store takes for as many.
import { parseCheckpoint, parseNote } from "@latchkey/transparency";
import { expect, test } from "vitest";
import { FakeWitness } from "../testing/fake-witness.ts";
import { named, setUp, start } from "../testing/publishing.ts";
import type { PublisherSetUp, StartedPublisher } from "../testing/publishing.ts";
import type { LeaseStore } from "../store/lease-store.ts";
import { signerOf } from "./keys.ts";

const lease = { name: "publisher", forMs: 600_000 } as const;

/** Two nodes of one store. */
async function two(witnesses: FakeWitness[] = []): Promise<{ first: PublisherSetUp; second: StartedPublisher }> {
  const first = await setUp({ witnesses });
  return { first, second: await start({ ...first, witnesses }) };
}

test("what a node would publish while another one has the turn waits for it, and goes in one publication", async () => {
  const { first, second } = await two();
  const { store, clock } = first;
  const held = await store.takeLease({ ...lease, holder: "another node" });
  const waiting = ["alice", "bobby"].map((name) => first.publisher.publish(named(name)));
  await clock.pass(1000);
  await clock.pass(5000);
  waiting.push(first.publisher.publish(named("carol")));
  await clock.pass(1000);
  expect(await store.directoryStatus()).toMatchObject({ size: 1 });
  if (held.kind === "taken") await store.giveBackLease({ name: lease.name, term: held.term });
  await clock.pass(100);
  expect(await Promise.all(waiting)).toMatchObject(waiting.map(() => ({ kind: "published" })));
  expect(await store.directoryStatus()).toMatchObject({ size: 2, servedSize: 2 });
  // The other node's turn follows at once: no turn is left over.
  const other = second.publisher.publish(named("daisy"));
  await clock.pass(0);
  expect(await other).toMatchObject({ kind: "published" });
  expect([...first.bugs, ...second.bugs]).toEqual([]);
});

test("what has waited for twenty seconds is refused as passing, and the publications count as failing until one is stored", async () => {
  const { first } = await two();
  const { store, clock, publisher } = first;
  await store.takeLease({ ...lease, holder: "another node" });
  const change = named("alice");
  const late = publisher.publish(change).catch((error: unknown) => error);
  await clock.pass(0);
  await clock.pass(19_000);
  expect(publisher.failedSinceMs).toBeUndefined();
  await clock.pass(1000);
  expect(await late).toMatchObject({ code: "unavailable" });
  expect(publisher.failedSinceMs).toBeDefined();
  await store.giveBackLease({ name: lease.name, term: 1 });
  await store.giveBackLease({ name: lease.name, term: 2 });
  const again = publisher.publish(change);
  await clock.pass(1000);
  expect(await again).toMatchObject({ kind: "published" });
  expect(publisher.failedSinceMs).toBeUndefined();
});

test("one that closes while it waits for its turn says so to whoever waits", async () => {
  const { first } = await two();
  await first.store.takeLease({ ...lease, holder: "another node" });
  const waiting = first.publisher.publish(named("alice")).catch((error: unknown) => error);
  await first.clock.pass(0);
  await first.publisher.close();
  expect(await waiting).toMatchObject({ code: "closed" });
});

test("[D-1] a node whose turn was over before it published publishes nothing with it, and in its next turn", async () => {
  const { first } = await two();
  const { store, clock } = first;
  let isStopped = false;
  const leases: LeaseStore = {
    async takeLease(params) {
      const taken = await store.takeLease(params);
      if (isStopped && taken.kind === "taken") {
        // For so long that somebody else has the turn.
        isStopped = false;
        await store.giveBackLease({ name: lease.name, term: taken.term });
        await store.takeLease({ ...lease, holder: "another node" });
      }
      return taken;
    },
    giveBackLease: (params) => store.giveBackLease(params),
  };
  const node = await start({ ...first, witnesses: [], leases });
  isStopped = true;
  const change = node.publisher.publish(named("alice"));
  await clock.pass(1000);
  await clock.pass(1000);
  expect(await store.directoryStatus()).toMatchObject({ size: 1 });
  for (const term of [1, 2, 3]) await store.giveBackLease({ name: lease.name, term });
  await clock.pass(1000);
  expect(await change).toMatchObject({ kind: "published" });
  expect(await store.directoryStatus()).toMatchObject({ size: 2, servedSize: 2 });
  expect(node.bugs).toEqual([]);
});

test("a head that another node stored and did not serve is cosigned and served before the next one is stored", async () => {
  const witness = new FakeWitness("one.example");
  const { first, second } = await two([witness]);
  const { store, clock, opened } = first;
  const sizes: number[] = [];
  const { answer } = witness;
  witness.answer = (body, signal) => {
    sizes.push(parseCheckpoint(parseNote(body.slice(body.indexOf("\n\n") + 2)).text).size);
    return answer.call(witness, body, signal);
  };
  // What a kill in its turn leaves.
  const signer = signerOf(opened.keys, opened.origin);
  const publication = { config: new Uint8Array(), withHeads: false, nowMs: clock.nowMs, signer, isServed: false };
  await store.publishDirectory({ ...publication, changes: [named("alice")] });
  expect(await store.directoryStatus()).toMatchObject({ size: 2, servedSize: 1 });
  const change = second.publisher.publish(named("bobby"));
  await clock.pass(1000);
  expect(await change).toMatchObject({ kind: "published" });
  expect(sizes).toEqual([2, 3]);
  expect(second.shown).toEqual([1, 2, 3]);
  expect(await store.directoryStatus()).toMatchObject({ size: 3, servedSize: 3 });
});

test("a node takes in what another has published: its size and date, and who cosigned it", async () => {
  const witness = new FakeWitness("one.example");
  const { first, second } = await two([witness]);
  const { store, clock } = first;
  const change = second.publisher.publish(named("alice"));
  await clock.pass(1000);
  await change;
  expect(first.publisher.state.size).toBe(1);
  await first.publisher.tick();
  expect(first.publisher.state).toMatchObject({ size: 2, hasQuorum: true });
  expect(first.publisher.newestMs).toBe((await store.directoryStatus()).timestampMs);
  expect(first.shown).toEqual([1, 2]);
  expect([...first.bugs, ...second.bugs]).toEqual([]);
});

test("a witness that has seen what another node published since makes no old copy of this one, and is not asked again about what was before", async () => {
  const witness = new FakeWitness("one.example");
  const { first, second } = await two([witness]);
  const { clock } = first;
  witness.mood = "busy";
  const own = first.publisher.publish(named("alice"));
  await clock.pass(0);
  await own;
  witness.mood = "honest";
  const other = second.publisher.publish(named("bobby"));
  await clock.pass(0);
  await other;
  const before = witness.requests.length;
  // Asked about its own head once more.
  await clock.pass(2000);
  expect(witness.requests.slice(before)).toEqual([{ oldSize: "old 1", status: 409 }]);
  await clock.pass(60_000);
  expect(witness.requests).toHaveLength(before + 1);
  await first.publisher.tick();
  expect(first.bugs).toEqual(["no quorum", "quorum"]);
  expect(second.bugs).not.toContain("behind");
});

test("a head that another node served with too few cosignatures is asked about further, whatever becomes of that node", async () => {
  const witness = new FakeWitness("one.example");
  const { first, second } = await two([witness]);
  const { store, clock } = first;
  witness.mood = "down";
  const change = second.publisher.publish(named("alice"));
  await clock.pass(1000);
  await change;
  await second.publisher.close();
  await first.publisher.tick();
  expect(first.bugs).toEqual(["no quorum"]);
  witness.mood = "honest";
  await clock.pass(2000);
  expect(first.bugs).toEqual(["no quorum", "quorum"]);
  expect(parseNote((await store.servedCheckpoint())?.note ?? "").signatures).toHaveLength(3);
});

test("[D-2] the config that one node has logged is not taken back by another that was started with options of before", async () => {
  const { first } = await two();
  const { store, clock, dataDirectory } = first;
  const witnesses = [new FakeWitness("one.example")];
  const options = { witnesses: witnesses.map(({ option }) => option) };
  await start({ store, clock, options, witnesses, dataDirectory });
  expect(await store.directoryStatus()).toMatchObject({ size: 2, configIndex: 1 });
  clock.nowMs += 30 * 86_400_000;
  await first.publisher.tick();
  await clock.pass(1000);
  expect(await store.directoryStatus()).toMatchObject({ size: 2, configIndex: 1 });
});
