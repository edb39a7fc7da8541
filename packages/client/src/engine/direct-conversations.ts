import { compareBytes, equalBytes, toBase64Url } from "@latchkey/codec";
import { carryOwn } from "../own/carry.ts";
import type { Person } from "../api.ts";
import { isWritable } from "../core/phase.ts";
import type { ConversationRunner } from "./conversation-runner.ts";
import { contentIdIn } from "./message-ids.ts";
import type { World } from "./world.ts";

/** The direct conversations of this profile: of those with one person, one counts (spec L-12). */
export class DirectConversations {
  readonly #world: World;
  readonly #runners: () => Iterable<ConversationRunner>;
  /** Ends with the engine. */
  readonly close: () => void;

  constructor(world: World, runners: () => Iterable<ConversationRunner>) {
    this.#world = world;
    this.#runners = runners;
    this.close = world.people.onRenamed((people) => this.#renamed(people));
  }

  /** They are called by their persons. */
  #renamed(people: readonly Person[]): void {
    for (const runner of this.#runners()) {
      const { peer, kind } = runner.state;
      const peerId = kind === "direct" && peer !== undefined ? toBase64Url(peer) : undefined;
      if (people.some(({ accountId }) => accountId === peerId)) runner.emitConversation();
    }
  }

  /** Those with this person that can be written into. */
  with(peer: Uint8Array): readonly ConversationRunner[] {
    return [...this.#runners()].filter(
      ({ state }) => state.kind === "direct" && state.peer !== undefined && equalBytes(state.peer, peer) && isWritable(state),
    );
  }

  /** Whether no device of the other person is in the conversation any more, nor on its way into it. */
  async isDeserted(runner: ConversationRunner): Promise<boolean> {
    const { own, people } = this.#world;
    const { peer, kind } = runner.state;
    if (kind !== "direct" || peer === undefined || equalBytes(peer, own.accountId)) return false;
    await runner.load();
    const { roster, changes, staged, phase } = runner.state;
    if (roster === undefined || phase.kind !== "active") return false;
    const coming = staged === undefined ? changes : [...changes, staged.change];
    if (coming.some((change) => change.adds.some((joiner) => equalBytes(joiner.accountId, peer)))) return false;
    const leaves = roster.accounts.get(toBase64Url(peer)) ?? [];
    return leaves.every((leaf) => people.departed(leaf));
  }

  /** After a start: one of each person's counts, also where the machine stopped in between; of the others only what was said is shown. */
  async resume(): Promise<void> {
    const peers = new Map<string, ConversationRunner>();
    const twins = new Set<ConversationRunner>();
    for (const runner of this.#runners()) {
      const { peer, kind } = runner.state;
      if (kind !== "direct" || peer === undefined || !isWritable(runner.state)) continue;
      const known = peers.get(toBase64Url(peer));
      if (known === undefined) peers.set(toBase64Url(peer), runner);
      else twins.add(known);
    }
    for (const runner of twins) await this.settle(runner);
    for (const runner of this.#runners()) if (runner.state.phase.kind === "superseded") await runner.showLastText();
  }

  /**
   * Of two with one person, the one with the lower log id wins, unless no device of that person is in it any more, as after a recovery of
   * their account. The others become read-only, and what is written into them goes to the winner.
   */
  async settle(added: ConversationRunner): Promise<void> {
    const { peer, kind } = added.state;
    if (kind !== "direct" || peer === undefined) return;
    const all = this.with(peer);
    if (all.length < 2) return;
    const twins: { readonly runner: ConversationRunner; readonly isDeserted: boolean }[] = [];
    for (const runner of all) twins.push({ runner, isDeserted: await this.isDeserted(runner) });
    const [winner, ...losers] = twins
      .toSorted((a, b) => Number(a.isDeserted) - Number(b.isDeserted) || byRank(a.runner, b.runner))
      .map(({ runner }) => runner);
    if (winner === undefined) return;
    for (const loser of losers) await supersede(this.#world, loser, winner);
  }
}

/**
 * Which of two conversations with the same people stays: the lower log id (spec L-12). Whether one stands still the server may tell either of
 * them otherwise: it decides nothing.
 */
export function byRank(a: Pick<Twin, "state">, b: Pick<Twin, "state">): number {
  return compareBytes(a.state.logId, b.state.logId);
}

/** What `supersede` needs of a conversation. */
export type Twin = Pick<ConversationRunner, "id" | "state" | "input" | "showLastText" | "emitConversation">;

/** Of two conversations with the same people one takes the other's place: the other becomes read-only, and what is not sealed there goes along. */
export async function supersede(world: Pick<World, "platform" | "own" | "ownThings">, loser: Twin, winner: Twin): Promise<void> {
  const { recovered, outgoing } = loser.state;
  // What holds sending there until the person saw it holds it here too, before anything that waits comes over (spec A-1).
  if (recovered.length > 0) await winner.input({ kind: "accounts", recovered: recovered.map(({ accountId }) => accountId) });
  // Into the winner first: between the two nothing is lost, and the same id is not taken twice. What waits for the person's word does so there.
  const waiting = outgoing.filter((item) => item.purpose === "text" && item.sealed === undefined);
  for (const { text, content, failure, uploads } of waiting) {
    const id = contentIdIn(world, winner.state, content);
    await winner.input({ kind: "compose", id, purpose: "text", text, content, failure, uploads });
  }
  await handDraft(loser, winner);
  await carryOwn(world.ownThings, loser.state.logId, winner.state.logId);
  await loser.input({ kind: "supersede", by: winner.id });
  await loser.showLastText();
  loser.emitConversation();
}

/** What the person was writing in one conversation is written on in the other, unless they write there too. */
export async function handDraft({ state }: Pick<Twin, "state">, to: Pick<Twin, "state" | "input">): Promise<void> {
  if (to.state.draft === "" && state.draft !== "") await to.input({ kind: "draft", text: state.draft });
}
