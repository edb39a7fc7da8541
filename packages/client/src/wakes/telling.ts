import { decode, encode, opaque, safeUint64, struct, text, toBase64Url, utf8Bytes } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { createWakeContent, maxPushEndpointBytes } from "@latchkey/protocol";
import type { PushKey } from "../api/wakes.ts";
import { isHolding } from "../core/sending.ts";
import { isCaughtUp } from "../core/turn.ts";
import type { ConversationState } from "../core/types.ts";
import type { ConversationRunner } from "../engine/conversation-runner.ts";
import type { World } from "../engine/world.ts";
import { ClientError, offlineError } from "../errors.ts";
import { mutedUntil } from "../own/view.ts";
import { randomFraction } from "../transport/backoff.ts";
import { dueOf, membersMark } from "./due.ts";
import type { Told } from "./due.ts";
import type { OwnTokens } from "./own-token.ts";
import { smallDevices } from "./whom.ts";

const endpointKey = "wake-endpoint";
const toldPrefix = "wake-told/";
const endpointCodec: Codec<string> = text(maxPushEndpointBytes);
const toldCodec: Codec<Told> = struct<Told>({ endpoint: text(maxPushEndpointBytes), notAfterMs: safeUint64, members: opaque(8) });

/** Between one conversation and the next: nobody sees by the time that they have a member in common. */
const [leastMs, mostMs] = [500, 3000];
/** What failed is tried again after this. */
const againMs = 60_000;

/** A token that waits for a text. */
interface Ready {
  readonly token: Uint8Array;
  readonly notAfterMs: number;
  readonly endpoint: string;
}

/** What tokens need of the engine. */
interface TellingAccess {
  runner(id: string): ConversationRunner | undefined;
  runners(): readonly ConversationRunner[];
}

/**
 * Lets others wake this device, while its person wants it: tells each conversation a token of its own, anew before it is over, and takes
 * it back when it is wanted no more (spec W-1). In a large group a token goes with what the person writes, and is no entry of its own.
 */
export class Telling {
  readonly #world: World;
  readonly #access: TellingAccess;
  #endpoint: string | undefined;
  readonly #told = new Map<string, Told>();
  readonly #ready = new Map<string, Ready>();
  readonly #pending = new Set<string>();
  #own: Promise<OwnTokens> | undefined;
  #cancel: (() => void) | undefined;
  #isWorking = false;
  #isClosed = false;

  constructor(world: World, access: TellingAccess) {
    this.#world = world;
    this.#access = access;
  }

