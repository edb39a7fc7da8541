/**
 * The client's public face. Everything that crosses it is plain data (structured-cloneable), so that the client can live in a
 * worker: ids are base64url strings, times are milliseconds since 1970, bytes are Uint8Array.
 */
import type { ClientFailure } from "./api/failures.ts";
import type { LinkOffer, LinkState, OwnDevice } from "./api/devices.ts";
import type { FileCalls } from "./api/file-calls.ts";
import type { FileState, NewFile } from "./api/files.ts";
import type { GroupCalls, GroupRun } from "./api/groups.ts";
import type { HistoryBackupCalls } from "./api/history-backup.ts";
import type { ImportCalls } from "./api/imports.ts";
import type { HoldingsTicket } from "./api/holdings-ticket.ts";
import type { JoinLinkCalls } from "./api/join-links.ts";
import type { ModerationCalls } from "./api/moderation.ts";
import type { ReportCalls } from "./api/reports.ts";
import type { HeldDeletions, Message, MessageInfo, MessagePage, MessageRange } from "./api/messages.ts";
import type { LaterEvent, OwnCalls, OwnSettings } from "./api/own.ts";
import type { Receipt } from "./api/receipts.ts";
import type { PendingAccount, Person, Role } from "./api/people.ts";
import type { PassphraseCalls } from "./api/passphrases.ts";
import type { SearchCalls } from "./api/search.ts";

export type * from "./api/devices.ts";
export type * from "./api/failures.ts";
export type * from "./api/file-calls.ts";
export type * from "./api/files.ts";
export type * from "./api/transcripts.ts";
export type * from "./api/groups.ts";
export type * from "./api/holdings-ticket.ts";
export type * from "./api/history-backup.ts";
export type * from "./api/imports.ts";
export type * from "./api/join-links.ts";
export type * from "./api/moderation.ts";
export type * from "./api/reports.ts";
export * from "./api/messages.ts";
export type * from "./api/own.ts";
export type * from "./api/quiet.ts";
export type * from "./api/receipts.ts";
export type * from "./api/passphrases.ts";
export type * from "./api/people.ts";
export type * from "./api/search.ts";

/** This profile's account. */
export interface AccountInfo extends Person {
  readonly deviceId: string;
  readonly createdAtMs: number;
  /** Whether this device still keeps the recovery phrase, which the person has not written down yet (spec A-4). */
  readonly hasRecoveryPhrase: boolean;
  /** Whether this device began by the recovery phrase: it has none of what the devices before it had. */
  readonly isRecovered: boolean;
}

/** How much of the public record was checked for an account's keys. */
export interface KeyRecord {
  /** When the account's newest state entered the record, as far as known; 0 when not known. */
  readonly sinceMs: number;
  /** When this device last checked it. */
  readonly checkedAtMs: number;
  /** Witnesses that vouched for the record then, of how many are required; 0 of 0: the server has none. */
  readonly witnesses: number;
  readonly required: number;
  /**
   * `checked`: proven, vouched for by the witnesses that are required, and every change was followed by them or by this device;
   * `unwatched`: proven, and no witnesses are required, or nobody followed every change; `unchecked`: not proven yet.
   */
  readonly status: "checked" | "unwatched" | "unchecked";
}

/** A device as the conversation's details show it. */
export interface DeviceRecord {
  readonly deviceId: string;
  readonly addedAtMs: number;
  /** Whether it stands in this conversation, and in its account. */
  readonly inConversation: boolean;
  readonly inAccount: boolean;
}

/** An account's standing in a conversation's region "Verification". */
export interface MemberVerification {
  readonly person: Person;
  readonly record: KeyRecord;
  readonly devices: readonly DeviceRecord[];
  /** Whether the person compared the safety number and marked it; `changed`: marked before the account was recovered. */
  readonly mark: "none" | "verified" | "changed";
  /**
   * What they said that is not so: of the server's public record, which did not sign it, or of their own account, which has another
   * history there. A word, not a proof: nothing is held for it.
   */
  readonly falseWord?: "record" | "account" | undefined;
}

/** What this device knows of somebody, wherever the person met them. */
export interface AboutPerson extends Pick<MemberVerification, "person" | "record" | "mark" | "falseWord"> {
  /** By their account's newest state that this device has verified. */
  readonly deviceCount: number;
  readonly isBlocked: boolean;
  /** Ids of the groups that both are in, the one with the newest message first. */
  readonly groups: readonly string[];
}

