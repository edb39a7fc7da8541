import { equalBytes, toBase64Url } from "@latchkey/codec";
import { defaultSuite } from "../account/key-packages.ts";
import type { Contact } from "../account/contacts.ts";
import type { ContinueOptions, Continued, Message, MessageRange, Person } from "../api.ts";
import { createConversation } from "../core/begin.ts";
import type { RunAs } from "../core/begin.ts";
import { goesOnWith, placedBehind } from "../core/continuation.ts";
import { hasEnded, isWritable } from "../core/phase.ts";
import { isCaughtUp } from "../core/turn.ts";
import type { ConversationState, Effect, Joiner, Outgoing, Roster, RosterLeaf, RosterSettings, WantedChange } from "../core/types.ts";
import { ClientError, notReadYet, offlineError } from "../errors.ts";
import { addition } from "./addition.ts";
import type { ConversationRunner } from "./conversation-runner.ts";
import { carryOwn } from "../own/carry.ts";
import { byRank, handDraft, supersede } from "./direct-conversations.ts";
import { contentIdIn } from "./message-ids.ts";
import { isStopped, conversationOf } from "./shown.ts";
import { contextOf } from "./world.ts";
import type { World } from "./world.ts";

/** The engine's other conversations. */
export interface ContinuationAccess {
  runner(id: string): ConversationRunner | undefined;
  runners(): readonly ConversationRunner[];
  begin(state: ConversationState, effects: readonly Effect[]): Promise<ConversationRunner>;
  /** This account's other devices, for a new group. */
  ownJoiners(): Promise<readonly Joiner[]>;
}

/** Going on in a new conversation with the same people, from wherever one stopped (spec M-9). */
export class Continuations {
  readonly #world: World;
  readonly #access: ContinuationAccess;
  readonly #running = new Map<string, Promise<Continued>>();

  constructor(world: World, access: ContinuationAccess) {
    this.#world = world;
    this.#access = access;
  }

  /** The old conversation that one just joined goes on with, if it does. */
  async continuedBy(joined: ConversationState, sender: string): Promise<ConversationRunner | undefined> {
    const continues = joined.roster?.settings.continues ?? new Uint8Array(0);
    if (continues.length === 0) return undefined;
    for (const old of this.#access.runners()) {
      if (!old.state.continuity.some((name) => equalBytes(name, continues))) continue;
      await old.load();
      const successor = await this.#successor(old);
      const roster = successor === undefined ? old.state.roster : withComing(successor.state);
      if (goesOnWith({ ...old.state, roster }, joined, sender)) return old;
    }
    return undefined;
  }

  /** The conversation in which the person went on with this one, however often they did. */
  async #successor(old: ConversationRunner): Promise<ConversationRunner | undefined> {
    const seen = new Set<ConversationRunner>();
    let last = old;
    while (!seen.has(last)) {
      seen.add(last);
      const { phase } = last.state;
      last = (phase.kind === "continued" || phase.kind === "superseded" ? this.#access.runner(phase.by) : undefined) ?? last;
    }
    if (last === old) return undefined;
    await last.load();
    return last;
  }

