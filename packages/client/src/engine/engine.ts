import { equalBytes, fromBase64Url, toBase64Url } from "@latchkey/codec";
import type { CipherSuiteId, MessageEvidence } from "@latchkey/mls";
import { parseAddress } from "@latchkey/protocol";
import type { Address } from "@latchkey/protocol";
import { defaultSuite } from "../account/key-packages.ts";
import type { Contact } from "../account/contacts.ts";
import type { ContinueOptions, Continued, Conversation, ConversationDetails, Message, Person } from "../api.ts";
import { createConversation } from "../core/begin.ts";
import { loadConversation, recordKeys } from "../core/records.ts";
import { hasEnded, isWritable } from "../core/phase.ts";
import type { ConversationState, Effect, WantedChange } from "../core/types.ts";
import { Devices } from "../devices/devices.ts";
import { background } from "../devices/told.ts";
import type { OwnStates } from "../devices/own-states.ts";
import { ClientError } from "../errors.ts";
import { cleanName } from "../names/clean.ts";
import { Own } from "../own/own.ts";
import { isDeleted } from "../own/view.ts";
import { ReceiptSending } from "../receipts/sending.ts";
import { Signals } from "../signals/signals.ts";
import { createMutex } from "../store/mutex.ts";
import { addition } from "./addition.ts";
import { ownAppendSecretKey } from "./append-secrets.ts";
import { startChores } from "./chores.ts";
import { Continuations } from "./continuations.ts";
import { ConversationRunner } from "./conversation-runner.ts";
import { DirectConversations } from "./direct-conversations.ts";
import { loadShownLine } from "../timeline/history.ts";
import { Messages } from "./messages.ts";
import { accountsOf } from "./effects.ts";
import { GroupChanges, groupNameOf } from "./group-changes.ts";
import { HostLink } from "./host-link.ts";
import { Inbox } from "./inbox.ts";
import { InboxWork } from "./inbox-work.ts";
import type { RequestPolicy } from "./inbox-work.ts";
import { isStillIn } from "./posts.ts";
import { Requests } from "./requests.ts";
import { standingPrefix } from "./standings.ts";
import { messagesSince } from "./since.ts";
import { conversationOf, detailsOf, isListed } from "./shown.ts";
import { Welcomes } from "./welcomes.ts";
import { requireWritable } from "./writable.ts";
import { contextOf } from "./world.ts";
import type { World } from "./world.ts";

/** Everything that runs once this profile has an account: its inbox and its conversations. */
export class Engine {
  readonly #world: World;
  readonly #runners = new Map<string, ConversationRunner>();
  readonly #links = new Map<string, HostLink>();
  readonly #inbox: Inbox;
  readonly #directs: DirectConversations;
  readonly #continuations: Continuations;
  readonly #ownId: string;
  readonly #items: InboxWork;
  readonly #welcomes: Welcomes;
  /** One's own devices, and what moves between them. */
  readonly devices: Devices;
  /** What the person says, and does to what was said. */
  readonly messages: Messages;
  /** What people see of each other at this moment. */
  readonly signals: Signals;
  readonly #receipts: ReceiptSending;
  /** What the person sets for themselves. */
  readonly own: Own;
  /** People who wait to be accepted, and those who are blocked. */
  readonly requests: Requests;
  #closed = false;
  #stopChores: () => void = () => undefined;
  /** What a person changes of a group. */
  readonly groups: GroupChanges;
  readonly #starting = createMutex();