/** What the details of a conversation show of its members' keys. */
export interface Verification {
  readonly members: readonly MemberVerification[];
  /** The first reason why nothing is sent now, if there is one. */
  readonly hold: ClientFailure | undefined;
  /** People who are on a new device since a recovery of their account, and not in here until somebody lets them back (spec E-64). */
  readonly away: readonly Person[];
  /** Whether this person may let them back. */
  readonly mayLetBack: boolean;
  /** Whether this person may take members out. */
  readonly mayRemove: boolean;
}

/** The number of a pair of accounts: the same on both sides, and on all their devices. */
export interface SafetyNumber {
  readonly person: Person;
  /** 60 digits in twelve groups of five. */
  readonly groups: readonly string[];
  /** For a QR code. */
  readonly code: string;
}

/** What was seen when a safety number's code was scanned. */
export type SafetyScan = "match" | "differs" | "other_account" | "not_a_code";

/** Something that must not happen. Stays until the person handled it; the server cannot take it away. */
export interface Alarm {
  readonly id: string;
  readonly failure: ClientFailure;
  readonly conversationId: string | undefined;
  /** The account that it is about, where it is about one: whose keys, device or change was seen. */
  readonly accountId?: string | undefined;
  /** What convicts, for whoever wants to verify it: signed bytes, such as two checkpoints of one log (C2SP notes). */
  readonly evidence?: readonly Uint8Array[];
  readonly atMs: number;
}

/** What this device knows of its server's public record. */
export interface DirectoryStatus {
  readonly host: string;
  /** Entries of the record that were verified. */
  readonly size: number;
  readonly checkedAtMs: number;
  readonly witnesses: number;
  readonly required: number;
  readonly status: KeyRecord["status"];
}

/** What the server says of itself. */
export interface ServerInfo {
  readonly host: string;
  readonly name: string;
  readonly registration: "open" | "invitation" | "closed";
  readonly retentionDays: number;
  /** What its operator tells everybody, as it may be shown (spec E-80); "" for nothing. */
  readonly announcement: string;
  /** The program's version; absent where the server does not say it. */
  readonly version?: string;
}

/** Whether a name could be registered now; `unknown` when the server cannot be asked. */
export type UsernameStatus = "available" | "taken" | "invalid" | "reserved" | "unknown";

/** An account in a conversation. */
export interface Member {
  readonly person: Person;
  readonly role: Role;
  readonly deviceCount: number;
}

/** Somebody asks to let this device go on in a conversation that it is out of, or at another place than it is: nothing of theirs counts before the person agrees (spec M-9). */
export interface Invitation {
  readonly from: Person;
  /** Whether they were in the conversation when this device last knew. */
  readonly wasMember: boolean;
  /** Who was in the conversation when this device last knew, and is not where they are. */
  readonly missing: readonly Person[];
  /** Whoever let this device in elsewhere already: the two are not at the same place, and nothing is sent before the person chose. */
  readonly instead: Person | undefined;
  /**
   * Whose word the group is that is known here, and that its log never confirmed: they ask into another one, which would take its place. The
   * lines that are here stay.
   */
  readonly replaced: Person | undefined;
  readonly atMs: number;
}

/** Another member goes on with a conversation in a new one, with nobody new; the person may go there too, by `continueConversation` (spec M-9). */
export interface ContinuationOffer {
  readonly conversationId: string;
  readonly from: Person;
  /** Who is in this one, and was not in the new one when it was offered. */
  readonly missing: readonly Person[];
}

/** What became of `continueConversation`. */
export interface Continued {
  readonly conversation: Conversation;
  /** Who could not be reached, and is not in the new conversation. */
  readonly unreachable: readonly Person[];
}

/** How a person goes on elsewhere. */
export interface ContinueOptions {
  readonly into?: string | undefined;
  readonly without?: readonly string[];
}

/** Why a conversation does not go on. */
export interface ConversationStop {
  /** `canRetry`: it goes on by itself when the cause has gone. */
  readonly failure: ClientFailure;
  /** The member of a group whose change it is that stops it, where that is known: one may go on without them. */
  readonly by: Person | undefined;
  /** In whose names there are devices that their accounts do not have, or are not known to have, where one may take these out: `removeUnproven`. */
  readonly removable: readonly Person[];
}

