import { decode, equalBytes, toBase64Url } from "@latchkey/codec";
import { stateHashOf, signedCodec } from "@latchkey/transparency";
import type { Contact } from "../account/contacts.ts";
import { isProven } from "../account/contacts.ts";
import { freshMs } from "../account/directory.ts";
import type { AboutPerson, ClientFailure, SafetyNumber, SafetyScan, Verification } from "../api.ts";
import { isAway } from "../core/away.ts";
import type { ConversationState, Effect } from "../core/types.ts";
import { ClientError, failureOf } from "../errors.ts";
import { takeRecovery } from "./account-news.ts";
import { ForkNotices } from "./fork-notices.ts";
import { RestoredServers } from "./restored-servers.ts";
import { OwnAccountWatch } from "./own-account-watch.ts";
import { PublishedHeads } from "./published-heads.ts";
import { Words } from "./words.ts";
import type { Word } from "./words.ts";
import { aboutPerson, markVerified, safetyNumberOf, scanSafetyNumber, verificationOf } from "./verification.ts";
import type { Watched, Watching, World } from "./world.ts";

const minuteMs = 60_000;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** What one speaker says of an account makes this device look at most this often (spec E-1). */
const wordPauseMs = hourMs;
/** Whoever finds a fork first tells the others; of several that find it at once, one. */
const tellForkWithinMs = 8_000;
/** A member that knows a newer state shows it by itself, in most cases before this. */
const refreshDelayMs = 20_000;
/** How soon after a start it is looked whether the server suspended somebody; up to 51 s more, so that devices do not come together. */
const firstLookMs = 10_000;
/** Contacts asked about in an hour at most: nobody's list of contacts goes out at once (spec D-5). */
const refreshesPerHour = 4;

const falseKeysSentence = "The server showed keys of a member of your conversations that their devices did not sign. They are not used.";
const forkedSentence = "Two histories of one account were signed by its devices. The one in the public record is used.";
/**
 * Watches over one's own account, the accounts of the people one talks with, the heads of their conversations, and the public records
 * that say so: at the start, daily, and whenever a message says something new (spec A-2, D-4, D-5, L-11).
 */
