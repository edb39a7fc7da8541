import { appendCapability } from "@latchkey/protocol";
import type { InboxItem } from "@latchkey/protocol";
import { clockAheadMs, clockFailure, maxSkewMs, requireClock } from "../account/clock.ts";
import { maintainKeyPackages } from "../account/key-packages.ts";
import { authenticateDevice } from "../account/own-account.ts";
import { ClientError, failureOf } from "../errors.ts";
import { unsealInboxItem } from "../group/inbox-seal.ts";
import { forgetExpiredItems } from "../group/inbox-seen.ts";
import type { RoleConnection } from "../transport/connection.ts";
import { expectAnswer } from "../transport/connection.ts";
import type { Kept } from "../transport/kept-connection.ts";
import type { InboxWork } from "./inbox-work.ts";
import { noteRetention } from "./retention.ts";
import type { World } from "./world.ts";

const failedRetryMs = 15_000;
const clockRetryMs = 60_000;

/** This device's own connection: proves who it is, keeps its key packages filled, and reads its inbox (spec section 50). */
export class Inbox {
  readonly #world: World;
  readonly #items: InboxWork;
  readonly #kept: Kept<"device"> | undefined;
  #connection: RoleConnection<"device"> | undefined;
  #work: Promise<void> = Promise.resolve();
  #pending = 0;
  #isRead = false;
  /** The connection on which one's own store failed: nothing more is erased there, and all of it is read again on the next one. */
  #unsafe: RoleConnection<"device"> | undefined;
  /** The last item that was taken in, on the connection of now. */
  #takenThrough = 0;
  #isErasing = false;
  #skewTold = false;

  /** @param items deals with what comes; @param isMember whether this device is one of its account: else nothing is read */
  constructor(world: World, items: InboxWork, isMember: boolean) {
    this.#world = world;
    this.#items = items;
    if (!isMember) return;
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
        this.#takenThrough = 0;
        const read = { kind: "read_inbox", afterSeq: 0 } as const;
        const answer = await connection.request(read);
        if (answer.kind === "error" && answer.code === "not_found") {
          // A new device has no inbox before its card is there, nor has any on a server that was made again from a copy before it.
          await this.#maintain(connection, { isInboxMissing: true });
          expectAnswer(await connection.request(read), "done");
        } else expectAnswer(answer, "done");
        // The answer of a ping comes after the items that were waiting.
        this.#enqueue(async () => {
          await connection.request({ kind: "ping" });
          this.#enqueue(async () => {
            this.#isRead = true;
          });
        });
        const { retentionDays: days } = connection.hello;
        this.#enqueue(() => noteRetention(world, { host: world.own.host, days }));
        this.#enqueue(() => this.#items.connected(days));
        this.#enqueue(() => this.#maintain(connection));
        this.#enqueue(() => this.#setCapability(connection));
        world.directory.tokens.connected(connection);
      },
      onEvent: (event, connection) => this.#enqueue(() => this.#take(event, connection)),
      onClose: (reason) => {
        this.#connection = undefined;
        this.#isRead = false;
        if (reason === "removed") void world.refreshOwn().catch(() => undefined);
      },
    });
  }

  get isIdle(): boolean {
    return this.#pending === 0 && this.#isRead && this.#items.isIdle;
  }

  /** The authenticated connection, while there is one. */
  get connection(): RoleConnection<"device"> | undefined {
    return this.#connection;
  }

  /** One's own append secret is another one: the server is told, now or with the next connection. */
  secretChanged(): void {
    const connection = this.#connection;
    if (connection !== undefined) this.#enqueue(() => this.#setCapability(connection));
  }

  async close(): Promise<void> {
    this.#kept?.release();
    await this.#work;
    await this.#items.close();
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
    // A new connection says what time it is: a clock that was set right goes on by itself.
    const retryMs = failure.code === "clock_skew" ? clockRetryMs : failedRetryMs;
    if (failure.canRetry) this.#world.platform.setTimer(retryMs, () => this.#kept?.reconnect());
    else this.#world.emit({ kind: "alarm", failure, conversationId: undefined });
  }

  #tellSkew(connection: RoleConnection<"device">): void {
    this.#world.clock.heard(connection);
    const aheadMs = clockAheadMs(connection);
    const isOff = Math.abs(aheadMs) > maxSkewMs;
    if (isOff && !this.#skewTold)
      this.#world.emit({ kind: "alarm", failure: { ...failureOf(clockFailure(aheadMs)), canRetry: false }, conversationId: undefined });
    this.#skewTold = isOff;
  }

  async #maintain(connection: RoleConnection<"device">, server: { isInboxMissing?: boolean } = {}): Promise<void> {
    const { store, platform, own } = this.#world;
    // By a clock that is far ahead everything has expired: nothing is forgotten, and nothing made, by it.
    requireClock(connection);
    await store.transact("write", (tx) => forgetExpiredItems(tx, platform.nowMs()));
    await maintainKeyPackages({ store, platform, account: own, connection, ...server });
  }

  /** Tells the server which capability is the one of people whom this person accepted (spec I-1). */
  async #setCapability(connection: RoleConnection<"device">): Promise<void> {
    const { appendSecrets, platform, own } = this.#world;
    const secret = appendSecrets.own;
    if (secret === undefined || connection.closed) return;
    const { generation } = secret;
    const hash = platform.sha256(appendCapability(platform.sha256, secret, own.inboxId));
    const answer = await connection.request({ kind: "set_inbox_capability", generation, hash });
    // Refused, whatever for: until the next connection everybody's items count as strangers' there.
    if (answer.kind === "inbox_capability" && answer.generation > generation) await appendSecrets.outrun();
  }

  /**
   * Takes an item in and lets the server erase it. Nothing here waits for anybody else: what has to be asked about is put aside first,
   * so that no item holds up those behind it (spec I-3).
   */
  async #take(item: InboxItem, connection: RoleConnection<"device">): Promise<void> {
    if (connection.closed) return;
    const { platform, own } = this.#world;
    const recipient = { host: own.host, deviceId: own.deviceId, inboxId: own.inboxId, ...own.inboxKeyPair };
    try {
      const unsealed = await unsealInboxItem({ platform, recipient, blob: item.blob });
      if (unsealed !== undefined) await this.#items.arrive(unsealed, item.part);
    } catch (error) {
      // What fails in another way fails by the item's bytes, and would again: it is none.
      if (error instanceof ClientError) {
        // One's own store. What comes after is taken in; nothing is erased, since that would erase this one too.
        if (this.#unsafe !== connection) platform.setTimer(failedRetryMs, () => this.#kept?.reconnect());
        this.#unsafe = connection;
        throw error;
      }
    }
    this.#takenThrough = item.seq;
    if (this.#isErasing) return;
    // Once for all that wait here now.
    this.#isErasing = true;
    this.#enqueue(async () => {
      this.#isErasing = false;
      if (connection.closed || this.#unsafe === connection) return;
      expectAnswer(await connection.request({ kind: "erase_inbox", uptoSeq: this.#takenThrough }), "done");
    });
  }
}
