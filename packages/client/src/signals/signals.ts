import { fromBase64Url, toBase64Url } from "@latchkey/codec";
import { exportSecret, ownLeafIndex } from "@latchkey/mls";
import type { Signal } from "@latchkey/protocol";
import type { Person } from "../api.ts";
import { isWritable } from "../core/phase.ts";
import type { ConversationState } from "../core/types.ts";
import type { ConversationRunner } from "../engine/conversation-runner.ts";
import { isUnproven } from "../core/proven.ts";
import type { World } from "../engine/world.ts";
import { openSignal, sealSignal, signalLabel } from "./signal.ts";
import type { SignalBody, SignalKey } from "./signal.ts";
import { maxTypersShown, maxTypingAccounts, Typing, typingEveryMs } from "./typing.ts";

/** What signals need of the engine. */
export interface SignalsAccess {
  runner(id: string): ConversationRunner | undefined;
  /** Whether this person tells others that they type, and is told it of them. */
  isOn(): boolean;
}

interface Told {
  readonly typing: Typing;
  /** When this device last said that its person types; 0 where it said that they do not. */
  saidMs: number;
  key: SignalKey | undefined;
  cancel: () => void;
}

/** What people see of each other at this moment, and what nobody keeps (spec N-1). */
export class Signals {
  readonly #world: World;
  readonly #access: SignalsAccess;
  readonly #told = new Map<string, Told>();
  #isClosed = false;

  constructor(world: World, access: SignalsAccess) {
    this.#world = world;
    this.#access = access;
  }

  /** The person types in a conversation, or does no more: said at most every `typingEveryMs`, where it may be said at all. */
  async say(id: string, isTyping: boolean): Promise<void> {
    const runner = this.#access.runner(id);
    if (runner === undefined || !this.#access.isOn()) return;
    // Who is in the group is not at hand before.
    await runner.load();
    if (!this.#isFor(runner.state)) return;
    const told = this.#of(id);
    const nowMs = this.#world.platform.nowMs();
    if (isTyping ? Math.abs(nowMs - told.saidMs) < typingEveryMs : told.saidMs === 0) return;
    told.saidMs = isTyping ? nowMs : 0;
    const key = this.#keyOf(runner.state, told);
    const { group } = runner.state;
    if (key === undefined || group === undefined) return;
    const body: SignalBody = { kind: isTyping ? "typing" : "idle", leafIndex: ownLeafIndex(group), sentAtMs: nowMs };
    const { logId, epochId } = key;
    await runner.signal({ logId, epochId, bytes: sealSignal(key, body, this.#world.platform.random(24)) });
  }

  /** What was written goes out: others know by it that its author types no more. */
  sent(id: string): void {
    const told = this.#told.get(id);
    if (told !== undefined) told.saidMs = 0;
  }

  /** A signal came. What is none, or by nobody who may be shown, is as if it had not come. */
  async hear(signal: Signal): Promise<void> {
    const id = toBase64Url(signal.logId);
    const runner = this.#access.runner(id);
    if (runner === undefined || this.#isClosed || !this.#access.isOn() || runner.state.epoch?.epochId !== signal.epochId) return;
    await runner.load();
    if (!this.#isFor(runner.state)) return;
    const told = this.#of(id);
    const key = this.#keyOf(runner.state, told);
    const body = key === undefined ? undefined : openSignal(key, signal.bytes);
    const { roster } = runner.state;
    const leaf = body === undefined ? undefined : roster?.leaves.get(body.leafIndex);
    if (body === undefined || leaf === undefined || roster?.own?.account === leaf.account) return;
    const isDoubted = isUnproven(runner.state, leaf) || runner.state.departed.some(({ leafIndex }) => leafIndex === leaf.leafIndex);
    const isShown = !isDoubted && !this.#world.people.isBlocked(leaf.accountId);
    if (isShown && told.typing.hear(body, leaf.account, this.#world.platform.nowMs())) this.#tell(id, told);
    this.#schedule(id, told);
  }

  /** Something of this account came: whatever it typed is there. */
  arrived(id: string, accountId: Uint8Array): void {
    const told = this.#told.get(id);
    if (told?.typing.end(toBase64Url(accountId)) === true) this.#tell(id, told);
  }

  /** Ends every wait. */
  close(): void {
    this.#isClosed = true;
    for (const { cancel } of this.#told.values()) cancel();
  }

  #of(id: string): Told {
    let told = this.#told.get(id);
    if (told === undefined) {
      told = { typing: new Typing(), saidMs: 0, key: undefined, cancel: () => undefined };
      this.#told.set(id, told);
    }
    return told;
  }

  /** Between members of a conversation that is not large, none of whom was blocked, and as both sides wish. */
  #isFor(state: ConversationState): boolean {
    if (!this.#access.isOn() || state.kind === "devices" || !isWritable(state)) return false;
    if (state.peer !== undefined && this.#world.people.isBlocked(state.peer)) return false;
    const accounts = state.roster?.accounts.size ?? 0;
    return accounts > 1 && accounts <= maxTypingAccounts;
  }

  /** The key of the epoch that the conversation is in. */
  #keyOf({ group, epoch, logId }: ConversationState, told: Told): SignalKey | undefined {
    if (group === undefined || epoch === undefined) return undefined;
    if (told.key?.epochId !== epoch.epochId) {
      told.key = { key: exportSecret(group, signalLabel, logId, 32), logId, epochId: epoch.epochId };
      told.typing.forgetLeaves();
    }
    return told.key;
  }

  #schedule(id: string, told: Told): void {
    told.cancel();
    const { platform } = this.#world;
    const endMs = told.typing.nextEndMs;
    if (endMs === undefined || this.#isClosed) return;
    told.cancel = platform.setTimer(Math.max(1, endMs - platform.nowMs()), () => {
      if (told.typing.expire(platform.nowMs())) this.#tell(id, told);
      this.#schedule(id, told);
    });
  }

  #tell(id: string, { typing }: Told): void {
    const { people, emit } = this.#world;
    const { accounts } = typing;
    const shown: Person[] = accounts.slice(0, maxTypersShown).map((account) => people.person(fromBase64Url(account)));
    emit({ kind: "typing", conversationId: id, people: shown, count: accounts.length });
  }
}
