import type {
  AccountInfo,
  Alarm as ClientAlarm,
  CatchUp,
  ClientEvent,
  ClientFailure,
  Connection,
  ContactRequests,
  Conversation,
  ConversationDetails,
  FileState,
  HeldDeletions,
  LinkState,
  Message,
  OwnDevice,
  PendingAccount,
  Person,
  QuietHours,
  ServerInfo,
  Verification,
} from "@latchkey/client";
import type { LockView } from "@latchkey/client/lock";
import { quietUntil } from "@latchkey/client/own";
import type { HostStatus } from "../worker/protocol.ts";
import { isMuted } from "./own.ts";
import type { Composing, Revealed, Selection } from "./acting.ts";
import { withMentions } from "./list-filter.ts";
import type { Mentions } from "./list-filter.ts";
import type { Folder } from "./own.ts";
import { indexOfMessage } from "./message-window.ts";
import { isBeforeAll, withPage, withReceived } from "./timeline-pages.ts";
import type { LoadedPage } from "./timeline-pages.ts";
import { emptyTimeline, isFromOthers } from "./timeline.ts";
import type { Landing, Timeline } from "./timeline.ts";
import type { TrayState } from "./trays.ts";

/** Where the app stands before there is anything to show. */
export type Phase =
  | { readonly kind: "starting" }
  /** The same for longer than it takes: it goes on by itself, or when it is loaded again. */
  | { readonly kind: "late" }
  /** Another tab holds the profile. */
  | { readonly kind: "in_use" }
  /** A page of another build goes on with the profile: this one is loaded again. */
  | { readonly kind: "replaced" }
  | { readonly kind: "insecure" }
  /** It waits for what opens its lock, is being locked, or gets a lock: nothing of anybody is here. */
  | LockPhase
  | { readonly kind: "failed"; readonly failure: ClientFailure }
  /** `account` tells whether there is one. */
  | { readonly kind: "ready" };

/** Where the app stands with its lock. */
export type LockPhase = Extract<HostStatus, { kind: "locked" | "locking" | "sealing" }>;

/** A warning that stays until the person has handled it. */
export interface Alarm {
  readonly key: string;
  /** The client's, who keeps it over a reload; `undefined` for what holds only now, such as a wrong clock. */
  readonly id: string | undefined;
  readonly failure: ClientFailure;
  readonly conversationId: string | undefined;
  /** Whose keys, device or change was seen. */
  readonly accountId?: string | undefined;
  readonly atMs: number;
}

/** A message being handed to the client: shown at once, replaced by the client's own. */
export interface Outgoing {
  readonly key: string;
  readonly conversationId: string;
  readonly text: string;
  /** What it answers. */
  readonly quote: Message["quote"];
  /** Whom it may name. */
  readonly mentions?: Message["mentions"];
  readonly atMs: number;
  /** The client's message of it, once known; `key` stays its key on the screen. */
  readonly messageId: string | undefined;
}

