/**
 * The client's public face. Everything that crosses it is plain data (structured-cloneable), so that the client can live in a
 * worker: ids are base64url strings, times are milliseconds since 1970, bytes are Uint8Array.
 */

/** Why the client refused or could not do something; the web app and the CLI have words for each. */
export type ClientErrorCode =
  | "no_account" // register first
  | "account_waits" // the server has the account, and the public record cannot prove it now: it stays, and goes on by itself
  | "account_exists" // this profile has an account already
  | "invalid_username" // not 3 to 32 of a-z 0-9 _ . -
  | "username_taken"
  | "registration_closed"
  | "invalid_invitation" // the server asks for an invitation, and does not know this one
  | "account_suspended" // by the operator of the server: it gets nothing new there
  | "invalid_address" // not name or name@host
  | "unknown_user" // no such account on that host
  | "blocked" // this person is blocked: unblock them first
  | "unknown_request" // no such request is waiting
  | "other_server" // on another server than one's own: refused before anything is sent there
  | "unreachable_device" // a member's device has no valid key package
  | "unknown_conversation"
  | "unknown_message"
  | "not_a_member" // you were removed from, or left, this conversation
  | "not_permitted" // roles do not allow it
  | "already_member"
  | "message_too_large"
  | "name_required" // a group needs a name
  | "offline" // needs the server, which cannot be reached now
  | "rate_limited"
  | "server_full"
  | "server_down" // what stands before the server answers, and the server does not
  | "way_blocked" // something between here and the server refuses what the server would take
  | "app_outdated" // this version of Latchkey is too old for the server
  | "server_outdated" // the server is too old for this version of Latchkey
  | "server_refused" // the server answered with a refusal that should not happen
  | "server_lied" // an answer failed verification: head chain, signature, access hash
  | "conflict" // the account was changed at the same moment too often: the person tries again
  | "change_waits" // a change of the group lost the race with others many times; it waits, and is tried on (spec L-13)
  | "conversation_unavailable" // the server does not know this conversation, or an older state of it; it goes on when it does
  | "change_unreadable" // a member's change cannot be read by this device (spec G-4)
  | "left_behind" // the others cannot read a change that this device followed, and go on without it (spec G-6)
  | "changes_expired" // changes of the group expired before this device read them: a member has to add it again (spec L-8)
  | "device_unproven" // a device in the group that the account it names does not have: nothing is sent there until it is removed (spec G-8)
  | "invitation_expired" // what somebody sent to let this device go on in a conversation does not hold any more
  | "members_changed" // somebody was added after this message was written: the person decides (attack A7)
  | "storage_denied" // the browser refused or evicted storage
  | "storage_in_use" // another process has this profile open
  | "storage_newer" // the profile was written by a newer version
  | "storage_older" // the profile was written by a test version whose format is not read any more
  | "profile_restored" // this profile is an old copy: it must not send (spec D-3 of the client)
  | "clock_skew" // this device's clock is far off
  | "invalid_key_package"
  | "directory_unproven" // the public record could not be checked: no proof, or one that does not hold (spec D-1, D-3)
  | "directory_stale" // too few witnesses, or none lately: nothing new is trusted (spec D-3)
  | "directory_fork" // two public records were seen: this device's and another (spec D-2, D-4)
  | "retention_shorter" // the server promises to keep entries for fewer days than before
  | "record_withheld" // for a day the files that compare the public record with what was signed for others could not be had (spec D-4)
  | "directory_changed" // the public record gets other keys or witnesses from a certain day on (spec D-2)
  | "account_forked" // an account signed two states of one version (spec A-1)
  | "account_changed" // one's own account was changed by somebody else (spec A-2)
  | "name_changed_hands" // this name belonged to another account (spec A-3); the person decides
  | "log_fork" // another member sees another conversation (spec L-10, L-11)
  | "device_added" // another device of the account added one
  | "device_removed" // this device was removed from its account
  | "account_deleted"
  | "invalid_phrase" // not 24 words of the list, or not this account's
  | "invalid_code" // not a linking code
  | "link_expired" // the linking took too long, or was broken off
  | "link_refused" // the two short codes differed, or the other side said no
  | "closed";

