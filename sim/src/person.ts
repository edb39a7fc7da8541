import { ClientError, createClient } from "@latchkey/client";
import type { Client, ClientEvent, Message, Platform, Store } from "@latchkey/client";
import { createNodePlatform } from "@latchkey/client/node";
import { createMemoryFileStore, createMemoryStore } from "@latchkey/client/testing";
import type { FileStore } from "@latchkey/client/testing";
import { createHash } from "node:crypto";
import { Chance } from "./chance.ts";
import type { Network } from "./network.ts";
import type { Timeline } from "./timeline.ts";
import { verifyVrf } from "./verified.ts";

/** From opening to closing or to the moment when the power failed. */
interface Life {
  isOver: boolean;
  /** Transactions that write until the power fails; `undefined` for never. The last one is kept if `isKept`. */
  fuse: { left: number; readonly isKept: boolean } | undefined;
}

/** A text that somebody sent. */
export interface Said {
  readonly conversationId: string;
  readonly text: string;
  readonly messageId: string;
}

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

/** An honest person: the real client on a device whose power, network and clock the simulation rules. */
export class Person {
  readonly name: string;
  readonly #timeline: Timeline;
  readonly #network: Network;
  readonly #chance: Chance;
  #records: Map<string, Uint8Array>;
  /** What lies on the device of files. */
  readonly #files = createMemoryFileStore();
  /** Files that are being encrypted, which takes the process's own time. */
  readonly #sealing: (() => void)[] = [];
  #life: Life | undefined;
  #client: Client | undefined;
  #lives = 0;
  /** Whether its device does what the client does and nothing else: promises are made to these alone. */
  isHonest = true;
  /** By how much this device's clock is off. */
  skewMs = 0;
  /** Everything that it said and that its client took. */
  readonly said: Said[] = [];
  /** The files that went with what it said, by the words, also where its device was off before it knew that they went. */
  readonly files: Map<string, Uint8Array> = new Map();
  /** Failures that are no `ClientError`: each is a fault of the product. */
  readonly faults: string[] = [];
  /** Codes with which what was asked was refused, in order. */
  readonly refusals: string[] = [];
  /** The last that the client told of each message since the app was started, by conversation and message. */
  readonly lastTold: Map<string, Message> = new Map();
  /** What the client told while it ran. */
  readonly told: ClientEvent["kind"][] = [];

  constructor(params: { name: string; timeline: Timeline; network: Network; chance: Chance; records?: Map<string, Uint8Array> }) {
    this.name = params.name;
    this.#timeline = params.timeline;
    this.#network = params.network;
    this.#chance = params.chance;
    this.#records = params.records ?? new Map();
  }

