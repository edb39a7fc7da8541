import { bool, CodecError, compareBytes, decode, encode, equalBytes, opaque, safeUint64, struct, toBase64Url } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { appendCapability, appendSecretCodec, noCapability } from "@latchkey/protocol";
import type { AppendSecret } from "@latchkey/protocol";
import type { OwnAccount } from "../account/own-account.ts";
import type { Platform } from "../platform/platform.ts";
import type { Store, StoreTransaction } from "../store/store.ts";
import { canBe, couldBeTaken } from "./claimed-time.ts";

/** The newest of one's own that a direct conversation was told. */
interface Told extends AppendSecret {
  readonly atMs: number;
  /** By this device, not by another one of the account. */
  readonly isOurs: boolean;
}

/** Prefix of the records that a new device of the account inherits. */
export const appendSecretPrefix = "append-secret/";
/** As `appendSecretPrefix`: which conversations were told. */
export const appendToldPrefix = "append-told/";
/** One's own, which all devices of the account share. */
export const ownAppendSecretKey: string = `${appendSecretPrefix}own`;
/** The generation that this device made, and tells by itself. */
const madeKey = "append-made";
/** There while a device that left the account is not out of every conversation. */
const dueKey = "append-due";
const toldCodec: Codec<Told> = struct<Told>({ generation: safeUint64, secret: opaque(32), atMs: safeUint64, isOurs: bool });
const madeCodec: Codec<{ generation: number }> = struct<{ generation: number }>({ generation: safeUint64 });

const dayMs = 86_400_000;
/** What was told so long ago is told again with the next text: whoever lost it learns it. */
const tellAgainMs = 30 * dayMs;
/** For so long what another device says that it told is taken for a later one that is on its way to this device. */
const toldElsewhereMs = dayMs;

/**
 * The secrets that append capabilities come from (spec I-1): one's own, which people learn whom this person accepted, in the direct
 * conversation with them; and theirs.
 */
export class AppendSecrets {
  readonly #deps: { readonly store: Store; readonly platform: Pick<Platform, "nowMs" | "random" | "sha256">; readonly own: OwnAccount };
  readonly #known = new Map<string, AppendSecret>();
  readonly #told = new Map<string, Told>();
  #own: AppendSecret | undefined;
  #made = 0;
  #onChange: (isOurs: boolean) => void = () => undefined;

  /** @param deps `own` is read each time: it changes with the account's states. */
  constructor(deps: { store: Store; platform: Pick<Platform, "nowMs" | "random" | "sha256">; own: OwnAccount }) {
    this.#deps = deps;
  }