export class Watch implements Watching {
  readonly #world: World;
  readonly #heads: PublishedHeads;
  readonly #forks: ForkNotices;
  readonly #timers = new Set<() => void>();
  readonly #stops: (() => void)[] = [];
  readonly #words: Words;
  readonly #restored: RestoredServers;
  /** Accounts whose own word is looked into, and until when another one is not. */
  readonly #wanted = new Set<string>();
  readonly #heardUntilMs = new Map<string, number>();
  /** Conversations whose published head is about to be looked at, because of somebody's word. */
  readonly #asking = new Set<string>();
  readonly #conversations = new Map<string, Watched>();
  readonly #own: OwnAccountWatch;
  #work: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(world: World) {
    this.#world = world;
    this.#heads = new PublishedHeads(world);
    this.#forks = new ForkNotices(world);
    this.#words = new Words(world);
    this.#restored = new RestoredServers(world);
    this.#own = new OwnAccountWatch(world, (delayMs, run) => this.#later(delayMs, run));
  }

  /** Reads what is stored; call before the conversations run. */
  async load(): Promise<void> {
    const { own, directory, alarms } = this.#world;
    await directory.loadOwnRecord();
    // At hand from now on: what messages and commits say of the public record.
    await directory.log.configHash(own.host);
    await this.#words.load();
    await this.#own.load();
    this.#stops.push(
      directory.onMet((contact) => this.#met(contact)),
      alarms.onChange(() => this.#alarmsChanged()),
    );
    directory.log.onAlarm(({ host, failure, about, evidence }) => {
      void alarms.raise({ failure: failureOf(failure), about: `${host} ${about}`, evidence });
    });
    directory.onForked(({ accountId, states }) => {
      const account = toBase64Url(accountId);
      const failure = { code: "account_forked" as const, message: forkedSentence, canRetry: false };
      void alarms.raise({ failure, accountId: account, about: account, evidence: states });
    });
    directory.log.onWord((speaker) => this.#enqueue(() => this.#note(speaker, "record")));
  }

  /** Begins to watch. */
  start(): void {
    this.#later(2000, () => this.#tick());
    const [jitter = 0] = this.#world.platform.random(1);
    this.#later(firstLookMs + jitter * 200, () => this.#lookForSuspended());
  }

  /** Whether somebody whom one knows stands on the public list, and whether cases that one has receipts of were counted: daily (spec F-12, K-5). */
  async #lookForSuspended(): Promise<void> {
    if (this.#closed) return;
    this.#later(hourMs, () => this.#lookForSuspended());
    // What comes slowly holds up nothing else.
    void import("../moderation/suspended.ts").then(({ lookForSuspended }) => lookForSuspended(this.#world, this.#runners)).catch(ignore);
    void import("../counts/kept-receipts.ts").then(({ lookForCounted }) => lookForCounted(this.#world)).catch(ignore);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const stop of this.#stops) stop();
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    await this.#work;
  }

  get hold(): ClientFailure | undefined {
    const { alarms } = this.#world;
    // Two public records: whoever was met lately may be a ghost, so that the person decides first (attacks A2, A5).
    return alarms.standing("account_changed") ?? alarms.standing("directory_fork");
  }

  greeted(host: string, statement: Uint8Array): void {
    this.#enqueue(() => this.#restored.hear(host, statement, () => this.#runners));
  }

  adopt(conversation: Watched): void {
    this.#conversations.set(conversation.id, conversation);
  }

  get #runners(): readonly Watched[] {
    return [...this.#conversations.values()];
  }

  said({ accountId, host, accountVersion, accountChain, gossip }: Extract<Effect, { kind: "said" }>): void {
    const { own, people, directory } = this.#world;
    if (gossip.length > 0) directory.log.hear(gossip, toBase64Url(accountId));
    if (equalBytes(accountId, own.accountId)) {
      if (accountVersion > own.stateVersion) this.#enqueue(() => this.#world.refreshOwn());
      return;
    }
    const contact = people.contact(accountId);
    if (contact === undefined || agrees(contact, accountVersion, accountChain)) return;
    this.#lookInto(host, accountId, { version: accountVersion, chain: accountChain });
  }

  falseWord(accountId: Uint8Array): Word | undefined {
    return this.#words.of(toBase64Url(accountId));
  }

  async #note(speaker: string, kind: Word["kind"]): Promise<void> {
    if (await this.#words.note(speaker, kind)) this.#world.emit({ kind: "verification" });
  }

  async shown(proofs: Uint8Array, accountId: Uint8Array): Promise<void> {
    await this.#world.directory.learn(proofs, [accountId]);
  }

  async takeForkNotice(sender: { accountId: Uint8Array; deviceId: Uint8Array }, body: Uint8Array): Promise<void> {
    await this.#forks.take(sender, body, this.#runners);
  }

  async tellFork(state: ConversationState): Promise<void> {
    await this.#forks.put(state);
    const [jitter = 0] = this.#world.platform.random(1);
    this.#later((tellForkWithinMs * jitter) / 256, () => this.#forks.send([state]));
  }

  askHead(conversationId: string): void {
    const runner = this.#conversations.get(conversationId);
    if (runner === undefined || this.#asking.has(conversationId)) return;
    this.#asking.add(conversationId);
    this.#later(this.#heads.delayMs(runner), async () => {
      this.#asking.delete(conversationId);
      await this.#heads.ask(runner);
    });
  }

  caughtUp(conversationId: string): void {
    const runner = this.#conversations.get(conversationId);
    // A moment later: the connection is for the conversation first.
    if (runner !== undefined) this.#later(1000, () => this.#heads.ask(runner));
  }

  /** One's own account has a new state: made here, told by another device of one's own, or found at the server. */
  async ownChanged(params: { version: number; isKnown: boolean; isOurs?: boolean }): Promise<void> {
    // No further than there is one: else nobody would hear of those that come.
    if (params.isKnown) await this.#own.know(Math.min(params.version, this.#world.own.stateVersion));
    else this.#own.judgeSoon();
    for (const runner of this.#runners) runner.post({ kind: "accounts", recovered: [] });
    if (params.isOurs === true) await this.#announce();
  }

  /** Tells every conversation of one's own account as it is now, with the proof: so nobody has to ask (spec D-5). */
  async #announce(): Promise<void> {
    const { store, directory, own, platform } = this.#world;
    const proofs = await store.transact("read", (tx) => directory.proofsOf(tx, [own.accountId]));
    for (const runner of this.#runners) {
      if (runner.state.kind === "devices") continue;
      runner.post({ kind: "announce", id: toBase64Url(platform.random(16)), displayName: own.displayName, proofs });
    }
  }

  /**
   * Compares one's own account with what the public record has (spec A-2): a version that nobody here made is an alarm, and so is one
   * that is missing.
   * @throws ClientError when the record cannot be had, or does not hold
   */
  check(): Promise<void> {
    return this.#own.check();
  }

  /** What is known of the keys of a conversation's members. @throws ClientError `unknown_conversation` */
  async verification(conversationId: string): Promise<Verification> {
    const conversation = this.#conversations.get(conversationId);
    if (conversation === undefined) throw new ClientError("unknown_conversation", "There is no such conversation in this profile.");
    await conversation.load();
    return await verificationOf(this.#world, conversation.state);
  }

  /** What is known of somebody, wherever they were met. @throws ClientError `unknown_user` */
  async aboutPerson(accountId: string): Promise<AboutPerson> {
    return await aboutPerson(
      this.#world,
      accountId,
      this.#runners.map(({ state }) => state),
    );
  }

  /** @throws ClientError `unknown_user` */
  async safetyNumber(accountId: string): Promise<SafetyNumber> {
    return safetyNumberOf(this.#world, accountId);
  }

  /** @throws ClientError `unknown_user` */
  scanSafetyNumber(accountId: string, code: string): Promise<SafetyScan> {
    return scanSafetyNumber(this.#world, accountId, code);
  }

  /** @throws ClientError `unknown_user` */
  markVerified(accountId: string, verified: boolean): Promise<void> {
    return markVerified(this.#world, accountId, verified);
  }

  /** The person looked at their devices: what holds messages back is gone. */
  #alarmsChanged(): void {
    if (this.hold !== undefined) return;
    this.#enqueue(async () => {
      if (this.#world.alarms.standing("account_changed") === undefined) {
        const handled = this.#world.alarms.wasHandled("account_changed", toBase64Url(this.#world.own.stateHash));
        if (handled) await this.#own.know(this.#world.own.stateVersion);
      }
      for (const runner of this.#runners) runner.post({ kind: "accounts", recovered: [] });
    });
  }

  /** An account was verified anew: conversations judge its devices by it. */
  #met(contact: Contact): void {
    const { people, store, own } = this.#world;
    if (equalBytes(contact.accountId, own.accountId)) return;
    const before = people.contact(contact.accountId);
    people.keep(contact);
    const isNews = before === undefined || !isProven(before) || before.account.state.version < contact.account.state.version;
    if (!isNews) return;
    this.#enqueue(async () => {
      const isRecovered = await store.transact("write", (tx) => takeRecovery(tx, contact));
      const recovered = isRecovered ? [contact.accountId] : [];
      for (const runner of this.#runners) {
        await runner.load();
        const { roster, peer, away } = runner.state;
        const isPeer = peer !== undefined && equalBytes(peer, contact.accountId);
        if (isPeer || isAway(away, contact.accountId) || roster?.accounts.has(toBase64Url(contact.accountId)) === true)
          await runner.input({ kind: "accounts", recovered });
      }
      this.#world.emit({ kind: "verification" });
    });
  }

  /**
   * A member says that its account stands elsewhere than is known here: one look at the public record, which proves it or does not. If it
   * does not, the speaker is named, and its next words are not looked into for an hour; nothing is held (spec E-1).
   */
  #lookInto(host: string, accountId: Uint8Array, word: { readonly version: number; readonly chain: Uint8Array }): void {
    const { platform, people } = this.#world;
    const id = toBase64Url(accountId);
    if (this.#wanted.has(id) || platform.nowMs() < (this.#heardUntilMs.get(id) ?? 0)) return;
    this.#wanted.add(id);
    const [jitter = 0] = platform.random(1);
    this.#later(5000 + (refreshDelayMs * jitter) / 256, async () => {
      this.#wanted.delete(id);
      const known = people.contact(accountId);
      if (known === undefined || agrees(known, word.version, word.chain)) return;
      // Out of reach, or not proven now: it is looked into again at the next word, after a while (spec E-3).
      this.#heardUntilMs.set(id, platform.nowMs() + minuteMs);
      await this.#refresh(host, accountId);
      const now = people.contact(accountId);
      if (now !== undefined && agrees(now, word.version, word.chain)) return;
      this.#heardUntilMs.set(id, platform.nowMs() + wordPauseMs);
      await this.#note(id, "account");
    });
  }

  /** What is due every hour. */
  async #tick(): Promise<void> {
    const { directory, own, platform } = this.#world;
    const [jitter = 0] = platform.random(1);
    if (platform.nowMs() - this.#own.checkedAtMs > dayMs - hourMs) await this.check().catch(ignore);
    // At the start the server may be out of reach: the first look at one's own account is not put off for an hour.
    this.#later(this.#own.checkedAtMs === 0 ? minuteMs : hourMs * (0.75 + jitter / 512), () => this.#tick());
    await directory.log.upkeep(own.host).catch(ignore);
    if (this.#closed) return;
    await this.#heads.check(this.#runners);
    await this.#forks.send(this.#runners.map((runner) => runner.state));
    await this.#refreshOld();
    this.#world.emit({ kind: "verification" });
  }

  /** Contacts of whom nothing was heard for a week are asked about again, a few at a time (spec D-5). */
  async #refreshOld(): Promise<void> {
    const { people, platform, own } = this.#world;
    const old = new Map<string, Contact>();
    for (const runner of this.#runners) {
      for (const leaf of runner.state.roster?.leaves.values() ?? []) {
        const contact = people.contact(leaf.accountId);
        const isOld = contact !== undefined && platform.nowMs() - contact.checkedAtMs > freshMs;
        if (isOld && leaf.account !== toBase64Url(own.accountId)) old.set(leaf.account, contact);
      }
    }
    for (const contact of [...old.values()].slice(0, refreshesPerHour)) {
      const [high = 0, low = 0] = platform.random(2);
      this.#later((hourMs * (high * 256 + low)) / 65_536, async () => {
        await this.#refresh(contact.host, contact.accountId);
      });
    }
  }

  /**
   * Asks about a contact again. Keys that their devices did not sign, and to which the signed record commits, are told, though nobody waits
   * for the answer (attack B1); any other false answer is nobody's, and asked again (spec E-1, E-57).
   */
  async #refresh(host: string, accountId: Uint8Array): Promise<void> {
    const { directory, alarms } = this.#world;
    try {
      await directory.refresh(host, accountId);
    } catch (error) {
      if (error instanceof ClientError && error.code === "server_lied") {
        await alarms.raise({
          failure: { code: "server_lied", message: falseKeysSentence, canRetry: false },
          accountId: toBase64Url(accountId),
          about: toBase64Url(accountId),
        });
      }
      throw error;
    }
  }

  #later(delayMs: number, run: () => Promise<unknown>): void {
    if (this.#closed) return;
    const cancel = this.#world.platform.setTimer(Math.floor(delayMs), () => {
      this.#timers.delete(cancel);
      this.#enqueue(run);
    });
    this.#timers.add(cancel);
  }

  #enqueue(run: () => Promise<unknown>): void {
    // What one task cannot do holds up none of those behind it; a fault is told, and they go on.
    this.#work = this.#work
      .then(() => (this.#closed ? undefined : run()))
      .catch(ignore)
      .catch((error: unknown) => this.#world.emit({ kind: "alarm", failure: failureOf(error), conversationId: undefined }));
  }
}

/** Whether a member's account has, as it is known here, the history that the member says (spec L-10). */
function agrees(contact: Contact, version: number, chain: Uint8Array): boolean {
  const signed = contact.record.states[version];
  return signed !== undefined && equalBytes(stateHashOf(decode(signedCodec, signed).body), chain);
}

/** What cannot be found out now is tried again; what must not be raised its alarm where it was found. */
function ignore(error: unknown): void {
  if (!(error instanceof ClientError)) throw error;
}