/** Everything that the screens show. A value: updates make a new one. */
export interface AppState extends TrayState {
  readonly phase: Phase;
  /** The lock that is on. */
  readonly lock: LockView | undefined;
  readonly account: AccountInfo | undefined;
  /** An account that was made here and does not count yet. */
  readonly pendingAccount: PendingAccount | undefined;
  readonly server: ServerInfo | undefined;
  readonly connection: Connection;
  /** How much is read of what came while this device was away. */
  readonly catchUp: CatchUp | undefined;
  readonly conversations: ReadonlyMap<string, Conversation>;
  readonly hasConversations: boolean;
  readonly timelines: ReadonlyMap<string, Timeline>;
  readonly details: ReadonlyMap<string, ConversationDetails>;
  readonly outgoing: readonly Outgoing[];
  readonly alarms: readonly Alarm[];
  /** People who are not accepted yet. */
  readonly requests: ContactRequests;
  /** What is verified of the members of conversations that were looked at. */
  readonly verifications: ReadonlyMap<string, Verification>;
  /** Whose deletions wait for the person, by conversation, of those that were open. */
  readonly heldDeletions: ReadonlyMap<string, readonly HeldDeletions[]>;
  /** What the field is for, by conversation, where it is not for a new message. */
  readonly composing: ReadonlyMap<string, Composing>;
  /** The messages that are chosen together. */
  readonly selection: Selection | undefined;
  /** The message that was last asked to be shown. */
  readonly revealed: Revealed | undefined;
  /** The pinned messages of conversations that were open. */
  readonly pins: ReadonlyMap<string, readonly Message[]>;
  /** Where files that were looked at are, by `fileKey`. */
  readonly files: ReadonlyMap<string, FileState>;
  /** The person whose card is open. */
  readonly shownPerson: Person | undefined;
  /** Who types, by conversation. */
  readonly typing: ReadonlyMap<string, Typers>;
  /** Counts up when what others are told of this person changes, here or on another device. */
  readonly settingsVersion: number;
  /** Counts what changed of the join links of groups, of who waits there, and of where this person waits. */
  readonly joinLinksVersion: number;
  /** Counts what the desk of a server told, of this account or of what was reported, and what is another of what waits for its time. */
  readonly noticesVersion: number;
  /** One's own devices, once asked for. */
  readonly devices: readonly OwnDevice[] | undefined;
  /** When the person wants no notice of anything. */
  readonly quietHours: QuietHours;
  /** Ids of starred messages. */
  readonly stars: ReadonlySet<string>;
  /** Which part of the list is shown. */
  readonly folder: Folder;
  /** Where something unread names this person or answers them. */
  readonly mentions: Mentions;
  /** The linking that goes on. */
  readonly link: LinkState | undefined;
  /** Whether the recovery phrase is to be written down later. */
  readonly isRecoveryPutOff: boolean;
  /** The conversation on the screen. */
  readonly openId: string | undefined;
  /** Whether the person is looking: the page is visible and focused. */
  readonly isAttentive: boolean;
  /**
   * What the app has to say of itself: a newer build of it waits for the person's word (`ready`), or for what goes on in some tab (`waiting`);
   * whether they want notifications (`notices`).
   */
  readonly update?: "ready" | "waiting" | "notices" | undefined;
  /** The last thing to tell a screen reader. */
  readonly heard: { readonly key: number; readonly message: Message | undefined };
}

/** Who types in a conversation: the first, and how many. */
export type Typers = Pick<Extract<ClientEvent, { readonly kind: "typing" }>, "people" | "count">;

/** The state of a page that has just been opened. */
export const initialState: AppState = {
  phase: { kind: "starting" },
  lock: undefined,
  account: undefined,
  pendingAccount: undefined,
  server: undefined,
  connection: { kind: "connecting" },
  catchUp: undefined,
  conversations: new Map(),
  hasConversations: false,
  timelines: new Map(),
  details: new Map(),
  outgoing: [],
  alarms: [],
  requests: { list: [], dropped: 0 },
  verifications: new Map(),
  heldDeletions: new Map(),
  composing: new Map(),
  trays: new Map(),
  sentItems: new Map(),
  voices: new Map(),
  selection: undefined,
  revealed: undefined,
  pins: new Map(),
  files: new Map(),
  shownPerson: undefined,
  typing: new Map(),
  settingsVersion: 0,
  joinLinksVersion: 0,
  noticesVersion: 0,
  devices: undefined,
  stars: new Set(),
  quietHours: {},
  folder: "all",
  mentions: new Map(),
  link: undefined,
  isRecoveryPutOff: false,
  openId: undefined,
  isAttentive: true,
  heard: { key: 0, message: undefined },
};

/** By what a file of a message is known here. */
export function fileKey(messageId: string, fileId: string): string {
  return `${messageId} ${fileId}`;
}

