import { CodecError, decode, encode, equalBytes, opaque, opaqueV, struct, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { makeSuspendedList, maxSuspendedListBytes, suspendedLabelCodec, suspendedListCodec } from "@latchkey/protocol";
import { createHash, randomBytes } from "node:crypto";
import { dayOf } from "../days.ts";
import { keyOf } from "../keys.ts";
import type { HouseTurn } from "../start/house-turn.ts";
import type { OperatorLabels } from "./operator-labels.ts";
import type { ListShelf } from "./suspended-shelf.ts";

/** A list as it is kept: what everybody is given, and of whom it is, which only the server knows. */
interface Kept {
  readonly list: Uint8Array;
  readonly accountIds: readonly Uint8Array[];
}

const keptCodec: Codec<Kept> = struct<Kept>({
  list: opaqueV(maxSuspendedListBytes),
  accountIds: vector(opaque(32), { maxBytes: 32 * 65_536 }),
});

const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash("sha256").update(bytes).digest());

/** What the list needs. */
export interface PublicSuspensionsParts {
  readonly shelf: ListShelf;
  /** Of several nodes one makes the list, and all give it out. */
  readonly turn: Pick<HouseTurn, "take">;
  readonly host: string;
  readonly labels: Pick<OperatorLabels, "newest" | "publish">;
  /** Accounts that are suspended now. */
  suspended(): readonly Uint8Array[];
  nowMs(): number;
}

/**
 * The list of suspended accounts that everybody may fetch, and its hash under the operator label `suspended`: once there was anybody to be
 * put on it, made anew when that changes, at most once a day (spec F-12).
 */
export class PublicSuspensions {
  readonly #parts: PublicSuspensionsParts;
  #kept: Kept | undefined;
  #isLabelled = false;
  #wasPublished: boolean | undefined;
  #tending: Promise<void> | undefined;

  private constructor(parts: PublicSuspensionsParts) {
    this.#parts = parts;
  }

  /** With what an earlier run kept, or another node. @throws StoreError */
  static async open(parts: PublicSuspensionsParts): Promise<PublicSuspensions> {
    const suspensions = new PublicSuspensions(parts);
    await suspensions.#read();
    return suspensions;
  }

  /** What everybody is given; `undefined` while nobody was suspended here. */
  get list(): Uint8Array | undefined {
    return this.#kept?.list;
  }

  /** Makes and publishes another list where it has to be. @throws StoreError; Refusal `clock_off` */
  tend(): Promise<void> {
    this.#tending ??= this.#tend().finally(() => {
      this.#tending = undefined;
    });
    return this.#tending;
  }

  /** Whether a list was published that is not here any more, as after a restore: whoever looks for it would look in vain. Asked once. */
  async #isLost(): Promise<boolean> {
    this.#wasPublished ??= (await this.#parts.labels.newest("suspended")) !== undefined;
    return this.#wasPublished;
  }

  async #read(): Promise<void> {
    const bytes = await this.#parts.shelf.read();
    const kept = bytes === undefined ? undefined : readKept(bytes);
    if (kept !== undefined && this.#kept !== undefined && equalBytes(kept.list, this.#kept.list)) return;
    this.#kept = kept;
    this.#isLabelled = false;
  }

  async #tend(): Promise<void> {
    const { host, labels, shelf, turn, suspended, nowMs } = this.#parts;
    if (shelf.isShared) {
      await this.#read();
      if (!(await turn.take())) return;
    }
    const accountIds = suspended().slice(0, 65_536);
    const today = dayOf(nowMs());
    const kept = this.#kept;
    const isDue =
      kept === undefined ? accountIds.length > 0 || (await this.#isLost()) : dayIn(kept) < today && !isSame(kept.accountIds, accountIds);
    if (isDue) {
      const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
      const list = encode(suspendedListCodec, makeSuspendedList({ host, day: today, accountIds, sha256, random }));
      // On disk before anybody is told its hash: a list that is lost after that could never be given out.
      await shelf.keep(encode(keptCodec, { list, accountIds }));
      this.#kept = { list, accountIds };
      this.#isLabelled = false;
    }
    const current = this.#kept;
    if (current === undefined || this.#isLabelled) return;
    const value = encode(suspendedLabelCodec, { format: 1, listHash: sha256(current.list), day: dayIn(current), ext: new Uint8Array(0) });
    const newest = await labels.newest("suspended");
    if (newest === undefined || !equalBytes(newest, value)) await labels.publish("suspended", value);
    this.#isLabelled = this.#kept === current;
  }
}

/** What was kept; nothing where it is damaged: then another list is made. */
function readKept(bytes: Uint8Array): Kept | undefined {
  try {
    const { list, accountIds } = decode(keptCodec, bytes);
    decode(suspendedListCodec, list);
    return { list: list.slice(), accountIds: accountIds.map((accountId) => accountId.slice()) };
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
}

function dayIn({ list }: Kept): number {
  return decode(suspendedListCodec, list).day;
}

function isSame(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  // Asked every minute, of tens of thousands at most.
  const keys = new Set(a.map(keyOf));
  return a.length === b.length && b.every((accountId) => keys.has(keyOf(accountId)));
}
