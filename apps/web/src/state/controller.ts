import type {
  ClientEvent,
  ClientFailure,
  ContinueOptions,
  ConversationDetails,
  Continued,
  Conversation,
  LinkState,
  Message,
  Person,
  QuietHours,
} from "@latchkey/client";
import { failureOf } from "../worker/protocol.ts";
import type { HostStatus } from "../worker/protocol.ts";
import type { ClientHost } from "../worker/remote-client.ts";
import { applyEvents, initialState, setAlarms, withVerification } from "./app-state.ts";
import type { Alarm, AppState } from "./app-state.ts";
import { begun, textOf } from "./acting.ts";
import { Drafts } from "./drafts.ts";
import { createHistory } from "./history.ts";
import type { History } from "./history.ts";
import { noteLateStart } from "./late-start.ts";
import { createMessageActs } from "./message-acts.ts";
import type { MessageActs } from "./message-acts.ts";
import { isUndoable } from "./message-actions.ts";
import { pinsChanged } from "./pins-changed.ts";
import { createPlaces, tabStorage } from "./places.ts";
import { isRecoveryPutOff, rememberAccount, rememberLock, rememberRecoveryPutOff, undoMs } from "./preferences.ts";
import type { Folder } from "./own.ts";
import { createStore } from "./store.ts";
import type { Store } from "./store.ts";
import { withTakenBack } from "./trays.ts";
import { takeTurn } from "./turns.ts";

const typingEveryMs = 2000;
/** While the person looks on, a server that does not answer is tried again so soon. */
const longestWaitMs = 5000;

/** What the screens can do. Methods that return a promise reject with an error that `failureOf` understands. */
export interface Controller extends MessageActs, Pick<ClientHost, "active" | "goesOn" | "lock"> {
  readonly store: Store<AppState>;
  readonly client: ClientHost["client"];
  /** Tells of every event, one by one, as it comes. */
  readonly listen: ClientHost["subscribe"];
  /** Opens the client again after a failure. */
  reopen(): void;
  /** Which part of the list is shown. */
  showFolder(folder: Folder): void;
  /** A conversation comes onto the screen (`undefined`: none). */
  open(conversationId: string | undefined): void;
  /** What is loaded of conversations, and where one stands in them. */
  readonly history: Omit<History, "open">;
  loadDetails(conversationId: string): Promise<void>;
  /** Queues a message, which may answer another one. */
  send(conversationId: string, text: string, answered?: Message): Promise<void>;
  /** Takes back what is not sent yet: it stands in the field again. Whether it did; what is on its way stays. */
  takeBack(message: Message): Promise<boolean>;
  /** The page goes: what could be taken back is sent now, while the worker is there. */
  sendWaiting(): void;
  retry(message: Message): Promise<void>;
  discard(message: Message): Promise<void>;
  /** Gives a message an emoji, or takes it back. */
  react(message: Message, emoji: string, isGiven: boolean): Promise<void>;
  /** Does the deletions of a person that wait, or keeps what they would delete. */
  decideDeletions(conversationId: string, accountId: string, isDone: boolean): Promise<void>;
  /** Chooses these options of a poll. */
  vote(message: Message, options: readonly number[]): Promise<void>;
  register(params: { username: string; displayName?: string; deviceName?: string; invitation?: string }): Promise<void>;
  start(to: readonly string[], name: string | undefined): Promise<Conversation>;
  addMembers(conversationId: string, addresses: readonly string[]): Promise<void>;
  removeMember(conversationId: string, person: Person): Promise<void>;
  removeUnproven(conversationId: string): Promise<void>;
  letBack(conversationId: string, person: Person): Promise<void>;
  /** Goes on in a new conversation with the same people. */
  continueConversation(conversationId: string, options?: ContinueOptions): Promise<Continued>;
  answerInvitation(conversationId: string, accountId: string, isAccepted: boolean): Promise<void>;
  leave(conversationId: string): Promise<void>;
  /** The draft as it stands now: kept here at once, in the client a moment later. */
  setDraft(conversationId: string, text: string): void;
  draft(conversationId: string): string;
  /** The person types there, or has emptied the field. */
  setTyping(conversationId: string, isTyping: boolean): void;
  /** Hands all drafts to the client now, and has a reload of the page find where the person stood; resolves when the client has them. */
  flushDrafts(): Promise<void>;
  markRead(conversationId: string, throughOrder: number): void;
  setAttentive(isAttentive: boolean): void;
  /** Opens somebody's card, or closes the one that is open. */
  showPerson(person: Person | undefined): void;
  /** The person has handled a warning. */
  handleAlarm(alarm: Alarm): Promise<void>;
  /** Shown at once, and kept on all devices. */
  setQuietHours(hours: QuietHours): Promise<void>;
  loadVerification(conversationId: string): Promise<void>;
  loadDevices(): Promise<void>;
  /** Accepts a request; the conversation that was joined by it, if that could be done at once. */
  acceptRequest(requestId: string): Promise<Conversation | undefined>;
  recover(params: { username: string; phrase: string; deviceName: string; displayName?: string; keepPhrase?: boolean }): Promise<void>;
  /** The recovery phrase is to be written down later; the list keeps a reminder. */
  putOffRecovery(): void;
  /** The recovery phrase was written down: this device erases it. */
  finishRecovery(): Promise<void>;
  /** Erases what is stored here and cannot be opened. */
  startOver(): Promise<void>;
  /** Erases this device; the app is that of a browser in which nobody was yet. */
  erase(): Promise<void>;
  /** Breaks a linking off, or forgets how the last one went. */
  endLink(): void;
}

