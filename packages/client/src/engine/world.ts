import { toBase64Url } from "@latchkey/codec";
import type { CipherSuiteId } from "@latchkey/mls";
import type { Directory } from "../account/directory.ts";
import type { OwnAccount } from "../account/own-account.ts";
import type { ClientEvent, ClientFailure } from "../api.ts";
import type { Context, ConversationState, Effect, Input, Self } from "../core/types.ts";
import type { Alarms } from "../directory/alarms.ts";
import { loadHead } from "../core/load-records.ts";
import type { FileNews } from "../files/file-news.ts";
import type { OwnThings } from "../own/own-things.ts";
import type { JoinLinks } from "../join-links/join-links.ts";
import type { Platform } from "../platform/platform.ts";
import type { Receipts } from "../receipts/receipts.ts";
import type { SegmentNews } from "../search/segment-news.ts";
import type { PeerTokens } from "../wakes/peer-tokens.ts";
import type { Store } from "../store/store.ts";
import type { Connections } from "../transport/connection-manager.ts";
import type { AppendSecrets } from "./append-secrets.ts";
import type { People } from "./people.ts";
import type { Posts } from "./posts.ts";
import type { Standings } from "./standings.ts";
import type { SureClock } from "./sure-clock.ts";
import type { Word } from "./words.ts";

/** A conversation as the part that watches sees it. */
export interface Watched {
  readonly id: string;
  readonly state: ConversationState;
  load(): Promise<void>;
  input(input: Input): Promise<void>;
  post(input: Input): void;
  /** HeadsProof of its log; `undefined` while that is not open. @throws ClientError */
  publishedHead(knownSize: number): Promise<Uint8Array | undefined>;
}

/** What conversations tell the part that watches over accounts and records, and what it tells them. */
export interface Watching {
  /** Why nothing is sent in any conversation, if there is a reason (spec A-2). */
  readonly hold: ClientFailure | undefined;
  /** A conversation runs. */
  adopt(conversation: Watched): void;
  /** A host greeted a new connection with this: the statement of a restore, or nothing (spec D-7). */
  greeted(host: string, statement: Uint8Array): void;
  /** A member's message said this of its account and of the public record (spec L-10, D-4). */
  said(said: Extract<Effect, { kind: "said" }>): void;
  /** A member showed its account with the proof (spec D-5). */
  shown(proofs: Uint8Array, accountId: Uint8Array): Promise<void>;
  /** Somebody spoke of another log of this conversation: its published head is looked at (spec L-10). */
  askHead(conversationId: string): void;
  /** The log of this conversation is not the one that others see (spec L-11). */
  tellFork(state: ConversationState): Promise<void>;
  /** The last thing that somebody said of the public record, or of their account, and that is not so (spec E-1). */
  falseWord(accountId: Uint8Array): Word | undefined;
  /** One's own account has a new state: made here, told by another device of one's own, or found at the server (spec A-2). */
  ownChanged(params: { version: number; isKnown: boolean; isOurs?: boolean }): Promise<void>;
  /** A member's device says that it was shown another log (spec L-11). */
  takeForkNotice(sender: { accountId: Uint8Array; deviceId: Uint8Array }, body: Uint8Array): Promise<void>;
  /** The conversation's log was read to its end on this connection: its published head is asked for (spec L-11). */
  caughtUp(conversationId: string): void;
}

/** What conversations need of pictures (spec X-21). None of it waits for one, but for some seconds of `bring`. */
export interface PictureTelling {
  /** The id of the blob by which a conversation is told of the person's picture, empty for none. */
  idIn(state: Pick<ConversationState, "logId">): Uint8Array;
  /** What leads to it there; `undefined` until the host has it: the conversation is introduced to the person then. */
  told(state: Pick<ConversationState, "id" | "logId">): Uint8Array | undefined;
  /** Brings to the host the pictures that an entry names, as far as they are kept here and not there; whether any was brought. */
  bring(state: Pick<ConversationState, "logId">, entry: Uint8Array, isLost: boolean): Promise<boolean>;
}

