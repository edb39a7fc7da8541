import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { TokenOperation } from "@latchkey/protocol/tokens";
import { startInProcessServer } from "@latchkey/server/testing";
import type { InProcessServer } from "@latchkey/server/testing";
import { Chance } from "./chance.ts";
import { Network } from "./network.ts";
import { Person } from "./person.ts";
import { Timeline } from "./timeline.ts";

/** So few that a stranger of this world fills the room for strangers' items of an inbox (spec I-1). */
export const maxStrangerItems = 60;

/** The public name of the simulated server. */
export const host = "sim";

/** A disk in memory where there is one: a simulation syncs thousands of times. */
const disk = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** A world to begin from: people who have accounts and nothing else, and their server. */
export interface Beginning {
  readonly folder: string;
  readonly nowMs: number;
  readonly people: ReadonlyMap<string, Map<string, Uint8Array>>;
  remove(): void;
}

/** A server, its people, the network between them, and their time. */
export class World {
  readonly timeline: Timeline;
  readonly chance: Chance;
  readonly network: Network;
  readonly people: Map<string, Person> = new Map();
  readonly #folder: string;
  #server: InProcessServer | undefined;
  #starts = 0;
  #numbers = 0;

  private constructor(params: { seed: string; folder: string; nowMs: number }) {
    this.timeline = new Timeline(params.nowMs);
    this.chance = new Chance(params.seed);
    this.#folder = params.folder;
    this.network = new Network({ timeline: this.timeline, chance: new Chance(`${params.seed} network`), server: () => this.#server });
  }

  /** Makes accounts for these people, once for many runs. */
  static async begin(names: readonly string[]): Promise<Beginning> {
    const folder = mkdtempSync(join(disk, "latchkey-sim-"));
    const world = new World({ seed: "beginning", folder, nowMs: Date.UTC(2026, 0, 5, 9) });
    await world.startServer();
    for (const name of names) {
      const person = world.#person(name, new Map());
      await person.open();
      const registered = person.act("register", (client) => client.register({ username: name }));
      let isDone = false;
      void registered.then(() => {
        isDone = true;
      });
      // Recovery keys are derived slowly on purpose, in the process's own time: the world's goes on in small steps meanwhile.
      for (let step = 0; step < 1000 && !isDone; step++) {
        await delay(5);
        await world.timeline.run(100, () => isDone);
      }
      if (!isDone) throw new Error(`${name} waits for an account for ever`);
      if ((await registered) === undefined) throw new Error(`${name} has no account: ${[...person.faults, ...person.refusals].join(", ")}`);
    }
    // Key packages are filled up after the account is there.
    await world.timeline.run(30_000);
    for (const person of world.people.values()) person.crash();
    await world.timeline.run(1000);
    await world.stopServer();
    return {
      folder,
      nowMs: world.timeline.nowMs,
      people: new Map([...world.people].map(([name, person]) => [name, person.snapshot()])),
      remove: () => rmSync(folder, { recursive: true, force: true }),
    };
  }

  /** A world of its own that goes on from there; everybody is online. */
  static async open(beginning: Beginning, seed: string): Promise<World> {
    const folder = mkdtempSync(join(disk, "latchkey-sim-"));
    cpSync(beginning.folder, folder, { recursive: true });
    const world = new World({ seed, folder, nowMs: beginning.nowMs });
    await world.startServer();
    for (const [name, records] of beginning.people) await world.#person(name, new Map(records)).open();
    await world.timeline.run(2000);
    return world;
  }

  #person(name: string, records: Map<string, Uint8Array>): Person {
    const { timeline, network, chance } = this;
    const person = new Person({ name, timeline, network, chance, records });
    this.people.set(name, person);
    return person;
  }

  /** @throws Error for a name that nobody has */
  named(name: string): Person {
    const person = this.people.get(name);
    if (person === undefined) throw new Error(`nobody is called ${name}`);
    return person;
  }

  /** A number that is new in this world. */
  number(): number {
    return ++this.#numbers;
  }

  get isServerUp(): boolean {
    return this.#server !== undefined;
  }

  async startServer(): Promise<void> {
    if (this.#server !== undefined) return;
    const { timeline } = this;
    this.#server = await startInProcessServer(
      {
        host,
        dataDirectory: join(this.#folder, "data"),
        limits: { publicationIntervalMs: 0, headsIntervalMs: 60_000, maxStrangerItems },
      },
      {
        nowMs: () => timeline.nowMs,
        setTimer: (delayMs, run) => timeline.schedule(delayMs, run),
        busy: () => timeline.busy(),
      },
    );
    this.#starts++;
  }

  /** A token as a stranger has it who has an account; nothing while the server is off, or has none. */
  async token(operation: TokenOperation, target: Uint8Array): Promise<Uint8Array> {
    const nonce = this.chance.bytes(32);
    return (await this.#server?.token({ operation, target, nonce })) ?? new Uint8Array(0);
  }

  /** The server's power fails. */
  async stopServer(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.network.drop();
    await server?.kill();
  }

  /** Puts the server's data aside; the result brings them back in the place of what came since. The server is off meanwhile. */
  backUp(): () => void {
    const copy = join(this.#folder, `backup-${this.#starts}`);
    rmSync(copy, { recursive: true, force: true });
    cpSync(join(this.#folder, "data"), copy, { recursive: true });
    return () => {
      rmSync(join(this.#folder, "data"), { recursive: true, force: true });
      cpSync(copy, join(this.#folder, "data"), { recursive: true });
    };
  }

  async close(): Promise<void> {
    for (const person of this.people.values()) person.crash();
    await this.stopServer();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
