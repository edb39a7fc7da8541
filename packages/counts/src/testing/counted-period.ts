import { concatBytes, encode, utf8Bytes } from "@latchkey/codec";
import { indexOf, tileHashes, vrfProofToHash } from "@latchkey/transparency";
import { createMemoryDirectory } from "@latchkey/transparency/testing";
import type { MemoryDirectory } from "@latchkey/transparency/testing";
import { sha256 } from "@noble/hashes/sha2.js";
import { admitted, makeBatch } from "../batch.ts";
import type { MadeSlot, WaitingRecord } from "../batch.ts";
import { countLogCodec, countsLabel } from "../log.ts";
import type { CountLogItem, ProvenTree } from "../log.ts";
import { encodeOpening } from "../opening.ts";
import type { Opening, OpeningSlot } from "../opening.ts";
import { batchDueMs, batchesIn, openingDueMs, periodStartMs } from "../periods.ts";
import { defaultPolicy } from "../policy.ts";
import type { CountPolicy } from "../policy.ts";
import type { ArrivalRecord, CountRecord, OutcomeRecord } from "../records.ts";
import { countryHash, encodeRecord, slotPath } from "../slots.ts";
import { countValueCodec } from "../values.ts";
import type { CountValue } from "../values.ts";
import type { CountReceipt } from "../receipt.ts";

/** A case to be counted. */
export interface CountedCase {
  readonly record: ArrivalRecord | OutcomeRecord;
  readonly isSecret: boolean;
  /** The batch in which it is counted. */
  readonly batch: number;
  /** Told at the opening. */
  readonly country?: string;
}

/** A half-year of a server that counts, on a public log in memory: for tests only, honest unless a test makes it lie. */
export interface CountedPeriod {
  readonly directory: MemoryDirectory;
  readonly policy: CountPolicy;
  readonly batches: readonly { readonly batch: number; readonly slots: readonly MadeSlot[] }[];
  /** What an honest server opens first. */
  readonly opening: Opening;
  /** Publishes a value under the label at a time. */
  publish(value: CountValue, timeMs: number): Promise<void>;
  /** Publishes an opening's hash on its day. Answers its bytes. */
  announce(opening: Opening, timeMs?: number): Promise<Uint8Array>;
  /** What proves all values. */
  log(): Uint8Array;
  tree(): Promise<ProvenTree>;
  /** The receipt of a case, by its place in `cases`. */
  receipt(at: number, withPlace?: boolean): CountReceipt;
}

/** The salt of a country in these periods. */
const countrySalt = new Uint8Array(16).fill(7);

/** An arrival of a request. */
export function recordOf(at: number, changes: Partial<ArrivalRecord> & { readonly code?: string } = {}): ArrivalRecord {
  const { code, ...others } = changes;
  return {
    kind: "arrival",
    caseId: sha256(utf8Bytes(`case ${at}`)).slice(0, 16),
    of: "request",
    type: "eu-epoc",
    country: code === undefined ? new Uint8Array() : countryHash(countrySalt, code),
    period: 4053,
    accounts: 1,
    categories: ["subscriber"],
    isEmergency: false,
    secrecy: { kind: "none" },
    ...others,
  };
}

/**
 * Counts a half-year on a log of its own, up to before its opening.
 * @param params `until` leaves out batches from a number on
 */