/** A conversation as a list shows it. */
export interface Conversation {
  readonly id: string;
  readonly kind: "direct" | "group";
  /** The group's name, or the other person's shown name. */
  readonly title: string;
  /** The other person of a direct conversation. */
  readonly peer: Person | undefined;
  readonly memberCount: number;
  readonly lastMessage: Message | undefined;
  /** Time of the last message, or of joining. */
  readonly updatedAtMs: number;
  /** Messages of others; what happened to the group does not count. */
  readonly unreadCount: number;
  /** The place up to which this person has read. */
  readonly readThrough: number;
  readonly draft: string;
  /** `active`; `pending` until the server has it; `removed` when one was removed or left; `paused` after an alarm. */
  readonly status: "active" | "pending" | "removed" | "paused";
  /** Why nothing goes on here now, while that is so. */
  readonly stop: ConversationStop | undefined;
  /** Of each member who does the newest. */
  readonly offers: readonly ContinuationOffer[];
  /** The conversation in which the person went on with this one, which is in no list any more (spec M-9). */
  readonly continuedIn: string | undefined;
  readonly invitations: readonly Invitation[];
  /** Whether the other person of a direct conversation is blocked: nothing is sent, and what they write is not shown. */
  readonly isBlocked: boolean;
  readonly own: OwnSettings;
  /** Who said how far they have come: `receiptOf` tells it of a message. In larger groups nobody does. */
  readonly receipts: readonly Receipt[];
  /** Seconds after which what is said here goes (spec X-7); 0 for never. */
  readonly timerS: number;
  readonly host: string;
}

/** A conversation with its members and how it is encrypted. */
export interface ConversationDetails extends GroupRun {
  readonly conversation: Conversation;
  readonly members: readonly Member[];
  readonly epoch: number;
  readonly cipherSuite: "X-Wing hybrid (post-quantum)" | "X25519 (classical)";
  /** Of whom one has to be made an owner before this person can leave, administrators first; empty where they can just leave. */
  readonly successors: readonly Person[];
}

/** Somebody who is not accepted yet and invites this person, or an invitation that could not be opened (spec I-4). */
export interface ContactRequest {
  /** The sender's account. */
  readonly id: string;
  readonly person: Person;
  readonly receivedAtMs: number;
  /** Invitations of this sender that wait. */
  readonly count: number;
  /** `asks`: for the person to decide; `joining`: accepted, tried again by itself; `failed`: cannot be opened any more. */
  readonly state: "asks" | "joining" | "failed";
}

/** Requests, newest first, and how many more were dropped because there were too many. */
export interface ContactRequests {
  readonly list: readonly ContactRequest[];
  readonly dropped: number;
}

/** How the connection to the server is. */
export type Connection =
  | { readonly kind: "online" }
  | { readonly kind: "connecting" }
  | {
      readonly kind: "offline";
      readonly sinceMs: number;
      readonly waitingCount: number;
      readonly nextTryMs: number;
      /** Why, where it is not the network: what the server said, or what is wrong with what it said. */
      readonly cause?: ClientFailure;
    };

/** Entries of logs: messages, changes and whatever else members say. `of` is what the servers say there is, and may grow. */
export interface CatchUp {
  readonly read: number;
  readonly of: number;
}

