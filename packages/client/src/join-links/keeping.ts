import { encode, equalBytes, fromBase64Url, toBase64Url } from "@latchkey/codec";
import { admissionCodec, createJoinLinkContent, inboxItemKinds, maxLinkUses } from "@latchkey/protocol";
import type { JoinLinkWord } from "@latchkey/protocol";
import type { JoinLink, JoinLinkOptions, WaitingPerson } from "../api.ts";
import { mayAdd } from "../core/permitted.ts";
import { isWritable } from "../core/phase.ts";
import { rightsOf } from "../core/rights.ts";
import type { ConversationState } from "../core/types.ts";
import type { ConversationRunner } from "../engine/conversation-runner.ts";
import { sentenceOf } from "../engine/sentences.ts";
import { requireWritable } from "../engine/writable.ts";
import type { World } from "../engine/world.ts";
import { ClientError, offlineError } from "../errors.ts";
import { cleanName } from "../names/clean.ts";
import { createMutex } from "../store/mutex.ts";
import { find, isAdmitted, refusals } from "./book.ts";
import type { LinkRecord } from "./book.ts";
import { keyHashOf } from "./knock.ts";
import { linkKeys, tagOf } from "./link-keys.ts";
import { formatJoinLink } from "./link-text.ts";
import * as inbox from "./link-inbox.ts";
import { loadRemoved } from "./removed.ts";
import { LinkSharing } from "./sharing.ts";
import type { StoredLinks } from "./stored-links.ts";
import { WaitingRoom } from "./waiting-room.ts";
import type { Waiting } from "./waiting-room.ts";

const dayMs = 86_400_000;
const defaultDays = 7;
const maxDays = 30;
const defaultUses = 50;
/** Where nobody's word is asked for, those of who made the link let in; after so long others who may do. */
const othersLetInAfterMs = 180_000;
/** Before somebody who could not be let in unasked is tried again; twice as long each time. */
const firstAgainMs = 120_000;
const maxAgainMs = 86_400_000;
/** How long the person waits for the log to have what they said; it is said all the same. */
const saidWithinMs = 60_000;

/** What keeping links needs of the engine. */
export interface KeeperAccess {
  /** @throws ClientError `unknown_conversation` */
  runner(id: string): ConversationRunner;
  found(id: string): ConversationRunner | undefined;
  /** Adds an account to a group, as by its name; `isUnasked`: without a person’s decision. @throws ClientError */
  addAccount(id: string, accountId: Uint8Array, isUnasked: boolean): Promise<void>;
}

/** Somebody who waits, and where. */
interface Knocker {
  readonly runner: ConversationRunner;
  readonly waiting: Waiting;
  readonly link: LinkRecord;
  readonly tag: Uint8Array;
}

/** The join links of this person's groups, for those who have the right to them: made, shared, watched and taken back (spec X-14). */
export class LinkKeeper {
  readonly #world: World;
  readonly #links: StoredLinks;
  readonly #access: KeeperAccess;
  readonly #room: WaitingRoom;
  readonly #sharing: LinkSharing;
  /** When somebody who could not be let in unasked is tried again, by group and account: whom nothing reaches is not tried with every look. */
  readonly #failed = new Map<string, { readonly nextMs: number; readonly waitMs: number }>();
  #isLettingIn = false;
  /** One after the other: two at once would judge the same twice. */
  readonly #looking = createMutex();

  constructor(world: World, links: StoredLinks, access: KeeperAccess) {
    this.#world = world;
    this.#links = links;
    this.#access = access;
    this.#room = new WaitingRoom(world, links);
    this.#sharing = new LinkSharing(world, links);
  }