/** The state after a batch of events, in their order. */
export function applyEvents(state: AppState, events: readonly ClientEvent[]): AppState {
  let next = state;
  const conversations = new Map(state.conversations);
  const incoming = new Map<string, Message[]>();
  for (const event of events) {
    switch (event.kind) {
      case "account":
        next = { ...next, account: event.account };
        break;
      case "people":
        next = renamePeople(next, conversations, event.people);
        break;
      case "pending_account":
        next = { ...next, pendingAccount: event.pending };
        break;
      case "connection":
        next = { ...next, connection: event.connection };
        break;
      case "catch_up":
        next = { ...next, catchUp: event.progress };
        break;
      case "conversation":
        conversations.set(event.conversation.id, event.conversation);
        break;
      case "message": {
        const list = incoming.get(event.message.conversationId);
        if (list === undefined) incoming.set(event.message.conversationId, [event.message]);
        else list.push(event.message);
        break;
      }
      case "alarm":
        next = addAlarm(next, event.failure, event.conversationId);
        break;
      case "link":
        next = { ...next, link: event.state };
        break;
      case "hidden":
        next = removeMessage(next, event.conversationId, event.messageId);
        break;
      case "typing":
        next = { ...next, typing: new Map([...next.typing, [event.conversationId, event]]) };
        break;
      case "file":
        next = { ...next, files: new Map([...next.files, [fileKey(event.messageId, event.fileId), event.state]]) };
        break;
      case "settings":
      case "history_backup":
        next = { ...next, settingsVersion: next.settingsVersion + 1 };
        break;
      case "group_reports":
      case "join_links":
      case "knocks":
        next = { ...next, joinLinksVersion: next.joinLinksVersion + 1 };
        break;
      case "scheduled":
      case "reminders":
      case "notices":
      case "reports":
        next = { ...next, noticesVersion: next.noticesVersion + 1 };
        break;
      case "held_deletions":
      case "alarms":
      case "devices":
      case "picture":
      case "requests":
      case "starred":
      case "verification":
      // What shows files hears this by itself.
      case "files_gone":
        // These say that there is something to ask for: the controller does.
        break;
    }
  }
  if (events.some((event) => event.kind === "conversation" || event.kind === "people")) next = { ...next, conversations };
  for (const [id, messages] of incoming) next = receive(next, id, messages);
  return next;
}

/** The state with people shown otherwise than before, wherever they stand. */
function renamePeople(state: AppState, conversations: Map<string, Conversation>, people: readonly Person[]): AppState {
  const byId = new Map(people.map((person) => [person.accountId, person]));
  const renamed = <T extends Person | undefined>(person: T): T | Person =>
    person === undefined ? person : (byId.get(person.accountId) ?? person);
  const inMessage = (message: Message): Message => {
    const { author, body } = message;
    const isOld =
      (author !== undefined && byId.has(author.accountId)) ||
      ("person" in body && byId.has(body.person.accountId)) ||
      ("people" in body && body.people.some(({ accountId }) => byId.has(accountId)));
    if (!isOld) return message;
    const newBody =
      "person" in body
        ? { ...body, person: renamed(body.person) }
        : "people" in body
          ? { ...body, people: body.people.map((person) => renamed(person)) }
          : body;
    return { ...message, author: renamed(author), body: newBody };
  };
  for (const [id, conversation] of conversations) {
    const { peer, lastMessage } = conversation;
    const newPeer = renamed(peer);
    const newLast = lastMessage === undefined ? undefined : inMessage(lastMessage);
    if (newPeer === peer && newLast === lastMessage) continue;
    const title = newPeer === undefined || newPeer === peer ? conversation.title : newPeer.displayName;
    conversations.set(id, { ...conversation, peer: newPeer, lastMessage: newLast, title });
  }
  const timelines = new Map(
    [...state.timelines].map(([id, timeline]) => [
      id,
      { ...timeline, messages: timeline.messages.map(inMessage), aside: timeline.aside.map(inMessage) },
    ]),
  );
  const details = new Map(
    [...state.details].map(([id, one]) => [
      id,
      { ...one, members: one.members.map((member) => ({ ...member, person: renamed(member.person) })) },
    ]),
  );
  return { ...state, timelines, details };
}