/** What every part of the engine shares, once there is an account. */
export interface World {
  readonly store: Store;
  readonly platform: Platform;
  readonly connections: Connections;
  readonly directory: Directory;
  /** As its newest state known here is. */
  readonly own: OwnAccount;
  readonly people: People;
  readonly posts: Posts;
  /** Whom the person accepted and blocked. */
  readonly standings: Standings;
  /** What the person set for themselves of conversations and messages. */
  readonly ownThings: OwnThings;
  /** What members said of what came to them and what they read. */
  readonly receipts: Receipts;
  /** What changes of the index for searching. */
  readonly segments: SegmentNews;
  /** Whoever brings and keeps files, where there are any. */
  readonly files: FileNews;
  /** The join links of groups, and where this person knocked. */
  readonly joinLinks: JoinLinks;
  /** What lets into people's inboxes as somebody they accepted. */
  readonly appendSecrets: AppendSecrets;
  /** What wakes the devices of others. */
  readonly peerTokens: PeerTokens;
  /** What is told of the person's picture. */
  readonly pictures: PictureTelling;
  /** Alarms that stay until the person handled them. */
  readonly alarms: Alarms;
  readonly watch: Watching;
  /** Whether this device knows what time it is. */
  readonly clock: SureClock;
  emit(event: ClientEvent): void;
  /** Asks the account's host for states that other devices of it published. @throws ClientError */
  refreshOwn(): Promise<void>;
  /** Something that another device told was stored (`syncKey`). */
  syncArrived(): void;
  /** A conversation was read on, or its stream began or ended. */
  readOn(state: ConversationState): void;
  /** Something new of this account came in a conversation. */
  heardFrom(conversationId: string, accountId: Uint8Array): void;
  /** A member asks who has read a message. */
  asked(conversationId: string, query: Extract<Effect, { kind: "read_query" }>): void;
  /** A message of this device is in the log: those whom it is for are woken. */
  wakeOthers(conversationId: string, wake: Extract<Effect, { kind: "wake" }>): void;
  /** What happens in a conversation may call for this device's own wake token there. */
  tellWake(conversationId: string): void;
  /** A message has another time at which it goes (spec X-7). */
  timed(): void;
  /** What was said before somebody joined is to be given to them, or was given to this device (spec R-5). */
  historyMoves(): void;
}

/** Where what another device told waits until it was acted on. */
export const syncPrefix = "sync-in/";

/** This device as conversations know it. */
export function selfOf(own: OwnAccount): Self {
  return {
    host: own.host,
    accountId: own.accountId,
    deviceId: own.deviceId,
    account: toBase64Url(own.accountId),
    signatureKeyPair: own.signatureKeyPair,
    accountVersion: own.stateVersion,
    accountChain: own.stateHash,
  };
}

/** What a step of conversation `id` may use of the world, as it is now. */
export function contextOf(world: World, id: string): Context {
  const { platform, people, store } = world;
  return {
    self: selfOf(world.own),
    nowMs: platform.nowMs(),
    random: platform.random,
    sha256: platform.sha256,
    suite: (suiteId: CipherSuiteId) => platform.crypto.suite(suiteId),
    vouched: (leaf) => people.vouches(leaf),
    departed: (leaf) => people.departed(leaf),
    recordsOf: (accountIds) => people.recordsOf(accountIds),
    standingRecordsOf: (accountIds) => people.recordsOf(accountIds, world.directory.log.evidence(world.own.host)),
    directory: world.directory.log.pinned(world.own.host),
    signatures: platform.signatures,
    gossip: world.directory.log.gossip(world.own.host),
    isHeld: world.watch.hold !== undefined,
    olderHead: (seq) => store.transact("read", (tx) => loadHead(tx, id, seq)),
  };
}