/** An account that the server has and that does not count yet. */
export interface PendingAccount {
  readonly username: string;
  /** What is waited for. */
  readonly failure: ClientFailure;
}

/** A failure of the client. The message is one plain sentence, never holding names, text or keys. */
export interface ClientFailure {
  readonly code: ClientErrorCode;
  readonly message: string;
  /** Whether doing the same again later can help. */
  readonly canRetry: boolean;
}

/** A person as shown: an account and what is known of it. */
export interface Person {
  readonly accountId: string;
  readonly username: string;
  readonly host: string;
  /** `name`, or `name@host` on another host. */
  readonly address: string;
  /** The name that they gave themselves inside the conversation's encryption, as far as it may be shown, else their username. */
  readonly displayName: string;
  /**
   * What is to stand beside `displayName`: the address, where somebody else goes by a name that looks the same, or where the name was
   * never looked up (spec E-63).
   */
  readonly besideName: string | undefined;
  readonly isSelf: boolean;
  /** Whether this device looked the name up and found its history good; false for people who were met inside a conversation only (spec A-3). */
  readonly isNameLookedUp: boolean;
}

/** This profile's account. */
export interface AccountInfo extends Person {
  readonly deviceId: string;
  readonly createdAtMs: number;
  /** Whether this device still keeps the recovery phrase, which the person has not written down yet (spec A-4). */
  readonly hasRecoveryPhrase: boolean;
  /** Whether this device began by the recovery phrase: it has none of what the devices before it had. */
  readonly isRecovered: boolean;
}

/** A device of one's own account. */
export interface OwnDevice {
  readonly deviceId: string;
  /** What it called itself when it was linked; known to one's own devices only. */
  readonly name: string;
  readonly addedAtMs: number;
  readonly isThisDevice: boolean;
}

/** What a new device shows for the linking. */
export interface LinkOffer {
  /** The same in three forms: for a QR code, as words to type, and how long it is good. */
  readonly code: string;
  readonly words: readonly string[];
  readonly expiresAtMs: number;
}

/** How a linking fares, on both sides. */
export type LinkState =
  /** New device: waits to be scanned. */
  | { readonly kind: "waiting" }
  /** Both: the person compares these on both screens. `deviceName` is the other device's. */
  | { readonly kind: "compare"; readonly digits: string; readonly deviceName: string }
  /** Conversations and history move; `done` of `total`, in steps of any size. */
  | { readonly kind: "moving"; readonly done: number; readonly total: number }
  | { readonly kind: "done" }
  /** Nothing half done is left on either side. */
  | { readonly kind: "failed"; readonly failure: ClientFailure };

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

