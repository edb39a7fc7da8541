import { equalBytes, toBase64Url } from "@latchkey/codec";
import { createFakeClock } from "@latchkey/testkit";
import type { FakeClock } from "@latchkey/testkit";
import type { HistoryManifest } from "@latchkey/protocol";
import { createNodePlatform } from "../platform/node.ts";
import { createOwnAccount } from "../account/own-account.ts";
import type { OwnAccount } from "../account/own-account.ts";
import type { ConversationState } from "../core/types.ts";
import type { ConversationRunner } from "../engine/conversation-runner.ts";
import type { World } from "../engine/world.ts";
import { unjoinedState } from "../devices/archive.ts";
import { offlineError } from "../errors.ts";
import type { ClientError } from "../errors.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import type { Store } from "../store/store.ts";
import { said, startMs, dayMs } from "../timeline/saying.testing.ts";
import { loadLines } from "../timeline/history.ts";
import type { Line } from "../timeline/line.ts";
import { Timeline } from "../timeline/timeline.ts";
import type { RoleConnection } from "../transport/connection.ts";
import { HistoryBackups } from "./history-backups.ts";

type Request = Parameters<RoleConnection<"device">["request"]>[0];
type Answer = Awaited<ReturnType<RoleConnection<"device">["request"]>>;

const node = createNodePlatform();

/** A server's part of a history backup (spec B-1, B-3), which can be made to lose answers and what it has. */
export class FakeHost {
  stored: HistoryManifest = {
    counter: 0,
    generation: new Uint8Array(16),
    chunks: 0,
    sizeBytes: 0,
    manifest: new Uint8Array(),
  };
  readonly chunks: Map<string, Uint8Array> = new Map();
  readonly requests: Request[] = [];
  /** Takes no chunk, whatever it is. */
  isLosing = false;
  /** Of one writing. */
  maxBytes = 1e9;
  /** Called with each request; what it throws is thrown after the request was carried out. */
  answered: (request: Request) => void = () => undefined;

  readonly connection: RoleConnection<"device"> = {
    role: "device",
    host: "chat.example",
    hello: {} as RoleConnection<"device">["hello"],
    helloAtMs: 0,
    heardAtMs: 0,
    closed: false,
    request: async (request) => {
      this.requests.push(request);
      const answer = this.#answer(request);
      this.answered(request);
      return answer;
    },
    close: () => undefined,
  };

  /** Nothing of a backup is there any more. */
  erase(): void {
    this.stored = { ...this.stored, counter: 0, chunks: 0, generation: new Uint8Array(16), manifest: new Uint8Array() };
    this.chunks.clear();
  }

  keyOf(generation: Uint8Array, number: number): string {
    return `${toBase64Url(generation)}/${String(number)}`;
  }

  #sizeOf(generation: Uint8Array): number {
    const of = [...this.chunks].filter(([key]) => key.startsWith(toBase64Url(generation)));
    return of.reduce((sum, [, chunk]) => sum + chunk.length, 0);
  }

  #answer(request: Request): Answer {
    const refuse = (code: "conflict" | "not_found" | "too_large"): Answer => ({ kind: "error", code, retryAfterMs: 0 });
    const { stored } = this;
    switch (request.kind) {
      case "read_history_manifest":
        return { kind: "history_manifest", ...stored };
      case "read_history_chunk": {
        const chunk = this.chunks.get(this.keyOf(request.generation, request.number));
        return chunk === undefined ? refuse("not_found") : { kind: "history_chunk", chunk };
      }
      case "put_history_chunk": {
        if (this.isLosing) return refuse("not_found");
        const key = this.keyOf(request.generation, request.number);
        const before = this.chunks.get(key);
        const isCounted = equalBytes(stored.generation, request.generation) && request.number < stored.chunks;
        if (isCounted && (before === undefined || !equalBytes(before, request.chunk))) return refuse("conflict");
        if (this.#sizeOf(request.generation) + request.chunk.length > this.maxBytes) return refuse("too_large");
        // What was begun before this one, and came to nothing, goes first.
        if (this.#sizeOf(request.generation) === 0)
          for (const other of this.chunks.keys()) if (!other.startsWith(toBase64Url(stored.generation))) this.chunks.delete(other);
        this.chunks.set(key, request.chunk.slice());
        return { kind: "done" };
      }
      case "put_history_manifest": {
        const { previous, counter, generation, chunks, manifest } = request;
        if (stored.counter === counter && equalBytes(stored.manifest, manifest)) return { kind: "done" };
        if (stored.counter !== previous || counter <= previous) return refuse("conflict");
        for (let number = 0; number < chunks; number++) if (!this.chunks.has(this.keyOf(generation, number))) return refuse("not_found");
        this.stored = { ...stored, counter, generation, chunks, manifest: manifest.slice() };
        for (const key of this.chunks.keys()) if (!key.startsWith(toBase64Url(generation))) this.chunks.delete(key);
        return { kind: "done" };
      }
      case "erase_history":
        this.erase();
        return { kind: "done" };
      default:
        throw new Error(request.kind);
    }
  }
}

