import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { Listeners } from "./bus.ts";
import type { Bus } from "./bus.ts";
import { isPassing } from "./hint.ts";
import type { Hint } from "./hint.ts";
import { HintSeal, hintBytes } from "./sealed-hints.ts";

/** Times of the bus, in milliseconds. */
export interface BusPatience {
  /** So long hints are gathered before they are sent together. */
  readonly gatherMs: number;
  /** So often everything is looked at again, which finds the last hint where it was lost. */
  readonly lookMs: number;
  /** For a connection, and for an answer on it. */
  readonly answerMs: number;
  /** Before it is tried again to connect: the first time, doubled each time up to the last. */
  readonly firstPauseMs: number;
  readonly lastPauseMs: number;
}

const defaultPatience: BusPatience = { gatherMs: 2, lookMs: 5000, answerMs: 5000, firstPauseMs: 100, lastPauseMs: 5000 };

/** How a bus is opened. */
export interface NotifyBusParts {
  /** `postgresql://user:password@host:port/database`: a secret. */
  readonly url: string;
  /** Those who name the same one hear each other: 63 characters at most, and no quotation mark. */
  readonly channel: string;
  /** The directory's, which all nodes have: what they say is sealed by it. */
  readonly secret: Uint8Array;
  readonly patience?: Partial<BusPatience>;
  reportBug(error: unknown): void;
  /** Told once: somebody says what this node cannot read. */
  onStrange(): void;
}

/** Hints that wait for a connection: what is beyond them is lost, and found by the next look. */
const maxWaiting = 4096;
/** Of them those that are worth nothing later. */
const maxPassing = 128;
/** Texts of one statement. */
const textsAtOnce = 16;
/** The longest that closing waits. */
const closeMs = 1000;

/**
 * A bus by LISTEN and NOTIFY of PostgreSQL, on a connection of its own: it keeps nothing, so what is said while nobody is connected is lost.
 * It connects by itself, again and again. A gap is told each time that it has, and every few seconds.
 */
export class NotifyBus implements Bus {
  readonly #parts: NotifyBusParts;
  readonly #patience: BusPatience;
  readonly #seal: HintSeal;
  readonly #hints: Listeners<[Hint]>;
  readonly #gaps: Listeners<[]>;
  /** By their bytes: what is said twice is sent once. */
  readonly #waiting = new Map<string, Uint8Array>();
  #passing: Uint8Array[] = [];
  #client: pg.Client | undefined;
  #gathering: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;
  readonly #looking: NodeJS.Timeout;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  #isStrangeTold = false;

  constructor(parts: NotifyBusParts) {
    this.#parts = parts;
    this.#patience = { ...defaultPatience, ...parts.patience };
    this.#seal = new HintSeal(parts.secret, parts.channel);
    this.#hints = new Listeners(parts.reportBug);
    this.#gaps = new Listeners(parts.reportBug);
    this.#looking = setInterval(() => this.#look(), this.#patience.lookMs);
    this.#looking.unref();
    this.#running = this.#run();
  }