  /** A copy of what lies on the device. */
  snapshot(): Map<string, Uint8Array> {
    return new Map(this.#records);
  }

  /** What lies on the device, for whoever took it over. */
  get records(): Map<string, Uint8Array> {
    return this.#records;
  }

  get isOpen(): boolean {
    return this.#client !== undefined && this.#life?.isOver === false;
  }

  /** The running client. @throws Error while there is none */
  get client(): Client {
    if (this.#client === undefined || this.#life?.isOver !== false) throw new Error(`${this.name}'s device is off`);
    return this.#client;
  }

  /** Starts the app. */
  async open(): Promise<void> {
    if (this.isOpen) return;
    const life: Life = { isOver: false, fuse: undefined };
    const random = new Chance(`${this.name} ${this.#lives++} ${this.#chance.between(0, 1 << 24)}`);
    const client = await createClient({
      store: this.#store(life),
      platform: this.#platform(life, random),
      serverUrl: "http://sim",
      requests: "ask",
    });
    this.#life = life;
    this.#client = client;
    this.lastTold.clear();
    client.subscribe((event) => {
      if (life.isOver) return;
      this.told.push(event.kind);
      if (event.kind === "message") this.lastTold.set(`${event.message.conversationId} ${event.message.id}`, event.message);
      if (event.kind === "hidden") this.lastTold.delete(`${event.conversationId} ${event.messageId}`);
    });
  }

  /** The power fails: at once, or while it writes. */
  crash(params: { afterWrites: number; isKept: boolean } = { afterWrites: 0, isKept: true }): void {
    const life = this.#life;
    if (life === undefined || life.isOver) return;
    if (params.afterWrites > 0) {
      life.fuse = { left: params.afterWrites, isKept: params.isKept };
      return;
    }
    life.isOver = true;
    this.#network.drop((connection) => connection.who === this.name);
  }

  /** Asks the client for something; what becomes of it is noted. */
  act<T>(what: string, run: (client: Client) => Promise<T>): Promise<T | undefined> {
    const life = this.#life;
    if (!this.isOpen) return Promise.resolve(undefined);
    return run(this.client).catch((error: unknown) => {
      if (life?.isOver === true) return undefined;
      if (error instanceof ClientError) this.refusals.push(`${what}: ${error.code}`);
      else this.faults.push(`${what}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      return undefined;
    });
  }

  /** Says something in a conversation, as an answer to a message or not. */
  async say(conversationId: string, text: string, inReplyTo?: string): Promise<void> {
    const message = await this.act("send", (client) => client.send(conversationId, text, { inReplyTo }));
    if (message !== undefined) this.said.push({ conversationId: message.conversationId, text, messageId: message.id });
  }

  /** As `say`, with a file. */
  async sendFile(conversationId: string, text: string, bytes: Uint8Array): Promise<void> {
    const content = this.#contentOf(bytes);
    this.files.set(text, bytes);
    const files = [{ name: `${text}.bin`, mediaType: "application/octet-stream", sizeBytes: bytes.length, content }];
    const message = await this.act("send a file", (client) => client.send(conversationId, text, { files }));
    if (message !== undefined) this.said.push({ conversationId: message.conversationId, text, messageId: message.id });
  }

  /** Everything waits from its beginning until its ciphertext is kept, or is not. */
  async *#contentOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#sealing.push(resolve);
    void this.#timeline.during(promise);
    yield bytes;
  }

  #fileStore(): FileStore {
    const sealed = (): void => this.#sealing.shift()?.();
    return {
      ...this.#files,
      sync: (id) => this.#files.sync(id).finally(sealed),
      remove: (id) => this.#files.remove(id).finally(sealed),
      // The next life has it open again.
      close: () => Promise.resolve(),
    };
  }

  #store(life: Life): Store {
    const store = createMemoryStore(this.#records);
    const timeline = this.#timeline;
    const [network, name] = [this.#network, this.name];
    return {
      async transact(mode, run) {
        if (life.isOver) return never();
        timeline.busy();
        const { fuse } = life;
        if (mode === "write" && fuse !== undefined && --fuse.left <= 0) {
          life.isOver = true;
          network.drop((connection) => connection.who === name);
          if (fuse.isKept) await store.transact(mode, run);
          return never();
        }
        return store.transact(mode, run);
      },
      close: () => store.close(),
    };
  }

  #platform(life: Life, random: Chance): Platform {
    const timeline = this.#timeline;
    const fetchNow = this.#network.fetch(this.name);
    return {
      ...createNodePlatform(),
      verifyVrf,
      files: () => Promise.resolve({ store: this.#fileStore(), hash: runningHash }),
      random: random.bytes,
      nowMs: () => timeline.nowMs + this.skewMs,
      connect: (url, protocol) => this.#network.connect(this.name, url, protocol),
      fetch: (input, init) => (life.isOver ? never() : fetchNow(input, init)),
      setTimer: (delayMs, run) =>
        timeline.schedule(delayMs, () => {
          if (!life.isOver) run();
        }),
    };
  }
}

function runningHash(): { update(bytes: Uint8Array): unknown; digest(): Uint8Array } {
  const hash = createHash("sha256");
  return { update: (bytes) => hash.update(bytes), digest: () => new Uint8Array(hash.digest()) };
}