  async create(id: string, { days = defaultDays, uses = defaultUses, isNamed = true }: JoinLinkOptions): Promise<JoinLink> {
    requireWithin(days, maxDays, "days");
    requireWithin(uses, maxLinkUses, "uses");
    const runner = await this.#inviting(id);
    const { platform, store } = this.#world;
    const { host, roster } = runner.state;
    const seed = platform.random(32);
    const keys = await linkKeys(platform, seed);
    const { linkId, linkHash } = keys;
    const notAfterMs = platform.nowMs() + days * dayMs;
    // Before anybody hears of it: a link whose seed is lost would be nobody's.
    const name = isNamed ? cleanName(roster?.settings.name ?? "") : "";
    await store.transact("write", (tx) => this.#links.hold(tx, id, linkId, { seed, told: [], isInboxClosed: false, name }));
    try {
      await inbox.open(this.#world, host, { keys, notAfterMs });
    } catch (error) {
      await store.transact("write", (tx) => this.#links.hold(tx, id, linkId, undefined));
      throw error;
    }
    await this.#say(runner, { word: "open", linkId, linkHash, notAfterMs, maxUses: uses }, (book) => find(book, linkId) !== undefined);
    const made = find(this.#links.of(id), linkId);
    if (made === undefined) throw offlineError();
    // Before whoever asked goes: a command line ends now.
    await this.#sharing.share(runner.state, this.#open(id));
    return await this.#shown(runner.state, made);
  }

  async list(id: string): Promise<readonly JoinLink[]> {
    const { state } = this.#access.runner(id);
    return await Promise.all(this.#open(id).map((link) => this.#shown(state, link)));
  }

  async revoke(id: string, linkIdText: string): Promise<void> {
    const runner = await this.#inviting(id);
    const linkId = bytesOf(linkIdText);
    if (this.#open(id).every((link) => !equalBytes(link.linkId, linkId))) throw unknownLink();
    await this.#say(runner, { word: "close", linkId }, (book) => find(book, linkId)?.end !== "open");
    await this.#tidy(id).catch(ignoreOffline);
  }

  /** Who waits, as the server has it now. */
  async waiting(id: string): Promise<readonly WaitingPerson[]> {
    await this.#inviting(id);
    await this.look(id);
    return this.#shownWaiting(id);
  }

  async admit(id: string, account: string, isUnasked = false): Promise<void> {
    const { runner, waiting, link, tag } = await this.#knocker(id, account);
    const { roster } = runner.state;
    if (roster === undefined || !mayAdd(roster, this.#world.people.self.account))
      throw new ClientError("not_permitted", sentenceOf("not_permitted"));
    // The log counts, and decides of two who let somebody in at once: what it does not count is not done.
    const isSettled = (record: LinkRecord | undefined): boolean =>
      record?.end !== "open" || isAdmitted(record, tag) || record.admitted.length >= record.maxUses;
    if (!isSettled(link)) {
      const { linkId } = link;
      await this.#say(runner, { word: "admit", linkId, tag }, (book) => isSettled(find(book, linkId)));
    }
    const counted = find(this.#links.of(id), link.linkId);
    if (counted?.end !== "open") throw unknownLink();
    if (!isAdmitted(counted, tag)) throw new ClientError("join_link_used_up", "As many as this link is for were let in by it.");
    await this.#tellAdmission(waiting);
    await this.#access.addAccount(id, waiting.accountId, isUnasked);
    await this.#room.done(runner.state, waiting);
    this.#changed(id);
  }

  async refuse(id: string, account: string): Promise<void> {
    const { runner, waiting } = await this.#sayRefused(id, account);
    await this.#room.done(runner.state, waiting);
    this.#changed(id);
  }

  async #sayRefused(id: string, account: string): Promise<Pick<Knocker, "runner" | "waiting">> {
    const { runner, waiting, link, tag } = await this.#knocker(id, account);
    const before = refusals(link, tag);
    await this.#say(runner, { word: "refuse", linkId: link.linkId, tag }, (book) => {
      const record = find(book, link.linkId);
      return record === undefined || record.end !== "open" || refusals(record, tag) > before;
    });
    return { runner, waiting };
  }

  /** Looks what waits at the links of a group, gives the links to those who have the right to them, and closes what is closed. */
  async look(id: string): Promise<void> {
    await this.#tidy(id);
    const runner = this.#access.found(id);
    if (runner === undefined || !isWritable(runner.state)) return;
    await runner.load();
    if (!this.#mayInvite(runner.state)) return;
    await this.#sharing.share(runner.state, this.#open(id));
    const before = JSON.stringify(this.#shownWaiting(id));
    await this.#looking.run(() => this.#room.look(runner.state, this.#open(id)));
    // One look at a time does: another one at once would let the same people in.
    if (!this.#isLettingIn) {
      this.#isLettingIn = true;
      await this.#letInUnasked(runner.state).finally(() => (this.#isLettingIn = false));
    }
    if (JSON.stringify(this.#shownWaiting(id)) !== before) this.#changed(id);
  }

  /**
   * Where the group asks nobody (right `approval` off), who waits is let in, but for whom somebody refused, or removed from the group: that counts
   * as a refusal, which those of whoever made the link say to all.
   */
  async #letInUnasked(state: ConversationState): Promise<void> {
    const { people, platform, own, store } = this.#world;
    const { roster, id } = state;
    if (roster === undefined || roster.settings.rights.approval || !mayAdd(roster, people.self.account)) return;
    const waits = this.#waiting(id);
    const removed = waits.length === 0 ? [] : await store.transact("read", (tx) => loadRemoved(tx, id));
    for (const one of waits) {
      const { accountId, linkId, refused, seenAtMs } = one;
      const link = find(this.#open(id), linkId);
      const isOurs = link !== undefined && equalBytes(link.accountId, own.accountId);
      if (refused > 0 || (!isOurs && platform.nowMs() - seenAtMs < othersLetInAfterMs)) continue;
      if (removed.some((known) => equalBytes(known, accountId))) {
        if (isOurs) await this.#sayRefused(id, toBase64Url(accountId)).catch(ignoreOffline);
        continue;
      }
      const key = `${id}/${toBase64Url(accountId)}`;
      const { nextMs, waitMs } = this.#failed.get(key) ?? { nextMs: 0, waitMs: firstAgainMs / 2 };
      if (platform.nowMs() < nextMs) continue;
      // Somebody else was faster, the link is used up, or the server is not there: with the next look, if they wait then.
      await this.#letIn(id, one).catch((error: unknown) => {
        ignoreOffline(error);
        const againMs = Math.min(maxAgainMs, 2 * waitMs);
        this.#failed.set(key, { nextMs: platform.nowMs() + againMs, waitMs: againMs });
      });
    }
  }

  /** Waits for what the person does: a crowd at a link takes no token that they need. */
  async #letIn(id: string, { host, accountId }: Waiting): Promise<void> {
    const { tokens, account } = this.#world.directory;
    const devices = (await account(host, accountId)).account.state.devices.length;
    // For each a key package and a Welcome, and for one of them the answer.
    if (await tokens.areSpare("stranger_post", 2 * devices + 1)) await this.admit(id, toBase64Url(accountId), true);
  }

  #shownWaiting(id: string): readonly WaitingPerson[] {
    const { people } = this.#world;
    return this.#waiting(id).map(({ accountId, linkId, seenAtMs, refused }) => ({
      person: people.person(accountId),
      linkId: toBase64Url(linkId),
      seenAtMs,
      refusals: refused,
    }));
  }

  #open(id: string): readonly LinkRecord[] {
    const nowMs = this.#world.platform.nowMs();
    const isOpen = ({ end, notAfterMs, linkId }: LinkRecord): boolean =>
      end === "open" && notAfterMs > nowMs && this.#links.held(id, linkId)?.isInboxClosed !== true;
    return this.#links.of(id).filter(isOpen);
  }

  async #shown(state: ConversationState, link: LinkRecord): Promise<JoinLink> {
    const { people } = this.#world;
    await people.load([link.accountId]);
    const held = this.#links.held(state.id, link.linkId);
    return {
      linkId: toBase64Url(link.linkId),
      url: held === undefined ? undefined : await this.#url(state, held.seed, held.name),
      madeBy: people.person(link.accountId),
      expiresAtMs: link.notAfterMs,
      maxUses: link.maxUses,
      uses: link.admitted.length,
    };
  }

  async #url({ host }: ConversationState, seed: Uint8Array, name: string): Promise<string> {
    const { platform, directory, connections } = this.#world;
    const { linkId, secret, keyPair } = await linkKeys(platform, seed);
    const keyHash = keyHashOf(platform.sha256, keyPair.publicKey);
    const code = { host, linkId, keyHash, secret, directory: directory.log.pinned(host), name };
    return formatJoinLink(connections.httpUrl(host), code);
  }

