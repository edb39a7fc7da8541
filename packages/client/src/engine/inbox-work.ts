import { equalBytes, fromBase64Url, toBase64Url } from "@latchkey/codec";
import { inboxItemKinds, retentionDays } from "@latchkey/protocol";
import type { InboxHead, InboxItem, InboxPlaintext } from "@latchkey/protocol";
import { deviceOf } from "@latchkey/transparency";
import type { VerifiedAccount } from "@latchkey/transparency";
import { isProven } from "../account/contacts.ts";
import { ClientError, failureOf } from "../errors.ts";
import { isSignedBy } from "../group/inbox-seal.ts";
import type { UnsealedItem } from "../group/inbox-seal.ts";
import { isItemSeen, rememberItem } from "../group/inbox-seen.ts";
import { createMutex } from "../store/mutex.ts";
import type { StoreTransaction } from "../store/store.ts";
import { InboxShelf } from "./inbox-shelf.ts";
import type { Shelved, Stage } from "./inbox-shelf.ts";
import { joinByWelcome } from "./join.ts";
import type { VerifiedWelcome } from "./join.ts";
import type { KeptWelcome } from "./invitations.ts";
import type { DeviceReference } from "../core/types.ts";
import type { World } from "./world.ts";

/** What the items are for. */
export interface WorkHandlers {
  /** Takes a verified Welcome in, or not. */
  readonly onJoined: (welcome: VerifiedWelcome) => Promise<void>;
  /**
   * Conversations into which this account may welcome this device again though it is not accepted: this device is out of them and waits
   * for a member to let it back.
   */
  readonly awaited: (accountId: Uint8Array) => ReadonlySet<string>;
  /** Another device of one's own wrote the history for this one: puts that down. */
  readonly putHistoryNotice: (tx: StoreTransaction, body: Uint8Array) => void;
  readonly onHistoryNotice: () => void;
  /** Whether this person asked to be let in somewhere: else nobody's answer to that is looked at. */
  readonly isKnocking: () => boolean;
  readonly onAdmission: (sender: DeviceReference, body: Uint8Array) => Promise<void>;
  readonly onLinkShare: (sender: DeviceReference, body: Uint8Array) => Promise<void>;
  /** An item that says it is the desk's: nobody looked at its signature so far. @throws ClientError while that cannot be done */
  readonly onNotice: (item: InboxPlaintext, receivedAtMs: number) => Promise<void>;
  readonly onGroupReport: (sender: DeviceReference, body: Uint8Array) => Promise<void>;
  /** What waits for the person, or what became of it, is another. */
  readonly onRequests: () => void;
}

/** Whether strangers are asked about, or taken as accepted, as a bot does. */
export type RequestPolicy = "ask" | "accept";

const firstRetryMs = 15_000;
const maxRetryMs = 6 * 3_600_000;
/** Tries at finding out who a stranger is; after that their item goes. */
const maxStrangerTries = 6;
/** Tries after which something is wrong with the item and not with the way. */
const maxFaults = 3;
/** Senders looked up at once, and how soon one more may be: whatever items name that nobody signed, they cost no more than that. */
const lookUpBurst = 20;
const lookUpRefillMs = 10_000;

/**
 * Deals with what came into the inbox (spec I-3, I-4). Each sender has a line of its own: what cannot be dealt with now is tried
 * again, less and less often, until it expires, and nothing waits behind it. Until its signature holds, an item is nobody's: it waits in
 * the line and the room of those that came with the capability, or without, whomever it names. Of a stranger's item nothing but its head
 * is used until the person accepted who sent it.
 */
export class InboxWork {
  readonly shelf: InboxShelf;
  readonly #world: World;
  readonly #handlers: WorkHandlers;
  readonly #policy: RequestPolicy;
  readonly #lanes = new Map<string, Promise<void>>();
  readonly #joined = new Map<string, string[]>();
  /** Joins take their turns: each looks at which conversations there are. */
  readonly #joining = createMutex();
  #cancelTimer: (() => void) | undefined;
  readonly #lookUps = { contacts: { left: lookUpBurst, atMs: 0 }, strangers: { left: lookUpBurst, atMs: 0 } };
  #retentionDays: number = retentionDays;
  #closed = false;

