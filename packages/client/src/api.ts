/**
 * The client's public face. Everything that crosses it is plain data (structured-cloneable), so that the client can live in a
 * worker: ids are base64url strings, times are milliseconds since 1970, bytes are Uint8Array.
 */

/** Why the client refused or could not do something; the web app and the CLI have words for each. */
export type ClientErrorCode =
  | "no_account" // register first
  | "account_exists" // this profile has an account already
  | "invalid_username" // not 3 to 32 of a-z 0-9 _ . -
  | "username_taken"
  | "registration_closed"
  | "invalid_address" // not name or name@host
  | "unknown_user" // no such account on that host
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
  | "server_refused" // the server answered with a refusal that should not happen
  | "server_lied" // an answer failed verification: head chain, signature, access hash
  | "conflict" // lost the race with another change too many times; try again
  | "members_changed" // somebody was added after this message was written: the person decides (attack A7)
  | "storage_denied" // the browser refused or evicted storage
  | "storage_in_use" // another process has this profile open
  | "storage_newer" // the profile was written by a newer version
  | "profile_restored" // this profile is an old copy: it must not send (spec D-3 of the client)
  | "clock_skew" // this device's clock is far off
  | "invalid_key_package"
  | "closed";

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
  /** The name that they gave themselves inside the conversation's encryption, else their username. */
  readonly displayName: string;
  readonly isSelf: boolean;
}

/** This profile's account. */
export interface AccountInfo extends Person {
  readonly deviceId: string;
  readonly createdAtMs: number;
}

/** What the server says of itself. */
export interface ServerInfo {
  readonly host: string;
  readonly name: string;
  readonly registration: "open" | "invitation" | "closed";
  readonly retentionDays: number;
}

/** Whether a name could be registered now; `unknown` when the server cannot be asked. */
export type UsernameStatus = "available" | "taken" | "invalid" | "reserved" | "unknown";

/** How a message of one's own fares. */
export type Delivery =
  | { readonly kind: "pending" }
  | { readonly kind: "accepted"; readonly atMs: number }
  | { readonly kind: "failed"; readonly failure: ClientFailure };

/** What a line of a conversation says. */
export type MessageBody =
  | { readonly kind: "text"; readonly text: string }
  /** A change of the group, told in the stream. */
  | { readonly kind: "created"; readonly name: string }
  | { readonly kind: "added"; readonly people: readonly Person[] }
  | { readonly kind: "removed"; readonly people: readonly Person[] }
  | { readonly kind: "left" }
  | { readonly kind: "renamed"; readonly name: string }
  | { readonly kind: "keys_updated" }
  /** Entries that the server no longer keeps (spec L-8). */
  | { readonly kind: "expired"; readonly count: number }
  /** Content of a kind that this version does not know. */
  | { readonly kind: "unsupported" }
  /** A message that cannot be read, and why. */
  | { readonly kind: "unreadable"; readonly reason: string }
  /** Something that must not happen: a fork, a lie of the server. Stays until acknowledged (spec L-9, L-10). */
  | { readonly kind: "alarm"; readonly reason: string };

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
}

/** An account in a conversation. */
export interface Member {
  readonly person: Person;
  readonly role: "member" | "administrator" | "owner";
  readonly deviceCount: number;
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

/** How the connection to the server is. */
export type Connection =
  | { readonly kind: "online" }
  | { readonly kind: "connecting" }
  | { readonly kind: "offline"; readonly sinceMs: number; readonly waitingCount: number; readonly nextTryMs: number };

/** What `subscribe` tells. */
export type ClientEvent =
  | { readonly kind: "account"; readonly account: AccountInfo }
  | { readonly kind: "connection"; readonly connection: Connection }
  /** A conversation is new or changed in any way that a list shows. */
  | { readonly kind: "conversation"; readonly conversation: Conversation }
  /** A message is new or changed (its delivery, for example). */
  | { readonly kind: "message"; readonly message: Message }
  /** Something that the person must see, full width, until they handled it. */
  | { readonly kind: "alarm"; readonly failure: ClientFailure; readonly conversationId: string | undefined };

/** What the server holds about this account, as it sent it, and what the client makes of it. */
export interface Holdings {
  readonly json: string;
}

/** A client: one device of one account. Methods reject with `ClientError` (whose `failure` is above). */
export interface Client {
  /** What is stored in this profile, without the network. */
  account(): Promise<AccountInfo | undefined>;
  connection(): Promise<Connection>;
  serverInfo(): Promise<ServerInfo>;
  checkUsername(username: string): Promise<UsernameStatus>;
  /** Creates the account; resolves when the server has it on disk. A retry after a lost answer finishes the same account. */
  register(params: { username: string; displayName?: string; invitation?: string }): Promise<AccountInfo>;
  /** Finds an account by `name` or `name@host` and verifies its chain. */
  resolve(address: string): Promise<Person>;
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
  addMembers(conversationId: string, addresses: readonly string[]): Promise<void>;
  removeMember(conversationId: string, accountId: string): Promise<void>;
  /** Says that one leaves, then erases the group's keys here (spec M-3). */
  leave(conversationId: string): Promise<void>;
  markRead(conversationId: string, throughOrder: number): Promise<void>;
  saveDraft(conversationId: string, text: string): Promise<void>;
  inspect(): Promise<Holdings>;
  /** Resolves once everything pending is accepted or failed, and everything waiting on the server is read. */
  settle(params?: { timeoutMs?: number }): Promise<void>;
  /** Calls `listener` for every event from now on; returns how to stop. */
  subscribe(listener: (event: ClientEvent) => void): () => void;
  /** Tells that the network may be back: connects now instead of at the next try. */
  wake(): void;
  close(): Promise<void>;
}
