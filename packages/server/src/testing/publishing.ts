import { openCheckpoint, parseVkey } from "@latchkey/transparency";
import type { OpenedCheckpoint } from "@latchkey/transparency";
import { onTestFinished } from "vitest";
import { openDirectory } from "../directory/bootstrap.ts";
import type { DirectoryOptions, OpenedDirectory } from "../directory/bootstrap.ts";
import { signerOf } from "../directory/keys.ts";
import { Publisher } from "../directory/publisher.ts";
import { nodeSignatures as signatures } from "../directory/signatures.ts";
import { Witnesses } from "../directory/witnesses.ts";
import type { AccountChange } from "../store/directory-store.ts";
import type { LeaseStore } from "../store/lease-store.ts";
import { openStore } from "../store/sqlite/sqlite-store.ts";
import type { Store } from "../store/store.ts";
import type { FakeWitness } from "./fake-witness.ts";
import { networkOf } from "./fake-witness.ts";
import { random, temporaryDirectory } from "./fixtures.ts";
import { inProcessChannel } from "./in-process-channel.ts";
import { newState } from "./store-inputs.ts";

/** How the disk of a store fails. */
export interface Disk {
  fails: "never" | "before commit" | "after commit";
  /** Transactions that still go well. */
  skip: number;
}

/** A clock that the test moves; what is scheduled runs when its time comes. */
export class Clock {
  nowMs = 1_800_000_000_000;
  /** How far the clock that dates was set. */
  stepMs = 0;
  /** How far ahead of now an entry may be dated. */
  aheadMs = 300_000;
  #timers: { atMs: number; run: () => void }[] = [];

  readonly schedule = (run: () => void, delayMs: number): (() => void) => {
    const timer = { atMs: this.nowMs + delayMs, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    };
  };

  get next(): number | undefined {
    const [first] = this.#timers.map(({ atMs }) => atMs - this.nowMs).toSorted((a, b) => a - b);
    return first;
  }

  async pass(ms: number): Promise<void> {
    this.nowMs += ms;
    const due = this.#timers.filter(({ atMs }) => atMs <= this.nowMs);
    this.#timers = this.#timers.filter((timer) => !due.includes(timer));
    for (const { run } of due) run();
    // The store of these tests answers in turns of the event loop.
    for (let turn = 0; turn < 60; turn++) await new Promise(setImmediate);
  }
}

/** A publisher that was started, and what it told. */
export interface StartedPublisher {
  readonly publisher: Publisher;
  readonly opened: OpenedDirectory;
  /** Bugs and alarms. */
  readonly bugs: unknown[];
  /** Sizes of the heads of which it was told that they are served. */
  readonly shown: number[];
}

/** A publisher with a store, and what a further one of the same store is started with. */
export interface PublisherSetUp extends StartedPublisher {
  readonly store: Store;
  readonly clock: Clock;
  readonly disk: Disk;
  readonly dataDirectory: string;
  readonly options: DirectoryOptions;
}

/** Begins a log in a new store, and publishes in it. */
export async function setUp(
  params: { options?: DirectoryOptions; witnesses?: FakeWitness[]; dataDirectory?: string } = {},
): Promise<PublisherSetUp> {
  const { options = {}, witnesses = [], dataDirectory = temporaryDirectory() } = params;
  const disk: Disk = { fails: "never", skip: 0 };
  const fail = (): void => {
    if (disk.skip-- > 0) return;
    throw new Error("for another reason than the disk");
  };
  const faults = {
    beforeCommit: () => (disk.fails === "before commit" ? fail() : undefined),
    afterCommit: () => (disk.fails === "after commit" ? fail() : undefined),
  };
  const store = await openStore(inProcessChannel({ directory: dataDirectory }, faults));
  onTestFinished(() => store.close());
  const clock = new Clock();
  const all: DirectoryOptions = { ...(witnesses.length > 0 ? { witnesses: witnesses.map(({ option }) => option) } : {}), ...options };
  const started = await start({ store, clock, options: all, witnesses, dataDirectory });
  return { ...started, store, clock, disk, dataDirectory, options: all };
}

/** Each start is one of another process. */
let nodes = 0;

/** Starts a publisher of this store, as another process would. */
export async function start(params: {
  store: Store;
  clock: Clock;
  options: DirectoryOptions;
  witnesses: FakeWitness[];
  dataDirectory: string;
  /** In place of the store's. */
  leases?: LeaseStore;
}): Promise<StartedPublisher> {
  const { store, clock, options, witnesses, dataDirectory, leases = store } = params;
  const [bugs, shown]: [unknown[], number[]] = [[], []];
  const [host, holder] = ["latchkey.example", `node ${String((nodes += 1))}`];
  const opened = await openDirectory({ store, leases, holder, dataDirectory, host, options, nowMs: clock.nowMs, iKnow: [] });
  for (const witness of witnesses) witness.trust(opened.keys.current.vkey);
  const publisher = new Publisher({
    store,
    leases,
    holder,
    witnesses: new Witnesses({
      policies: opened.askedPolicies,
      signatures,
      proveConsistency: (from, to) => store.proveConsistency({ from, to }),
      fetch: networkOf(witnesses),
    }),
    signer: () => signerOf(opened.keys, opened.origin),
    configDue: opened.due,
    intervalMs: 1000,
    headsIntervalMs: 3_600_000,
    elapsedMs: () => clock.nowMs,
    dates: () => ({ nowMs: clock.nowMs + clock.stepMs, latestMs: clock.nowMs + clock.stepMs + clock.aheadMs }),
    schedule: clock.schedule,
    reportBug: (error) => bugs.push(error),
    onServed: ({ size }) => void shown.push(size),
    onBehind: () => bugs.push("behind"),
    onQuorum: (isMet) => bugs.push(isMet ? "quorum" : "no quorum"),
  });
  await publisher.start(await store.directoryStatus());
  // The newest head once more to its witnesses, then what the start makes due.
  await clock.pass(0);
  await clock.pass(0);
  return { publisher, opened, bugs, shown };
}

/** A new account of this name. */
export const named = (name: string, change: Partial<AccountChange> = {}): AccountChange =>
  newState({ names: { bind: { username: name, binding: random(80) }, release: undefined }, ...change });

/** The served checkpoint, verified with these witnesses. */
export async function served(store: Store, vkey: string, witnesses: readonly FakeWitness[] = []): Promise<OpenedCheckpoint> {
  const checkpoint = await store.servedCheckpoint();
  if (checkpoint === undefined) throw new Error("nothing is served");
  const verifiers = witnesses.flatMap(({ option }) => [parseVkey(option.logKey), parseVkey(option.mapKey ?? "")]);
  return openCheckpoint({
    note: checkpoint.note,
    origin: "latchkey.example/latchkey",
    log: parseVkey(vkey),
    witnesses: verifiers,
    signatures,
  });
}
