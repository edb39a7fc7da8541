import { decode, encode, safeUint64, struct, toBase64Url } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { checkReceipt, countReceiptCodec, decodeReceipts, openingDueMs, periodStartMs, periodText } from "@latchkey/counts";
import type { CountReceipt, PeriodReport, ReceiptState } from "@latchkey/counts";
import { deskNoticeCodec, reportAnswerCodec } from "@latchkey/reports";
import type { Raised } from "../directory/alarms.ts";
import type { World } from "../engine/world.ts";
import { loadNotices, loadReports } from "../reports/stored.ts";
import { createPublicCounts } from "./public-counts.ts";
import type { PublicCounts } from "./public-counts.ts";

/** They are held against the public count again after so long. */
const againMs = 20 * 3_600_000;
/** An opening that is later than that does not come: what was promised for it was not counted. */
const openingGraceMs = 7 * 86_400_000;
/** Receipts that one look takes on, the oldest half-years first; of more the next one does. */
const heldAtOnce = 200;
const checkedKey = "counts/checked";
const settledPrefix = "counts/settled/";

const checkedCodec: Codec<{ readonly atMs: number }> = struct<{ readonly atMs: number }>({ atMs: safeUint64 });

/** A receipt that came with something, and which half-year's it is. */
interface Kept {
  readonly id: string;
  readonly receipt: CountReceipt;
  readonly conversationId: string | undefined;
}

/** What the look needs of the world. */
export type CountedWorld = Pick<World, "store" | "platform" | "connections" | "directory" | "own" | "alarms" | "clock">;

/**
 * Looks once a day whether the cases that this device has receipts of, with notices and with answers to reports, stand in the public count of
 * their half-year, by fetching that as everybody does. Which are missing is told once each; what is found is not looked for again (spec K-5).
 *
 * @param counts how half-years are verified; the host's own public record where it is absent
 * @throws ClientError what cannot be had now is looked for again
 */
export async function lookForCounted(world: CountedWorld, counts: Pick<PublicCounts, "verify"> = countsOf(world)): Promise<void> {
  const { store, platform, alarms, clock } = world;
  const nowMs = platform.nowMs();
  const stored = await store.transact("read", (tx) => tx.get(checkedKey));
  if (stored !== undefined && Math.abs(nowMs - decode(checkedCodec, stored).atMs) < againMs) return;
  // Nobody is accused by a clock of which nobody knows that it is right.
  if (!clock.isSure(nowMs)) return;
  const due = await receiptsDue(world, nowMs);
  const settled: string[] = [];
  const missing: Raised[] = [];
  for (const [, kept] of Map.groupBy(due, ({ receipt: { host, period } }) => `${host} ${period}`)) {
    const [first] = kept;
    if (first === undefined) continue;
    const { host, period } = first.receipt;
    const report = (await counts.verify(host, periodText(period)))?.report;
    // Looked at only where something is missing: it may have been counted earlier than it was promised.
    let before: Promise<PeriodReport | undefined> | undefined;
    for (const one of kept) {
      let state = stateOf(one.receipt, report, nowMs);
      if (state === "missing" && report !== undefined) {
        before ??= counts.verify(host, periodText(period - 1)).then((found) => found?.report);
        const earlier = await before;
        if (earlier !== undefined) state = checkReceipt(one.receipt, report, earlier);
      }
      if (state === "missing") missing.push(alarmOf(one));
      if (state === "missing" || state === "open" || state === "sealed") settled.push(one.id);
    }
  }
  await store.transact("write", (tx) => {
    tx.put(checkedKey, encode(checkedCodec, { atMs: nowMs }));
    for (const id of settled) tx.put(settledPrefix + id, new Uint8Array([1]));
    for (const raised of missing) alarms.put(tx, raised);
  });
  for (const raised of missing) alarms.tell(raised);
}

/** Those whose half-year is over and that were not found yet. */
async function receiptsDue({ store, platform, own }: CountedWorld, nowMs: number): Promise<readonly Kept[]> {
  const { found, settled } = await store.transact("read", async (tx) => {
    const came: { readonly host: string; readonly ext: Uint8Array; readonly conversationId: string }[] = [];
    for (const { notice } of await loadNotices(tx))
      came.push({ host: own.host, ext: decode(deskNoticeCodec, notice).ext, conversationId: "" });
    for (const { host, answers, conversationId } of await loadReports(tx))
      for (const answer of answers) came.push({ host, ext: decode(reportAnswerCodec, answer).ext, conversationId });
    const done = await tx.scan({ prefix: settledPrefix });
    return { found: came, settled: new Set(done.map(([key]) => key.slice(settledPrefix.length))) };
  });
  const kept = new Map<string, Kept>();
  for (const { host, ext, conversationId } of found) {
    for (const receipt of decodeReceipts(ext)) {
      // Its record is the case's: with its place, and without, it is one.
      const id = toBase64Url(platform.sha256(encode(countReceiptCodec, { ...receipt, place: undefined })));
      // Of another host than told it, nothing is known.
      if (receipt.host !== host || settled.has(id) || nowMs < periodStartMs(receipt.period + 1)) continue;
      kept.set(id, { id, receipt, conversationId: conversationId === "" ? undefined : conversationId });
    }
  }
  return [...kept.values()].toSorted((a, b) => a.receipt.period - b.receipt.period).slice(0, heldAtOnce);
}

/** What the count says of a receipt whose half-year is over. */
function stateOf(receipt: CountReceipt, report: PeriodReport | undefined, nowMs: number): ReceiptState {
  // A half-year that is over and shown to nobody has nothing of it.
  if (report?.policy === undefined) return "missing";
  const state = checkReceipt(receipt, report);
  const isLate = report.opening === 0 && nowMs > openingDueMs(report.policy, receipt.period) + openingGraceMs;
  return isLate && (state === "waiting" || state === "counted") ? "missing" : state;
}

function alarmOf({ id, receipt, conversationId }: Kept): Raised {
  const message = `A case that you know of is missing in what ${receipt.host} counts in public for ${periodText(receipt.period)}.`;
  return {
    failure: { code: "case_not_counted", message, canRetry: false },
    conversationId,
    evidence: [encode(countReceiptCodec, receipt)],
    about: `counted ${id}`,
  };
}

function countsOf({ store, platform, connections, directory }: CountedWorld): PublicCounts {
  return createPublicCounts({ store, platform, connections, log: directory.log });
}