  publish(hint: Hint): void {
    if (this.#closing.signal.aborted) return;
    const bytes = hintBytes(hint);
    if (isPassing(hint)) {
      if (this.#client === undefined || this.#passing.length >= maxPassing) return;
      this.#passing.push(bytes);
    } else if (this.#waiting.size < maxWaiting) this.#waiting.set(Buffer.from(bytes).toString("latin1"), bytes);
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      this.#send();
    }, this.#patience.gatherMs).unref();
  }

  listen(listener: (hint: Hint) => void): () => void {
    return this.#hints.add(listener);
  }

  onGap(listener: () => void): () => void {
    return this.#gaps.add(listener);
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return this.#running;
    clearInterval(this.#looking);
    clearTimeout(this.#gathering);
    this.#hints.clear();
    this.#gaps.clear();
    const client = this.#client;
    const late = pause(closeMs, undefined, { ref: false });
    this.#send();
    await Promise.race([this.#sending, late]);
    this.#closing.abort();
    if (client !== undefined) void end(client);
    await Promise.race([this.#running, late]);
  }

  /** Connects, and does so again when the connection has ended. */
  async #run(): Promise<void> {
    const { firstPauseMs, lastPauseMs } = this.#patience;
    const { signal } = this.#closing;
    let pauseMs = firstPauseMs;
    while (!signal.aborted) {
      if (await this.#connection()) pauseMs = firstPauseMs;
      if (signal.aborted) return;
      // Nodes whose database came back do not all come at once.
      await pause(pauseMs * (0.5 + Math.random() / 2), undefined, { ref: false, signal }).catch(() => undefined);
      pauseMs = Math.min(2 * pauseMs, lastPauseMs);
    }
  }

  /** One connection, from its beginning to its end. Answers whether there was one. */
  async #connection(): Promise<boolean> {
    const { answerMs } = this.#patience;
    const client = new pg.Client({
      connectionString: this.#parts.url,
      keepAlive: true,
      connectionTimeoutMillis: answerMs,
      query_timeout: answerMs,
    });
    const ended = new Promise<void>((resolve) => {
      client.once("end", resolve);
    });
    // Its end is told as well.
    client.on("error", () => {});
    try {
      await client.connect();
      const process = await greet(client, this.#parts.channel);
      // What this node said itself comes back too.
      client.on("notification", ({ channel, processId, payload = "" }) => {
        if (channel === this.#parts.channel && processId !== process) this.#hear(payload);
      });
    } catch {
      void end(client);
      return false;
    }
    if (this.#closing.signal.aborted) {
      void end(client);
      return true;
    }
    this.#client = client;
    this.#gaps.tell();
    this.#send();
    await ended;
    this.#client = undefined;
    this.#passing = [];
    return true;
  }

  #hear(text: string): void {
    const hints = this.#seal.open(text);
    if (hints === undefined && !this.#isStrangeTold) {
      this.#isStrangeTold = true;
      this.#parts.onStrange();
    }
    for (const hint of hints ?? []) this.#hints.tell(hint);
  }

  /** Whether the connection is there shows only when it is asked. */
  #look(): void {
    const client = this.#client;
    if (client !== undefined) client.query("SELECT 1").catch(() => void end(client));
    this.#gaps.tell();
  }

  #send(): void {
    const client = this.#client;
    if (client === undefined || this.#sending !== undefined) return;
    this.#sending = this.#sendAll(client).finally(() => {
      this.#sending = undefined;
      // What came while that failed.
      if (this.#client !== undefined && this.#client !== client) this.#send();
    });
  }

  /** Sends until nothing waits. A hint that may have been sent is sent again. */
  async #sendAll(client: pg.Client): Promise<void> {
    while (client === this.#client && this.#waiting.size + this.#passing.length > 0) {
      const kept = [...this.#waiting];
      const hints = [...this.#passing, ...kept.map(([, bytes]) => bytes)];
      const texts: string[] = [];
      let count = 0;
      while (count < hints.length && texts.length < textsAtOnce) {
        const sealed = this.#seal.seal(hints.slice(count));
        texts.push(sealed.text);
        count += sealed.count;
      }
      const sent = kept.slice(0, Math.max(0, count - this.#passing.length));
      this.#passing.splice(0, count);
      for (const [key] of sent) this.#waiting.delete(key);
      try {
        const text = "SELECT pg_notify($1, said) FROM unnest($2::text[]) AS said";
        await client.query({ name: "notify", text, values: [this.#parts.channel, texts] });
      } catch {
        for (const [key, bytes] of sent) this.#waiting.set(key, bytes);
        void end(client);
        return;
      }
    }
  }
}

/** Listens; answers the number of the database's process. A standby refuses. @throws Error of the driver */
async function greet(client: pg.Client, channel: string): Promise<number> {
  // Nobody waits until a hint is on disk.
  await client.query(
    `SET application_name = 'latchkey bus'; SET synchronous_commit = off; SET client_min_messages = warning; LISTEN "${channel}"`,
  );
  const { rows } = await client.query<{ process: number }>("SELECT pg_backend_pid() AS process");
  return rows[0]?.process ?? 0;
}

/** Whatever becomes of it, the connection's end is told. */
async function end(client: pg.Client): Promise<void> {
  await client.end().catch(() => undefined);
}
