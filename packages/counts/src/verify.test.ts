import { concatBytes, decode, encode } from "@latchkey/codec";
import { sha256 } from "@noble/hashes/sha2.js";
import { beforeAll, describe, expect, test } from "vitest";
import {
  checkReceipt,
  countLogCodec,
  encodeOpening,
  encodeRecord,
  isHarmless,
  openingDueMs,
  parseOpening,
  slotHash,
  summarize,
  verifyCountLog,
  verifyPeriod,
} from "./index.ts";
import type { CountLog, ProvenValue, Opening, OpeningSlot, PeriodReport } from "./index.ts";
import { createCountedPeriod, recordOf } from "./testing/index.ts";
import type { CountedCase, CountedPeriod } from "./testing/index.ts";

const period = 4053;
/** Weekly, so that each test's log is short. */
const policy = { everyDays: 7, slots: 8, sealed: 2, smallNumber: 2 } as const;
const cases: readonly CountedCase[] = [
  { record: recordOf(0, { code: "DE" }), isSecret: false, batch: 1, country: "DE" },
  { record: recordOf(1, { code: "DE", isEmergency: true }), isSecret: false, batch: 1, country: "DE" },
  { record: recordOf(2, { code: "FR", type: "us-2703d" }), isSecret: false, batch: 2 },
  { record: recordOf(3, { secrecy: { kind: "open" } }), isSecret: true, batch: 3 },
  {
    record: {
      kind: "outcome",
      caseId: recordOf(0).caseId,
      of: "request",
      period,
      result: "released",
      given: ["subscriber"],
      days: "4-10",
      notice: "by us",
      approvals: "two",
      secrecy: { kind: "none" },
    },
    isSecret: false,
    batch: 4,
  },
];

interface Shown {
  readonly opening?: Uint8Array | undefined;
  readonly log?: Uint8Array;
  readonly nowMs?: number;
}

async function look(counted: CountedPeriod, { opening, log = counted.log(), nowMs }: Shown): Promise<PeriodReport> {
  const values = await verifyCountLog(log, await counted.tree());
  const atMs = nowMs ?? openingDueMs(counted.policy, period) + 3_600_000;
  return verifyPeriod({ host: counted.directory.host, period, values, opening, nowMs: atMs });
}

/** What is found where the operator says, under the hash that is announced then, that this is the opening. */
function lookAt(
  counted: CountedPeriod,
  opening: Opening,
  timeMs?: number,
  values: readonly ProvenValue[] = honestValues,
  before: Uint8Array | undefined = bytes,
): PeriodReport {
  const shown = encodeOpening(opening);
  const announced: ProvenValue = {
    version: 1000,
    timeMs: timeMs ?? openingDueMs(counted.policy, period, opening.number) + 1000,
    value: { kind: "opening", period, number: opening.number, hash: sha256(shown) },
  };
  const known = values.filter(({ value }) => value.kind !== "opening" || value.number < opening.number);
  const nowMs = openingDueMs(counted.policy, period) + 3_600_000;
  return verifyPeriod({ host: counted.directory.host, period, values: [...known, announced], opening: shown, before, nowMs });
}

const kinds = ({ findings }: PeriodReport): readonly string[] =>
  findings.map(({ kind, batch }) => (batch === undefined ? kind : `${kind} ${batch}`));

/** The opening with one batch's slots changed. */
function changed(opening: Opening, batch: number, change: (slots: readonly OpeningSlot[]) => readonly OpeningSlot[] | undefined): Opening {
  return { ...opening, batches: opening.batches.map((slots, at) => (at === batch && slots !== undefined ? change(slots) : slots)) };
}

let honest: CountedPeriod;
let honestValues: readonly ProvenValue[];
let bytes: Uint8Array;
beforeAll(async () => {
  honest = await createCountedPeriod({ period, policy, cases });
  bytes = await honest.announce(honest.opening);
  honestValues = await verifyCountLog(honest.log(), await honest.tree());
});