/** The conversations, those on top first, then by time, newest first; those that were only started count by their joining. */
export function sortConversations(conversations: ReadonlyMap<string, Conversation>): readonly Conversation[] {
  return [...conversations.values()]
    .filter(({ continuedIn, own }) => continuedIn === undefined && !own.isDeleted)
    .sort((a, b) => placeOf(a) - placeOf(b) || b.updatedAtMs - a.updatedAtMs || (a.id < b.id ? -1 : 1));
}

const placeOf = ({ own }: Conversation): number => own.pinnedPlace ?? Number.MAX_SAFE_INTEGER;

/** The state with messages that were loaded from the client. */
export function addPage(state: AppState, conversationId: string, page: LoadedPage): AppState {
  return withTimeline(state, conversationId, withPage(state.timelines.get(conversationId) ?? emptyTimeline, page));
}

/** The state with the list of a conversation's messages on its way to a place. */
export function withLanding(state: AppState, conversationId: string, to: Landing): AppState {
  const timeline = state.timelines.get(conversationId);
  if (timeline === undefined) return state;
  return withTimeline(state, conversationId, { ...timeline, landing: { key: (timeline.landing?.key ?? 0) + 1, to } });
}

/** The state with one timeline replaced. */
export function withTimeline(state: AppState, conversationId: string, timeline: Timeline): AppState {
  const timelines = new Map(state.timelines);
  timelines.set(conversationId, timeline);
  return { ...state, timelines };
}

/** Puts the line "New messages" where the unread ones begin; called when a conversation is opened. */
export function markUnreadLine(state: AppState, conversationId: string): AppState {
  const timeline = state.timelines.get(conversationId);
  const { unreadCount, readThrough } = state.conversations.get(conversationId) ?? { unreadCount: 0, readThrough: 0 };
  if (timeline === undefined) return state;
  const newAfter = unreadCount === 0 ? undefined : readThrough;
  return withTimeline(state, conversationId, { ...timeline, newAfter, newCount: unreadCount });
}

/** The state without a message that was discarded or deleted here. */
function removeMessage(before: AppState, conversationId: string, messageId: string): AppState {
  // Nobody answers or changes what is gone.
  const isOnIt = before.composing.get(conversationId)?.message.id === messageId;
  const state = isOnIt ? { ...before, composing: new Map([...before.composing].filter(([id]) => id !== conversationId)) } : before;
  const timeline = state.timelines.get(conversationId);
  if (timeline === undefined) return state;
  const isOther = ({ id }: Message): boolean => id !== messageId;
  const { messages, aside } = timeline;
  return withTimeline(state, conversationId, { ...timeline, messages: messages.filter(isOther), aside: aside.filter(isOther) });
}

/** The state with a warning added, unless the same one stands already. */
export function addAlarm(state: AppState, failure: ClientFailure, conversationId: string | undefined): AppState {
  if (state.alarms.some((alarm) => isAbout(alarm, failure, conversationId))) return state;
  const key = `${failure.code}:${conversationId ?? ""}`;
  return { ...state, alarms: [...state.alarms, { key, id: undefined, failure, conversationId, atMs: Date.now() }] };
}

/** The state with the client's list of warnings; those that were only told of stay until they stand in it. */
export function setAlarms(state: AppState, listed: readonly ClientAlarm[]): AppState {
  const kept = state.alarms.filter(
    (alarm) => alarm.id === undefined && !listed.some((one) => isAbout(one, alarm.failure, alarm.conversationId)),
  );
  return { ...state, alarms: [...listed.map((alarm) => ({ ...alarm, key: alarm.id })), ...kept] };
}

const gravest: readonly ClientFailure["code"][] = ["account_changed", "directory_fork", "log_fork", "device_unproven", "server_lied"];

/** Warnings of one kind, told as one: of the account, or of one or more conversations. */
export interface AlarmGroup {
  readonly key: string;
  readonly alarms: readonly [Alarm, ...Alarm[]];
}

