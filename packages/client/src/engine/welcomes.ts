import { equalBytes, toBase64Url } from "@latchkey/codec";
import { placedBehind } from "../core/continuation.ts";
import { leadsElsewhere } from "../core/arrival.ts";
import { answersComplaint } from "../core/answering.ts";
import { loadHead } from "../core/load-records.ts";
import { isOtherGroup, judgeRejoin } from "../core/rejoin.ts";
import { isWritable } from "../core/phase.ts";
import type { ConversationState, Invitation } from "../core/types.ts";
import { ClientError, notReadYet } from "../errors.ts";
import type { Continuations } from "./continuations.ts";
import { ConversationRunner } from "./conversation-runner.ts";
import { keepWelcome, keptWelcome } from "./invitations.ts";
import type { KeptWelcome } from "./invitations.ts";
import type { VerifiedWelcome } from "./join.ts";
import { sentenceOf } from "./sentences.ts";
import type { World } from "./world.ts";

/** A conversation was joined by `sender`'s Welcome; `old`: the one that it goes on with. */
type OnNew = (runner: ConversationRunner, old: ConversationRunner | undefined, sender: Uint8Array) => Promise<void>;

/** What becomes of verified Welcomes: a new conversation, or, in a known one, what M-9 allows. */
export class Welcomes {
  readonly #world: World;
  readonly #runners: ReadonlyMap<string, ConversationRunner>;
  readonly #open: (welcome: KeptWelcome) => Promise<boolean>;
  readonly #continuations: Continuations;
  readonly #onNew: OnNew;
  readonly #onBack: (runner: ConversationRunner) => void;

  constructor(params: {
    world: World;
    runners: ReadonlyMap<string, ConversationRunner>;
    /** Verifies a Welcome that waited once more, now that the person agreed, and hands it to `take`; answers whether it still holds. */
    open: (welcome: KeptWelcome) => Promise<boolean>;
    continuations: Continuations;
    onNew: OnNew;
    onBack: (runner: ConversationRunner) => void;
  }) {
    this.#world = params.world;
    this.#runners = params.runners;
    this.#open = params.open;
    this.#continuations = params.continuations;
    this.#onNew = params.onNew;
    this.#onBack = params.onBack;
  }

  async take(welcome: VerifiedWelcome): Promise<void> {
    const { state, effects, settle } = welcome;
    const known = this.#runners.get(state.id);
    await this.#world.people.load([...(state.roster?.leaves.values() ?? [])].map((leaf) => leaf.accountId));
    if (known !== undefined) {
      await this.#onWelcomedBack(known, welcome);
      return;
    }
    const { accountId } = welcome.sender;
    const old = await this.#continuations.continuedBy(state, toBase64Url(accountId));
    const placed = old === undefined ? { state, effects } : placedBehind(old.state, { state, effects });
    if (old !== undefined) await this.#continuations.offer(old, state, accountId);
    const runner = new ConversationRunner(this.#world, placed.state, undefined);
    await runner.begin(placed.effects, settle);
    await this.#onNew(runner, old, accountId);
  }

  /** A Welcome into a conversation that is known: it replaces nothing by itself (spec M-9). */
  async #onWelcomedBack(known: ConversationRunner, welcome: VerifiedWelcome): Promise<void> {
    const { store, own, platform } = this.#world;
    const { state, sender, settle, putAside } = welcome;
    await known.load();
    const ownHead = await store.transact("read", (tx) => loadHead(tx, known.id, state.chain.seq));
    const isAnswer = answersComplaint(known.state, state, sender, ownHead);
    const verdict = judgeRejoin(known.state, state, {
      self: own.accountId,
      sender: sender.accountId,
      answersComplaint: isAnswer,
      leadsElsewhere: leadsElsewhere(known.state, state, sender, { ownHead, nowMs: platform.nowMs() }),
    });
    if (verdict.kind === "take" || (verdict.kind === "ask" && welcome.isAgreed)) {
      if (isOtherGroup(known.state, state)) await this.#separate(known.id);
      await known.rejoin(welcome, settle);
      this.#onBack(known);
      return;
    }
    // It is looked at again soon, and then less and less often (spec I-3).
    if (verdict.kind === "wait") throw notReadYet();
    if (verdict.kind === "ignore") {
      await store.transact("write", settle);
      return;
    }
    const { wasMember, missing } = verdict;
    const invitation: Invitation = { ...sender, wasMember, missing, atMs: platform.nowMs() };
    // Told first: where the machine stops in between, the item comes again, and tells the same.
    await known.input({ kind: "invited", invitation });
    await store.transact("write", async (tx) => {
      const isWaiting = known.state.invitations.some(({ itemId }) => equalBytes(itemId, sender.itemId));
      if (!isWaiting) {
        await settle(tx);
        return;
      }
      putAside(tx);
      keepWelcome(tx, known.id, welcome);
    });
  }

  /** What went on with a conversation that another group takes the place of stands by itself: first, else it would end that group too. */
  async #separate(id: string): Promise<void> {
    for (const runner of this.#runners.values()) if (runner.state.continuesId === id) await runner.input({ kind: "uncontinued" });
  }

  /** The person lets the account go on in the conversation by its invitation. @throws ClientError `unknown_message`, `invitation_expired` */
  async accept(runner: ConversationRunner, accountId: string): Promise<void> {
    const invitation = invitationOf(runner.state, accountId);
    const kept = await this.#world.store.transact("read", (tx) => keptWelcome(tx, runner.id, invitation.itemId));
    const isOpened = kept !== undefined && (await this.#open(kept));
    // One that leads nowhere any more is still there.
    const stays = runner.state.invitations.some(({ itemId }) => equalBytes(itemId, invitation.itemId));
    if (isOpened && isWritable(runner.state) && !stays) return;
    await this.decline(runner, accountId);
    throw new ClientError("invitation_expired", sentenceOf("invitation_expired"));
  }

  /** The person goes neither here nor elsewhere with that account. @throws ClientError `unknown_message` */
  async decline(runner: ConversationRunner, accountId: string): Promise<void> {
    const offer = runner.state.offers.find((one) => toBase64Url(one.accountId) === accountId);
    if (offer !== undefined) await runner.input({ kind: "unoffered", accountId: offer.accountId });
    if (offer !== undefined && !runner.state.invitations.some((one) => toBase64Url(one.accountId) === accountId)) return;
    await runner.input({ kind: "uninvited", itemId: invitationOf(runner.state, accountId).itemId });
  }

  /**
   * Conversations in which this account's Welcome is waited for: its commit took this device out and back in, or it was a member when
   * this device complained (spec G-5).
   */
  awaited(accountId: Uint8Array): ReadonlySet<string> {
    const waiting = [...this.#runners.values()].filter(({ state }) => {
      const { phase, readdedBy, stranded, arrival, roster } = state;
      if (arrival?.answerers.some((account) => equalBytes(account, accountId)) === true) return true;
      if (stranded !== undefined || arrival !== undefined) return roster?.accounts.has(toBase64Url(accountId)) === true;
      return phase.kind === "removed" && readdedBy !== undefined && equalBytes(readdedBy, accountId);
    });
    return new Set(waiting.map(({ id }) => id));
  }
}

/** The invitation of this account that waits. @throws ClientError `unknown_message` */
function invitationOf({ invitations }: ConversationState, accountId: string): Invitation {
  const found = invitations.find((invitation) => toBase64Url(invitation.accountId) === accountId);
  if (found === undefined) throw new ClientError("unknown_message", "This invitation is not waiting here.");
  return found;
}