/** What the details of a conversation show of its members' keys. */
export interface Verification {
  readonly members: readonly MemberVerification[];
  /** The first reason why nothing is sent now, if there is one. */
  readonly hold: ClientFailure | undefined;
  /** People who are on a new device since a recovery of their account, and not in here until somebody lets them back (spec E-64). */
  readonly away: readonly Person[];
  /** Whether this person may let them back. */
  readonly mayLetBack: boolean;
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
  /** The account that it is about, where it is about one. */
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

/** How a message of one's own fares. */
export type Delivery =
  | { readonly kind: "pending" }
  /** `withoutReader`: people of whom no device was in the conversation then, so that it will not reach them. */
  | { readonly kind: "accepted"; readonly atMs: number; readonly withoutReader?: readonly Person[] }
  | { readonly kind: "failed"; readonly failure: ClientFailure };

/** What a line of a conversation says: `One` and `Several` are how it names accounts. */
export type BodyOf<One, Several> =
  | { readonly kind: "text"; readonly text: string }
  /** A change of the group, told in the stream. */
  | { readonly kind: "created"; readonly name: string }
  | ({ readonly kind: "added" } & Several)
  | ({ readonly kind: "removed" } & Several)
  | { readonly kind: "left" }
  | { readonly kind: "renamed"; readonly name: string }
  /** "" where it was taken away. */
  | { readonly kind: "described"; readonly description: string }
  | { readonly kind: "picture_changed" }
  /** What is said from now on goes after so long; 0 for never. */
  | { readonly kind: "timer_changed"; readonly seconds: number }
  /** So long everybody waits between two messages; 0 for not at all. */
  | { readonly kind: "slow_mode_changed"; readonly seconds: number }
  | { readonly kind: "rights_changed" }
  | ({ readonly kind: "role_changed"; readonly role: Member["role"] } & One)
  | { readonly kind: "keys_updated" }
  /** Devices of one account joined or left, or the account came back by its recovery phrase. */
  | ({ readonly kind: "device_added" } & One)
  | ({ readonly kind: "device_removed" } & One)
  | ({ readonly kind: "recovered" } & One)
  /** The author's app sent a change that nobody can use; nothing came of it (spec G-3). */
  | { readonly kind: "skipped" }
  /** A change by the author cannot be read by this person's device, which asked the others to let it back in (spec G-4). */
  | ({ readonly kind: "complaint" } & One)
  /** The author let this person's device back in (spec G-5). */
  | ({ readonly kind: "let_back" } & One)
  /** All devices that the person had here left the account, as after a recovery: the person was not thrown out (spec E-64). */
  | ({ readonly kind: "away" } & One)
  /** Entries that the server no longer keeps (spec L-8). */
  | { readonly kind: "expired"; readonly count: number }
  /** The author's device spoke of another version of this conversation than the one in the public record, which is this person's (spec L-10). */
  | { readonly kind: "other_view" }
  /** So many messages of the author's device never came; with 0 its numbers cannot be: perhaps an old copy of it is in use (spec L-10). */
  | { readonly kind: "misnumbered"; readonly missing: number }
  /** Content of a kind that this version does not know. */
  | { readonly kind: "unsupported" }
  /** A message that cannot be read, and why. */
  | { readonly kind: "unreadable"; readonly reason: string }
  /** Something that must not happen: a fork, a lie of the server. Stays until acknowledged (spec L-9, L-10). */
  | { readonly kind: "alarm"; readonly reason: string };

/** What a line of a conversation says, as people see it. */
export type MessageBody = BodyOf<{ readonly person: Person }, { readonly people: readonly Person[] }>;

/** One line of a conversation. */
export interface Message {
  readonly id: string;
  readonly conversationId: string;
  /** Place in the conversation; strictly increasing, dense enough to sort by. Pending messages come last. */
  readonly order: number;
  readonly author: Person | undefined;
  readonly body: MessageBody;
  /** By the sender's clock. */
  readonly sentAtMs: number;
  /** Of own messages only. */
  readonly delivery: Delivery | undefined;
  /** Its device is not known yet to be its author's, or was not any more when it came (spec G-8, M-3). */
  readonly doubt?: "unproven" | "departed";
}

/** An account in a conversation. */
export interface Member {
  readonly person: Person;
  readonly role: "member" | "administrator" | "owner";
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
  readonly unreadCount: number;
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
  readonly host: string;
}

/** A conversation with its members and how it is encrypted. */
export interface ConversationDetails {
  readonly conversation: Conversation;
  readonly members: readonly Member[];
  readonly epoch: number;
  readonly cipherSuite: "X-Wing hybrid (post-quantum)" | "X25519 (classical)";
  /** Whether this person may add and remove members. */
  readonly canManage: boolean;
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
  /** A message is new or changed (its delivery, for example). */
  | { readonly kind: "message"; readonly message: Message }
  /** Something that the person must see, full width, until they handled it; listed by `alarms` until then. */
  | { readonly kind: "alarm"; readonly failure: ClientFailure; readonly conversationId: string | undefined }
  /** The list of alarms changed: one came, or was handled. */
  | { readonly kind: "alarms" }
  /** The linking that this client takes part in. */
  | { readonly kind: "link"; readonly state: LinkState }
  /** The list of one's devices changed. */
  | { readonly kind: "devices" }
  /** Requests or blocked people changed. */
  | { readonly kind: "requests" }
  /** What was verified of people changed. */
  | { readonly kind: "verification" };

/** What the server holds about this account, as it sent it, and what the client makes of it. */
export interface Holdings {
  readonly json: string;
}

/** A client: one device of one account. Methods reject with `ClientError` (whose `failure` is above). */
export interface Client {
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
  /** The `limit` messages before `beforeOrder` (the newest when absent), oldest first. */
  messages(conversationId: string, params: { beforeOrder?: number; limit: number }): Promise<readonly Message[]>;
  /** Queues a message; resolves when it is persisted here as pending. Its delivery follows as events. */
  send(conversationId: string, text: string): Promise<Message>;
  /** Tries a failed message again. */
  retry(conversationId: string, messageId: string): Promise<void>;
  /** Forgets a failed message. */
  discard(conversationId: string, messageId: string): Promise<void>;
  /**
   * Adds people to a group. `again`: who is a member and says that they cannot read it any more is removed and added in one commit.
   * @throws ClientError `already_member` without it
   */
  addMembers(conversationId: string, addresses: readonly string[], options?: { again?: boolean }): Promise<void>;
  removeMember(conversationId: string, accountId: string): Promise<void>;
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
  /** Says that one leaves, then erases the group's keys here (spec M-3). */
  leave(conversationId: string): Promise<void>;
  markRead(conversationId: string, throughOrder: number): Promise<void>;
  saveDraft(conversationId: string, text: string): Promise<void>;
  inspect(): Promise<Holdings>;

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
  /** In a profile without an account: brings an account back by its phrase, with this as its only device. @throws `invalid_phrase`, `unknown_user` */
  recover(params: { username: string; phrase: string; deviceName?: string; displayName?: string }): Promise<AccountInfo>;
  /** One's own devices, oldest first. */
  devices(): Promise<readonly OwnDevice[]>;
  /** Takes a device out of the account and out of every conversation. */
  removeDevice(deviceId: string): Promise<void>;
  /** In a profile without an account: offers itself for linking. States follow as `link` events; `done` means there is an account here. */
  offerLink(params: { deviceName: string }): Promise<LinkOffer>;
  /** In a profile with an account: takes up a new device's offer, by its code or its words. @throws `invalid_code`, `link_expired` */
  acceptLink(code: string): Promise<void>;
  /** Both sides: whether the digits are the same on both screens. The accepting side's yes adds the device. */
  confirmLink(same: boolean): Promise<void>;
  /** Breaks the linking off; nothing half done is left. */
  cancelLink(): Promise<void>;
  /** Marks the account deleted, for good, and erases this profile (spec A-1). */
  deleteAccount(): Promise<void>;

  /** What is known of the keys of a conversation's members. */
  verification(conversationId: string): Promise<Verification>;
  safetyNumber(accountId: string): Promise<SafetyNumber>;
  /** Compares a scanned safety number with the account's; a match marks it as verified. */
  scanSafetyNumber(accountId: string, code: string): Promise<SafetyScan>;
  /** Says that the numbers were compared in person, or takes that back. */
  markVerified(accountId: string, verified: boolean): Promise<void>;
  /** Alarms not handled yet, oldest first. */
  alarms(): Promise<readonly Alarm[]>;
  acknowledgeAlarm(alarmId: string): Promise<void>;
  directoryStatus(): Promise<DirectoryStatus>;
  /** Resolves once everything pending is accepted or failed, and everything that the server had when it was called is read. @throws ClientError `offline` */
  settle(params?: { timeoutMs?: number }): Promise<void>;
  /** Calls `listener` for every event from now on; returns how to stop. */
  subscribe(listener: (event: ClientEvent) => void): () => void;
  /** Tells that the network may be back: connects now instead of at the next try. */
  wake(): void;
  close(): Promise<void>;
}