/** Warnings of one kind together; those first with most at stake, then the oldest. */
export function groupAlarms(alarms: readonly Alarm[]): readonly AlarmGroup[] {
  const groups = new Map<string, [Alarm, ...Alarm[]]>();
  for (const alarm of [...alarms].sort((a, b) => a.atMs - b.atMs)) {
    const key = `${alarm.failure.code}:${alarm.conversationId === undefined ? "account" : "conversation"}:${alarm.id === undefined ? "now" : "kept"}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [alarm]);
    else group.push(alarm);
  }
  const rank = ([{ failure }]: [Alarm, ...Alarm[]]): number =>
    gravest.includes(failure.code) ? gravest.indexOf(failure.code) : gravest.length;
  return [...groups].sort(([, a], [, b]) => rank(a) - rank(b) || a[0].atMs - b[0].atMs).map(([key, members]) => ({ key, alarms: members }));
}

function isAbout(
  alarm: { readonly failure: ClientFailure; readonly conversationId: string | undefined },
  failure: ClientFailure,
  conversationId: string | undefined,
): boolean {
  return alarm.failure.code === failure.code && alarm.conversationId === conversationId;
}

/** The state with what is verified of a conversation's members. */
export function withVerification(state: AppState, conversationId: string, verification: Verification): AppState {
  const verifications = new Map(state.verifications);
  verifications.set(conversationId, verification);
  return { ...state, verifications };
}

/** Whether everyone else in a conversation was compared with and marked. */
export function isAllVerified(verification: Verification | undefined): boolean {
  const others = verification?.members.filter(({ person }) => !person.isSelf) ?? [];
  return others.length > 0 && others.every(({ mark }) => mark === "verified");
}

/** Whether the recovery phrase asks to be written down, in the middle of the screen. */
export function asksForRecoveryPhrase(state: AppState): boolean {
  return state.account?.hasRecoveryPhrase === true && !state.isRecoveryPutOff;
}

function receive(state: AppState, conversationId: string, messages: readonly Message[]): AppState {
  const timeline = state.timelines.get(conversationId);
  const isKnown = (message: Message): boolean => timeline !== undefined && indexOfMessage(timeline.messages, message) >= 0;
  const fresh = messages.filter((message) => isFromOthers(message) && !isKnown(message) && !isBeforeAll(timeline, message));
  let next = {
    ...state,
    outgoing: matchOutgoing(state.outgoing, isKnown, messages),
    mentions: withMentions(state.mentions, messages),
  };
  if (timeline !== undefined) {
    const isOpen = state.openId === conversationId;
    next = withTimeline(next, conversationId, withReceived(timeline, { messages, fresh, isOpen, isWatched: isOpen && state.isAttentive }));
  }
  const conversation = state.conversations.get(conversationId);
  // Of what is muted, and in quiet hours of everything, nothing is told but to whoever looks at it.
  const isMute =
    (conversation !== undefined && isMuted(conversation, Date.now())) || quietUntil(state.quietHours, Date.now()) !== undefined;
  const isQuiet = isMute && state.openId !== conversationId;
  const heard = isQuiet ? undefined : fresh.at(-1);
  const isNew =
    heard !== undefined && (timeline !== undefined || (state.conversations.get(conversationId)?.lastMessage?.order ?? 0) <= heard.order);
  return isNew ? { ...next, heard: { key: state.heard.key + 1, message: heard } } : next;
}

/** Ties messages that the client reports for the first time to those that are being handed to it. */
function matchOutgoing(
  outgoing: readonly Outgoing[],
  isKnown: (message: Message) => boolean,
  messages: readonly Message[],
): readonly Outgoing[] {
  if (outgoing.length === 0) return outgoing;
  let next = outgoing;
  for (const message of messages) {
    if (message.author?.isSelf !== true || message.body.kind !== "text" || isKnown(message)) continue;
    if (next.some((item) => item.messageId === message.id)) continue;
    const { text } = message.body;
    const index = next.findIndex(
      (item) => item.messageId === undefined && item.conversationId === message.conversationId && item.text === text,
    );
    if (index >= 0) next = next.map((item, at) => (at === index ? { ...item, messageId: message.id } : item));
  }
  return next;
}