  #mayInvite(state: ConversationState): boolean {
    return rightsOf(state, { account: this.#world.people.self.account }).invite;
  }

  /** @throws ClientError where this person may not give links to this group */
  async #inviting(id: string): Promise<ConversationRunner> {
    const runner = this.#access.runner(id);
    await runner.load();
    requireWritable(runner.state);
    if (!this.#mayInvite(runner.state)) throw new ClientError("not_permitted", sentenceOf("not_permitted"));
    return runner;
  }

  async #knocker(id: string, account: string): Promise<Knocker> {
    const runner = await this.#inviting(id);
    const isTheirs = ({ accountId }: Waiting): boolean => toBase64Url(accountId) === account;
    if (!this.#waiting(id).some(isTheirs)) await this.look(id);
    const { platform } = this.#world;
    const places: Knocker[] = [];
    for (const waiting of this.#waiting(id).filter(isTheirs)) {
      const link = find(this.#open(id), waiting.linkId);
      const held = link === undefined ? undefined : this.#links.held(id, link.linkId);
      if (link === undefined || held === undefined) continue;
      places.push({ runner, waiting, link, tag: tagOf(platform, await linkKeys(platform, held.seed), waiting.accountId) });
    }
    // Who waits at several links comes in by one that is not used up.
    const place = places.find(({ link, tag }) => isAdmitted(link, tag) || link.admitted.length < link.maxUses) ?? places[0];
    if (place === undefined) throw new ClientError("unknown_request", "This person does not wait at a link of this group.");
    return place;
  }

  /** Who waits at links that are open. */
  #waiting(id: string): readonly Waiting[] {
    const open = this.#open(id);
    return this.#room.of(id).filter(({ linkId }) => find(open, linkId) !== undefined);
  }

  /** Says something of a link in the group, and waits until the log has it. @throws ClientError `offline`: it is said once it can be */
  async #say(runner: ConversationRunner, said: JoinLinkWord, isDone: (book: readonly LinkRecord[]) => boolean): Promise<void> {
    const { platform, joinLinks } = this.#world;
    const heard = new Promise<boolean>((resolve) => {
      const finish = (isHeard: boolean): void => {
        stop();
        cancel();
        resolve(isHeard);
      };
      const stop = joinLinks.onChange((id) => {
        if (id === runner.id && isDone(this.#links.of(id))) finish(true);
      });
      const cancel = platform.setTimer(saidWithinMs, () => finish(false));
    });
    const salt = platform.random(16);
    const content = createJoinLinkContent({ salt, sentAtMs: platform.nowMs(), said });
    await runner.input({ kind: "compose", id: toBase64Url(salt), purpose: "link", text: "", content });
    if (!(await heard)) throw offlineError();
  }

  /** Tells whoever knocked that somebody who leads the group lets them in: their Welcome is then what they asked for. */
  async #tellAdmission({ host, accountId, deviceId, linkId, answer }: Waiting): Promise<void> {
    const { directory, store, posts } = this.#world;
    const contact = await directory.account(host, accountId);
    const { inboxId, inboxKey } = await directory.card(contact, deviceId);
    const body = encode(admissionCodec, { format: 1, linkId, answer, ext: new Uint8Array(0) });
    const recipient = { host, accountId, deviceId, inboxId, inboxKey };
    await store.transact("write", (tx) => posts.putItem(tx, { recipient, kind: inboxItemKinds.admission, body }));
    void posts.deliver();
  }

  /** Closes the inboxes of links that are closed, or whose time is over; of a group that this device is out of it forgets all. */
  async #tidy(id: string): Promise<void> {
    const { store, platform } = this.#world;
    const runner = this.#access.found(id);
    if (runner === undefined) return;
    const isOut = !isWritable(runner.state);
    for (const link of this.#links.of(id)) {
      const held = this.#links.held(id, link.linkId);
      const isOver = link.end === "open" && link.notAfterMs <= platform.nowMs();
      if (held === undefined || held.isInboxClosed || (link.end === "open" && !isOver)) continue;
      const endMs = isOver ? link.notAfterMs : 0;
      if (!(await inbox.close(this.#world, runner.state.host, { keys: await linkKeys(platform, held.seed), endMs }))) continue;
      await store.transact("write", (tx) => this.#links.hold(tx, id, link.linkId, { ...held, isInboxClosed: true }));
      this.#room.closed(id, link.linkId);
      this.#changed(id);
    }
    if (isOut && this.#links.of(id).length > 0) await store.transact("write", (tx) => this.#links.forget(tx, id));
  }

  #changed(id: string): void {
    this.#world.emit({ kind: "join_links", conversationId: id });
  }
}

function requireWithin(value: number, most: number, what: string): void {
  if (!Number.isSafeInteger(value) || value < 1 || value > most)
    throw new ClientError("invalid_setting", `A link is for 1 to ${most.toLocaleString("en")} ${what}.`);
}

function unknownLink(): ClientError {
  return new ClientError("unknown_join_link", "There is no such link to this group any more.");
}

/** @throws ClientError `unknown_join_link` */
function bytesOf(linkId: string): Uint8Array {
  try {
    return fromBase64Url(linkId);
  } catch (cause) {
    throw new ClientError("unknown_join_link", "There is no such link to this group any more.", { cause });
  }
}

/** What could not be done now is done with the next look. */
function ignoreOffline(error: unknown): void {
  if (!(error instanceof ClientError)) throw error;
}