  /** Brings what is stored to hand; makes one's own where there is none. */
  async load(): Promise<void> {
    this.#own = await this.#deps.store.transact("write", async (tx) => {
      for (const [key, value] of await tx.scan({ prefix: appendSecretPrefix })) {
        if (key !== ownAppendSecretKey) this.#known.set(key.slice(appendSecretPrefix.length), decode(appendSecretCodec, value));
      }
      for (const [key, value] of await tx.scan({ prefix: appendToldPrefix })) {
        this.#told.set(key.slice(appendToldPrefix.length), decode(toldCodec, value));
      }
      const stored = await ownIn(tx);
      // One that a wrong clock dated would be the latest for long.
      const own = stored !== undefined && couldBeTaken(stored.generation, this.#deps.platform.nowMs()) ? stored : await this.renew(tx);
      this.#made = await madeIn(tx);
      return own;
    });
  }

  /** Calls `listener` when one's own is another one; `isOurs`: it was made on this device. */
  onChange(listener: (isOurs: boolean) => void): void {
    this.#onChange = listener;
  }

  /** One's own; `undefined` before it is loaded. */
  get own(): AppendSecret | undefined {
    return this.#own;
  }

  /** What a post to this inbox of this account shows: 32 zeros for somebody who told nothing. */
  capabilityFor(accountId: Uint8Array, inboxId: Uint8Array): Uint8Array {
    const { own, platform } = this.#deps;
    const secret = equalBytes(accountId, own.accountId) ? this.#own : this.#known.get(toBase64Url(accountId));
    return secret === undefined ? noCapability : appendCapability(platform.sha256, secret, inboxId);
  }

  /**
   * The other person of a direct conversation told theirs; an earlier one than is known changes nothing. One that claims to be of the
   * future is as old as it is here: else nothing that they make later would count.
   */
  async take(tx: StoreTransaction, accountId: Uint8Array, told: AppendSecret): Promise<void> {
    const account = toBase64Url(accountId);
    const taken = { generation: Math.min(told.generation, this.#deps.platform.nowMs()), secret: told.secret.slice() };
    // As this transaction has it: it may hold more than one of them.
    const stored = await tx.get(appendSecretPrefix + account);
    if (!isLater(taken, stored === undefined ? undefined : decode(appendSecretCodec, stored))) return;
    tx.put(appendSecretPrefix + account, encode(appendSecretCodec, taken));
    tx.afterCommit(() => this.#known.set(account, taken));
  }

  /** Another device of one's own told this one to the other person of a direct conversation. */
  async noteTold(tx: StoreTransaction, conversationId: string, { generation, secret }: AppendSecret): Promise<void> {
    if (!canBe(generation, this.#deps.platform.nowMs())) return;
    const stored = await tx.get(appendToldPrefix + conversationId);
    const before = later(this.#told.get(conversationId), stored === undefined ? undefined : decode(toldCodec, stored));
    if (!isLater({ generation, secret }, before)) return;
    this.#setTold(tx, conversationId, { generation, secret: secret.slice(), atMs: this.#deps.platform.nowMs(), isOurs: false });
  }

  /** Another device of one's own has this one. @throws CodecError */
  async takeOwn(value: Uint8Array): Promise<void> {
    const { store, platform } = this.#deps;
    const told = decode(appendSecretCodec, value);
    if (!canBe(told.generation, platform.nowMs())) throw new CodecError("invalid", "a generation is a time that was");
    const isNew = await store.transact("write", async (tx) => {
      if (!isLater(told, await ownIn(tx))) return false;
      tx.put(ownAppendSecretKey, encode(appendSecretCodec, told));
      return true;
    });
    if (isNew) this.#use(told, false);
  }

  /**
   * Makes another one in the caller's transaction: whoever knows those before is a stranger to the server. It counts, and is told, with
   * `adopt`, after that is stored.
   */
  async renew(tx: StoreTransaction): Promise<AppendSecret> {
    const { platform } = this.#deps;
    // A time, so that a device that lost all, or came back from an older copy, is later than what it told before.
    const before = (await ownIn(tx))?.generation ?? 0;
    const generation = couldBeTaken(before, platform.nowMs()) ? Math.max(platform.nowMs(), before + 1) : platform.nowMs();
    const renewed = { generation, secret: platform.random(32) };
    tx.put(ownAppendSecretKey, encode(appendSecretCodec, renewed));
    tx.put(madeKey, encode(madeCodec, { generation }));
    return renewed;
  }

  /** What `renew` made is stored: tells the server, the other devices and those who know an earlier one. */
  adopt(renewed: AppendSecret): void {
    this.#made = Math.max(this.#made, renewed.generation);
    this.#use(renewed, true);
  }

  async #renewNow(): Promise<void> {
    this.adopt(await this.#deps.store.transact("write", (tx) => this.renew(tx)));
  }

  #use(own: AppendSecret, isOurs: boolean): void {
    if (!isLater(own, this.#own)) return;
    this.#own = own;
    this.#onChange(isOurs);
  }

  /** The server has a later generation of this device's inbox than this: its store is an older copy. At most one a day for its word. */
  async outrun(): Promise<void> {
    if (this.#own !== undefined && this.#own.generation + dayMs > this.#deps.platform.nowMs()) return;
    await this.#renewNow();
  }

  /** A device left the account that knows the secret: it is renewed with `removedEverywhere`, so that nobody tells it the new one. */
  deviceLeft(tx: StoreTransaction): void {
    tx.put(dueKey, new Uint8Array([1]));
  }

  /** Devices that left the account are out of every conversation. */
  async removedEverywhere(): Promise<void> {
    const renewed = await this.#deps.store.transact("write", async (tx) => {
      if ((await tx.get(dueKey)) === undefined) return undefined;
      tx.delete(dueKey);
      return await this.renew(tx);
    });
    if (renewed !== undefined) this.adopt(renewed);
  }

  /** Another device of one's own blocked the other person of these conversations, which this device may have told the newest one meanwhile. */
  async blockedElsewhere(conversationIds: readonly string[]): Promise<void> {
    const own = this.#own;
    const isTold = conversationIds.some((id) => {
      const told = this.#told.get(id);
      return told !== undefined && own !== undefined && told.isOurs && equalBytes(told.secret, own.secret);
    });
    if (isTold) await this.#renewNow();
  }

  /** What a text in this direct conversation is to tell; `undefined` where that was told, or just now a later one by another device. */
  untold(conversationId: string): AppendSecret | undefined {
    const told = this.#told.get(conversationId);
    if (told === undefined || this.#own === undefined || isLater(this.#own, told)) return this.#own;
    const countsMs = equalBytes(told.secret, this.#own.secret) ? tellAgainMs : toldElsewhereMs;
    return told.atMs + countsMs <= this.#deps.platform.nowMs() ? this.#own : undefined;
  }

  /** Whether this direct conversation knows one that this device replaced: it is told without waiting for a text. */
  isOutdated(conversationId: string): boolean {
    const told = this.#told.get(conversationId);
    return told !== undefined && this.#own?.generation === this.#made && isLater(this.#own, told);
  }

  /** A message that tells this one is composed: counts at once, and is put down when `composed` is stored. */
  async tell(conversationId: string, { generation, secret }: AppendSecret, composed: Promise<void>): Promise<void> {
    const { store, platform } = this.#deps;
    const before = this.#told.get(conversationId);
    const told: Told = { generation, secret, atMs: platform.nowMs(), isOurs: true };
    this.#told.set(conversationId, told);
    try {
      await composed;
      await store.transact("write", (tx) => tx.put(appendToldPrefix + conversationId, encode(toldCodec, told)));
    } catch (error) {
      if (before === undefined) this.#told.delete(conversationId);
      else this.#told.set(conversationId, before);
      throw error;
    }
  }

  /** A message that may have told it is not sent after all: the next one does. */
  async untell(conversationId: string): Promise<void> {
    const told = this.#told.get(conversationId);
    if (told === undefined) return;
    await this.#deps.store.transact("write", (tx) => this.#setTold(tx, conversationId, { ...told, atMs: 0 }));
  }

  #setTold(tx: StoreTransaction, conversationId: string, told: Told): void {
    tx.put(appendToldPrefix + conversationId, encode(toldCodec, told));
    tx.afterCommit(() => this.#told.set(conversationId, told));
  }
}

async function ownIn(tx: StoreTransaction): Promise<AppendSecret | undefined> {
  const value = await tx.get(ownAppendSecretKey);
  return value === undefined ? undefined : decode(appendSecretCodec, value);
}

async function madeIn(tx: StoreTransaction): Promise<number> {
  const value = await tx.get(madeKey);
  return value === undefined ? 0 : decode(madeCodec, value).generation;
}

/** What is about to be told counts before it is stored. */
function later(atHand: Told | undefined, stored: Told | undefined): Told | undefined {
  return atHand === undefined || (stored !== undefined && isLater(stored, atHand)) ? stored : atHand;
}

/** The later generation counts; of two of one generation, made on two devices at once, the greater one, for everybody alike. */
function isLater(told: AppendSecret, known: AppendSecret | undefined): boolean {
  if (known === undefined) return true;
  if (told.generation !== known.generation) return told.generation > known.generation;
  return compareBytes(told.secret, known.secret) > 0;
}