/** What `subscribe` tells. */
export type ClientEvent =
  | { readonly kind: "account"; readonly account: AccountInfo }
  /** Something else keeps an account that was begun here from counting, or nothing does any more. */
  | { readonly kind: "pending_account"; readonly pending: PendingAccount | undefined }
  /** People are shown otherwise than before, wherever they stand. */
  | { readonly kind: "people"; readonly people: readonly Person[] }
  | { readonly kind: "connection"; readonly connection: Connection }
  /** A conversation is new or changed in any way that a list shows. */
  | { readonly kind: "conversation"; readonly conversation: Conversation }
  /** `isNew`: it arrived, or was written here, just now; else something of it changed (its delivery, for example), and it was told before. */
  | { readonly kind: "message"; readonly message: Message; readonly isNew: boolean }
  /** Something that the person must see, full width, until they handled it; listed by `alarms` until then. */
  | { readonly kind: "alarm"; readonly failure: ClientFailure; readonly conversationId: string | undefined }
  /** The list of alarms changed: one came, or was handled. */
  | { readonly kind: "alarms" }
  /** The linking that this client takes part in. */
  | { readonly kind: "link"; readonly state: LinkState }
  /** The list of one's devices changed. */
  | { readonly kind: "devices" }
  /** A message was deleted on this device, here or by another one of one's own. */
  | { readonly kind: "hidden"; readonly conversationId: string; readonly messageId: string }
  /** Deletions came to wait for the person in a conversation, or were decided (`heldDeletions`). */
  | { readonly kind: "held_deletions"; readonly conversationId: string }
  /** Other messages are starred than before (`starred`). */
  | { readonly kind: "starred" }
  | LaterEvent
  /** Who types in a conversation, the first three of them, and how many in all; by their own word, which nobody proves (spec N-1). */
  | { readonly kind: "typing"; readonly conversationId: string; readonly people: readonly Person[]; readonly count: number }
  /**
   * How much is read of what came while this device was away, where that is a hundred entries or more: at most four times a second; without
   * `progress` once nothing is left.
   */
  | { readonly kind: "catch_up"; readonly progress: CatchUp | undefined }
  /** Somebody's picture, or that of a group, is another one, or came (`picture`): an account or a conversation. */
  | { readonly kind: "picture"; readonly id: string }
  /** What others are told of this person changed (`privacySettings`), or their quiet hours. */
  | { readonly kind: "settings" }
  /** The backup of the messages stands otherwise (`historyBackup`). */
  | { readonly kind: "history_backup" }
  /** The join links of a group changed, or who waits at them (`joinLinks`, `waitingRoom`). */
  | { readonly kind: "join_links"; readonly conversationId: string }
  /** A member told this person something of a group that they administer, or it was dealt with (`groupReports`). */
  | { readonly kind: "group_reports"; readonly conversationId: string }
  /** The desk of one's own host told this account something, or the person has read it (`notices`). */
  | { readonly kind: "notices" }
  /** Something became of a report or an appeal (`reports`). */
  | { readonly kind: "reports" }
  /** Where this person knocked changed (`knocks`): somebody let them in, for one. */
  | { readonly kind: "knocks" }
  /** A file is elsewhere than before, or more of it is: on its way to its host, or to this device. */
  | {
      readonly kind: "file";
      readonly conversationId: string;
      readonly messageId: string;
      readonly fileId: string;
      readonly state: FileState;
    }
  /** Nothing names these files any more: their message or what was imported was deleted, or its time is over. Whoever has a key of one forgets it. */
  | { readonly kind: "files_gone"; readonly fileIds: readonly string[] }
  /** Requests or blocked people changed. */
  | { readonly kind: "requests" }
  /** What was verified of people changed. */
  | { readonly kind: "verification" };

