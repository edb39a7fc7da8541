import { equalBytes, fromBase64Url, toBase64Url } from "@latchkey/codec";
import type { MessageEvidence } from "@latchkey/mls";
import type { ContinueOptions, Continued, Conversation, Message, MessageRange } from "../api.ts";
import { Devices } from "../devices/devices.ts";
import { background } from "../devices/told.ts";
import type { Effect } from "../core/types.ts";
import type { OwnStates } from "../devices/own-states.ts";
import { Invites } from "../join-links/invites.ts";
import { LazyFiles } from "../files/lazy-files.ts";
import type { Moderation } from "../moderation/moderation.ts";
import type { Later } from "../own/later.ts";
import { sayUse } from "../own/last-use.ts";
import { Own } from "../own/own.ts";
import type { Pictures } from "../pictures/pictures.ts";
import type { Reports } from "../reports/reports.ts";
import type { ReadQueries } from "../receipts/queries.ts";
import { ReceiptSending } from "../receipts/sending.ts";
import { Search } from "../search/search.ts";
import { SharedHistory } from "../shared-history/shared-history.ts";
import { Signals } from "../signals/signals.ts";
import { Telling } from "../wakes/telling.ts";
import { Waking } from "../wakes/waking.ts";
import { Addresses } from "./addresses.ts";
import { ownAppendSecretKey } from "./append-secrets.ts";
import { startChores } from "./chores.ts";
import { Continuations } from "./continuations.ts";
import type { ConversationRunner } from "./conversation-runner.ts";
import { Conversations, loadRunners } from "./conversations.ts";
import { DirectConversations } from "./direct-conversations.ts";
import { Messages } from "./messages.ts";
import { GroupChanges } from "./group-changes.ts";
import { Inbox } from "./inbox.ts";
import { InboxWork } from "./inbox-work.ts";
import type { RequestPolicy } from "./inbox-work.ts";
import { NewConversations } from "./new-conversations.ts";
import { isStillIn } from "./posts.ts";
import { ReadMarks } from "./read-marks.ts";
import { Requests } from "./requests.ts";
import { standingPrefix } from "./standings.ts";
import { offlineError } from "../errors.ts";
import { hasReports } from "../reports/has-reports.ts";
import { unseenThrough } from "../timeline/timers.ts";
import { isListed } from "./shown.ts";
import type { HistoryBackups } from "../history-backup/history-backups.ts";
import { hasHistoryBackup, seenKey } from "../history-backup/stored.ts";
import type { Timers } from "./timers.ts";
import { messagesSince } from "./since.ts";
import { Welcomes } from "./welcomes.ts";
import type { World } from "./world.ts";

/** What an engine is made of beside its world. */
export interface EngineParts {
  readonly states: OwnStates;
  readonly policy: RequestPolicy;
  readonly pictures: Pictures;
  /** Nobody is there: this device is not said to be in use, and files wait. */
  readonly isVisit: boolean;
}

/** Everything that runs once this profile has an account: its inbox and its conversations. */
export class Engine {
  readonly #world: World;
  /** Those that run. */
  readonly conversations: Conversations;
  /** People by what a person types. */
  readonly addresses: Addresses;
  /** Conversations that are to be made. */
  readonly making: NewConversations;
  #timers: Promise<Timers> | undefined;
  /** How far the person has read. */
  readonly reading: ReadMarks;
  readonly #inbox: Inbox;
  readonly #directs: DirectConversations;
  readonly #continuations: Continuations;
  readonly #items: InboxWork;
  readonly #welcomes: Welcomes;
  /** One's own devices, and what moves between them. */
  readonly devices: Devices;
  /** What the person says, and does to what was said. */
  readonly messages: Messages;
  /** What people see of each other at this moment. */
  readonly signals: Signals;
  readonly #receipts: ReceiptSending;
  #queries: Promise<ReadQueries> | undefined;
  #moderation: Promise<Moderation> | undefined;
  #reports: Promise<Reports> | undefined;
  readonly #sharedHistory: SharedHistory;
  /** Wakes the devices of others, and lets them wake this one. */
  readonly wakes: { readonly telling: Telling; readonly waking: Waking };
  /** Finds messages. */
  readonly search: Search;
  /** What the person sets for themselves. */
  readonly own: Own;
  #later: Promise<Later> | undefined;
  #historyBackups: Promise<HistoryBackups> | undefined;
  /** Links by which people ask to be let into groups. */
  readonly invites: Invites;
  /** Files that come with messages. */
  readonly files: LazyFiles;
  /** People who wait to be accepted, and those who are blocked. */
  readonly requests: Requests;
  /** The pictures of people and groups. */
  readonly pictures: Pictures;
  #closed = false;
  #stopChores: () => void = () => undefined;
  /** What a person changes of a group. */
  readonly groups: GroupChanges;