  /** Brings what is stored to hand; from then on what is due is told. */
  async start(): Promise<void> {
    await this.#world.store.transact("read", async (tx) => {
      const stored = await tx.get(endpointKey);
      this.#endpoint = stored === undefined ? undefined : decode(endpointCodec, stored);
      for (const [key, value] of await tx.scan({ prefix: toldPrefix }))
        this.#told.set(key.slice(toldPrefix.length), decode(toldCodec, value));
    });
    this.#tendAll();
  }

  /** Where this device's push service takes messages for it; `undefined` where it is not to be woken. */
  get endpoint(): string | undefined {
    return this.#endpoint;
  }

  /** @throws ClientError `invalid_setting` for what no push service has; as `OwnTokens.requireService` */
  async set(endpoint: string | undefined): Promise<void> {
    const isFit = endpoint === undefined || (endpoint.startsWith("https://") && utf8Bytes(endpoint).length <= maxPushEndpointBytes);
    if (!isFit) throw new ClientError("invalid_setting", "This is no address of a push service.");
    if (endpoint !== undefined) await (await this.#loaded()).requireService(endpoint);
    await this.#world.store.transact("write", (tx) => {
      if (endpoint === undefined) tx.delete(endpointKey);
      else tx.put(endpointKey, encode(endpointCodec, endpoint));
    });
    this.#endpoint = endpoint;
    this.#ready.clear();
    this.#tendAll();
  }

  /** @throws ClientError as `OwnTokens.keys` */
  async key(): Promise<PushKey | undefined> {
    const keys = await (await this.#loaded()).keys();
    return keys === undefined ? undefined : { key: keys.vapidKey, services: keys.services };
  }

  /** Something happened in a conversation that may call for a token. */
  tend(id: string): void {
    if (this.#isClosed || (this.#endpoint === undefined && !this.#told.has(id))) return;
    const state = this.#access.runner(id)?.state;
    if (state === undefined || !this.#mayBeTold(state) || this.#pending.has(id)) return;
    if (this.#due(state) === undefined && (this.#ready.has(id) || this.#due(state, this.#membersOf(state)) === undefined)) return;
    this.#pending.add(id);
    this.#plan(this.#random(leastMs, mostMs));
  }

  /** What a text there tells in passing; `undefined` for nothing, or nothing yet. */
  ready(state: ConversationState): Uint8Array | undefined {
    const ready = this.#ready.get(state.id);
    if (ready === undefined || !this.#mayBeTold(state)) return undefined;
    return this.#due(state, this.#membersOf(state)) === "token" ? ready.token : undefined;
  }

  /** A text tells what was ready. */
  said(state: ConversationState): void {
    const ready = this.#ready.get(state.id);
    if (ready !== undefined) this.#keep(state, ready);
  }

  /** A text that may have told it is not sent after all. */
  unsaid(id: string): void {
    const told = this.#told.get(id);
    if (told === undefined || told.endpoint === "") return;
    this.#told.delete(id);
    // Told once more, at the worst.
    void this.#world.store.transact("write", (tx) => tx.delete(toldPrefix + id)).catch(() => undefined);
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
  }

  #tendAll(): void {
    for (const { id } of this.#access.runners()) this.tend(id);
  }

  /** To somebody accepted, where nothing keeps messages back. */
  #mayBeTold(state: ConversationState): boolean {
    const { kind, phase, memberCount, peer } = state;
    if (kind === "devices" || phase.kind !== "active" || memberCount < 2 || !isCaughtUp(state) || isHolding(state)) return false;
    return kind !== "direct" || peer === undefined || this.#world.standings.of(peer) === "accepted";
  }

  #due(state: ConversationState, members?: Uint8Array): ReturnType<typeof dueOf> {
    const { platform, ownThings } = this.#world;
    const nowMs = platform.nowMs();
    const { id, logId, updatedAtMs } = state;
    const isMuted = mutedUntil(ownThings, logId, nowMs) !== undefined;
    return dueOf({
      told: this.#told.get(id),
      endpoint: this.#endpoint,
      nowMs,
      isMuted,
      updatedAtMs,
      ...(members === undefined ? {} : { members }),
    });
  }

  #membersOf({ roster }: ConversationState): Uint8Array {
    return membersMark(this.#world.platform.sha256, roster);
  }

  #plan(delayMs: number): void {
    if (this.#isClosed || this.#isWorking || this.#cancel !== undefined) return;
    this.#cancel = this.#world.platform.setTimer(delayMs, () => {
      this.#cancel = undefined;
      this.#isWorking = true;
      void this.#next().then((isDone) => {
        this.#isWorking = false;
        if (this.#pending.size > 0) this.#plan(isDone ? this.#random(leastMs, mostMs) : againMs);
      });
    });
  }

  /** Tells one conversation; `false` where nothing can be told now. */
  async #next(): Promise<boolean> {
    const [id] = this.#pending;
    if (id === undefined) return true;
    this.#pending.delete(id);
    try {
      await this.#tell(id);
      return true;
    } catch {
      // Without the host's keys, or a store, nothing is told: once both are there again it is.
      this.#pending.add(id);
      return false;
    }
  }

  async #tell(id: string): Promise<void> {
    const runner = this.#access.runner(id);
    if (runner === undefined || this.#isClosed) return;
    await runner.load();
    const isSmall = (runner.state.roster?.leaves.size ?? 0) <= smallDevices;
    const endpoint = this.#endpoint;
    const due = this.#mayBeTold(runner.state) ? this.#due(runner.state, this.#membersOf(runner.state)) : undefined;
    if (due === "token" && endpoint !== undefined) {
      const sealed = await (await this.#loaded()).seal(endpoint);
      if (sealed === undefined || this.#endpoint !== endpoint) return;
      this.#ready.set(id, { ...sealed, endpoint });
    }
    // Who came since learns it from what is written next: nothing is said for their sake alone.
    const ownDue = this.#mayBeTold(runner.state) ? this.#due(runner.state) : undefined;
    const ready = this.#ready.get(id);
    if (!isSmall || ownDue === undefined || (ownDue === "token" && ready === undefined)) return;
    const { platform } = this.#world;
    const wakeToken = ownDue === "token" && ready !== undefined ? ready.token : new Uint8Array(0);
    const salt = platform.random(16);
    const content = createWakeContent({ salt, sentAtMs: platform.nowMs(), wakeToken });
    await runner.input({ kind: "compose", id: toBase64Url(salt), purpose: "receipt", text: "", content });
    this.#keep(runner.state, ownDue === "token" ? ready : undefined);
  }

  /** Remembers what was told; nothing: that there is no token any more. */
  #keep(state: ConversationState, ready: Ready | undefined): void {
    const { id } = state;
    const told: Told = { endpoint: ready?.endpoint ?? "", notAfterMs: ready?.notAfterMs ?? 0, members: this.#membersOf(state) };
    this.#ready.delete(id);
    this.#told.set(id, told);
    void this.#world.store.transact("write", (tx) => tx.put(toldPrefix + id, encode(toldCodec, told))).catch(() => undefined);
  }

  #loaded(): Promise<OwnTokens> {
    this.#own ??= import("./own-token.ts").then(
      ({ OwnTokens: Loaded }) => new Loaded(this.#world),
      (cause: unknown) => {
        this.#own = undefined;
        throw offlineError(cause);
      },
    );
    return this.#own;
  }

  #random(from: number, to: number): number {
    return from + randomFraction(this.#world.platform.random) * (to - from);
  }
}
