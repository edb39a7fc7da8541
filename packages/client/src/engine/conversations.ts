import { toBase64Url } from "@latchkey/codec";
import type { CipherSuiteId } from "@latchkey/mls";
import type { Signal } from "@latchkey/protocol";
import type { Conversation, ConversationDetails } from "../api.ts";
import { hasEnded } from "../core/phase.ts";
import { loadConversation } from "../core/load-records.ts";
import { recordKeys } from "../core/records.ts";
import type { ConversationState, Effect } from "../core/types.ts";
import { ClientError } from "../errors.ts";
import { isDeleted } from "../own/view.ts";
import { loadShownLine } from "../timeline/history.ts";
import { ConversationRunner } from "./conversation-runner.ts";
import { accountsOf } from "./effects.ts";
import { HostLink } from "./host-link.ts";
import { conversationOf, detailsOf, isListed } from "./shown.ts";
import type { World } from "./world.ts";

/** The conversations that are stored; whoever stands in a list of them is brought to hand. */
export async function loadRunners(world: World): Promise<readonly ConversationRunner[]> {
  const { store, platform, people, clock } = world;
  const nowMs = clock.latest(platform.nowMs());
  const loaded = await store.transact("read", async (tx) => {
    const prefix = recordKeys.meta("");
    const keys = await tx.scan({ prefix });
    const found = await Promise.all(
      keys.map(async ([key]) => {
        const id = key.slice(prefix.length);
        const state = await loadConversation(tx, id, (suiteId: CipherSuiteId) => platform.crypto.suite(suiteId));
        return { state, line: await loadShownLine(tx, id, nowMs) };
      }),
    );
    return found;
  });
  await people.load(loaded.flatMap(({ state, line }) => (state === undefined ? [] : accountsOf(state, line))));
  return loaded.flatMap(({ state, line }) => (state === undefined ? [] : [new ConversationRunner(world, state, line)]));
}

/** The conversations of a profile that run, and the connections to the hosts of their logs. */
export class Conversations {
  readonly #world: World;
  readonly #runners = new Map<string, ConversationRunner>();
  readonly #links = new Map<string, HostLink>();
  readonly #onSignal: (signal: Signal) => void;

  constructor(world: World, onSignal: (signal: Signal) => void) {
    this.#world = world;
    this.#onSignal = onSignal;
    if (this.#isMember) this.#link(world.own.host);
  }

  get byId(): ReadonlyMap<string, ConversationRunner> {
    return this.#runners;
  }

  all(): readonly ConversationRunner[] {
    return [...this.#runners.values()];
  }

  /** A conversation of people. @throws ClientError `unknown_conversation` */
  required(id: string): ConversationRunner {
    const runner = this.#runners.get(id);
    if (runner === undefined || runner.state.kind === "devices")
      throw new ClientError("unknown_conversation", "There is no such conversation in this profile.");
    return runner;
  }

  /** What is written into the half of a doubled conversation goes to the half that counts (spec L-12). @throws ClientError */
  inPlaceOf(id: string): ConversationRunner {
    const runner = this.required(id);
    const { phase } = runner.state;
    if (phase.kind !== "superseded" && phase.kind !== "continued") return runner;
    return this.#runners.has(phase.by) ? this.inPlaceOf(phase.by) : runner;
  }

  /** Stores a conversation that was made, and runs it. */
  async begin(state: ConversationState, effects: readonly Effect[]): Promise<ConversationRunner> {
    const runner = new ConversationRunner(this.#world, state, undefined);
    await runner.begin(effects, () => undefined);
    this.adopt(runner);
    return runner;
  }

  /** Runs a conversation that is stored. */
  adopt(runner: ConversationRunner): void {
    this.#runners.set(runner.id, runner);
    if (!hasEnded(runner.state.phase) && this.#isMember) this.follow(runner);
  }

  /** A conversation out of the history of another device of one's own, that this one is no member of. */
  async adoptUnjoined(state: ConversationState): Promise<void> {
    if (this.#runners.has(state.id)) return;
    const { store, people, clock, platform } = this.#world;
    await people.load(state.peer === undefined ? [] : [state.peer]);
    const line = await store.transact("read", (tx) => loadShownLine(tx, state.id, clock.latest(platform.nowMs())));
    const runner = new ConversationRunner(this.#world, state, line);
    await runner.begin([], () => undefined);
    this.adopt(runner);
  }

  /** Its log is read from where it stands, also where it had ended. */
  follow(runner: ConversationRunner): void {
    this.#link(runner.state.host).add(runner);
  }

  /** As they are listed, the newest first. */
  list(): readonly Conversation[] {
    return this.all()
      .filter(({ state, lastLine }) => isListed(state, lastLine) && !isDeleted(this.#world.ownThings, state, lastLine))
      .map((runner) => this.shown(runner))
      .toSorted((a, b) => b.updatedAtMs - a.updatedAtMs);
  }

  shown({ state, lastLine }: ConversationRunner): Conversation {
    return conversationOf(this.#world, state, lastLine);
  }

  async details(id: string): Promise<ConversationDetails> {
    const runner = this.required(id);
    await runner.load();
    await this.#world.people.load(runner.state.opening.settings.keptOut);
    return detailsOf(this.#world, runner.state, runner.lastLine, toBase64Url(this.#world.own.accountId));
  }

  /** Tells the connections how many messages wait to be sent. */
  countWaiting(): void {
    const waiting = this.all().reduce(
      (sum, { state, isBlocked }) =>
        isBlocked ? sum : sum + state.outgoing.filter((item) => item.purpose === "text" && item.failure === undefined).length,
      0,
    );
    this.#world.connections.setWaiting(waiting);
  }

  get isRead(): boolean {
    return this.all().every((runner) => runner.isRead);
  }

  get isIdle(): boolean {
    return this.all().every((runner) => runner.isIdle);
  }

  /** Nothing more comes from the hosts. */
  release(): void {
    for (const link of this.#links.values()) link.release();
  }

  async close(): Promise<void> {
    await Promise.all(this.all().map((runner) => runner.close()));
  }

  get #isMember(): boolean {
    return this.#world.own.status === "registered";
  }

  #link(host: string): HostLink {
    const known = this.#links.get(host);
    if (known !== undefined) return known;
    const link = new HostLink(this.#world, host, this.#onSignal);
    this.#links.set(host, link);
    return link;
  }
}
