import { bool, decode, encode, opaqueV, optional, safeUint64, struct, text, toBase64Url, utf8Bytes, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { Alarm, ClientErrorCode, ClientEvent, ClientFailure } from "../api.ts";
import type { Platform } from "../platform/platform.ts";
import type { Store, StoreTransaction } from "../store/store.ts";

interface StoredAlarm {
  readonly code: ClientErrorCode;
  readonly message: string;
  readonly canRetry: boolean;
  readonly conversationId: string | undefined;
  readonly accountId: string | undefined;
  readonly evidence: readonly Uint8Array[];
  readonly atMs: number;
  /** 0 until the person handled it; kept after that, so that the same thing is not told twice. */
  readonly handledAtMs: number;
}

const storedCodec: Codec<StoredAlarm> = struct<StoredAlarm>({
  // The API's codes are short words; one that this version does not know is shown by its message.
  code: text(64) as unknown as Codec<ClientErrorCode>,
  message: text(4096),
  canRetry: bool,
  conversationId: optional(text(64)),
  accountId: optional(text(64)),
  evidence: vector(opaqueV(131_072), { maxBytes: 524_288 }),
  atMs: safeUint64,
  handledAtMs: safeUint64,
});

const prefix = "alarm/2/";

/** Something that must not happen, and what makes it one of a kind: the same again is the same alarm. */
export interface Raised {
  readonly failure: ClientFailure;
  readonly conversationId?: string | undefined;
  /** Base64url id of the account that it is about. */
  readonly accountId?: string | undefined;
  /** What convicts, for others to verify (spec E-1): signed bytes, such as two checkpoints of one log. */
  readonly evidence?: readonly Uint8Array[];
  /** Such as the hash of a state: an alarm that was handled comes back only about something else. */
  readonly about?: string | undefined;
}

/** The alarms of a profile: stored before they are shown, there until the person handled them. */
export class Alarms {
  readonly #store: Store;
  readonly #platform: Pick<Platform, "nowMs" | "sha256">;
  readonly #emit: (event: ClientEvent) => void;
  readonly #alarms = new Map<string, StoredAlarm>();
  /** Stored, and not told yet. */
  readonly #put = new Map<string, StoredAlarm>();
  readonly #listeners = new Set<() => void>();

  constructor(params: { store: Store; platform: Pick<Platform, "nowMs" | "sha256">; emit: (event: ClientEvent) => void }) {
    this.#store = params.store;
    this.#platform = params.platform;
    this.#emit = params.emit;
  }

  /** Brings what is stored to hand. */
  async load(): Promise<void> {
    const stored = await this.#store.transact("read", (tx) => tx.scan({ prefix }));
    for (const [key, value] of stored) this.#alarms.set(key.slice(prefix.length), decode(storedCodec, value));
  }

  /** Stores an alarm and tells it; nothing for one that stands or was handled. */
  async raise(raised: Raised): Promise<void> {
    if (this.#isKnown(raised)) return;
    await this.#store.transact("write", (tx) => this.put(tx, raised));
    this.tell(raised);
  }

  /** Stores an alarm in the caller's transaction; `tell` follows when it is done. */
  put(tx: StoreTransaction, raised: Raised): void {
    if (this.#isKnown(raised)) return;
    const id = this.#idOf(raised);
    const stored = this.#stored(raised);
    this.#put.set(id, stored);
    tx.put(prefix + id, encode(storedCodec, stored));
  }

  /** Shows an alarm that was stored. */
  tell(raised: Raised): void {
    const { failure, conversationId } = raised;
    const id = this.#idOf(raised);
    if (!this.#isKnown(raised)) this.#alarms.set(id, this.#put.get(id) ?? this.#stored(raised));
    this.#put.delete(id);
    this.#emit({ kind: "alarm", failure, conversationId });
    this.#changed();
  }

  /** Those not handled yet, oldest first. */
  list(): readonly Alarm[] {
    return [...this.#alarms]
      .filter(([, alarm]) => alarm.handledAtMs === 0)
      .map(([id, { code, message, canRetry, conversationId, accountId, evidence, atMs }]) => ({
        id,
        failure: { code, message, canRetry },
        conversationId,
        accountId,
        evidence,
        atMs,
      }))
      .toSorted((a, b) => a.atMs - b.atMs);
  }

  /** The first alarm of this code that nobody handled. */
  standing(code: ClientErrorCode): ClientFailure | undefined {
    return this.list().find((alarm) => alarm.failure.code === code)?.failure;
  }

  /** Whether the person handled this very alarm. */
  wasHandled(code: ClientErrorCode, about: string): boolean {
    const alarm = this.#alarms.get(this.#idOf({ failure: { code, message: "", canRetry: false }, about }));
    return alarm !== undefined && alarm.handledAtMs !== 0;
  }

  /** The person handled it. Unknown ids are no error: a second window may have been first. */
  async handle(id: string): Promise<void> {
    const alarm = this.#alarms.get(id);
    if (alarm === undefined || alarm.handledAtMs !== 0) return;
    const handled: StoredAlarm = { ...alarm, handledAtMs: this.#platform.nowMs() };
    await this.#store.transact("write", (tx) => tx.put(prefix + id, encode(storedCodec, handled)));
    this.#alarms.set(id, handled);
    this.#changed();
  }

  /** Calls `listener` whenever the list changed; returns how to stop. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #changed(): void {
    this.#emit({ kind: "alarms" });
    for (const listener of this.#listeners) listener();
  }

  #isKnown(raised: Raised): boolean {
    return this.#alarms.has(this.#idOf(raised));
  }

  #idOf({ failure, conversationId = "", about = "" }: Raised): string {
    return toBase64Url(this.#platform.sha256(utf8Bytes(`latchkey/alarm/1\n${failure.code}\n${conversationId}\n${about}`)).slice(0, 16));
  }

  #stored({ failure, conversationId, accountId, evidence = [] }: Raised): StoredAlarm {
    return { ...failure, conversationId, accountId, evidence, atMs: this.#platform.nowMs(), handledAtMs: 0 };
  }
}
