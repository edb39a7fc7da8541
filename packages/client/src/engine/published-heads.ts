import { decode, encode, safeUint64, struct } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { ConversationState } from "../core/types.ts";
import { ClientError } from "../errors.ts";
import type { Watched, World } from "./world.ts";

interface Seen {
  /** The newest entry of the log, and since when it is that; `published` once a published head reached it. */
  readonly seq: number;
  readonly sinceMs: number;
}
const published = Number.MAX_SAFE_INTEGER;
const seenCodec: Codec<Seen> = struct<Seen>({ seq: safeUint64, sinceMs: safeUint64 });

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dailyMs = 24 * hourMs;
/** Servers publish the heads of logs at least daily (spec L-11). */
const publishedWithinMs = 26 * hourMs;
/** Answers without a head, an hour apart, before that is told: a server that was down publishes when it is back. */
const patience = 3;

/**
 * Asks for the published heads of logs and shows them to the conversations (spec L-11): once for each connection, daily, and where
 * something hangs on it hourly or when somebody spoke of another log. One look at a time at each log, whoever asks for it how often.
 */
export class PublishedHeads {
  readonly #world: World;
  readonly #asked = new Map<string, number>();
  readonly #missing = new Map<string, number>();
  readonly #asking = new Map<string, Promise<void>>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Those that are due. */
  async check(runners: Iterable<Watched>): Promise<void> {
    for (const runner of runners) {
      const ageMs = this.#world.platform.nowMs() - (this.#asked.get(runner.id) ?? 0);
      const isUrgent = this.#missing.has(runner.id) || isOpen(runner.state);
      // What is due every hour is looked at a little less than an hour after the last time.
      if (ageMs > (isUrgent ? hourMs / 2 : dailyMs)) await this.ask(runner);
    }
  }

  /** How long a look that somebody's word caused waits: such words may come as fast as their speakers like. */
  delayMs({ id }: Watched): number {
    return Math.max(0, (this.#asked.get(id) ?? 0) + minuteMs - this.#world.platform.nowMs());
  }

  /** Asks for one. What cannot be asked or proven now is asked again later. */
  ask(runner: Watched): Promise<void> {
    const under = this.#asking.get(runner.id);
    if (under !== undefined) return under;
    const asking = this.#ask(runner).finally(() => this.#asking.delete(runner.id));
    this.#asking.set(runner.id, asking);
    return asking;
  }

  async #ask(runner: Watched): Promise<void> {
    const { directory, platform } = this.#world;
    const { host, logId } = runner.state;
    try {
      const askedSize = await directory.log.knownSize(host);
      const proof = await runner.publishedHead(askedSize);
      if (proof === undefined) return;
      this.#asked.set(runner.id, platform.nowMs());
      const shown = proof.length === 0 ? undefined : await directory.log.proveLogHead({ host, logId, proof, askedSize });
      const isLeftOut = await this.#isLeftOut(runner, shown?.seq ?? 0);
      if (shown !== undefined) await runner.input({ kind: "published_head", published: { seq: shown.seq, head: shown.head } });
      const count = isLeftOut ? (this.#missing.get(runner.id) ?? 0) + 1 : 0;
      if (count === 0) this.#missing.delete(runner.id);
      else this.#missing.set(runner.id, count);
      if (count >= patience) await runner.input({ kind: "published_head", published: "missing" });
    } catch (error) {
      // A record that does not hold raised its alarm where it was found.
      if (!(error instanceof ClientError)) throw error;
    }
  }

  /**
   * Whether what was written here more than a day ago was in no published head. One that was is settled: the server keeps the newest maps of
   * heads only, and a log that is silent since may stand in none of them.
   */
  async #isLeftOut(runner: Watched, publishedSeq: number): Promise<boolean> {
    const { store, platform } = this.#world;
    const { seq } = runner.state.chain;
    const key = `log-seen/${runner.id}`;
    const nowMs = platform.nowMs();
    const stored = await store.transact("read", (tx) => tx.get(key));
    const seen = stored === undefined ? undefined : decode(seenCodec, stored);
    const sinceMs = publishedSeq >= seq ? published : seen?.seq === seq ? seen.sinceMs : nowMs;
    if (seen?.seq !== seq || seen.sinceMs !== sinceMs)
      await store.transact("write", (tx) => tx.put(key, encode(seenCodec, { seq, sinceMs })));
    return seq > 0 && nowMs - sinceMs > publishedWithinMs;
  }
}

/** Whether a published head has something to settle here. */
function isOpen({ doubts, awaited }: ConversationState): boolean {
  return awaited !== undefined || doubts.some((doubt) => !doubt.isNamed);
}