  constructor(world: World, handlers: WorkHandlers, policy: RequestPolicy) {
    this.#world = world;
    this.#handlers = handlers;
    this.#policy = policy;
    this.shelf = new InboxShelf(world.store, {
      isOwn: (account) => account === toBase64Url(world.own.accountId),
      onFailed: () => handlers.onRequests(),
    });
    world.standings.onChange((account) => void this.#reconsider(account).catch(ignoreStore));
  }

  /** Goes on with what an earlier run put aside. */
  async start(): Promise<void> {
    await this.shelf.load();
    this.#wake();
  }

  /** Whether nothing is under way that ends by itself soon; what is tried again later is not waited for. */
  get isIdle(): boolean {
    return this.#lanes.size === 0;
  }

  /** The server is reached again and says how long it keeps entries: what failed for that is tried now. */
  async connected(days: number): Promise<void> {
    this.#retentionDays = days;
    for (const { id, lastCode, nextTryMs } of this.shelf.list()) {
      if (lastCode === "offline" && nextTryMs > this.#world.platform.nowMs()) await this.shelf.change(id, { nextTryMs: 0 });
    }
    this.#wake();
  }

  /** Takes an item in: verified as far as that asks nobody, then stored. Afterwards the server need not hold it any more. @throws ClientError of the store */
  async arrive(item: UnsealedItem, part: InboxItem["part"]): Promise<void> {
    const { store, own, platform } = this.#world;
    const { head } = item;
    if (head.senderHost !== own.host || this.shelf.has(head.itemId)) return;
    if (await store.transact("read", (tx) => isItemSeen(tx, head.itemId))) return;
    if (head.kind === inboxItemKinds.notice) {
      // It names no account: whoever acts on it asks the public record for the desk's key (spec V-5).
      await this.shelf.put(item, { stage: "work", part, isStrangers: true, nowMs: platform.nowMs() });
      this.#wake();
      return;
    }
    const sender = await this.#known(head);
    const isKnown = sender !== undefined && deviceOf(sender, head.senderDeviceId) !== undefined;
    if (isKnown && !(await isSignedBy(sender, item, platform))) return;
    const stage = await this.#stageOf(head, { isMet: sender !== undefined, isVerified: isKnown });
    if (stage === undefined) return;
    const isStrangers = stage === "sender" || this.#world.standings.of(head.senderAccountId) === "stranger";
    await this.shelf.put(item, { stage, part, isStrangers, nowMs: platform.nowMs() });
    if (stage === "request") this.#handlers.onRequests();
    this.#wake();
  }

  /** The sender's account as it is at hand, without asking anybody. */
  async #known({ senderAccountId }: InboxHead): Promise<VerifiedAccount | undefined> {
    const { own, store, directory } = this.#world;
    if (equalBytes(senderAccountId, own.accountId)) return own.account;
    const contact = await store.transact("read", (tx) => directory.cached(tx, senderAccountId));
    return contact !== undefined && isProven(contact) ? contact.account : undefined;
  }

  /** What becomes of an item: by its sender's standing and its kind; `undefined`: it is dropped. */
  async #stageOf(head: InboxHead, sender: { isMet: boolean; isVerified: boolean }): Promise<Stage | undefined> {
    const { standings } = this.#world;
    const standing = standings.of(head.senderAccountId);
    const { welcome, forkNotice, history, admission, linkShare, groupReport } = inboxItemKinds;
    if (standing === "blocked") return undefined;
    const isStranger = standing === "stranger";
    const isWanted =
      head.kind === welcome ||
      ([forkNotice, linkShare, groupReport].some((kind) => kind === head.kind) && (!isStranger || sender.isMet)) ||
      (head.kind === history && standing === "own") ||
      (head.kind === admission && this.#handlers.isKnocking());
    if (!isWanted) return undefined;
    if (!sender.isVerified) return "sender";
    if (!isStranger || head.kind !== welcome || this.#handlers.awaited(head.senderAccountId).size > 0) return "work";
    if (this.#policy === "ask") return "request";
    await standings.accept([head.senderAccountId.slice()]);
    return "work";
  }

  #laneOf(item: Shelved): string {
    return item.stage === "sender" ? item.part : item.account;
  }

  #due(): readonly Shelved[] {
    const nowMs = this.#world.platform.nowMs();
    return this.shelf.list().filter(({ stage, nextTryMs }) => (stage === "sender" || stage === "work") && nextTryMs <= nowMs);
  }

  /** Starts the lines in which something is due, and waits for the next. */
  #wake(): void {
    if (this.#closed) return;
    for (const item of this.#due()) {
      const lane = this.#laneOf(item);
      if (this.#lanes.has(lane)) continue;
      const running = this.#run(lane)
        .catch((error: unknown) => {
          ignoreStore(error);
          // One's own store failed: nothing can be put down now.
          this.#world.platform.setTimer(firstRetryMs, () => this.#wake());
          return true;
        })
        .then((isBroken) => {
          this.#lanes.delete(lane);
          if (isBroken !== true) this.#wake();
        });
      this.#lanes.set(lane, running);
    }
    this.#cancelTimer?.();
    const later = this.shelf.list().filter(({ stage }) => stage === "sender" || stage === "work");
    if (later.length === 0) return;
    const nowMs = this.#world.platform.nowMs();
    const delayMs = Math.max(1000, Math.min(...later.map(({ nextTryMs }) => nextTryMs)) - nowMs);
    this.#cancelTimer = this.#world.platform.setTimer(delayMs, () => this.#wake());
  }

  async #run(lane: string): Promise<void> {
    for (;;) {
      const due = this.#due().filter((item) => this.#laneOf(item) === lane);
      // Who was never asked about comes before accounts that the server does not know.
      const [next] = due[0]?.stage === "sender" ? due.toSorted((a, b) => a.attempts - b.attempts) : due;
      if (next === undefined || this.#closed) return;
      await this.#try(next);
    }
  }

  async #try(shelved: Shelved): Promise<void> {
    const { platform } = this.#world;
    const item = await this.shelf.open(shelved.id);
    if (item === undefined) {
      this.shelf.forget(shelved.id);
      return;
    }
    const nowMs = platform.nowMs();
    if (shelved.notAfterMs < nowMs) {
      await this.shelf.giveUp(shelved.id);
      return;
    }
    try {
      if (shelved.stage === "sender") await this.#lookUp(shelved, item);
      else await this.#actOn(shelved, item);
    } catch (error) {
      if (error instanceof ClientError && (error.code.startsWith("storage_") || error.code === "closed")) throw error;
      const attempts = shelved.attempts + 1;
      const isFault = !(error instanceof ClientError);
      if ((isFault && attempts >= maxFaults) || (isStrangersWork(shelved) && attempts >= maxStrangerTries)) {
        await this.shelf.giveUp(shelved.id);
        return;
      }
      const firstMs = !isFault && error.retryAfterMs > 0 ? error.retryAfterMs : firstRetryMs;
      const delayMs = Math.min(maxRetryMs, firstMs * 4 ** Math.min(shelved.attempts, 12));
      await this.shelf.change(shelved.id, { attempts, nextTryMs: nowMs + delayMs, lastCode: failureOf(error).code });
      this.#handlers.onRequests();
    }
  }

  /** Finds out who sent an item, and whether they did. @throws ClientError */
  async #lookUp(shelved: Shelved, item: UnsealedItem): Promise<void> {
    const { platform, standings } = this.#world;
    if (!this.#mayLookUp(shelved.part)) {
      await this.shelf.change(shelved.id, { nextTryMs: platform.nowMs() + lookUpRefillMs });
      return;
    }
    const sender = await this.#findSender(item.head);
    const isVerified = sender !== undefined && (await isSignedBy(sender, item, platform));
    const stage = isVerified ? await this.#stageOf(item.head, { isMet: true, isVerified: true }) : undefined;
    if (stage === undefined) {
      await this.shelf.remove([shelved.id]);
      return;
    }
    const isStrangers = standings.of(item.head.senderAccountId) === "stranger";
    await this.shelf.change(shelved.id, { stage, isStrangers, attempts: 0, nextTryMs: 0, lastCode: "" });
    if (stage === "request") this.#handlers.onRequests();
  }

