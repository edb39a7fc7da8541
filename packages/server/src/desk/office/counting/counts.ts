import {
  admitted,
  batchesIn,
  countryHash,
  encodeRecord,
  nextBatch,
  periodOf,
  slotPath,
  countrySaltBytes,
  saltBytes,
  sharesOf,
} from "@latchkey/counts";
import type { ArrivalRecord, CountReceipt, OutcomeRecord, Secrecy } from "@latchkey/counts";
import { randomBytes } from "node:crypto";
import type { BatchAt, CountTable, StoredRecord, WaitingKind } from "./count-table.ts";
import type { ValueTable } from "./value-table.ts";

/** Something that is to be counted, as the desk knows it. */
export type NewCount =
  | (Omit<ArrivalRecord, "caseId" | "country" | "period"> & {
      /** Two capital letters; absent where there is none. */
      readonly country?: string;
    })
  | Omit<OutcomeRecord, "caseId" | "period">;

/** An open case of which nothing is said any more for so long is forgotten here: which of the public record's it was. */
export const forgottenAfterDays = 1100;

/**
 * What happens at the desk becomes what is counted in public (rule F-9). Every method runs inside the caller's transaction, which is that
 * of the act itself: nothing is done that is not counted, and nothing counted that was not done.
 */
export class Counts {
  readonly #table: CountTable;
  readonly #values: ValueTable;
  readonly #host: string;

  constructor(parts: { table: CountTable; values: ValueTable; host: string }) {
    this.#table = parts.table;
    this.#values = parts.values;
    this.#host = parts.host;
  }

  /**
   * Counts an arrival or an outcome. Answers its receipt for whom it concerns: without a place, which `receipts` has once the batch was made.
   * @param ref the case at the desk, such as `case:12`; the same for its arrival and its outcomes, and never published
   * @param options `isNever` of what stays sealed for good
   */
  record(ref: string, count: NewCount, nowMs: number, { isNever = false }: { isNever?: boolean } = {}): CountReceipt {
    const caseId = this.#table.caseId(ref) ?? random(16);
    this.#table.setCase(ref, caseId, nowMs);
    const isSecret = isNever || count.secrecy.kind !== "none";
    const common = { caseId, period: periodOf(nowMs) };
    let country: StoredRecord["country"];
    let record: Uint8Array;
    if (count.kind === "arrival") {
      const { country: code, ...arrival } = count;
      country = code === undefined ? undefined : { code, salt: random(countrySaltBytes) };
      const hash = country === undefined ? new Uint8Array() : countryHash(country.salt, country.code);
      record = encodeRecord({ ...arrival, ...common, country: hash });
    } else record = encodeRecord({ ...count, ...common });
    const stored = {
      ref,
      atMs: nowMs,
      isSecret,
      salt: random(saltBytes),
      record,
      country,
      isNever,
      due: this.#due(isSecret ? "secret" : count.of, nowMs),
    };
    this.#table.add(stored);
    return this.#receipt(stored, undefined);
  }

  /**
   * The receipts of a case, the oldest first: with their places, of those whose batches are published. There is none of what stays sealed for
   * good: with it somebody could open what nobody is to.
   */
  receipts(ref: string): readonly CountReceipt[] {
    return this.#table.of(ref).flatMap((record) => (record.isNever ? [] : [this.#receipt(record, record.at)]));
  }

  /**
   * What was not secret when it was counted is to be: it stays sealed at the first opening. Answers false where something of it cannot be
   * hidden any more: it was opened, or its batch has sealed as many as it may.
   */
  seal(ref: string): boolean {
    let isSealed = true;
    for (const record of this.#table.of(ref)) {
      if (record.isSecret) continue;
      if (record.opened !== undefined || (record.at !== undefined && !this.#hasRoom(record.at))) isSealed = false;
      else this.#table.setSecret(record.id);
    }
    return isSealed;
  }

  #hasRoom({ period, batch }: BatchAt): boolean {
    const sealed = this.#table.in(period).filter((one) => one.at?.batch === batch && one.isSecret).length;
    return sealed < (this.#table.policy(period)?.sealed ?? 0);
  }

  /** By which batch what is recorded now is published: behind all of its kind that wait, by the share that its kind has for sure. */
  #due(of: WaitingKind, nowMs: number): BatchAt {
    const period = periodOf(nowMs);
    const policy = this.#table.policy(period);
    // Before counting begins, or where nothing can be sealed: some time in the half-year after this.
    const room = policy === undefined ? 0 : of === "secret" ? admitted(policy).secret : sharesOf(policy)[of];
    if (policy === undefined || room === 0) return lastOf(period + 1);
    const last = this.#table.lastBatch();
    const next = Math.max(nextBatch(policy, period, nowMs), last?.period === period ? last.batch + 1 : policy.firstBatch);
    const batch = next + Math.floor(this.#table.countWaiting(of) / room);
    return batch < batchesIn(policy, period) ? { period, batch } : lastOf(period + 1);
  }

  #receipt(record: Pick<StoredRecord, "salt" | "record" | "country" | "due">, at: StoredRecord["at"]): CountReceipt {
    const { salt, country, due } = record;
    const place = at === undefined ? undefined : this.#placeOf(at);
    return {
      format: 1,
      host: this.#host,
      ...(place === undefined || at === undefined ? due : { period: at.period, batch: at.batch }),
      salt,
      record: record.record,
      country: country === undefined ? undefined : { salt: country.salt, code: country.code },
      place,
      ext: new Uint8Array(),
    };
  }

  #placeOf({ period, batch, slot }: BatchAt & { slot: number }): CountReceipt["place"] {
    const hashes = this.#table.batches(period).find((one) => one.batch === batch)?.hashes;
    if (hashes === undefined || !this.#values.hasBatch(period, batch)) return undefined;
    return { batch, slot, slots: hashes.length, path: slotPath(hashes, slot) };
  }
}

/** The end of a half-year, in whichever steps it is counted. */
function lastOf(period: number): BatchAt {
  return { period, batch: batchesIn({ everyDays: 1, hour: 0 }, period) };
}

/** Secrecy as nothing is secret. */
export const notSecret: Secrecy = { kind: "none" };

function random(length: number): Uint8Array {
  return new Uint8Array(randomBytes(length));
}
