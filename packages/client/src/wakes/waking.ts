import { toBase64Url } from "@latchkey/codec";
import type { Effect } from "../core/types.ts";
import type { ConversationRunner } from "../engine/conversation-runner.ts";
import type { World } from "../engine/world.ts";
import { randomFraction } from "../transport/backoff.ts";
import type { PeerToken } from "./peer-tokens.ts";
import { tokensFor } from "./whom.ts";
import type { Meant } from "./whom.ts";

type Wake = Extract<Effect, { kind: "wake" }>;

/** Between a message and what it wakes: at a random moment, so that the host cannot tell by the time which log it was. */
const [leastMs, mostMs] = [200, 2000];
/** Between one device and the next. */
const betweenMs = 40;
/** A program that ends waits so long for what it had not asked for yet. */
const lastMs = 2000;

interface Planned {
  readonly wakes: Wake[];
  readonly cancel: () => void;
}

/**
 * Wakes the devices of others after what was said here: by the tokens that they told in the conversation, shuffled, at random moments, on
 * connections that say nobody's name (spec W-1). It is a courtesy: what fails is not tried again, since the message is in the log.
 */
export class Waking {
  readonly #world: World;
  readonly #runner: (id: string) => ConversationRunner | undefined;
  readonly #planned = new Map<string, Planned>();
  readonly #under = new Set<Promise<void>>();
  #isClosed = false;

  constructor(world: World, runner: (id: string) => ConversationRunner | undefined) {
    this.#world = world;
    this.#runner = runner;
  }

  /** A message of this device is in the log. */
  sent(id: string, wake: Wake): void {
    if (this.#isClosed || !this.#world.peerTokens.has(id)) return;
    const planned = this.#planned.get(id);
    if (planned !== undefined) {
      planned.wakes.push(wake);
      return;
    }
    const cancel = this.#world.platform.setTimer(this.#random(leastMs, mostMs), () => this.#begin(id));
    this.#planned.set(id, { wakes: [wake], cancel });
  }

  /** Asks at once for what waits, and waits a little for it. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const [id, { cancel }] of this.#planned) {
      cancel();
      this.#begin(id);
    }
    if (this.#under.size === 0) return;
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const cancel = this.#world.platform.setTimer(lastMs, resolve);
    await Promise.race([Promise.all(this.#under), late]);
    cancel();
  }

  #begin(id: string): void {
    const wakes = this.#planned.get(id)?.wakes ?? [];
    this.#planned.delete(id);
    // Nothing waits for it, and nothing is lost with it: a server that cannot be reached now tells so where it matters.
    const work: Promise<void> = this.#wake(id, wakes)
      .catch(() => undefined)
      .finally(() => this.#under.delete(work));
    this.#under.add(work);
  }

  async #wake(id: string, wakes: readonly Wake[]): Promise<void> {
    const runner = this.#runner(id);
    if (runner === undefined) return;
    await runner.load();
    const { peerTokens, platform, connections } = this.#world;
    const tokens = tokensFor(runner.state.roster, await peerTokens.of(id, platform.nowMs()), await this.#meant(runner, wakes));
    const byHost = Map.groupBy(this.#shuffled(tokens), ({ host }) => host);
    const asking = [...byHost].map(([host, ofHost]) =>
      connections.once(
        "post",
        host,
        async (connection) => {
          for (const [at, { token }] of ofHost.entries()) {
            if (at > 0 && !this.#isClosed) await this.#pause(this.#random(0, betweenMs));
            const answer = await connection.request({ kind: "wake", token });
            if (answer.kind === "error") return;
          }
        },
        { waiting: true },
      ),
    );
    await Promise.allSettled(asking);
  }

  async #meant({ history }: ConversationRunner, wakes: readonly Wake[]): Promise<Meant> {
    const answered = wakes.flatMap(({ inReplyTo }) => inReplyTo ?? []);
    const lines = await Promise.all(answered.map((messageId) => history.line(toBase64Url(messageId))));
    return {
      mentions: { accounts: wakes.flatMap(({ mentions }) => mentions.accounts), all: wakes.some(({ mentions }) => mentions.all) },
      answered: lines.flatMap((line) => (line?.author === undefined ? [] : toBase64Url(line.author))),
    };
  }

  #pause(delayMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#world.platform.setTimer(delayMs, resolve);
    return promise;
  }

  #shuffled(tokens: readonly PeerToken[]): readonly PeerToken[] {
    const shuffled = [...tokens];
    for (let at = shuffled.length - 1; at > 0; at--) {
      const other = Math.floor(this.#random(0, at + 1));
      const [a, b] = [shuffled[at], shuffled[other]];
      if (a !== undefined && b !== undefined) [shuffled[at], shuffled[other]] = [b, a];
    }
    return shuffled;
  }

  #random(from: number, to: number): number {
    return from + randomFraction(this.#world.platform.random) * (to - from);
  }
}