  #mayLookUp(part: InboxItem["part"]): boolean {
    const nowMs = this.#world.platform.nowMs();
    const budget = this.#lookUps[part];
    const refilled = Math.floor((nowMs - budget.atMs) / lookUpRefillMs);
    if (refilled !== 0) {
      budget.left = Math.min(lookUpBurst, budget.left + Math.abs(refilled));
      budget.atMs = nowMs;
    }
    if (budget.left === 0) return false;
    budget.left--;
    return true;
  }

  /** The account that a head names, as one's own host's record has it. @throws ClientError while that cannot be had */
  async #findSender(head: InboxHead): Promise<VerifiedAccount | undefined> {
    const { directory, store, people, own } = this.#world;
    const { senderAccountId: accountId, senderDeviceId: deviceId } = head;
    if (equalBytes(accountId, own.accountId)) {
      // A device that this one has not heard of yet, perhaps.
      if (deviceOf(own.account, deviceId) === undefined) await this.#world.refreshOwn();
      return this.#world.own.account;
    }
    try {
      const known = await store.transact("read", (tx) => directory.cached(tx, accountId));
      // Its account may have got the device since it was last heard of: by its recovery phrase, for one.
      const isNews = known === undefined || deviceOf(known.account, deviceId) === undefined;
      const contact = isNews ? await directory.refresh(own.host, accountId.slice()) : await directory.account(own.host, accountId.slice());
      people.keep(contact);
      return contact.account;
    } catch (error) {
      if (error instanceof ClientError && error.code === "unknown_user") return undefined;
      throw error;
    }
  }

  /** Acts on a verified item. @throws ClientError */
  async #actOn(shelved: Shelved, item: UnsealedItem): Promise<void> {
    const { store, watch } = this.#world;
    const { head } = item;
    const settle = (tx: StoreTransaction): void => this.shelf.settle(tx, head);
    if (head.kind === inboxItemKinds.welcome) {
      const isStranger = this.#world.standings.of(head.senderAccountId) === "stranger";
      const { senderHost: host, senderAccountId: accountId, senderDeviceId: deviceId, itemId, notAfterMs } = head;
      const outcome = await joinByWelcome(this.#world, {
        welcome: { sender: { host, accountId, deviceId, itemId, notAfterMs }, body: item.body },
        isAgreed: false,
        retentionDays: this.#retentionDays,
        knownOnly: isStranger ? (id) => this.#handlers.awaited(accountId).has(id) : undefined,
        settle,
        take: async (welcome) => {
          await this.#take(welcome);
          this.#joined.set(shelved.account, [...(this.#joined.get(shelved.account) ?? []), welcome.state.id]);
        },
      });
      if (outcome === "stranger") {
        await this.shelf.change(shelved.id, { stage: "request" });
        this.#handlers.onRequests();
        return;
      }
      if (outcome === "failed") {
        await this.shelf.giveUp(shelved.id);
        return;
      }
    } else if (head.kind === inboxItemKinds.history) {
      await store.transact("write", (tx) => {
        settle(tx);
        this.#handlers.putHistoryNotice(tx, item.body.slice());
      });
      this.#handlers.onHistoryNotice();
    } else if (head.kind === inboxItemKinds.notice) {
      await this.#handlers.onNotice(item, shelved.receivedAtMs);
      await store.transact("write", settle);
    } else {
      const sender = { accountId: head.senderAccountId, deviceId: head.senderDeviceId };
      const { admission, linkShare, groupReport } = inboxItemKinds;
      if (head.kind === admission) await this.#handlers.onAdmission(sender, item.body);
      else if (head.kind === linkShare) await this.#handlers.onLinkShare(sender, item.body);
      else if (head.kind === groupReport) await this.#handlers.onGroupReport(sender, item.body);
      else await watch.takeForkNotice(sender, item.body);
      await store.transact("write", settle);
    }
    this.shelf.forget(shelved.id);
    if (shelved.wasRequest || shelved.attempts > 0) this.#handlers.onRequests();
  }

  /**
   * Joins by a Welcome that waited in a conversation, now that the person agreed (spec M-9). Answers whether it still holds.
   * @throws ClientError when what it needs cannot be had now
   */
  async accept(welcome: KeptWelcome): Promise<boolean> {
    const { itemId, notAfterMs } = welcome.sender;
    const settle = (tx: StoreTransaction): void => rememberItem(tx, itemId, notAfterMs);
    const take = (verified: VerifiedWelcome): Promise<void> => this.#take(verified);
    const params = { welcome, isAgreed: true, retentionDays: this.#retentionDays, settle, take };
    return (await joinByWelcome(this.#world, params)) === "done";
  }

  async #take(welcome: VerifiedWelcome): Promise<void> {
    await this.#joining.run(() => this.#handlers.onJoined(welcome));
  }

  /** The person said something else of this account, here or on another device: what waits of it follows. */
  async #reconsider(account: string): Promise<void> {
    const { standings } = this.#world;
    const standing = standings.of(fromBase64Url(account));
    const declined = standings.declinedThrough(account);
    const items = this.shelf.list().filter((item) => item.account === account);
    if (standing === "blocked") await this.shelf.remove(items.map(({ id }) => id));
    else {
      const requests = items.filter(({ stage }) => stage === "request" || stage === "failed");
      await this.shelf.remove(requests.filter(({ receivedAtMs }) => receivedAtMs <= declined).map(({ id }) => id));
      if (standing === "accepted") {
        for (const { id, stage } of this.shelf.list().filter((item) => item.account === account)) {
          if (stage === "request")
            await this.shelf.change(id, { stage: "work", isStrangers: false, wasRequest: true, attempts: 0, nextTryMs: 0 });
        }
        await this.shelf.clearDropped();
      }
    }
    this.#handlers.onRequests();
    this.#wake();
  }

  /** Deals with what this account asked for, which the person just accepted: ids of the conversations that were joined. */
  async finish(account: string): Promise<{ readonly joined: readonly string[]; readonly isPending: boolean; readonly hasFailed: boolean }> {
    this.#joined.delete(account);
    await this.#reconsider(account);
    while (this.#lanes.has(account)) await this.#lanes.get(account);
    const items = this.shelf.list().filter((item) => item.account === account);
    const joined = this.#joined.get(account) ?? [];
    this.#joined.delete(account);
    return {
      joined,
      isPending: items.some(({ stage }) => stage === "work"),
      hasFailed: items.some(({ stage }) => stage === "failed"),
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTimer?.();
    await Promise.all(this.#lanes.values());
  }
}

/** Whether an item is tried a few times only: of whoever showed nothing, and of whom the person did not accept. */
function isStrangersWork({ stage, part, isStrangers, kind }: Shelved): boolean {
  if (kind === inboxItemKinds.notice) return false;
  return stage === "sender" ? part === "strangers" : isStrangers;
}

/** A store that fails is told where somebody waits for it. */
function ignoreStore(error: unknown): void {
  if (!(error instanceof ClientError)) throw error;
}
