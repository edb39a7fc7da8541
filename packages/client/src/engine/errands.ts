import { toBase64Url } from "@latchkey/codec";
import { makeKeyPackage } from "../account/key-packages.ts";
import type { ChangeOutcome, ConversationState, Effect, Input, TimerName, UnverifiedLeaf } from "../core/types.ts";
import { failureOf } from "../errors.ts";
import type { ConversationNews } from "./conversation-news.ts";
import { LeafLookUps } from "./leaf-look-ups.ts";
import type { LogChannel } from "./log-channel.ts";
import { raisedIn } from "./stored-step.ts";
import type { World } from "./world.ts";

/** Whom errands are done for. */
interface Principal {
  readonly id: string;
  readonly state: ConversationState;
  input(input: Input): Promise<void>;
  post(input: Input): void;
}

/** Where they lead: to the log, and to whoever shows the conversation. */
interface Ways {
  readonly channel: LogChannel;
  readonly news: ConversationNews;
}

/** Carries out what the steps of a conversation asked for, once that is stored, and tells what came of it as inputs. */
export class Errands {
  readonly #world: World;
  readonly #principal: Principal;
  readonly #ways: Ways;
  readonly #lookUps: LeafLookUps;
  readonly #timers = new Map<TimerName, () => void>();
  readonly #outcomes = new Map<string, (outcome: ChangeOutcome) => void>();
  #inFlight = 0;

  constructor(world: World, principal: Principal, ways: Ways) {
    this.#world = world;
    this.#principal = principal;
    this.#ways = ways;
    this.#lookUps = new LeafLookUps(world);
  }

  /** Whether nothing is on its way. Timers that run do not count. */
  get isIdle(): boolean {
    return this.#inFlight === 0;
  }

  /** Waits for the end of a change that was asked for by `id`. */
  outcomeOf(id: string): Promise<ChangeOutcome> {
    return new Promise((resolve) => this.#outcomes.set(id, resolve));
  }

  #isStrange(): boolean {
    const { peer } = this.#principal.state;
    const standing = peer === undefined ? "own" : this.#world.standings.of(peer);
    return standing === "stranger" || standing === "blocked";
  }

  cancelTimers(): void {
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  /** @param waited ids of what waited to be sent before, and was told so; those of what waits now are put there */
  carryOut(effect: Effect, waited: Set<string>): void {
    const { posts, platform, watch } = this.#world;
    const { state, id } = this.#principal;
    const { channel, news } = this.#ways;
    switch (effect.kind) {
      case "create":
      case "open":
        this.#track(channel.open(effect));
        return;
      case "append":
      case "commit":
        this.#track(channel.send(effect));
        return;
      case "close":
        this.#track(channel.stop());
        return;
      case "complain":
        this.#track(this.#complain());
        return;
      case "post":
        this.#track(posts.deliver());
        return;
      case "line":
        if (effect.line.body.kind === "picture_changed") this.#world.emit({ kind: "picture", id });
        return;
      case "pictured":
        this.#world.emit({ kind: "picture", id: toBase64Url(effect.accountId) });
        return;
      case "content":
      case "receipt":
      case "named":
      case "append_secret":
      case "wake_token":
      case "evidence":
      case "join_link":
      case "past":
      case "past_author":
      case "giving_history":
        return;
      case "give_history":
      case "history_given":
        this.#world.historyMoves();
        return;
      case "read_query":
        this.#world.asked(id, effect);
        return;
      case "wake":
        this.#world.wakeOthers(id, effect);
        return;
      case "sync":
      case "placed":
        this.#world.syncArrived();
        return;
      case "alarm":
        this.#world.alarms.tell(raisedIn(state, effect));
        return;
      case "ask_head":
        watch.askHead(id);
        return;
      case "tell_fork":
        this.#track(watch.tellFork(state));
        return;
      case "said":
        watch.said(effect);
        return;
      case "accounts":
        this.#track(watch.shown(effect.proofs, effect.accountId));
        return;
      case "verify":
        this.#track(this.#verify(effect.leaves, effect.proofs));
        return;
      case "schedule":
        this.#timers.get(effect.name)?.();
        this.#timers.set(
          effect.name,
          platform.setTimer(effect.delayMs, () => {
            this.#timers.delete(effect.name);
            // Who is not accepted is not told that this device is on (spec R-6).
            if (effect.name === "renew" && this.#isStrange()) return;
            this.#principal.post({ kind: "timer", name: effect.name });
          }),
        );
        return;
      case "outgoing":
        this.#track(news.tellWaiting(effect.message, !waited.has(effect.message.id)));
        waited.add(effect.message.id);
        return;
      case "dropped":
        this.#track(news.tellDropped(effect.message));
        return;
      case "change_outcome":
        this.#outcomes.get(effect.id)?.(effect.outcome);
        this.#outcomes.delete(effect.id);
        return;
    }
  }

  #track(work: Promise<void>): void {
    this.#inFlight++;
    work
      .catch((error: unknown) => this.#world.emit({ kind: "alarm", failure: failureOf(error), conversationId: this.#principal.id }))
      .finally(() => {
        this.#inFlight--;
      })
      .catch(() => undefined);
  }

  /** Makes a key package by which this device can be let back in; nobody else gets it (spec G-4). */
  async #complain(): Promise<void> {
    const { store, platform, own } = this.#world;
    const made = await makeKeyPackage({ platform, account: own, suiteId: this.#principal.state.suiteId });
    await store.transact("write", (tx) => made.put(tx));
    const { inboxId, inboxKeyPair } = own;
    await this.#principal.input({ kind: "complain", keyPackage: made.message, inboxId, inboxKey: inboxKeyPair.publicKey });
  }

  /** Finds out whether the directory vouches for these leaves (spec G-8). */
  async #verify(leaves: readonly UnverifiedLeaf[], proofs: Uint8Array): Promise<void> {
    const verdicts = await this.#lookUps.verdicts(leaves, proofs);
    if (verdicts.length === 0) return;
    await this.#principal.input({ kind: "verified", verdicts });
    this.#ways.news.tellConversation();
  }
}