  private constructor(
    world: World,
    { states, runners, policy, pictures }: EngineParts & { readonly runners: readonly ConversationRunner[] },
  ) {
    this.#world = world;
    const conversations = new Conversations(world, (signal) => background(this.signals.hear(signal)));
    this.conversations = conversations;
    this.addresses = new Addresses(world);
    const access = {
      runner: (id: string) => conversations.required(id),
      runners: () => conversations.all(),
    };
    const found = (id: string): ConversationRunner | undefined => conversations.byId.get(id);
    this.#directs = new DirectConversations(world, access.runners);
    this.#continuations = new Continuations(world, {
      runner: found,
      runners: access.runners,
      begin: (state, effects) => conversations.begin(state, effects),
      ownJoiners: () => this.devices.joiners(),
    });
    this.making = new NewConversations(world, {
      conversations,
      directs: this.#directs,
      addresses: this.addresses,
      ownJoiners: () => this.devices.joiners(),
      finishRequest: (accountId) => this.requests.finish(accountId),
    });
    this.groups = new GroupChanges(world, {
      runner: access.runner,
      resolveAll: (addresses) => this.addresses.resolveAll(addresses),
      acceptWritten: (contacts) => this.making.acceptWritten(contacts),
    });
    this.invites = new Invites(world, {
      ...access,
      found,
      addAccount: (id, accountId, isUnasked) => this.groups.addAccount(id, accountId, isUnasked),
    });
    this.search = new Search(world, conversations);
    this.files = new LazyFiles(world, {
      ...access,
      discard: (id, messageId) => this.messages.discard(id, messageId),
      tellSeen: (id, messageId) => this.devices.told.seen(id, messageId),
    });
    this.own = new Own(world, { ...access, devicesGroup: () => this.devices.told.group });
    this.pictures = pictures;
    pictures.start({ runner: found, runners: access.runners });
    this.devices = new Devices({
      world,
      states,
      access: {
        runners: access.runners,
        joined: (id) => found(id)?.state,
        change: (runner, change) => this.groups.make(runner, change),
        followOwn: (message, log, order) => this.own.telling.follow(message, log, order),
        ownPlaced: () => this.own.telling.wakeSoon(),
        backupTold: () => background(this.historyBackups().then(() => undefined)),
        tellOwn: () => this.own.telling.tellAll(),
        createDevicesGroup: (change) => this.making.createDevicesGroup(change),
        adoptUnjoined: (state) => conversations.adoptUnjoined(state),
        historyArrived: (id, readThrough) => this.reading.historyArrived(id, readThrough),
        self: world.own.accountId,
        onSegment: world.segments.changed,
        hide: async (id, messageIds) => {
          if (found(id) !== undefined) await this.messages.hide(id, messageIds);
        },
        looked: async (id, order, atMs) => await (await this.timers()).lookedElsewhere(id, order, atMs),
        see: async (id, messageIds) => await found(id)?.changeTimeline((timeline) => timeline.see(messageIds)),
      },
    });
    this.messages = new Messages(world, {
      ...access,
      writable: (id) => this.making.forWriting(id),
      composed: (id) => {
        this.signals.sent(id);
        conversations.countWaiting();
        this.own.written();
      },
      hidden: (id, messageIds) => this.devices.told.hidden(id, messageIds),
      wakes: () => this.wakes.telling,
      files: () => this.files.load(),
    });
    this.#receipts = new ReceiptSending(world, { runner: found, isOn: () => this.own.setting("receipts") });
    this.wakes = { telling: new Telling(world, { runner: found, runners: access.runners }), waking: new Waking(world, found) };
    this.signals = new Signals(world, { runner: found, isOn: () => this.own.setting("typing") });
    this.#sharedHistory = new SharedHistory(world, {
      runner: found,
      arrived: (id) => this.reading.historyArrived(id, 0),
    });
    this.reading = new ReadMarks({
      conversations,
      own: this.own,
      receipts: this.#receipts,
      told: this.devices.told,
      look: async (id, throughOrder) => {
        const isSeen = await world.store.transact("read", async (tx) => (await unseenThrough(tx, id, throughOrder)).length === 0);
        if (!isSeen) await (await this.timers()).look(id, throughOrder);
      },
    });
    for (const runner of runners) conversations.adopt(runner);
    const items: InboxWork = new InboxWork(
      world,
      {
        onJoined: (welcome) => this.#welcomes.take(welcome),
        putHistoryNotice: (tx, body) => this.devices.putNotice(tx, body),
        onHistoryNotice: () => this.devices.noticed(),
        isKnocking: () => this.invites.isKnocking,
        onAdmission: (sender, body) => this.invites.takeAdmission(sender, body),
        onLinkShare: (sender, body) => this.invites.takeShare(sender, body),
        onGroupReport: async (sender, body) => (await this.moderation()).take(sender, body),
        onNotice: async (item, receivedAtMs) => (await this.reports()).takeNotice(item, receivedAtMs),
        awaited: (accountId) => this.#welcomes.awaited(accountId),
        onRequests: () => world.emit({ kind: "requests" }),
      },
      policy,
    );
    this.#welcomes = new Welcomes({
      world,
      runners: conversations.byId,
      continuations: this.#continuations,
      open: (welcome) => items.accept(welcome),
      onNew: async (runner, old, sender) => {
        conversations.adopt(runner);
        if (old !== undefined) await this.#continuations.joined(old, runner, sender);
        await this.#directs.settle(runner);
        this.devices.joined(runner);
        this.own.joined();
      },
      onBack: (runner) => {
        conversations.follow(runner);
        this.devices.joined(runner);
        this.own.joined();
      },
    });
    this.requests = new Requests(world, items);
    this.#items = items;
    const isMember = world.own.status === "registered";
    this.#inbox = new Inbox(world, items, isMember);
    world.standings.onChange((account, isOurs) => this.#stands(account, isOurs));
    world.appendSecrets.onChange((isOurs) => {
      if (isOurs) this.devices.shared(ownAppendSecretKey);
      this.#inbox.secretChanged();
      this.introduce();
    });
    if (!isMember) return;
    world.posts.isMeant = (invited) => isStillIn(found(toBase64Url(invited.logId))?.state, invited);
    void world.posts.deliver();
    conversations.countWaiting();
  }

  /** Tells every conversation what is new of this person. */
  introduce(): void {
    for (const runner of this.conversations.all()) runner.introduce();
  }

  /** Loads what is stored and connects; a device that is no member of its account any more only shows what it has. */
  static async start(world: World, parts: EngineParts): Promise<Engine> {
    const engine = new Engine(world, { ...parts, runners: await loadRunners(world) });
    engine.#stopChores = startChores(world, parts.isVisit ? undefined : () => sayUse(world));
    engine.timed();
    await engine.own.load();
    engine.search.start();
    if (world.own.status === "registered" && !parts.isVisit) await engine.files.start();
    await engine.#continuations.resume();
    await engine.#directs.resume();
    if (world.own.status === "registered") {
      await engine.devices.start();
      await engine.#items.start();
      engine.#sharedHistory.wake();
      void engine.later().catch(() => undefined);
      engine.invites.start();
      engine.pictures.offerOwn();
      await engine.wakes.telling.start();
      if (await world.store.transact("read", hasHistoryBackup)) background(engine.historyBackups().then(() => undefined));
      if (await world.store.transact("read", hasReports)) background(engine.reports().then(() => undefined));
    }
    return engine;
  }

  get deviceConnection(): Inbox["connection"] {
    return this.#inbox.connection;
  }

  /** Goes on in another conversation with the same people (spec M-9). @throws ClientError as the API says */
  continueConversation(id: string, options: ContinueOptions): Promise<Continued> {
    return this.#continuations.goOn(this.conversations.required(id), options);
  }

  /** The person lets the account go on in the conversation by its invitation. @throws ClientError `unknown_message` when there is none */
  async acceptInvitation(id: string, accountId: string): Promise<void> {
    await this.#welcomes.accept(this.conversations.required(id), accountId);
  }

  /** The person goes neither here nor elsewhere with that account. @throws ClientError `unknown_message` when it asks for nothing */
  async declineInvitation(id: string, accountId: string): Promise<void> {
    await this.#welcomes.decline(this.conversations.required(id), accountId);
  }

  /** The person said something else of an account: their other devices are told, and its conversation is shown so. */
  #stands(account: string, isOurs: boolean): void {
    if (isOurs) this.devices.shared(standingPrefix + account);
    const { standings, appendSecrets } = this.#world;
    const accountId = fromBase64Url(account);
    const directs = this.conversations
      .all()
      .filter(({ state: { kind, peer } }) => kind === "direct" && peer !== undefined && equalBytes(peer, accountId));
    for (const runner of directs) {
      runner.emitConversation();
      // What waited while they were blocked goes now.
      void runner.input({ kind: "accounts", recovered: [] }).catch(() => undefined);
    }
    this.conversations.countWaiting();
    if (!isOurs && standings.of(accountId) === "blocked")
      void appendSecrets.blockedElsewhere(directs.map(({ id }) => id)).catch(() => undefined);
    this.#world.emit({ kind: "requests" });
    this.#world.emit({ kind: "picture", id: account });
  }

  /** @throws ClientError `unknown_request`, `invitation_expired` */
  async acceptRequest(id: string): Promise<Conversation | undefined> {
    const [joined] = await this.requests.accept(id);
    return joined === undefined ? undefined : this.conversations.shown(this.conversations.inPlaceOf(joined));
  }

  async page(id: string, params: MessageRange): Promise<readonly Message[]> {
    return await this.#continuations.messages(this.conversations.required(id), params);
  }

  async placeAt(id: string, atMs: number): Promise<number | undefined> {
    return await this.#continuations.placeAt(this.conversations.required(id), atMs);
  }

  async unreadMentions(): Promise<readonly Message[]> {
    const unread = this.conversations.all().filter(({ state, lastLine }) => state.unread > 0 && isListed(state, lastLine));
    const found = await Promise.all(unread.map(({ history }) => history.unreadMention()));
    return found.filter((message) => message !== undefined);
  }

  /** @throws ClientError `invalid_cursor` */
  since(cursor: string | undefined, limit: number): ReturnType<typeof messagesSince> {
    return messagesSince(this.#world, this.conversations.byId, { cursor, limit });
  }

  /** What proves who wrote a message, for a report of it; `undefined` where nothing is kept (spec L-14). @throws ClientError `unknown_conversation` */
  async evidenceOf(id: string, messageId: string): Promise<MessageEvidence | undefined> {
    return await this.conversations.required(id).history.evidenceOf(messageId);
  }

  /** Says in every conversation that one leaves; waits a little until the server has it. */
  leaveAll(timeoutMs: number): Promise<void> {
    return this.groups.leaveAll(this.conversations.all(), timeoutMs);
  }

  /** Something new of this account came in a conversation. */
  heardFrom(id: string, accountId: Uint8Array): void {
    this.signals.arrived(id, accountId);
    this.#receipts.arrived(id, accountId);
  }

  /** What came before this engine was heard is said to have come, where that was not said. */
  sayWhatCame(): void {
    if (this.#world.own.status === "registered") this.#receipts.start(this.conversations.all().map(({ id }) => id));
  }

  /** A member asks who has read a message. */
  asked(id: string, query: Extract<Effect, { kind: "read_query" }>): void {
    background(this.readQueries().then((queries) => queries.hear(id, query)));
  }

  /** Loaded with the first report, or the first look at one. */
  moderation(): Promise<Moderation> {
    this.#moderation ??= import("../moderation/moderation.ts").then(
      ({ Moderation: Loaded }) =>
        new Loaded(this.#world, { runner: (id) => this.conversations.required(id), runners: () => this.conversations.all() }),
    );
    return this.#moderation;
  }

  /** Loaded with the first report, notice, or look at one; from then on it brings what waits, and asks for answers. */
  reports(): Promise<Reports> {
    this.#reports ??= import("../reports/reports.ts").then(
      ({ Reports: Loaded }) => {
        const loaded = new Loaded(this.#world, {
          runner: (id) => this.conversations.required(id),
          ciphertext: async (at) => await (await this.files.load()).ciphertext(at),
        });
        if (this.#world.own.status === "registered" && !this.#closed) loaded.start();
        return loaded;
      },
      (cause: unknown) => {
        this.#reports = undefined;
        throw offlineError(cause);
      },
    );
    return this.#reports;
  }

  /** Loaded once the account runs: messages that go (spec X-7). */
  timers(): Promise<Timers> {
    this.#timers ??= import("./timers.ts").then(
      ({ Timers: Loaded }) => {
        const loaded = new Loaded(this.#world, {
          runner: (id) => this.conversations.byId.get(id),
          looked: (id, order, atMs) => this.devices.told.looked(id, order, atMs),
        });
        if (!this.#closed) loaded.start();
        return loaded;
      },
      (cause: unknown) => {
        this.#timers = undefined;
        throw offlineError(cause);
      },
    );
    return this.#timers;
  }

  /** A message has another time at which it goes. */
  timed(): void {
    background(this.timers().then((timers) => timers.changed()));
  }

  /** Loaded once the account runs: what the person has done at a time. */
  later(): Promise<Later> {
    this.#later ??= import("../own/later.ts").then(
      ({ Later: Loaded }) => {
        const later = new Loaded(this.#world, this);
        if (!this.#closed) later.start();
        return later;
      },
      (cause: unknown) => {
        this.#later = undefined;
        throw offlineError(cause);
      },
    );
    return this.#later;
  }

  /** Loaded where there is a backup of the messages, or when one is asked for. */
  historyBackups(): Promise<HistoryBackups> {
    this.#historyBackups ??= import("../history-backup/history-backups.ts").then(
      ({ HistoryBackups: Loaded }) => {
        const loaded = new Loaded(this.#world, {
          runners: () => this.conversations.all(),
          runner: (id) => this.conversations.byId.get(id),
          connection: () => this.deviceConnection,
          shareSeen: () => this.devices.shared(seenKey),
          self: this.#world.own.accountId,
          joined: (id) => this.conversations.byId.get(id)?.state,
          adoptUnjoined: (state) => this.conversations.adoptUnjoined(state),
          historyArrived: (id, readThrough) => this.reading.historyArrived(id, readThrough),
        });
        if (!this.#closed) loaded.start();
        return loaded;
      },
      (cause: unknown) => {
        this.#historyBackups = undefined;
        throw offlineError(cause);
      },
    );
    return this.#historyBackups;
  }

  /** What waits to be sent with this id is not to be: of what was to be said at a time nothing is made again. */
  async unplanned(conversationId: string, messageId: string): Promise<void> {
    if (this.#world.ownThings.all("later").length > 0) await (await this.later()).unplanned(conversationId, messageId);
  }

  /** Loaded with the first question: few groups are so large. */
  readQueries(): Promise<ReadQueries> {
    this.#queries ??= import("../receipts/queries.ts").then(
      ({ ReadQueries: Loaded }) =>
        new Loaded(this.#world, { runner: (id) => this.conversations.byId.get(id), isOn: () => this.own.setting("receipts") }),
    );
    return this.#queries;
  }

  /** What was said before somebody joined is to be given to them, or was given to this device. */
  historyMoves(): void {
    this.#sharedHistory.wake();
  }

  /** Whether it has all that was there for it; what it has to say may wait. */
  get isRead(): boolean {
    if (this.#closed || this.#world.own.status !== "registered") return true;
    return this.#inbox.isIdle && this.devices.told.isIdle && this.conversations.isRead;
  }

  /** Whether nothing waits for the server or for this device. */
  get isIdle(): boolean {
    this.conversations.countWaiting();
    if (this.#closed || this.#world.own.status !== "registered") return true;
    if (!this.#sharedHistory.isIdle || !this.files.isIdle) return false;
    return this.#inbox.isIdle && this.devices.isIdle && this.own.isIdle && this.#world.posts.waiting === 0 && this.conversations.isIdle;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopChores();
    await (await this.#timers?.catch(() => undefined))?.close();
    await (await this.#later?.catch(() => undefined))?.close();
    await (await this.#historyBackups?.catch(() => undefined))?.close();
    this.pictures.close();
    await this.search.close();
    await this.files.close();
    this.#directs.close();
    await this.own.close();
    await this.invites.close();
    await this.devices.close();
    this.signals.close();
    this.wakes.telling.close();
    await this.wakes.waking.close();
    this.#receipts.close();
    (await this.#queries)?.close();
    await (await this.#reports?.catch(() => undefined))?.close();
    await this.#sharedHistory.close();
    this.conversations.release();
    this.#world.posts.close();
    await this.#inbox.close();
    await this.conversations.close();
  }
}
