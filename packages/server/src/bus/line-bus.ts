import { setTimeout as pause } from "node:timers/promises";
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

/** What is waited for, unless somebody says otherwise. */
export const defaultPatience: BusPatience = { gatherMs: 2, lookMs: 5000, answerMs: 5000, firstPauseMs: 100, lastPauseMs: 5000 };

/** A connection by which nodes hear each other's texts, from its beginning to its end. */
export interface Line {
  /** Tells the others. @throws Error where they may not have been told */
  say(texts: readonly string[]): Promise<void>;
  /**
   * Whether it is still there shows only when it is asked. Answers whether somebody else may be on it: where nobody was, whoever comes hears
   * all that is said after they were asked for, once `openLine` has resolved for them. @throws Error
   */
  check(): Promise<boolean>;
  /** Never rejects. */
  readonly ended: Promise<void>;
  end(): void;
}

/** Connects; from then on `hear` is told what others say, and they are told by `check` that somebody is here. @throws Error */
export type OpenLine = (hear: (text: string) => void) => Promise<Line>;

/** How a bus is opened. */
export interface LineBusParts {
  readonly openLine: OpenLine;
  /** Those who name the same one hear each other. */
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
/** Texts that are said together. */
const textsAtOnce = 16;
/** The longest that closing waits. */
const closeMs = 1000;

/**
 * A bus over a line that keeps nothing, so what is said while nobody is connected is lost. It connects by itself, again and again. A gap is
 * told each time that it has, and every few seconds. While nobody else is on the line nothing is said: what was to be said since that was
 * last sure waits for whoever comes, says so, and has looked at everything before.
 */
export class LineBus implements Bus {
  readonly #parts: LineBusParts;
  readonly #patience: BusPatience;
  readonly #seal: HintSeal;
  readonly #hints: Listeners<[Hint]>;
  readonly #gaps: Listeners<[]>;
  /** By their bytes: what is said twice is sent once. */
  #waiting = new Map<string, Uint8Array>();
  #passing: Uint8Array[] = [];
  #line: Line | undefined;
  #gathering: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;
  readonly #looking: NodeJS.Timeout;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  #isStrangeTold = false;
  /** Whether nobody else was on the line when it was last asked, nor has said something since; and how many texts were heard. */
  #isAlone = false;
  #heard = 0;

  constructor(parts: LineBusParts) {
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
      if (this.#line === undefined || this.#isAlone || this.#passing.length >= maxPassing) return;
      this.#passing.push(bytes);
    } else if (this.#waiting.size < maxWaiting) this.#waiting.set(Buffer.from(bytes).toString("latin1"), bytes);
    if (this.#isAlone) return;
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
    const line = this.#line;
    const late = pause(closeMs, undefined, { ref: false });
    this.#send();
    await Promise.race([this.#sending, late]);
    this.#closing.abort();
    line?.end();
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
    let line: Line;
    try {
      line = await this.#parts.openLine((text) => this.#hear(text));
    } catch {
      return false;
    }
    if (this.#closing.signal.aborted) {
      line.end();
      return true;
    }
    this.#line = line;
    this.#isAlone = false;
    this.#gaps.tell();
    // Whoever took itself for alone hears it.
    line.say([this.#seal.seal([]).text]).catch(() => line.end());
    this.#send();
    await line.ended;
    this.#line = undefined;
    this.#passing = [];
    return true;
  }

  #hear(text: string): void {
    this.#heard += 1;
    if (this.#isAlone) {
      this.#isAlone = false;
      this.#send();
    }
    const hints = this.#seal.open(text);
    if (hints === undefined && !this.#isStrangeTold) {
      this.#isStrangeTold = true;
      this.#parts.onStrange();
    }
    for (const hint of hints ?? []) this.#hints.tell(hint);
  }

  #look(): void {
    const line = this.#line;
    if (line !== undefined) void this.#check(line);
    this.#gaps.tell();
  }

  /** Whether somebody else is there. What waited before that was asked is in the store for whoever comes after. */
  async #check(line: Line): Promise<void> {
    const heard = this.#heard;
    const before = this.#isAlone ? this.#waiting : new Map<string, Uint8Array>();
    if (this.#isAlone) this.#waiting = new Map();
    const isShared = await line.check().catch(() => {
      line.end();
      return true;
    });
    this.#isAlone = line === this.#line && !isShared && heard === this.#heard;
    if (this.#isAlone) return;
    this.#waiting = new Map([...before, ...this.#waiting]);
    this.#send();
  }

  #send(): void {
    const line = this.#line;
    if (line === undefined || this.#isAlone || this.#sending !== undefined) return;
    this.#sending = this.#sendAll(line).finally(() => {
      this.#sending = undefined;
      // What came while that failed.
      if (this.#line !== undefined && this.#line !== line) this.#send();
    });
  }

  /** Sends until nothing waits. A hint that may have been sent is sent again. */
  async #sendAll(line: Line): Promise<void> {
    while (line === this.#line && this.#waiting.size + this.#passing.length > 0) {
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
        await line.say(texts);
      } catch {
        for (const [key, bytes] of sent) this.#waiting.set(key, bytes);
        line.end();
        return;
      }
    }
  }
}
