import { CodecError, decode, equalBytes, toBase64Url } from "@latchkey/codec";
import { eraseKeyPackagePrivateKeys, inspectWelcome, MlsError } from "@latchkey/mls";
import type { CipherSuiteId } from "@latchkey/mls";
import { inboxItemKinds, retentionDays, welcomeBundleCodec } from "@latchkey/protocol";
import type { InboxHead, InboxItem, WelcomeBundle } from "@latchkey/protocol";
import { deviceOf } from "@latchkey/transparency";
import type { VerifiedAccount } from "@latchkey/transparency";
import { defaultSuite, eraseOwnKeyPackage, findOwnKeyPackage, maintainKeyPackages } from "../account/key-packages.ts";
import { authenticateDevice } from "../account/own-account.ts";
import { joinConversation } from "../core/begin.ts";
import type { ConversationState, Effect } from "../core/types.ts";
import { ClientError, failureOf } from "../errors.ts";
import { getBlob } from "../group/blobs.ts";
import { openInboxItem } from "../group/inbox-seal.ts";
import { forgetExpiredItems, isItemSeen, rememberItem } from "../group/inbox-seen.ts";
import type { StoreTransaction } from "../store/store.ts";
import type { RoleConnection } from "../transport/connection.ts";
import { expectAnswer } from "../transport/connection.ts";
import type { Kept } from "../transport/kept-connection.ts";
import type { KeptWelcome, WelcomeSender } from "./invitations.ts";
import { welcomeLifeMs } from "./posts.ts";
import { recordsOfWelcome, senderOfWelcome } from "./welcome-proofs.ts";
import { contextOf } from "./world.ts";
import type { World } from "./world.ts";

/** A Welcome that holds: what it makes of the conversation, whose it is, and what is stored with whatever becomes of it. */
export interface VerifiedWelcome extends KeptWelcome {
  readonly state: ConversationState;
  readonly effects: readonly Effect[];
  /** The person agreed to it. */
  readonly isAgreed: boolean;
  /** It was dealt with: in the transaction of what became of it. */
  readonly settle: (tx: StoreTransaction) => Promise<void>;
  /** It waits: its item is done with, its key package is kept. */
  readonly putAside: (tx: StoreTransaction) => void;
}

/** What the inbox hands on. */
export interface InboxHandlers {
  /** Whether this device is one of its account: else nothing is read. */
  readonly isMember: boolean;
  /** Takes a verified Welcome in, or not. */
  readonly onJoined: (welcome: VerifiedWelcome) => Promise<void>;
  /** Another device of one's own wrote the history for this one: puts that down. */
  readonly putHistoryNotice: (tx: StoreTransaction, body: Uint8Array) => void;
  readonly onHistoryNotice: () => void;
}

/** A clock that is off by more than this is told to the person. */
const maxSkewMs = 3_600_000;
const retryMs = 15_000;

/** This device's own connection: proves who it is, keeps its key packages filled, and reads its inbox (spec section 7). */
export class Inbox {
  readonly #world: World;
  readonly #handlers: InboxHandlers;
  readonly #kept: Kept<"device"> | undefined;
  #connection: RoleConnection<"device"> | undefined;
  #work: Promise<void> = Promise.resolve();
  #pending = 0;
  #isRead = false;
  /** The connection on which an item could not be dealt with: it and all after it are read again on the next one. */
  #stuck: RoleConnection<"device"> | undefined;
  #skewTold = false;