/** A client: one device of one account. Methods reject with `ClientError` (whose `failure` is above). */
export interface Client
  extends
    FileCalls,
    GroupCalls,
    HistoryBackupCalls,
    ImportCalls,
    JoinLinkCalls,
    ModerationCalls,
    OwnCalls,
    PassphraseCalls,
    ReportCalls,
    SearchCalls {
  /** What is stored in this profile, without the network. */
  account(): Promise<AccountInfo | undefined>;
  /** An account that was registered or recovered here and does not count yet; it is gone on with until it does. */
  pendingAccount(): Promise<PendingAccount | undefined>;
  connection(): Promise<Connection>;
  serverInfo(): Promise<ServerInfo>;
  checkUsername(username: string): Promise<UsernameStatus>;
  /** Creates the account; resolves when the server has it on disk. A retry after a lost answer finishes the same account. */
  register(params: { username: string; displayName?: string; deviceName?: string; invitation?: string }): Promise<AccountInfo>;
  /** Finds an account by `name` or `name@host` and verifies its chain. */
  resolve(address: string): Promise<Person>;
  /**
   * As `resolve`, for a name that belonged to another account: the person found out, by another way, that the account which has it
   * now is whom they mean (spec A-3).
   */
  acceptName(address: string): Promise<Person>;
  /** By `updatedAtMs`, newest first. */
  conversations(): Promise<readonly Conversation[]>;
  details(conversationId: string): Promise<ConversationDetails>;
  /** Opens a direct conversation with one person (the existing one, if any), or a group of several under `name`. */
  startConversation(params: { to: readonly string[]; name?: string }): Promise<Conversation>;
  /** Messages of a conversation, oldest first; fewer than `limit` where there are no more on that side. */
  messages(conversationId: string, params: MessageRange): Promise<readonly Message[]>;
  /**
   * The place (`order`) of the first message that was sent at a time or later, `undefined` where there is none: by their senders' clocks, so
   * that wrong ones lead to another place.
   */
  placeAt(conversationId: string, atMs: number): Promise<number | undefined>;
  /** Of each conversation with unread messages the newest one that names this person or answers them; only the newest thousand lines are looked at. */
  unreadMentions(): Promise<readonly Message[]>;
  /**
   * What arrived in this profile after `cursor` (since its beginning when absent), over all conversations, in the order of arrival: each
   * message once, as it is shown now, own ones once the server has them. Start again from the page's cursor, after a restart too: with the
   * one kept together with what was done with the page, nothing is missed or had twice.
   * @param params.limit 100 when absent
   * @throws ClientError `invalid_cursor` for one that this profile did not give
   */
  since(cursor?: string, params?: { limit?: number }): Promise<MessagePage>;
  /**
   * Queues a message; resolves when it is persisted here as pending, its files encrypted (spec X-23). Its delivery follows as events: it waits
   * until its files are at their host, and what is said after it waits behind it.
   * @param options.inReplyTo the id of the message that it answers
   * @param options.undoMs for so long, a minute at most, it waits here and can be taken back; a program that ends meanwhile sends it with its next start
   * @param options.files at most 30, 2 GiB each; the text, which may be "" then, is said of them
   * @param options.isOnce its one file, a picture, a video or a voice message, is to be seen once (spec X-8)
   * @throws ClientError `message_too_large`; of files `file_changed` where one has another size than was said, `storage_full`: nothing of it is kept then
   */
  send(
    conversationId: string,
    text: string,
    options?: {
      inReplyTo?: string | undefined;
      undoMs?: number | undefined;
      files?: readonly NewFile[] | undefined;
      isOnce?: boolean | undefined;
    },
  ): Promise<Message>;
  /**
   * Takes back a message that was not sent yet: what it says stands in the draft again, before what is written there by now.
   * Returns whether it did; not where the message is on its way, or not here.
   */
  takeBack(conversationId: string, messageId: string): Promise<boolean>;
  /** The person types in a conversation now, or does no more: told to the others that are there now, as often as need be (spec N-1). */
  typing(conversationId: string, isTyping: boolean): Promise<void>;
  /** Says another text in place of one's own, a day after it at most, ten times at most; "" takes the words of one with files away (spec X-3). @throws ClientError `unknown_message`, `not_permitted`, `message_too_large` */
  edit(conversationId: string, messageId: string, text: string): Promise<void>;
  /**
   * Deletes messages: for everybody as far as one may (spec X-4), or here and on one's other devices alone.
   * @throws ClientError `unknown_message`, `not_permitted` before any is deleted
   */
  deleteMessages(conversationId: string, messageIds: readonly string[], options: { forEveryone: boolean }): Promise<void>;
  /** Gives a message an emoji, or takes it back (spec X-6). @throws ClientError `unknown_message`, `not_permitted` for what is no emoji, and the seventh */
  react(conversationId: string, messageId: string, emoji: string, isGiven?: boolean): Promise<void>;
  /** Asks a question with 2 to 12 options (spec X-11). @throws ClientError `message_too_large` outside of the bounds */
  sendPoll(
    conversationId: string,
    poll: { question: string; options: readonly string[]; maxSelections?: number | undefined; endsAtMs?: number | undefined },
  ): Promise<Message>;
  /** Chooses these options of a poll, by their places; none takes an earlier choice back. @throws ClientError `unknown_message`, `not_permitted` once it ended */
  vote(conversationId: string, messageId: string, options: readonly number[]): Promise<void>;
  /** Ends a poll: its author and administrators may. @throws ClientError `unknown_message`, `not_permitted` */
  endPoll(conversationId: string, messageId: string): Promise<void>;
  /**
   * Pins a message for all, where one may: the newest five stand (spec X-10).
   * @param until milliseconds since 1970; `forever`, or `never` to take the pin back
   * @throws ClientError `unknown_message`, `not_permitted`
   */
  pin(conversationId: string, messageId: string, until: number | "forever" | "never"): Promise<void>;
  /** The messages that are pinned, newest pin first. */
  pinned(conversationId: string): Promise<readonly Message[]>;
  /** Sends a text on to at most five conversations, and to one where it was forwarded five times already (spec X-9). @throws ClientError `unknown_message`, `not_permitted` */
  forward(conversationId: string, messageId: string, to: readonly string[]): Promise<readonly Message[]>;
  /** The message with this id, in whatever conversation. @throws ClientError `unknown_message` */
  findMessage(messageId: string): Promise<Message>;
  /** @throws ClientError `unknown_message` */
  messageInfo(conversationId: string, messageId: string): Promise<MessageInfo>;
  /**
   * Asks a group of more than twenty people who has read a message of one's own, once an hour: whose apps are there and whoever says what they
   * read answers within a minute, a hundred at most, and stands in `messageInfo` then. @throws ClientError `not_permitted`, `rate_limited`, `unknown_message`
   */
  whoHasRead(conversationId: string, messageId: string): Promise<void>;
  /** Whose deletions wait for this person's word (spec X-4). */
  heldDeletions(conversationId: string): Promise<readonly HeldDeletions[]>;
  /** Does the deletions that wait, or keeps what they would delete. */
  decideDeletions(conversationId: string, accountId: string, isDone: boolean): Promise<void>;
  /** Tries a failed message, or a failed change of one, again. */
  retry(conversationId: string, messageId: string): Promise<void>;
  /** Forgets a failed message, or a failed change. */
  discard(conversationId: string, messageId: string): Promise<void>;
  /**
   * Adds people to a group. `again`: who is a member and says that they cannot read it any more is removed and added in one commit.
   * @throws ClientError `already_member` without it
   */
  addMembers(conversationId: string, addresses: readonly string[], options?: { again?: boolean }): Promise<void>;
  /** Takes out the devices that the accounts which they name do not have, as far as one's role allows (spec G-8). @throws ClientError `not_permitted` where there is none */
  removeUnproven(conversationId: string): Promise<void>;
  /**
   * Lets somebody back whose devices here left their account, as after a recovery: the same account, with the devices that it has now by
   * its host's public record; what is left of the old ones goes in the same commit (spec E-64).
   * @throws ClientError `not_permitted`, `unknown_user`, `unreachable_device`, `account_deleted`, `already_member`
   */
  letBack(conversationId: string, accountId: string): Promise<void>;
  /** Goes on in a conversation by the invitation of this account. @throws ClientError `invitation_expired` */
  acceptInvitation(conversationId: string, accountId: string): Promise<void>;
  /**
   * Goes on in a new conversation with the same people: one that is made now, with the same name and roles, or the one that a member
   * offers. The history stays above it; what waits goes along, and where the people are not the same the person is asked first.
   * @param options.into the conversation that a member offers and that the person looked at; nothing is made then
   * @param options.without accounts of a group that are left out of one that is made now
   * @throws ClientError `offline`, `unreachable_device` when nobody can be reached, `not_permitted` where nothing stops the conversation,
   * or that one is not offered, or not any more, `conversation_unavailable` before it is known whether it is (spec E-16)
   */
  continueConversation(conversationId: string, options?: ContinueOptions): Promise<Continued>;
  /** Forgets it, and where that account goes on with the conversation. */
  declineInvitation(conversationId: string, accountId: string): Promise<void>;
  /** Says that one leaves, then erases the group's keys here (spec M-3). @throws ClientError `last_owner` while nobody else owns the group: `ConversationDetails.successors` */
  leave(conversationId: string): Promise<void>;
  markRead(conversationId: string, throughOrder: number): Promise<void>;
  saveDraft(conversationId: string, text: string): Promise<void>;
  /** A ticket for what the server holds about the account, which `readHoldings` fetches: the package that a legal order would get. @throws ClientError `offline` */
  inspect(): Promise<HoldingsTicket>;

  /** People who are not accepted yet and invite this person: nothing of theirs is read, fetched or shown but who they are (spec I-4). */
  requests(): Promise<ContactRequests>;
  /**
   * Accepts a request: its sender is accepted from now on. Resolves to the conversation that was joined by it; to `undefined` while the
   * server cannot be reached: then it is joined by itself later.
   * @throws `unknown_request`, `invitation_expired`
   */
  acceptRequest(requestId: string): Promise<Conversation | undefined>;
  /** Forgets a request; its sender learns nothing. @throws `unknown_request` */
  declineRequest(requestId: string): Promise<void>;
  /** Drops everything that this account sends, from now on; they learn nothing. They stay members of groups. */
  block(accountId: string): Promise<void>;
  unblock(accountId: string): Promise<void>;
  /** Last first. */
  blocked(): Promise<readonly Person[]>;

  /** The 24 words that bring the account back, while this device still keeps them (spec A-4). */
  recoveryPhrase(): Promise<readonly string[] | undefined>;
  /** The person has them on paper: erases them here. */
  forgetRecoveryPhrase(): Promise<void>;
  /**
   * In a profile without an account: brings an account back by its phrase, with this as its only device.
   * @param params.keepPhrase for who came by a passphrase, and has the words nowhere: this device keeps them, as after registering, until `forgetRecoveryPhrase`
   * @throws `invalid_phrase`, `unknown_user`
   */
  recover(params: {
    username: string;
    phrase: string;
    deviceName?: string;
    displayName?: string;
    keepPhrase?: boolean;
  }): Promise<AccountInfo>;
  /** One's own devices, oldest first. */
  devices(): Promise<readonly OwnDevice[]>;
  /** Takes a device out of the account and out of every conversation. */
  removeDevice(deviceId: string): Promise<void>;
  /** Takes every device but this one out of the account at once, and out of every conversation (spec A-11). */
  removeOtherDevices(): Promise<void>;
  /** In a profile without an account: offers itself for linking. States follow as `link` events; `done` means there is an account here. */
  offerLink(params: { deviceName: string }): Promise<LinkOffer>;
  /** In a profile with an account: takes up a new device's offer, by its code or its words, and waits two minutes for it. @throws `invalid_code`, `link_expired`, `offline` */
  acceptLink(code: string): Promise<void>;
  /** Both sides: whether the digits are the same on both screens. The accepting side's yes adds the device. */
  confirmLink(same: boolean): Promise<void>;
  /** Breaks the linking off; nothing half done is left. */
  cancelLink(): Promise<void>;
  /** Marks the account deleted, for good, and erases this profile (spec A-1). */
  deleteAccount(): Promise<void>;
  /**
   * Erases this profile, whatever became of its account, which goes on without it: its last device takes itself out of no account, so that
   * only the recovery phrase brings that back. Of several, this one is taken out first, if the server is reached within seconds; else another
   * one may remove it. Written down before: what ends this program leaves it to the next opening (spec O-12). @throws ClientError `storage_denied`
   */
  erase(): Promise<void>;

  /** What is known of the keys of a conversation's members. */
  verification(conversationId: string): Promise<Verification>;
  /** What is known of somebody, this person among them. Asks nobody. @throws ClientError `unknown_user` for whom this device never met */
  aboutPerson(accountId: string): Promise<AboutPerson>;
  safetyNumber(accountId: string): Promise<SafetyNumber>;
  /** Compares a scanned safety number with the account's; a match marks it as verified. */
  scanSafetyNumber(accountId: string, code: string): Promise<SafetyScan>;
  /** Says that the numbers were compared in person, or takes that back. */
  markVerified(accountId: string, verified: boolean): Promise<void>;
  /** Alarms not handled yet, oldest first. */
  alarms(): Promise<readonly Alarm[]>;
  acknowledgeAlarm(alarmId: string): Promise<void>;
  directoryStatus(): Promise<DirectoryStatus>;
  /**
   * Resolves once everything pending is accepted or failed, and everything that the server had when it was called is read; `isReadOnly`: whatever
   * becomes of what is pending. @throws ClientError `offline`
   */
  settle(params?: { timeoutMs?: number; isReadOnly?: boolean }): Promise<void>;
  /** Calls `listener` for every event from now on; returns how to stop. */
  subscribe(listener: (event: ClientEvent) => void): () => void;
  /** Tells that the network may be back: connects now instead of at the next try. */
  wake(): void;
  close(): Promise<void>;
}