/** A device with conversations of lines alone, and its backup. */
export class Device {
  readonly clock: FakeClock = createFakeClock(startMs + dayMs);
  readonly host: FakeHost;
  readonly own: OwnAccount;
  readonly inner: Store;
  readonly conversations: Map<string, ConversationState> = new Map();
  readonly alarms: string[] = [];
  shares = 0;
  /** By so much its clock says a later time than its timers have. */
  aheadMs = 0;
  isOnline = true;
  /** What the account's host answers of its newest state. */
  refreshed: () => OwnAccount = () => this.own;
  /** Called before each write transaction; what it throws is its failure. */
  writing: () => void = () => undefined;
  backups: HistoryBackups;

  constructor(host: FakeHost, own: OwnAccount, store: Store = createMemoryStore()) {
    this.host = host;
    this.own = own;
    this.inner = store;
    this.backups = this.open();
  }

  static async create(host: FakeHost): Promise<Device> {
    const own = await createOwnAccount({ platform: node, host: "chat.example", username: "ada", displayName: "Ada" });
    return new Device(host, { ...own, status: "registered" });
  }

  /** What a program that starts again with the same profile has. */
  open(): HistoryBackups {
    const { inner, own, clock } = this;
    let current = own;
    const store: Store = {
      ...inner,
      transact: async (mode, run) => {
        if (mode === "write") this.writing();
        return await inner.transact(mode, run);
      },
    };
    const runner = (id: string): ConversationRunner | undefined => {
      const state = this.conversations.get(id);
      // Of a conversation only this is looked at.
      return state === undefined ? undefined : ({ id, state, load: () => Promise.resolve() } as ConversationRunner);
    };
    const world = {
      store,
      platform: { ...node, nowMs: () => clock.now() + this.aheadMs, setTimer: (ms: number, run: () => void) => clock.schedule(ms, run) },
      get own() {
        return current;
      },
      refreshOwn: async () => void (current = this.refreshed()),
      alarms: { raise: async ({ failure }: { failure: { code: string } }) => void this.alarms.push(failure.code) },
      directory: { proofsOf: () => Promise.resolve(new Uint8Array()), learn: () => Promise.resolve([]) },
      people: { setName: () => undefined, keep: () => undefined },
      segments: { changed: () => undefined },
      emit: () => undefined,
    } as unknown as World;
    this.backups = new HistoryBackups(world, {
      runners: () => [...this.conversations.keys()].flatMap((id) => runner(id) ?? []),
      runner,
      connection: () => (this.isOnline ? this.host.connection : undefined),
      shareSeen: () => void (this.shares += 1),
      self: own.accountId,
      joined: (id) => this.conversations.get(id),
      adoptUnjoined: async (state) => {
        // In a transaction of its own.
        this.writing();
        this.conversations.set(state.id, state);
      },
      historyArrived: () => Promise.resolve(),
    });
    return this.backups;
  }

  /** A conversation that this device is in. */
  converse(fill: number): string {
    const logId = new Uint8Array(32).fill(fill);
    const state = unjoinedState({
      logId,
      host: "chat.example",
      conversationKind: "group",
      name: `Group ${String(fill)}`,
      peer: undefined,
      suiteId: 0xf001,
      membership: "removed",
      joinedSeq: 0,
      memberCount: 3,
      readThrough: 0,
      unread: 0,
      lastOrder: 0,
      updatedAtMs: fill,
    });
    this.conversations.set(state.id, { ...state, phase: { kind: "active" } });
    return state.id;
  }

  /** Does something to a conversation's lines. */
  async change(conversationId: string, run: (timeline: Timeline) => Promise<unknown> | void): Promise<void> {
    await this.inner.transact("write", async (tx) => {
      const nowMs = this.clock.now();
      const timeline = new Timeline({
        tx,
        conversationId,
        self: this.own.accountId,
        nowMs,
        onSegment: () => undefined,
        onFilesGone: () => undefined,
      });
      await run(timeline);
      await timeline.flush();
    });
  }

  /** Somebody says something at a place. */
  async say(conversationId: string, order: number, text: string, over: Partial<ReturnType<typeof said>> = {}): Promise<void> {
    await this.change(conversationId, (timeline) => timeline.take(said(order, author, { kind: "text", text }, over)));
  }

  async lines(conversationId: string): Promise<Line[]> {
    return await this.inner.transact("read", (tx) => loadLines(tx, conversationId, { limit: 1_000_000 }));
  }

  async texts(conversationId: string): Promise<string[]> {
    return (await this.lines(conversationId)).map(({ body }) => (body.kind === "text" ? body.text : body.kind));
  }
}

/** Who says everything. */
const author = new Uint8Array(32).fill(77);

/** The network ends: the request was carried out, its answer is lost. */
export const lost: ClientError = offlineError();