  private constructor(world: World, states: OwnStates, runners: readonly ConversationRunner[], policy: RequestPolicy) {
    this.#world = world;
    this.#ownId = toBase64Url(world.own.accountId);
    this.#directs = new DirectConversations(world, () => this.#runners.values());
    this.#continuations = new Continuations(world, {
      runner: (id) => this.#runners.get(id),
      runners: () => [...this.#runners.values()],
      begin: (state, effects) => this.#begin(state, effects),
      ownJoiners: () => this.devices.joiners(),
    });
    this.groups = new GroupChanges(world, {
      runner: (id) => this.#runner(id),
      resolveAll: (addresses) => this.#resolveAll(addresses),
      acceptWritten: (contacts) => this.#acceptWritten(contacts),
    });
    this.own = new Own(world, {
      runner: (id) => this.#runner(id),
      runners: () => [...this.#runners.values()],
      devicesGroup: () => this.devices.told.group,
    });
    this.devices = new Devices({
      world,
      states,
      access: {
        runners: () => [...this.#runners.values()],
        joined: (id) => this.#runners.get(id)?.state,
        change: (runner, change) => this.groups.make(runner, change),
        followOwn: (message, log, order) => this.own.telling.follow(message, log, order),
        ownPlaced: () => this.own.telling.wakeSoon(),
        tellOwn: () => this.own.telling.tellAll(),
        createDevicesGroup: (change) => this.#createDevicesGroup(change),
        adoptUnjoined: (state) => this.#adoptUnjoined(state),
        historyArrived: (id, readThrough) => this.#historyArrived(id, readThrough),
        self: world.own.accountId,
        hide: async (id, messageIds) => {
          if (this.#runners.has(id)) await this.messages.hide(id, messageIds);
        },
      },
    });
    this.messages = new Messages(world, {
      runner: (id) => this.#runner(id),
      runners: () => [...this.#runners.values()],
      writable: (id) => this.#forWriting(id),
      requireWritable: ({ state }) => this.#requireWritable(state),
      composed: (id) => {
        this.signals.sent(id);
        this.#countWaiting();
        this.own.written();
      },
      hidden: (id, messageIds) => this.devices.told.hidden(id, messageIds),
    });
    this.#receipts = new ReceiptSending(world, { runner: (id) => this.#runners.get(id), isOn: () => this.own.setting("receipts") });
    this.signals = new Signals(world, { runner: (id) => this.#runners.get(id), isOn: () => this.own.setting("typing") });
    const isMember = world.own.status === "registered";
    if (isMember) this.#link(world.own.host);
    for (const runner of runners) this.#adopt(runner);
    const items: InboxWork = new InboxWork(
      world,
      {
        onJoined: (welcome) => this.#welcomes.take(welcome),
        putHistoryNotice: (tx, body) => this.devices.putNotice(tx, body),
        onHistoryNotice: () => this.devices.noticed(),
        awaited: (accountId) => this.#welcomes.awaited(accountId),
        onRequests: () => world.emit({ kind: "requests" }),
      },
      policy,
    );
    this.#welcomes = new Welcomes({
      world,
      runners: this.#runners,
      continuations: this.#continuations,
      open: (welcome) => items.accept(welcome),
      onNew: async (runner, old, sender) => {
        this.#adopt(runner);
        if (old !== undefined) await this.#continuations.joined(old, runner, sender);
        await this.#directs.settle(runner);
        this.devices.joined(runner);
      },
      onBack: (runner) => {
        this.#link(runner.state.host).add(runner);
        this.devices.joined(runner);
      },
    });
    this.requests = new Requests(world, items);
    this.#items = items;
    this.#inbox = new Inbox(world, items, isMember);
    world.standings.onChange((account, isOurs) => this.#stands(account, isOurs));
    world.appendSecrets.onChange((isOurs) => {
      if (isOurs) this.devices.shared(ownAppendSecretKey);
      this.#inbox.secretChanged();
      for (const runner of this.#runners.values()) runner.introduce();
    });
    if (!isMember) return;
    world.posts.isMeant = (invited) => isStillIn(this.#runners.get(toBase64Url(invited.logId))?.state, invited);
    void world.posts.deliver();
    this.#countWaiting();
  }

  /** Loads what is stored and connects; a device that is no member of its account any more only shows what it has. */
  static async start(world: World, states: OwnStates, policy: RequestPolicy): Promise<Engine> {
    const { store, platform, people } = world;
    const loaded = await store.transact("read", async (tx) => {
      const prefix = recordKeys.meta("");
      const keys = await tx.scan({ prefix });
      const found = await Promise.all(
        keys.map(async ([key]) => {
          const id = key.slice(prefix.length);
          const state = await loadConversation(tx, id, (suiteId: CipherSuiteId) => platform.crypto.suite(suiteId));
          return { state, line: await loadShownLine(tx, id) };
        }),
      );
      return found;
    });
    await people.load(loaded.flatMap(({ state, line }) => (state === undefined ? [] : accountsOf(state, line))));
    const engine = new Engine(
      world,
      states,
      loaded.flatMap(({ state, line }) => (state === undefined ? [] : [new ConversationRunner(world, state, line)])),
      policy,
    );
    engine.#stopChores = startChores(world);
    await engine.own.load();
    await engine.#continuations.resume();
    await engine.#directs.resume();
    if (world.own.status === "registered") {
      await engine.devices.start();
      await engine.#items.start();
    }
    return engine;
  }

  get deviceConnection(): Inbox["connection"] {
    return this.#inbox.connection;
  }

  #link(host: string): HostLink {
    const known = this.#links.get(host);
    if (known !== undefined) return known;
    const link = new HostLink(this.#world, host, (signal) => background(this.signals.hear(signal)));
    this.#links.set(host, link);
    return link;
  }

  #adopt(runner: ConversationRunner): void {
    this.#runners.set(runner.id, runner);
    const { phase, host } = runner.state;
    if (!hasEnded(phase) && this.#world.own.status === "registered") this.#link(host).add(runner);
  }

  #countWaiting(): void {
    const waiting = [...this.#runners.values()].reduce(
      (sum, { state }) => sum + state.outgoing.filter((item) => item.purpose === "text" && item.failure === undefined).length,
      0,
    );
    this.#world.connections.setWaiting(waiting);
  }

  #runner(id: string): ConversationRunner {
    const runner = this.#runners.get(id);
    if (runner === undefined || runner.state.kind === "devices")
      throw new ClientError("unknown_conversation", "There is no such conversation in this profile.");
    return runner;
  }

  /** Stores a conversation that was made, and runs it. */
  async #begin(state: ConversationState, effects: readonly Effect[]): Promise<ConversationRunner> {
    const runner = new ConversationRunner(this.#world, state, undefined);
    await runner.begin(effects, () => undefined);
    this.#adopt(runner);
    return runner;
  }

  /** Goes on in another conversation with the same people (spec M-9). @throws ClientError as the API says */
  continueConversation(id: string, options: ContinueOptions): Promise<Continued> {
    return this.#continuations.goOn(this.#runner(id), options);
  }

  /** The person lets the account go on in the conversation by its invitation. @throws ClientError `unknown_message` when there is none */
  async acceptInvitation(id: string, accountId: string): Promise<void> {
    await this.#welcomes.accept(this.#runner(id), accountId);
  }

  /** The person goes neither here nor elsewhere with that account. @throws ClientError `unknown_message` when it asks for nothing */
  async declineInvitation(id: string, accountId: string): Promise<void> {
    await this.#welcomes.decline(this.#runner(id), accountId);
  }

  /** The person said something else of an account: their other devices are told, and its conversation is shown so. */
  #stands(account: string, isOurs: boolean): void {
    if (isOurs) this.devices.shared(standingPrefix + account);
    const { standings, appendSecrets } = this.#world;
    const accountId = fromBase64Url(account);
    const directs = [...this.#runners.values()].filter(
      ({ state: { kind, peer } }) => kind === "direct" && peer !== undefined && equalBytes(peer, accountId),
    );
    for (const runner of directs) runner.emitConversation();
    if (!isOurs && standings.of(accountId) === "blocked")
      void appendSecrets.blockedElsewhere(directs.map(({ id }) => id)).catch(() => undefined);
    this.#world.emit({ kind: "requests" });
  }

  /** @throws ClientError `unknown_request`, `invitation_expired` */
  async acceptRequest(id: string): Promise<Conversation | undefined> {
    const [joined] = await this.requests.accept(id);
    const runner = joined === undefined ? undefined : this.#writable(joined);
    return runner === undefined ? undefined : conversationOf(this.#world, runner.state, runner.lastLine);
  }

  /** A conversation out of the history of another device of one's own, that this one is no member of. */
  async #adoptUnjoined(state: ConversationState): Promise<void> {
    if (this.#runners.has(state.id)) return;
    const { store, people } = this.#world;
    await people.load(state.peer === undefined ? [] : [state.peer]);
    const line = await store.transact("read", (tx) => loadShownLine(tx, state.id));
    const runner = new ConversationRunner(this.#world, state, line);
    await runner.begin([], () => undefined);
    this.#adopt(runner);
  }

  /** Lines came from elsewhere, or another device read up to there. */
  async #historyArrived(id: string, readThrough: number): Promise<void> {
    const runner = this.#runners.get(id);
    if (runner === undefined) return;
    await runner.reloadLastLine();
    this.own.sweepSoon();
    const { state } = runner;
    if (readThrough > state.readThrough) {
      const through = Math.min(readThrough, Math.max(state.lastOrder, runner.lastLine?.order ?? 0));
      await runner.input({ kind: "read", throughOrder: through, unread: await runner.history.unreadAfter(through) });
    }
    runner.emitConversation();
  }

  async #createDevicesGroup(change: WantedChange): Promise<void> {
    const { own, platform } = this.#world;
    const logId = platform.random(32);
    const created = await createConversation(contextOf(this.#world, toBase64Url(logId)), {
      logId,
      host: own.host,
      kind: "devices",
      name: "",
      peer: undefined,
      suiteId: defaultSuite,
      change,
    });
    await this.#begin(created.state, created.effects);
  }

  conversations(): readonly Conversation[] {
    return [...this.#runners.values()]
      .filter(({ state, lastLine }) => isListed(state, lastLine) && !isDeleted(this.#world.ownThings, state, lastLine))
      .map((runner) => conversationOf(this.#world, runner.state, runner.lastLine))
      .toSorted((a, b) => b.updatedAtMs - a.updatedAtMs);
  }

  async details(id: string): Promise<ConversationDetails> {
    const runner = this.#runner(id);
    await runner.load();
    return detailsOf(this.#world, runner.state, runner.lastLine, this.#ownId);
  }

  async page(id: string, params: { beforeOrder?: number; limit: number }): Promise<readonly Message[]> {
    return await this.#continuations.messages(this.#runner(id), params);
  }

  /** @throws ClientError `invalid_cursor` */
  since(cursor: string | undefined, limit: number): ReturnType<typeof messagesSince> {
    return messagesSince(this.#world, this.#runners, { cursor, limit });
  }

  /** What proves who wrote a message, for a report of it; `undefined` where nothing is kept (spec L-14). @throws ClientError `unknown_conversation` */
  async evidenceOf(id: string, messageId: string): Promise<MessageEvidence | undefined> {
    return await this.#runner(id).history.evidenceOf(messageId);
  }

  async resolve(address: string): Promise<Contact> {
    const { directory, people } = this.#world;
    const contact = await directory.resolve(this.#parse(address));
    people.keep(contact);
    return contact;
  }

  async person(address: string): Promise<Person> {
    return await this.#met(await this.resolve(address));
  }

  async acceptName(address: string): Promise<Person> {
    const { directory, people } = this.#world;
    const contact = await directory.acceptName(this.#parse(address));
    people.keep(contact);
    return await this.#met(contact);
  }

  async #met({ accountId }: Contact): Promise<Person> {
    await this.#world.people.load([accountId]);
    return this.#world.people.person(accountId);
  }

  /** @throws ClientError `invalid_address`, `other_server` */
  #parse(address: string): Address {
    const parsed = parseAddress(address, this.#world.own.host);
    if (parsed === undefined) throw new ClientError("invalid_address", "An address is a username, or username@host.");
    this.#world.connections.httpUrl(parsed.host);
    return parsed;
  }

  /** One after the other: two clicks do not make two conversations. */
  startConversation(params: { to: readonly string[]; name?: string }): Promise<Conversation> {
    return this.#starting.run(() => this.#startConversation(params));
  }

  async #startConversation(params: { to: readonly string[]; name?: string }): Promise<Conversation> {
    const { own, platform } = this.#world;
    const contacts = await this.#resolveAll(params.to);
    const others = contacts.filter((contact) => !equalBytes(contact.accountId, own.accountId));
    const isDirect = others.length <= 1 && cleanName(params.name ?? "") === "";
    const name = isDirect ? "" : groupNameOf(params.name ?? "");
    if (contacts.length === 0) throw new ClientError("invalid_address", "Say with whom.");
    await this.#acceptWritten(others);
    const peer = isDirect ? (others[0]?.accountId ?? own.accountId) : undefined;
    if (peer !== undefined) {
      for (const known of this.#directs.with(peer)) {
        if (!(await this.#directs.isDeserted(known))) return conversationOf(this.#world, known.state, known.lastLine);
      }
    }
    const change = await addition(this.#world, others, await this.devices.joiners());
    const logId = platform.random(32);
    const created = await createConversation(contextOf(this.#world, toBase64Url(logId)), {
      logId,
      host: own.host,
      kind: isDirect ? "direct" : "group",
      name,
      peer,
      suiteId: defaultSuite,
      change: change.adds.length === 0 ? undefined : change,
    });
    const runner = await this.#begin(created.state, created.effects);
    // The other person's may have come while this one was made.
    await this.#directs.settle(runner);
    const shown = this.#writable(runner.id);
    return conversationOf(this.#world, shown.state, shown.lastLine);
  }

  /** Whom the person writes to first, or adds, is accepted. @throws ClientError `blocked` */
  async #acceptWritten(contacts: readonly Contact[]): Promise<void> {
    const accountIds = contacts.map(({ accountId }) => accountId);
    this.#requireUnblocked(accountIds);
    await this.#world.standings.accept(accountIds);
    // What they sent before joins first: so a conversation with them that is there is found.
    for (const accountId of accountIds) await this.requests.finish(toBase64Url(accountId));
  }

  /** @throws ClientError `blocked` */
  #requireUnblocked(accountIds: readonly Uint8Array[]): void {
    if (accountIds.some((accountId) => this.#world.people.isBlocked(accountId))) {
      throw new ClientError("blocked", "You blocked this person. Unblock them first.");
    }
  }

  async #resolveAll(addresses: readonly string[]): Promise<Contact[]> {
    const contacts: Contact[] = [];
    for (const address of addresses) {
      const contact = await this.resolve(address);
      if (!contacts.some((other) => equalBytes(other.accountId, contact.accountId))) contacts.push(contact);
    }
    return contacts;
  }

  /** Where what is written into a conversation goes. @throws ClientError */
  async #forWriting(id: string): Promise<ConversationRunner> {
    const { peer } = this.#runner(id).state;
    if (peer !== undefined) this.#requireUnblocked([peer]);
    const runner = await this.#inhabited(this.#writable(id));
    await runner.load();
    requireWritable(runner.state);
    return runner;
  }

  /** Nothing is said to a blocked person, and nothing done to what they said. @throws ClientError where nothing can be written */
  #requireWritable(state: ConversationState): void {
    if (state.peer !== undefined) this.#requireUnblocked([state.peer]);
    requireWritable(state);
  }

  /** What is written into the half of a doubled conversation goes to the half that counts (spec L-12). */
  #writable(id: string): ConversationRunner {
    const runner = this.#runner(id);
    const { phase } = runner.state;
    if (phase.kind !== "superseded" && phase.kind !== "continued") return runner;
    return this.#runners.has(phase.by) ? this.#writable(phase.by) : runner;
  }

  /** Where the other person of a direct conversation has no device any more, one that reaches them is made in its place. */
  async #inhabited(runner: ConversationRunner): Promise<ConversationRunner> {
    const { peer } = runner.state;
    if (peer === undefined || !isWritable(runner.state) || !(await this.#directs.isDeserted(runner))) return runner;
    const { id } = await this.startConversation({ to: [this.#world.people.person(peer).address] });
    return this.#writable(id);
  }

  async retry(id: string, messageId: string): Promise<void> {
    await this.#requireMessage(id, messageId).input({ kind: "retry", id: messageId });
  }

  async discard(id: string, messageId: string): Promise<void> {
    const runner = this.#requireMessage(id, messageId);
    await runner.input({ kind: "discard", id: messageId });
    await this.#world.appendSecrets.untell(runner.id);
  }

  #requireMessage(id: string, messageId: string): ConversationRunner {
    const runner = this.#runner(id);
    if (!runner.state.outgoing.some((item) => item.id === messageId))
      throw new ClientError("unknown_message", "This message is not waiting here.");
    return runner;
  }

  /** Says in every conversation that one leaves; waits a little until the server has it. */
  leaveAll(timeoutMs: number): Promise<void> {
    return this.groups.leaveAll([...this.#runners.values()], timeoutMs);
  }

  /** Something new of this account came in a conversation. */
  heardFrom(id: string, accountId: Uint8Array): void {
    this.signals.arrived(id, accountId);
    this.#receipts.arrived(id, accountId);
  }

  async markRead(id: string, throughOrder: number): Promise<void> {
    const runner = this.#runner(id);
    const { state } = runner;
    await this.own.markUnread(id, false);
    if (throughOrder <= state.readThrough && state.unread === 0) return;
    const unread = throughOrder >= state.lastOrder ? 0 : await runner.history.unreadAfter(throughOrder);
    await runner.input({ kind: "read", throughOrder: Math.min(throughOrder, state.lastOrder), unread });
    this.devices.told.markedRead(runner.state);
    this.#receipts.read(id);
  }

  async saveDraft(id: string, text: string): Promise<void> {
    const runner = this.#runner(id);
    if (runner.state.draft === text) return;
    await runner.input({ kind: "draft", text });
    this.own.written();
  }

  /** Whether nothing waits for the server or for this device. */
  get isIdle(): boolean {
    this.#countWaiting();
    if (this.#closed || this.#world.own.status !== "registered") return true;
    return (
      this.#inbox.isIdle &&
      this.devices.isIdle &&
      this.own.isIdle &&
      this.#world.posts.waiting === 0 &&
      [...this.#runners.values()].every((runner) => runner.isIdle)
    );
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopChores();
    this.#directs.close();
    await this.own.close();
    await this.devices.close();
    this.signals.close();
    this.#receipts.close();
    for (const link of this.#links.values()) link.release();
    this.#world.posts.close();
    await this.#inbox.close();
    for (const runner of this.#runners.values()) await runner.close();
  }
}