  constructor(world: World, handlers: InboxHandlers) {
    this.#world = world;
    this.#handlers = handlers;
    if (!handlers.isMember) return;
    this.#kept = world.connections.keep("device", world.own.host, {
      onOpen: async (connection) => {
        this.#tellSkew(connection);
        try {
          await authenticateDevice(connection, world.own, world.platform);
        } catch (error) {
          // Perhaps this device is none of its account any more: its host knows.
          if (!connection.closed) await world.refreshOwn().catch(() => undefined);
          throw error;
        }
        this.#connection = connection;
        const read = { kind: "read_inbox", afterSeq: 0 } as const;
        const answer = await connection.request(read);
        if (answer.kind === "error" && answer.code === "not_found") {
          // A new device has no inbox before its card is there.
          await this.#maintain(connection);
          expectAnswer(await connection.request(read), "done");
        } else expectAnswer(answer, "done");
        // The answer of a ping comes after the items that were waiting.
        this.#enqueue(async () => {
          await connection.request({ kind: "ping" });
          this.#enqueue(async () => {
            this.#isRead = true;
          });
        });
        this.#enqueue(() => this.#maintain(connection));
      },
      onEvent: (event, connection) => this.#enqueue(() => this.#takeInOrder(event, connection)),
      onClose: (reason) => {
        this.#connection = undefined;
        this.#isRead = false;
        if (reason === "removed") void world.refreshOwn().catch(() => undefined);
      },
    });
  }

  get isIdle(): boolean {
    return this.#pending === 0 && this.#isRead;
  }

  /** The authenticated connection, while there is one. */
  get connection(): RoleConnection<"device"> | undefined {
    return this.#connection;
  }

  async close(): Promise<void> {
    this.#kept?.release();
    await this.#work;
  }

  #enqueue(job: () => Promise<void>): void {
    this.#pending++;
    this.#work = this.#work
      .then(job)
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#pending--;
      });
  }

  /** Offline passes by itself; anything else a person can do something about is told. */
  #fail(error: unknown): void {
    const failure = failureOf(error);
    if (failure.code === "offline" || failure.code === "closed") return;
    if (failure.canRetry) this.#world.platform.setTimer(retryMs, () => this.#kept?.reconnect());
    else this.#world.emit({ kind: "alarm", failure, conversationId: undefined });
  }

  #tellSkew(connection: RoleConnection<"device">): void {
    const skewMs = Math.abs(connection.hello.timeMs - connection.helloAtMs);
    if (skewMs <= maxSkewMs || this.#skewTold) return;
    this.#skewTold = true;
    const message = "This device's clock and the server's are more than an hour apart. Check the date and time of this device.";
    this.#world.emit({ kind: "alarm", failure: { code: "clock_skew", message, canRetry: false }, conversationId: undefined });
  }

  async #maintain(connection: RoleConnection<"device">): Promise<void> {
    const { store, platform, own } = this.#world;
    await store.transact("write", (tx) => forgetExpiredItems(tx, platform.nowMs()));
    await maintainKeyPackages({ store, platform, account: own, connection });
  }

  /** Erasing an item erases those before it: none is passed over. */
  async #takeInOrder(item: InboxItem, connection: RoleConnection<"device">): Promise<void> {
    if (this.#stuck === connection || connection.closed) return;
    try {
      await this.#take(item, connection);
    } catch (error) {
      this.#stuck = connection;
      const isLost = connection.closed;
      if (!isLost && failureOf(error).code === "offline") this.#world.platform.setTimer(retryMs, () => this.#kept?.reconnect());
      throw error;
    }
  }

  async #take(item: InboxItem, connection: RoleConnection<"device">): Promise<void> {
    const { store, platform, own, directory, people } = this.#world;
    const opened = await openInboxItem({
      platform,
      recipient: { host: own.host, deviceId: own.deviceId, inboxId: own.inboxId, ...own.inboxKeyPair },
      blob: item.blob,
      isSeen: (itemId) => store.transact("read", (tx) => isItemSeen(tx, itemId)),
      findSender: (head, body): Promise<VerifiedAccount | undefined> => this.#findSender(head, body),
    });
    if (opened.kind === "opened" && opened.head.kind === inboxItemKinds.welcome) {
      if (!equalBytes(opened.head.senderAccountId, own.accountId)) {
        const contact = await directory.account(opened.head.senderHost, opened.head.senderAccountId).catch(() => undefined);
        if (contact !== undefined) people.keep(contact);
      }
      await this.#join(opened.body, {
        host: opened.head.senderHost,
        accountId: opened.head.senderAccountId.slice(),
        deviceId: opened.head.senderDeviceId.slice(),
        itemId: opened.head.itemId.slice(),
        notAfterMs: opened.head.notAfterMs,
      });
    }
    if (opened.kind === "opened" && opened.head.kind === inboxItemKinds.history && equalBytes(opened.head.senderAccountId, own.accountId)) {
      await store.transact("write", (tx) => {
        rememberItem(tx, opened.head.itemId, opened.head.notAfterMs);
        this.#handlers.putHistoryNotice(tx, opened.body.slice());
      });
      this.#handlers.onHistoryNotice();
    }
    if (opened.kind === "opened" && opened.head.kind === inboxItemKinds.forkNotice) {
      const { senderAccountId, senderDeviceId, itemId, notAfterMs } = opened.head;
      await this.#world.watch.takeForkNotice({ accountId: senderAccountId, deviceId: senderDeviceId }, opened.body);
      await store.transact("write", (tx) => rememberItem(tx, itemId, notAfterMs));
    }
    // Whatever it was, it has been dealt with: the server need not hold it any more.
    if (!connection.closed) expectAnswer(await connection.request({ kind: "erase_inbox", uptoSeq: item.seq }), "done");
  }

  async #findSender(head: InboxHead, body: Uint8Array): Promise<VerifiedAccount | undefined> {
    const { directory, store } = this.#world;
    const { senderHost: host, senderAccountId: accountId, senderDeviceId: deviceId } = head;
    try {
      if (equalBytes(accountId, this.#world.own.accountId)) {
        // Another device of one's own; one that this device has not heard of yet, perhaps.
        if (deviceOf(this.#world.own.account, deviceId) === undefined) await this.#world.refreshOwn();
        return this.#world.own.account;
      }
      const known = await store.transact("read", (tx) => directory.cached(tx, accountId));
      // Its account may have got the device since it was last heard of: by its recovery phrase, for one.
      const isNews = known === undefined || deviceOf(known.account, deviceId) === undefined;
      const shown = isNews ? await senderOfWelcome(this.#world, head, body) : undefined;
      if (shown !== undefined) return shown;
      return (known !== undefined && isNews ? await directory.refresh(host, accountId) : await directory.account(host, accountId)).account;
    } catch (error) {
      if (error instanceof ClientError && !error.canRetry) return undefined;
      throw error;
    }
  }

  /**
   * Joins by a Welcome that waited, now that the person agreed (spec M-9). Answers whether it still holds.
   * @throws ClientError when what it needs cannot be had now
   */
  accept({ body, sender }: KeptWelcome): Promise<boolean> {
    return this.#join(body, sender, true);
  }

  async #join(body: Uint8Array, sender: WelcomeSender, isAgreed = false): Promise<boolean> {
    const { store, platform, connections, directory, people } = this.#world;
    let bundle: WelcomeBundle;
    let references: readonly Uint8Array[];
    let suiteId: number;
    try {
      bundle = decode(welcomeBundleCodec, body);
      ({ references, cipherSuite: suiteId } = inspectWelcome(bundle.welcome));
    } catch (error) {
      if (error instanceof CodecError || error instanceof MlsError) return false;
      throw error;
    }
    if (!isOfferedSuite(suiteId)) return false;
    const [reference] = references;
    const own = reference === undefined ? undefined : await store.transact("read", (tx) => findOwnKeyPackage(tx, reference));
    if (own === undefined || reference === undefined) return false;
    const ratchetTree =
      bundle.tree.kind === "inline"
        ? bundle.tree.tree
        : await getBlob({ platform, baseUrl: connections.httpUrl(bundle.host) }, bundle.tree);
    const joined = await joinConversation(contextOf(this.#world, toBase64Url(bundle.logId)), {
      bundle,
      suiteId,
      keyPackage: own.keyPackage,
      privateKeys: own.privateKeys,
      ratchetTree,
      senderAccountId: sender.accountId,
      senderDeviceId: sender.deviceId,
      meet: async (accountIds) => {
        for (const contact of await directory.learn(await recordsOfWelcome(this.#world, bundle), accountIds)) people.keep(contact);
      },
      // It was sealed when its commit was accepted, for the longest life that an honest client gives it.
      sight: { atMs: sender.notAfterMs - welcomeLifeMs, retentionDays: this.#connection?.hello.retentionDays ?? retentionDays },
    });
    // The group has copies of what it needs of them.
    eraseKeyPackagePrivateKeys(own.privateKeys);
    const settle = async (tx: StoreTransaction): Promise<void> => {
      rememberItem(tx, sender.itemId, sender.notAfterMs);
      await eraseOwnKeyPackage(tx, reference);
    };
    const putAside = (tx: StoreTransaction): void => rememberItem(tx, sender.itemId, sender.notAfterMs);
    if (joined.kind === "joined") await this.#handlers.onJoined({ ...joined, sender, body, isAgreed, settle, putAside });
    else await store.transact("write", settle);
    return joined.kind === "joined";
  }
}

function isOfferedSuite(suite: number): suite is CipherSuiteId {
  return suite === defaultSuite || suite === 0x0001;
}