export async function createCountedPeriod(params: {
  readonly period: number;
  readonly policy?: Partial<CountPolicy>;
  readonly cases: readonly CountedCase[];
  readonly until?: number;
}): Promise<CountedPeriod> {
  const { period, cases } = params;
  const policy: CountPolicy = { ...defaultPolicy({ period, firstBatch: 0 }), ...params.policy };
  const directory = await createMemoryDirectory({ nowMs: periodStartMs(period) - 86_400_000 });
  await directory.publishFiller(100);
  const label = utf8Bytes(countsLabel);
  const items: CountLogItem[] = [];
  const publish = async (value: CountValue, timeMs: number): Promise<void> => {
    directory.setTime(timeMs - 1000);
    const bytes = encode(countValueCodec, value);
    const size = await directory.publish([{ type: "operator", label, values: [bytes] }]);
    const { items: all, mapProof } = directory.label("operator", label);
    const entry = directory.entries()[size - 1];
    const last = all.at(-1);
    if (entry === undefined || last?.kind !== "opening") throw new Error("what was published is there");
    items.push({ kind: "shown", value: bytes, opening: last.opening, index: size - 1, entry, mapProof });
  };
  await publish({ kind: "policy", policy }, periodStartMs(period) - 3_600_000);
  const random = randomOf(`period ${period}`);
  const seed = random(32);
  const batches: { batch: number; slots: readonly MadeSlot[] }[] = [];
  const places = new Map<number, { batch: number; slot: number }>();
  const salts = cases.map((_, at) => sha256(utf8Bytes(`salt ${at}`)));
  const waiting = (at: number): WaitingRecord => {
    const [one, salt] = [cases[at], salts[at]];
    if (one === undefined || salt === undefined) throw new Error("a case is there");
    return { salt, record: encodeRecord(one.record satisfies CountRecord) };
  };
  const room = admitted(policy);
  for (let batch = policy.firstBatch; batch < Math.min(batchesIn(policy, period), params.until ?? 999); batch++) {
    const of = cases.flatMap((one, at) => (one.batch === batch ? [{ at, one }] : []));
    if (of.filter(({ one }) => one.isSecret).length > room.secret || of.length > policy.slots - 1) throw new Error("too many for a batch");
    const trail = { entries: batch, head: sha256(utf8Bytes(`trail ${batch}`)) };
    const made = makeBatch({
      policy,
      batch,
      seed,
      trail,
      records: of.map(({ at }) => waiting(at)),
      below: (bound) => new DataView(random(4).buffer).getUint32(0) % bound,
    });
    for (const [slot, { holds }] of made.slots.entries()) {
      const at = holds.kind === "record" ? of[holds.from]?.at : undefined;
      if (at !== undefined) places.set(at, { batch, slot });
    }
    batches.push({ batch, slots: made.slots });
    await publish({ kind: "batch", period, batch, root: made.root }, batchDueMs(policy, period, batch) + 60_000);
  }
  const secret = new Set([...places].filter(([at]) => cases[at]?.isSecret).map(([, { batch, slot }]) => `${batch}.${slot}`));
  const told = new Map(
    [...places].flatMap(([at, { batch, slot }]) => {
      const code = cases[at]?.country;
      return code === undefined ? [] : [[`${batch}.${slot}`, { salt: countrySalt, code }] as const];
    }),
  );
  const openBatch = ({ batch, slots }: { batch: number; slots: readonly MadeSlot[] }): readonly OpeningSlot[] => {
    const closed = new Set(slots.flatMap((_, slot) => (secret.has(`${batch}.${slot}`) ? [slot] : [])));
    for (const [slot, { holds }] of slots.entries()) if (closed.size < policy.sealed && holds.kind === "none") closed.add(slot);
    return slots.map(({ hash, salt, record }, slot): OpeningSlot => {
      if (closed.has(slot)) return { kind: "sealed", hash };
      const country = told.get(`${batch}.${slot}`);
      return { kind: "opened", salt, record, ...(country === undefined ? {} : { country }) };
    });
  };
  return {
    directory,
    policy,
    batches,
    publish,
    opening: { host: directory.host, period, number: 1, firstBatch: policy.firstBatch, batches: batches.map(openBatch) },
    async announce(opening, timeMs = openingDueMs(policy, period, opening.number) + 60_000) {
      const bytes = encodeOpening(opening);
      await publish({ kind: "opening", period, number: opening.number, hash: sha256(bytes) }, timeMs);
      return bytes;
    },
    log: () => encode(countLogCodec, { format: 1, firstVersion: 1, chainBefore: new Uint8Array(32), items, ext: new Uint8Array() }),
    async tree() {
      const size = directory.size();
      return {
        size,
        root: await directory.root(),
        hashes: tileHashes(size, directory.fetchTile),
        index: indexOf(vrfProofToHash(directory.label("operator", label).vrfProof)),
      };
    },
    receipt(at, withPlace = true) {
      const place = places.get(at);
      const slots = batches.find(({ batch }) => batch === place?.batch)?.slots.map(({ hash }) => hash);
      if (place === undefined || slots === undefined) throw new Error("the case was counted");
      const code = cases[at]?.country;
      return {
        format: 1,
        host: directory.host,
        period,
        batch: place.batch,
        ...waiting(at),
        country: code === undefined ? undefined : { salt: countrySalt, code },
        place: withPlace ? { ...place, slots: slots.length, path: slotPath(slots, place.slot) } : undefined,
        ext: new Uint8Array(),
      };
    },
  };
}

/** Bytes that follow from a name: a test's own randomness. */
function randomOf(name: string): (length: number) => Uint8Array<ArrayBuffer> {
  let at = 0;
  return (length) => concatBytes(sha256(utf8Bytes(`${name} ${at++}`))).slice(0, length);
}