describe("a half-year as everybody verifies it", () => {
  test("[F-9] an honest half-year holds: every batch is there, as many of each are sealed, and what is open adds up", async () => {
    const report = await look(honest, { opening: bytes });
    expect(report.findings).toEqual([]);
    expect(report).toMatchObject({ batches: 27, due: 27, opening: 1, sealed: 54 });
    const [requests] = summarize(report);
    expect(requests).toMatchObject({
      arrivals: { least: 3, most: 3 },
      emergencies: { least: 1, most: 1 },
      types: [
        { name: "eu-epoc", number: { least: 2, most: 2 } },
        { name: "us-2703d", number: { least: 1, most: 1 } },
      ],
      countries: [
        { name: "DE", number: { least: 2, most: 2 } },
        { name: "", number: { least: 1, most: 1 } },
      ],
      results: [{ name: "released" }],
      approvals: [{ name: "two" }],
      median: "4-10",
    });
    expect(parseOpening(bytes)).toEqual(honest.opening);
  });

  test("[K-4] before its day a half-year shows that each batch came, and nothing in it", async () => {
    const report = await look(honest, { opening: undefined, nowMs: openingDueMs(honest.policy, period) - 1 });
    expect(report.findings).toEqual([]);
    expect(report).toMatchObject({ batches: 27, opening: 0, arrivals: [], sealed: 0 });
    const late = await look(honest, { opening: undefined, nowMs: openingDueMs(honest.policy, period) + 72 * 3_600_000 });
    expect(kinds(late)).toEqual(["opening_late"]);
  });

  test("[F-9] a case that is altered, left out, added or emptied after its batch is found, and its batch named", async () => {
    const counted = honest;
    const at = counted.batches[1]?.slots.findIndex(({ holds }) => holds.kind === "record") ?? -1;
    const dummy =
      counted.opening.batches[1]?.findIndex((slot, of) => slot.kind === "opened" && counted.batches[1]?.slots[of]?.holds.kind === "none") ??
      -1;
    const put = (slots: readonly OpeningSlot[], of: number, record: Uint8Array): OpeningSlot[] =>
      slots.map((slot, one) => (one === of && slot.kind === "opened" ? { kind: "opened", salt: slot.salt, record } : slot));
    const lies: readonly Opening[] = [
      changed(counted.opening, 1, (slots) => put(slots, at, encodeRecord(recordOf(0, { type: "other" })))),
      changed(counted.opening, 1, (slots) => put(slots, at, encodeRecord({ kind: "none" }))),
      changed(counted.opening, 1, (slots) => put(slots, dummy, encodeRecord(recordOf(9)))),
      changed(counted.opening, 1, (slots) => slots.filter((_, of) => of !== at)),
      changed(counted.opening, 1, (slots) => slots.toReversed()),
    ];
    for (const lie of lies) expect(kinds(lookAt(counted, lie))).toEqual(["batch_differs 1"]);
  });

  test("[F-9] more or fewer sealed slots than the policy says are found, also where the case in them is secret", async () => {
    const seal = (slots: readonly OpeningSlot[]): readonly OpeningSlot[] => {
      let isDone = false;
      return slots.map((slot) => {
        if (isDone || slot.kind === "sealed") return slot;
        isDone = true;
        return { kind: "sealed", hash: slotHash(slot.salt, slot.record) };
      });
    };
    const report = lookAt(honest, changed(honest.opening, 5, seal));
    expect(kinds(report)).toContain("sealed_count 5");
    const unseal = (slots: readonly OpeningSlot[]): readonly OpeningSlot[] =>
      slots.map((slot, of) => {
        const made = honest.batches[5]?.slots[of];
        return made === undefined || slot.kind === "opened" ? slot : { kind: "opened", salt: made.salt, record: made.record };
      });
    const found = lookAt(honest, changed(honest.opening, 5, unseal));
    expect(kinds(found)).toEqual(["sealed_count 5"]);
  });

  test("[F-9] a half-year that is opened early, by another file, or of another server is found", async () => {
    expect(kinds(lookAt(honest, honest.opening, openingDueMs(honest.policy, period) - 1000))).toEqual(["opening_early"]);
    const other = encodeOpening(changed(honest.opening, 26, () => undefined));
    expect(kinds(await look(honest, { opening: other }))).toEqual(["opening_unannounced", "batch_lost 26"]);
    const foreign = encodeOpening({ ...honest.opening, host: "other.example" });
    expect(kinds(await look(honest, { opening: foreign }))).toEqual(["opening_of_other"]);
  });

  test("[K-4] a sealed case is opened later with what cleared it, half a year on, and at no other time", async () => {
    const counted = honest;
    const made = counted.batches[3]?.slots ?? [];
    const later = changed({ ...counted.opening, number: 2 }, 3, (slots) =>
      slots.map((slot, of): OpeningSlot => {
        const one = made[of];
        if (one?.holds.kind !== "record" || slot.kind !== "sealed") return slot;
        return { kind: "opened", salt: one.salt, record: one.record, clearance: { day: "2027-03-01", document: "order of 1 March" } };
      }),
    );
    const report = lookAt(counted, later);
    expect(report.findings).toEqual([]);
    expect(report).toMatchObject({ opening: 2, sealed: 53 });
    expect(report.arrivals).toHaveLength(4);
    expect(kinds(lookAt(counted, later, openingDueMs(counted.policy, period) + 1000))).toEqual(["opening_early"]);
    expect(kinds(lookAt(counted, { ...later, number: 1 }))).toEqual(["cleared_unasked 3"]);
  });

  test("[K-4] what an opening showed the next one shows, too: nothing is sealed again, and no country or clearance taken back", () => {
    const sealedAgain = (number: number, batch: number): Opening =>
      changed({ ...honest.opening, number }, batch, (slots) => {
        const [open, closed] = [slots.findIndex(({ kind }) => kind === "opened"), slots.findIndex(({ kind }) => kind === "sealed")];
        const one = slots[open];
        const dummy = honest.batches[batch]?.slots[closed];
        if (one?.kind !== "opened" || dummy === undefined) throw new Error("there is one of each");
        // Another slot in its place: as many are sealed as before.
        return slots
          .with(open, { kind: "sealed", hash: slotHash(one.salt, one.record) })
          .with(closed, { kind: "opened", salt: dummy.salt, record: dummy.record });
      });
    expect(kinds(lookAt(honest, sealedAgain(2, 5)))).toContain("opening_taken_back 5");
    const without = changed({ ...honest.opening, number: 2 }, 1, (slots) =>
      slots.map((slot) => {
        if (slot.kind === "sealed") return slot;
        const { country: _, ...rest } = slot;
        return rest;
      }),
    );
    expect(kinds(lookAt(honest, without))).toEqual(["opening_taken_back 1", "opening_taken_back 1"]);
    // The one before is not to be had, or is another than was published.
    const other = encodeOpening(changed(honest.opening, 5, () => undefined));
    const again: Opening = { ...honest.opening, number: 2 };
    expect(kinds(lookAt(honest, again))).toEqual([]);
    expect(kinds(lookAt(honest, again, undefined, honestValues, other))).toEqual(["opening_before_missing"]);
    expect(kinds(lookAt(honest, again, undefined, honestValues, new Uint8Array()))).toEqual(["opening_before_missing"]);
  });

  test("[K-2] a batch that is missing, doubled, early or late is found", async () => {
    const short = await createCountedPeriod({ period, policy, cases, until: 25 });
    expect(kinds(await look(short, {}))).toEqual(["batch_missing 25", "batch_missing 26"]);
    const { root } = { root: new Uint8Array(32).fill(1) };
    const again = await createCountedPeriod({ period, policy, cases, until: 26 });
    const dueMs = Date.UTC(2026, 11, 30, 4);
    await again.publish({ kind: "batch", period, batch: 3, root }, dueMs - 2 * 3_600_000);
    await again.publish({ kind: "batch", period, batch: 26, root }, dueMs - 1000);
    expect(kinds(await look(again, {}))).toEqual(["batch_doubled 3", "batch_early 26"]);
    const late = await createCountedPeriod({ period, policy, cases, until: 26 });
    await late.publish({ kind: "batch", period, batch: 26, root }, dueMs + 30 * 3_600_000);
    const report = await look(late, {});
    expect(report.findings).toEqual([{ kind: "batch_late", batch: 26, hours: 30 }]);
    expect(report.findings.every(isHarmless)).toBe(true);
    // A week later may have been chosen afterwards.
    expect(isHarmless({ kind: "batch_late", hours: 169 })).toBe(false);
    expect(isHarmless({ kind: "batch_missing" })).toBe(false);
  });

  test("[K-1] a policy that came late, changed within its half-year, or never came is found", async () => {
    const counted = await createCountedPeriod({ period, policy, cases, until: 2 });
    await counted.publish({ kind: "policy", policy: { ...counted.policy, sealed: 4 } }, Date.UTC(2026, 7, 1));
    const report = await look(counted, { nowMs: Date.UTC(2026, 6, 10) });
    expect(kinds(report)).toEqual(["policy_changed"]);
    expect(report.policy?.sealed).toBe(2);
    const values = await verifyCountLog(counted.log(), await counted.tree());
    const without = values.filter(({ value }) => value.kind !== "policy");
    const of = { host: counted.directory.host, period, opening: undefined, nowMs: Date.UTC(2026, 6, 10) };
    expect(verifyPeriod({ ...of, values: without }).findings).toEqual([{ kind: "no_policy" }]);
    const late = values.map((one) => (one.value.kind === "policy" ? { ...one, timeMs: Date.UTC(2026, 6, 2) } : one));
    expect(verifyPeriod({ ...of, values: late }).findings).toContainEqual({ kind: "policy_late" });
    const again = values.map((one) =>
      one.value.kind === "policy" ? { ...one, version: 40, value: { ...one.value, policy: { ...one.value.policy, firstBatch: 1 } } } : one,
    );
    expect(verifyPeriod({ ...of, values: again }).findings).toContainEqual({ kind: "begun_again" });
  });

  test("[K-6] a country that is not the counted one, or is named for too few cases, is found", async () => {
    const stricter = honestValues.map((one) =>
      one.value.kind === "policy" ? { ...one, value: { ...one.value, policy: { ...one.value.policy, smallNumber: 3 } } } : one,
    );
    expect(kinds(lookAt(honest, honest.opening, undefined, stricter))).toEqual(["country_small 1", "country_small 1"]);
    const lie = changed(honest.opening, 1, (slots) =>
      slots.map((slot) =>
        slot.kind === "opened" && slot.country !== undefined ? { ...slot, country: { ...slot.country, code: "US" } } : slot,
      ),
    );
    expect(kinds(lookAt(honest, lie))).toEqual(["country_differs 1", "country_differs 1"]);
  });

  test("[K-2] a desk whose database was put back shows it: its trail is shorter than in the batch before, or another", async () => {
    const swapped = honestValues.map((one) => {
      if (one.value.kind !== "batch" || (one.value.batch !== 6 && one.value.batch !== 7)) return one;
      const other = honestValues.find(
        ({ value }) => value.kind === "batch" && one.value.kind === "batch" && value.batch === 13 - one.value.batch,
      );
      return other?.value.kind === "batch" ? { ...one, value: { ...one.value, root: other.value.root } } : one;
    });
    const { batches } = honest.opening;
    const opening = { ...honest.opening, batches: batches.map((slots, at) => (at === 6 || at === 7 ? batches[13 - at] : slots)) };
    const report = lookAt(honest, opening, undefined, swapped);
    expect(kinds(report)).toContain("trail_back 7");
  });

  test("[K-5] a receipt is open, sealed or waiting; one whose case was altered or left out is missing", async () => {
    const report = await look(honest, { opening: bytes });
    const before = await look(honest, { opening: undefined });
    expect([0, 3].map((at) => checkReceipt(honest.receipt(at), report))).toEqual(["open", "sealed"]);
    expect([0, 3].map((at) => checkReceipt(honest.receipt(at, false), report))).toEqual(["open", "sealed"]);
    expect([true, false].map((isPlaced) => checkReceipt(honest.receipt(0, isPlaced), before))).toEqual(["counted", "waiting"]);
    const { record, ...rest } = honest.receipt(0);
    const other = { ...rest, record: encodeRecord(recordOf(0, { type: "other" })) };
    expect([report, before].map((one) => checkReceipt(other, one))).toEqual(["missing", "missing"]);
    expect(checkReceipt({ ...other, place: undefined }, report)).toBe("missing");
    // Counted later than it was promised.
    expect(checkReceipt({ ...rest, record, place: undefined, batch: 0 }, report)).toBe("missing");
  });

  test("[K-3] values that the log does not have, has in another order, or has under another label are refused", async () => {
    const tree = await honest.tree();
    const log = decode(countLogCodec, honest.log());
    const of = (changes: Partial<CountLog>): Uint8Array => encode(countLogCodec, { ...log, ...changes });
    const [first, second, ...others] = log.items;
    if (first?.kind !== "shown" || second?.kind !== "shown") throw new Error("there are values");
    const refused = [
      of({ items: [second, first, ...others] }),
      of({ items: [first, ...others] }),
      of({ items: [{ ...first, opening: second.opening }, second, ...others] }),
      of({ items: [{ ...first, value: second.value }, second, ...others] }),
      of({ items: [{ ...first, entry: second.entry }, second, ...others] }),
      of({ items: [{ ...first, index: second.index }, second, ...others] }),
      of({ items: [{ ...first, index: tree.size }, second, ...others] }),
      of({ firstVersion: 2 }),
      of({ firstVersion: 0 }),
      of({ chainBefore: new Uint8Array(32).fill(1) }),
      concatBytes(honest.log(), Uint8Array.of(0)),
      new Uint8Array(),
    ];
    for (const bad of refused) await expect(verifyCountLog(bad, tree)).rejects.toThrow(/do(es)? not have these values|cannot be read/);
    await expect(verifyCountLog(honest.log(), { ...tree, index: new Uint8Array(32) })).rejects.toThrow("does not have");
    await expect(verifyCountLog(honest.log(), { ...tree, root: new Uint8Array(32) })).rejects.toThrow("does not have");
  });

  test("[K-4] what is no opening is refused, and never read in part", () => {
    const text = new TextDecoder().decode(bytes);
    const refused = ["", "[]", "null", "{}", text.slice(1), text.replace('"format":1', '"format":2'), text.replace("2026-2", "2026-3")];
    refused.push(text.replace('"countries":{', '"countries":{"99.1":["BwcHBwcHBwcHBwcHBwcHBw","DE"],'), text.replace('["s', '["x'));
    refused.push(text.replace('["s', '["s*'), text.replace('"batches":[[', '"batches":[[1,'), text.slice(0, -1));
    for (const bad of refused) expect(() => parseOpening(new TextEncoder().encode(bad))).toThrow("cannot be read");
    expect(() => parseOpening(new Uint8Array(2_097_153))).toThrow("cannot be read");
  });
});