/** Connects a client to a store. `schedule` runs a batch of events soon (the next frame). */
export function createController(host: ClientHost, schedule: (run: () => void) => void): Controller {
  const store = createStore<AppState>({ ...initialState, isRecoveryPutOff: isRecoveryPutOff() });
  const { client } = host;
  let queue: ClientEvent[] = [];
  let isScheduled = false;
  let isLoaded = false;

  const flush = (): void => {
    isScheduled = false;
    if (!isLoaded || queue.length === 0) return;
    const events = queue;
    queue = [];
    drafts.take(events);
    store.update((state) => applyEvents(state, events));
    refreshDetails(events);
    if (events.some(({ kind }) => kind === "alarm" || kind === "alarms")) void loadAlarms();
    if (events.some(({ kind }) => kind === "devices") && store.get().devices !== undefined) void loadDevices().catch(() => undefined);
    if (events.some(({ kind }) => kind === "requests")) void loadRequests();
    if (events.some(({ kind }) => kind === "starred")) void loadStars();
    if (events.some(({ kind }) => kind === "settings")) void loadQuietHours();
    // A warning that was dealt with holds nothing any more.
    if (events.some(({ kind }) => kind === "verification" || kind === "alarms")) refreshVerifications();
    for (const event of events) if (event.kind === "link") onLink(event.state);
    for (const id of pinsChanged(events, store.get().pins)) void acts.loadPins(id).catch(() => undefined);
    for (const event of events) if (event.kind === "held_deletions") void loadHeld(event.conversationId).catch(() => undefined);
  };

  /** A new device has its account before its history: what comes of that stands in the client, untold. */
  const onLink = (state: LinkState): void => {
    if (state.kind === "done" && store.get().account === undefined) void load().catch(() => undefined);
    if ((state.kind === "done" || state.kind === "moving") && store.get().account !== undefined) reloadTimelines();
  };
  const reloadTimelines = (): void => {
    const { timelines, openId } = store.get();
    if (timelines.size === 0) return;
    store.update((state) => ({ ...state, timelines: new Map([...timelines].filter(([id]) => id === openId)) }));
    if (openId !== undefined && timelines.has(openId)) void history.reload(openId).catch(() => undefined);
  };

  const loadAlarms = async (): Promise<void> => {
    try {
      const alarms = await client.alarms();
      store.update((state) => setAlarms(state, alarms));
    } catch {
      // What events told of stays on the screen.
    }
  };
  const loadRequests = async (): Promise<void> => {
    try {
      const requests = await client.requests();
      store.update((state) => ({ ...state, requests }));
    } catch {
      // Asked again with the next change.
    }
  };
  const loadStars = async (): Promise<void> => {
    try {
      const starred = await client.starred();
      store.update((state) => ({ ...state, stars: new Set(starred.map(({ id }) => id)) }));
    } catch {
      // Asked again with the next change.
    }
  };
  const loadMentions = async (): Promise<void> => {
    try {
      const named = await client.unreadMentions();
      const mentions = new Map(named.map(({ conversationId, order }) => [conversationId, order]));
      // What came meanwhile is newer.
      store.update((state) => ({ ...state, mentions: new Map([...mentions, ...state.mentions]) }));
    } catch {
      // What comes from now on is known all the same.
    }
  };
  /** Counts what the person sets: what was asked for before that is older. */
  let quietChanges = 0;
  /** Of them, those that the client has not kept yet: it answers with what was before. */
  let quietWrites = 0;
  const loadQuietHours = async (): Promise<void> => {
    if (quietWrites > 0) return;
    const before = quietChanges;
    try {
      const quietHours = await client.quietHours();
      if (quietChanges === before) store.update((state) => ({ ...state, quietHours }));
    } catch {
      // Without an account there are none; asked again with the next change.
    }
  };
  const loadDevices = async (): Promise<void> => {
    const devices = await client.devices();
    store.update((state) => ({ ...state, devices }));
  };
  const loadVerification = async (id: string): Promise<void> => {
    const verification = await client.verification(id);
    store.update((state) => withVerification(state, id, verification));
  };
  const loadHeld = async (id: string): Promise<void> => {
    const held = await client.heldDeletions(id);
    store.update((state) => ({ ...state, heldDeletions: new Map([...state.heldDeletions, [id, held]]) }));
  };
  const refreshVerifications = (): void => {
    for (const id of store.get().verifications.keys()) void loadVerification(id).catch(() => undefined);
  };

  const refreshDetails = (events: readonly ClientEvent[]): void => {
    for (const id of new Set(events.map((event) => (event.kind === "message" ? event.message.conversationId : undefined)))) {
      const isGroupChange = events.some(
        (event) => event.kind === "message" && event.message.conversationId === id && event.message.body.kind !== "text",
      );
      if (id === undefined || !isGroupChange) continue;
      if (store.get().details.has(id)) void loadDetails(id).catch(() => undefined);
      if (store.get().verifications.has(id)) void loadVerification(id).catch(() => undefined);
    }
  };

  host.subscribe((event) => {
    queue.push(event);
    if (isScheduled) return;
    isScheduled = true;
    schedule(flush);
  });

  const load = async (): Promise<void> => {
    const [account, pendingAccount, connection, list] = await Promise.all([
      client.account(),
      client.pendingAccount(),
      client.connection(),
      client.conversations(),
    ]);
    isLoaded = true;
    store.update((state) => ({
      // Without an account nothing of an earlier one is left to show.
      ...(account === undefined ? { ...initialState, link: state.link, lock: state.lock, isAttentive: state.isAttentive } : state),
      phase: { kind: "ready" },
      account,
      pendingAccount,
      connection,
      conversations: new Map(list.map((conversation) => [conversation.id, conversation])),
      hasConversations: true,
    }));
    if (account === undefined) places.clear();
    flush();
    void loadServer();
    void loadAlarms();
    void loadRequests();
    void loadStars();
    void loadQuietHours();
    void loadMentions();
    const { openId } = store.get();
    if (openId !== undefined) loadOpened(openId);
  };

  const loadServer = async (): Promise<void> => {
    try {
      const server = await client.serverInfo();
      store.update((state) => ({ ...state, server }));
    } catch {
      // Offline: asked again when the connection is back.
    }
  };

  const onStatus = (status: HostStatus): void => {
    switch (status.kind) {
      case "ready":
        rememberLock(status.lock !== undefined);
        store.update((state) => ({ ...state, lock: status.lock }));
        // Only the lock is another.
        if (isLoaded && store.get().phase.kind === "ready") break;
        load().catch((error: unknown) => fail(failureOf(error)));
        break;
      case "replaced":
        // While the worker still takes it.
        void drafts.flush();
        store.update((state) => ({ ...state, phase: status }));
        break;
      case "locking":
      case "sealing":
        // While the worker still takes it.
        if (store.get().phase.kind === "ready") {
          sendWaiting();
          void drafts.flush();
        }
        isLoaded = false;
        queue = [];
        store.update(({ isAttentive }) => ({ ...initialState, isAttentive, phase: status }));
        break;
      case "locked":
        store.update((state) => ({ ...state, phase: status }));
        break;
      case "starting":
        // Said again and again: it is no less late for that.
        store.update((state) => (state.phase.kind === "late" ? state : { ...state, phase: status }));
        break;
      case "in_use":
      case "insecure":
        store.update((state) => ({ ...state, phase: status }));
        break;
      case "failed":
        fail(status.failure);
        break;
    }
  };
  const fail = (failure: ClientFailure): void => store.update((state) => ({ ...state, phase: { kind: "failed", failure } }));

  const places = createPlaces(tabStorage());
  const history = createHistory({ store, client, places, flush });
  const loadOpened = (id: string): void => {
    if (!store.get().conversations.has(id)) return;
    for (const loaded of [loadVerification(id), loadHeld(id), acts.loadPins(id), history.open(id)]) void loaded.catch(() => undefined);
  };
  const acts = createMessageActs({ store, client, history });
  const loadDetails = async (id: string): Promise<void> => {
    const details = await client.details(id);
    store.update((state) => {
      const next = new Map(state.details);
      next.set(id, details);
      return { ...state, details: next };
    });
  };

  const drafts = new Drafts(client);
  const sendWaiting = (): void => {
    const nowMs = Date.now();
    for (const { messages } of store.get().timelines.values())
      for (const message of messages)
        if (isUndoable(message, nowMs)) void client.retry(message.conversationId, message.id).catch(() => undefined);
  };
  const typedMs = new Map<string, number>();

  const readThrough = new Map<string, number>();
  let outgoingCount = 0;
  let wasOnline = false;
  store.subscribe(() => {
    const isOnline = store.get().connection.kind === "online";
    // Also what it announces: that is why it was away, perhaps.
    if (isOnline && !wasOnline && isLoaded) void loadServer();
    wasOnline = isOnline;
  });

  let tryTimer: ReturnType<typeof setTimeout> | undefined;
  let waitedFor: unknown;
  store.subscribe(() => {
    const { connection, isAttentive } = store.get();
    const isOut = connection.kind === "offline" && (connection.cause === undefined || connection.cause.code === "server_down");
    const next = isOut && isAttentive ? connection : undefined;
    if (next === waitedFor) return;
    waitedFor = next;
    clearTimeout(tryTimer);
    if (next !== undefined && next.nextTryMs > Date.now() + longestWaitMs) tryTimer = setTimeout(() => client.wake(), longestWaitMs);
  });

  noteLateStart(store);
  onStatus(host.status());
  host.subscribeStatus(onStatus);

  return {
    store,
    client,
    listen: (listener) => host.subscribe(listener),
    reopen: () => host.reopen(),
    lock: (act) => host.lock(act),
    active: (isVisible) => host.active(isVisible),
    goesOn: () => host.goesOn(),
    showFolder: (folder) => store.update((state) => ({ ...state, folder })),
    open(conversationId) {
      if (store.get().openId === conversationId) return;
      store.update((state) => ({ ...state, openId: conversationId }));
      if (store.get().conversations.get(conversationId ?? "")?.own.isMarkedUnread === true)
        void client.markUnread(conversationId ?? "", false).catch(() => undefined);
      if (conversationId !== undefined && isLoaded) loadOpened(conversationId);
    },
    history,
    loadDetails,
    ...acts,
    async send(conversationId, text, answered) {
      outgoingCount += 1;
      // What one says stands at the end.
      if (store.get().timelines.get(conversationId)?.hasNewer === true)
        void history.land(conversationId, { kind: "end" }).catch(() => undefined);
      const key = `outgoing:${outgoingCount}`;
      store.update((state) => ({
        ...state,
        outgoing: [
          ...state.outgoing,
          {
            key,
            conversationId,
            text,
            quote: quoteOf(answered),
            mentions: mayName(text, state.details.get(conversationId)),
            atMs: Date.now(),
            messageId: undefined,
          },
        ],
      }));
      const turn = takeTurn(conversationId);
      try {
        if (turn.comes !== undefined) await turn.comes;
        const sending = client.send(conversationId, text, {
          inReplyTo: answered?.id,
          undoMs: undoMs(),
        });
        // The client keeps the order in which it is called.
        turn.end();
        const message = await sending;
        flush();
        store.update((state) => {
          const isKnown = state.timelines.get(conversationId)?.messages.some((one) => one.id === message.id) === true;
          const next = isKnown ? state : applyEvents(state, [{ kind: "message", message, isNew: true }]);
          return {
            ...next,
            outgoing: next.outgoing.map((item) => (item.key === key ? { ...item, messageId: message.id } : item)),
          };
        });
      } catch (error) {
        store.update((state) => ({ ...state, outgoing: state.outgoing.filter((item) => item.key !== key) }));
        throw error;
      } finally {
        turn.end();
      }
    },
    async takeBack(message) {
      const { conversationId, id, body, quote } = message;
      // What it becomes beside what is written is decided where both are.
      await drafts.flush();
      const before = drafts.get(conversationId);
      if (!(await client.takeBack(conversationId, id))) return false;
      store.update((state) => withTakenBack(state, message));
      const now = drafts.get(conversationId);
      // What was typed meanwhile the client may have already, in the place of both.
      const written = now === before ? drafts.unsaved(conversationId) : now;
      flush();
      if (written !== undefined && body.kind === "text") drafts.set(conversationId, `${body.text}\n${written}`);
      const answered = store
        .get()
        .timelines.get(conversationId)
        ?.messages.find((one) => one.id === quote?.messageId);
      if (answered !== undefined && !store.get().composing.has(conversationId)) acts.compose(conversationId, begun("reply", answered));
      return true;
    },
    sendWaiting,
    retry: (message) => client.retry(message.conversationId, message.id),
    react: (message, emoji, isGiven) => client.react(message.conversationId, message.id, emoji, isGiven),
    decideDeletions: (conversationId, accountId, isDone) => client.decideDeletions(conversationId, accountId, isDone),
    vote: (message, options) => client.vote(message.conversationId, message.id, options),
    discard: (message) => client.discard(message.conversationId, message.id),
    async register(params) {
      const account = await client.register(params);
      store.update((state) => ({ ...state, account }));
    },
    async start(to, name) {
      const conversation = await client.startConversation({ to, ...(name === undefined ? {} : { name }) });
      flush();
      store.update((state) =>
        state.conversations.has(conversation.id) ? state : applyEvents(state, [{ kind: "conversation", conversation }]),
      );
      return conversation;
    },
    async addMembers(conversationId, addresses) {
      await client.addMembers(conversationId, addresses);
      await loadDetails(conversationId);
    },
    async removeMember(conversationId, person) {
      await client.removeMembers(conversationId, [person.accountId]);
      await loadDetails(conversationId);
    },
    removeUnproven: (conversationId) => client.removeUnproven(conversationId),
    async letBack(conversationId, person) {
      await client.letBack(conversationId, person.accountId);
      await loadVerification(conversationId);
    },
    async continueConversation(conversationId, options) {
      const continued = await client.continueConversation(conversationId, options);
      // The history of the old one stands above it now: it is read anew.
      store.update((state) => {
        const timelines = new Map(state.timelines);
        timelines.delete(continued.conversation.id);
        return { ...state, timelines };
      });
      return continued;
    },
    async answerInvitation(conversationId, accountId, isAccepted) {
      if (isAccepted) await client.acceptInvitation(conversationId, accountId);
      else await client.declineInvitation(conversationId, accountId);
    },
    async leave(conversationId) {
      const isDirect = store.get().conversations.get(conversationId)?.kind === "direct";
      await client.leave(conversationId);
      // Nobody is in it to write to any more: what was said is kept, out of the way. Where that fails it only stays in the list.
      if (isDirect) await client.archive(conversationId, true).catch(() => undefined);
    },
    setDraft: (conversationId, text) => drafts.set(conversationId, text),
    setTyping(conversationId, isTyping) {
      // Not each key: the worker would be asked for nothing.
      const nowMs = Date.now();
      if (isTyping && Math.abs(nowMs - (typedMs.get(conversationId) ?? 0)) < typingEveryMs) return;
      typedMs.set(conversationId, isTyping ? nowMs : 0);
      void client.typing(conversationId, isTyping).catch(() => undefined);
    },
    draft: (conversationId) => drafts.get(conversationId) ?? store.get().conversations.get(conversationId)?.draft ?? "",
    flushDrafts: () => {
      places.save();
      return drafts.flush();
    },
    markRead(conversationId, throughOrder) {
      if ((readThrough.get(conversationId) ?? -1) >= throughOrder) return;
      readThrough.set(conversationId, throughOrder);
      void client.markRead(conversationId, throughOrder).catch(() => readThrough.delete(conversationId));
    },
    setAttentive(isAttentive) {
      store.update((state) => (state.isAttentive === isAttentive ? state : { ...state, isAttentive }));
    },
    showPerson(shownPerson) {
      store.update((state) => ({ ...state, shownPerson }));
    },
    async handleAlarm(alarm) {
      if (alarm.id !== undefined) await client.acknowledgeAlarm(alarm.id);
      store.update((state) => ({ ...state, alarms: state.alarms.filter(({ key }) => key !== alarm.key) }));
    },
    async setQuietHours(quietHours) {
      quietChanges += 1;
      quietWrites += 1;
      store.update((state) => ({ ...state, quietHours }));
      try {
        await client.setQuietHours(quietHours);
      } finally {
        quietWrites -= 1;
        void loadQuietHours();
      }
    },
    loadVerification,
    loadDevices,
    async acceptRequest(requestId) {
      const conversation = await client.acceptRequest(requestId);
      flush();
      if (conversation !== undefined) {
        store.update((state) =>
          state.conversations.has(conversation.id) ? state : applyEvents(state, [{ kind: "conversation", conversation }]),
        );
      }
      return conversation;
    },
    async recover(params) {
      const account = await client.recover(params);
      store.update((state) => ({ ...state, account }));
      await load();
    },
    putOffRecovery() {
      rememberRecoveryPutOff(true);
      store.update((state) => ({ ...state, isRecoveryPutOff: true }));
    },
    async finishRecovery() {
      await client.forgetRecoveryPhrase();
      rememberRecoveryPutOff(false);
      store.update((state) => ({
        ...state,
        ...(state.account === undefined ? {} : { account: { ...state.account, hasRecoveryPhrase: false } }),
      }));
    },
    async startOver() {
      rememberAccount(false);
      rememberRecoveryPutOff(false);
      host.startOver();
    },
    async erase() {
      // Whatever ends this page meanwhile, who opens it next is not told that the browser cleared what it had.
      rememberAccount(false);
      rememberRecoveryPutOff(false);
      await client.erase();
      store.update((state) => ({ ...state, isRecoveryPutOff: false }));
    },
    endLink() {
      const { link } = store.get();
      store.update((state) => ({ ...state, link: undefined }));
      if (link?.kind !== "done" && link?.kind !== "failed") void client.cancelLink().catch(() => undefined);
    },
  };
}

/** A message that is being handed over shows what it answers. */
function quoteOf(answered: Message | undefined): Message["quote"] {
  return answered && { messageId: answered.id, author: answered.author, text: textOf(answered), isDeleted: false };
}

/** Whom a text that is being handed over may name, until the client says whom it does. */
function mayName(text: string, details: ConversationDetails | undefined): Message["mentions"] {
  return text.includes("](mimi://") ? details?.members.map(({ person }) => person) : undefined;
}