  /**
   * A conversation was joined that goes on with `old`. Between two people that is the same as going on oneself; in a group it is offered,
   * and nobody is moved. Where one's own device went on as well, with the same people, the one with the lower log id stays; of two people's, see `DirectConversations`.
   */
  async joined(old: ConversationRunner, next: ConversationRunner, sender: Uint8Array): Promise<void> {
    const before = await this.#successor(old);
    if (this.#isAsked(old.state, sender)) next.emitConversation();
    else if (before === undefined) await this.#end(old, next);
    else if (old.state.kind !== "direct" && isSamePeople(before.state, next.state)) {
      const [winner, loser] = [before, next].toSorted(byRank) as [ConversationRunner, ConversationRunner];
      await supersede(this.#world, loser, winner);
    }
  }

  /** Whether the person decides if they go where this account does. */
  #isAsked({ kind }: ConversationState, sender: Uint8Array): boolean {
    return kind !== "direct" && !equalBytes(sender, this.#world.own.accountId);
  }

  /**
   * Offers a conversation that is about to be joined: before it stands on disk, so that a machine that stops in between loses neither. Where
   * the person went on already, it is one more in their list, and they are asked nothing: what is written to them in either is read.
   */
  async offer(old: ConversationRunner, next: ConversationState, sender: Uint8Array): Promise<void> {
    if (!this.#isAsked(old.state, sender)) return;
    const begun = await this.#successor(old);
    if (begun !== undefined && !isStopped(begun.state)) return;
    const from = begun ?? old;
    const missing = missingIn(next, peopleOf(from.state));
    await from.input({ kind: "offered", offer: { id: next.id, accountId: sender, missing } });
  }

  /** What was made, or joined between two people, and not yet gone on with when the machine stopped. */
  async resume(): Promise<void> {
    for (const next of this.#access.runners()) {
      const { continuesId, joinedSeq } = next.state;
      const old = continuesId === undefined ? undefined : this.#access.runner(continuesId);
      if (old === undefined || hasEnded(old.state.phase) || !isWritable(next.state)) continue;
      // Whoever makes a conversation is in it from its beginning.
      if (old.state.kind !== "direct" && joinedSeq !== 0) continue;
      await old.load();
      await this.#end(old, next);
    }
  }

  /** One at a time for each conversation: two clicks do not make two. */
  goOn(old: ConversationRunner, options: ContinueOptions): Promise<Continued> {
    const known = this.#running.get(old.id);
    if (known !== undefined) return known;
    const going = this.#goOn(old, options).finally(() => this.#running.delete(old.id));
    this.#running.set(old.id, going);
    return going;
  }

  async #goOn(old: ConversationRunner, { into, without = [] }: ContinueOptions): Promise<Continued> {
    await old.load();
    const begun = await this.#successor(old);
    if (begun !== undefined && into !== undefined && into !== begun.id)
      throw new ClientError(
        "not_permitted",
        "You went on in another conversation already. Where somebody else went on is in your list too.",
      );
    if (begun !== undefined) return this.#result(begun, []);
    if (into !== undefined) {
      // Who offers it may have been removed meanwhile.
      if (!isStopped(old.state) && !isCaughtUp(old.state)) throw notReadYet();
      const offered = this.#offered(old, into);
      await this.#end(old, offered);
      return this.#result(offered, []);
    }
    if (!isStopped(old.state)) throw new ClientError("not_permitted", "Nothing stops this conversation: there is nothing to go on from.");
    const { next, unreachable } = await this.#found(old, without);
    await this.#end(old, next);
    return this.#result(next, unreachable);
  }

  /** The conversation of this id, which is offered. @throws ClientError `not_permitted` */
  #offered(old: ConversationRunner, id: string): ConversationRunner {
    const offered = old.state.offers.some((offer) => offer.id === id) ? this.#access.runner(id) : undefined;
    if (offered === undefined || !isWritable(offered.state))
      throw new ClientError(
        "not_permitted",
        "Nobody goes on there with you, or not any more. Look again who goes on where, or go on in a new one.",
      );
    return offered;
  }

  /** Makes the new conversation, with everybody who can be reached; without these accounts of a group. */
  async #found(old: ConversationRunner, without: readonly string[]): Promise<{ next: ConversationRunner; unreachable: readonly Person[] }> {
    const { own, platform, people } = this.#world;
    const { roster, kind, name, peer, continuity } = old.state;
    if (roster === undefined) throw new ClientError("not_a_member", "This device does not know who is in this conversation.");
    const isLeftOut = ({ accountId }: { readonly accountId: Uint8Array }): boolean =>
      kind === "group" && without.includes(toBase64Url(accountId));
    const others = peopleOf(old.state).filter((one) => !equalBytes(one.accountId, own.accountId) && !isLeftOut(one));
    const roles = roster.settings.roles.filter((entry) => !isLeftOut(entry));
    const reached: Contact[] = [];
    const unreachable: Person[] = [];
    const adds: Joiner[] = [];
    let failure: ClientError | undefined;
    for (const { host, accountId } of others) {
      try {
        const contact = people.contact(accountId) ?? (await this.#world.directory.account(host, accountId));
        people.keep(contact);
        adds.push(...(await addition(this.#world, [contact])).adds);
        reached.push(contact);
      } catch (error) {
        if (!(error instanceof ClientError)) throw error;
        failure ??= error;
        unreachable.push(people.person(accountId));
      }
    }
    if (reached.length === 0 && others.length > 0) throw failure ?? offlineError();
    const change = await this.#change(reached, adds);
    const continues = continuity.at(-1);
    const logId = platform.random(32);
    const created = await createConversation(contextOf(this.#world, toBase64Url(logId)), {
      logId,
      host: own.host,
      kind,
      name,
      peer,
      suiteId: defaultSuite,
      ...(continues === undefined ? {} : { continues }),
      runAs: { ...runAsOf(roster.settings), roles },
      change: change.adds.length === 0 ? undefined : change,
    });
    const { state, effects } = placedBehind(old.state, created);
    return { next: await this.#access.begin(state, effects), unreachable };
  }

  async #change(contacts: readonly Contact[], adds: readonly Joiner[]): Promise<WantedChange> {
    const { directory, store, own, platform } = this.#world;
    const accountIds = [own.accountId, ...contacts.map((contact) => contact.accountId)];
    return {
      id: toBase64Url(platform.random(8)),
      adds: [...(await this.#access.ownJoiners()), ...adds],
      removes: [],
      removeDevices: [],
      proofs: await store.transact("read", (tx) => directory.proofsOf(tx, accountIds)),
      update: false,
    };
  }

  /** The old conversation is over, and what waited there goes along. */
  async #end(old: ConversationRunner, next: ConversationRunner): Promise<void> {
    await next.load();
    await hand(this.#world, old, next, !isSamePeople(old.state, next.state));
    await old.input({ kind: "continued", by: next.id });
    old.emitConversation();
    next.emitConversation();
  }

  #result(next: ConversationRunner, unreachable: readonly Person[]): Continued {
    return { conversation: conversationOf(this.#world, next.state, next.lastLine), unreachable };
  }

  /** The messages of a conversation, and above them those of the one that it goes on with. */
  async messages(runner: ConversationRunner, params: MessageRange): Promise<readonly Message[]> {
    const old = this.#before(runner);
    const isAfter = params.afterOrder !== undefined;
    if (old !== undefined && isAfter) {
      const older = await this.messages(old, params);
      const limit = params.limit - older.length;
      const own = limit === 0 ? [] : await runner.history.page({ ...params, limit });
      return [...older.map((message) => ({ ...message, conversationId: runner.id })), ...own];
    }
    const own = await runner.history.page(params);
    if (own.length >= params.limit || old === undefined || isAfter) return own;
    const beforeOrder = own[0]?.order ?? params.beforeOrder ?? Number.MAX_SAFE_INTEGER;
    const older = await this.messages(old, { beforeOrder, limit: params.limit - own.length });
    return [...older.map((message) => ({ ...message, conversationId: runner.id })), ...own];
  }

  /** As `messages`: the place of the first message that was sent at a time or later. */
  async placeAt(runner: ConversationRunner, atMs: number): Promise<number | undefined> {
    const old = this.#before(runner);
    const older = old === undefined ? undefined : await this.placeAt(old, atMs);
    return older ?? (await runner.history.placeAt(atMs));
  }

  /** The conversation that one goes on with, whose messages stand above its own. */
  #before({ state }: ConversationRunner): ConversationRunner | undefined {
    const old = state.continuesId === undefined ? undefined : this.#access.runner(state.continuesId);
    return old?.state.phase.kind === "continued" ? old : undefined;
  }
}

/** How a conversation is run, beside who has which role: the one that goes on with it is run so too (spec M-9). */
function runAsOf({ rights, description, picture, timerS, slowModeS, keptOut }: RosterSettings): RunAs {
  return { format: keptOut.length > 0 ? 4 : 3, rights, description, picture, timerS, slowModeS, keptOut };
}

/** Whether the new conversation has exactly the old one's accounts, those on their way into it included. */
function isSamePeople(old: ConversationState, next: ConversationState): boolean {
  const before = peopleOf(old);
  return missingIn(next, before).length === 0 && before.length === peopleIn(next).size;
}

/** Who of these is not in a conversation, or on the way into it. */
function missingIn(next: ConversationState, people: readonly { readonly accountId: Uint8Array }[]): readonly Uint8Array[] {
  const there = peopleIn(next);
  return people.map(({ accountId }) => accountId).filter((accountId) => !there.has(toBase64Url(accountId)));
}

/** The accounts of a conversation (base64url), those on their way into it included. */
function peopleIn({ roster, changes, staged }: ConversationState): ReadonlySet<string> {
  const coming = [...changes, ...(staged === undefined ? [] : [staged.change])].flatMap((change) => change.adds);
  return new Set([...(roster?.accounts.keys() ?? []), ...coming.map(({ accountId }) => toBase64Url(accountId))]);
}

/**
 * What waits in one conversation goes into another. The person is asked first where somebody else would read it (attack A7), and where it
 * is not known whether it was taken already.
 */
async function hand(world: World, from: ConversationRunner, to: ConversationRunner, isAsked: boolean): Promise<void> {
  const failureOf = (item: Outgoing): Outgoing["failure"] =>
    item.sealed !== undefined ? "conversation_unavailable" : isAsked ? "members_changed" : item.failure;
  for (const item of from.state.outgoing.filter(({ purpose }) => purpose === "text")) {
    const { text, content, uploads } = item;
    // Said elsewhere, it is another message. A machine that stopped while they were handed over has some of them there, sent perhaps.
    const id = contentIdIn(world, to.state, content);
    if ((await to.history.line(id)) === undefined)
      await to.input({ kind: "compose", id, purpose: "text", text, content, failure: failureOf(item), uploads });
  }
  await handDraft(from, to);
  await carryOwn(world.ownThings, from.state.logId, to.state.logId);
}

/** A conversation's members, with those on their way into it. */
function withComing(state: ConversationState): Roster | undefined {
  const { roster } = state;
  if (roster === undefined) return undefined;
  const coming = peopleOf(state).map(({ accountId }): [string, readonly RosterLeaf[]] => [toBase64Url(accountId), []]);
  return { ...roster, accounts: new Map([...coming, ...roster.accounts]) };
}

/** Everybody whom a conversation is with: its members, and whom it was to begin with. */
function peopleOf({
  phase,
  roster,
  changes,
  staged,
  kind,
  peer,
  host,
}: ConversationState): readonly { host: string; accountId: Uint8Array }[] {
  const members = [...(roster?.accounts.values() ?? [])].flatMap((leaves) => leaves.slice(0, 1));
  const founding = phase.kind === "creating" ? [...changes, ...(staged === undefined ? [] : [staged.change])] : [];
  const wanted = founding.flatMap(({ adds }) => adds);
  const other = kind === "direct" && peer !== undefined ? [{ host, accountId: peer }] : [];
  const found = new Map(
    [...members, ...wanted, ...other].map(({ host: at, accountId }) => [toBase64Url(accountId), { host: at, accountId }]),
  );
  return [...found.values()];
}
