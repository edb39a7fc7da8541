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

/** What a host counts is looked at again after so long. */
const againMs = 20 * 3_600_000;
/** An opening that is later than that does not come: what was promised for it was not counted. So much time has, too, who shows nothing of a half-year. */
const graceMs = 7 * 86_400_000;
/** Receipts of a host that one look takes on, the oldest half-years first; of more the next one does. */
const heldAtOnce = 200;
/** When a host's was looked at last, with its name. */
const checkedPrefix = "counts/checked/";
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
 * A host that is gone, or lies, holds up no other one, nor one half-year another.
 *
 * @param counts how half-years are verified; the host's own public record where it is absent
 * @throws ClientError the first of what could not be had, after all else was done: it is looked for again with the next look
 */
export async function lookForCounted(world: CountedWorld, counts: Pick<PublicCounts, "verify"> = countsOf(world)): Promise<void> {
  const { platform, clock } = world;
  const nowMs = platform.nowMs();
  // Nobody is accused by a clock of which nobody knows that it is right.
  if (!clock.isSure(nowMs)) return;
  const failures: unknown[] = [];
  for (const [host, due] of Map.groupBy(await receiptsDue(world, nowMs), ({ receipt }) => receipt.host)) {
    const found = await lookAtHost(counts, { host, due: due.slice(0, heldAtOnce), nowMs });
    await keep(world, { ...found, checked: found.failures.length === 0 ? { host, nowMs } : undefined });
    failures.push(...found.failures);
  }
  if (failures.length > 0) throw failures[0];
}

/** What a look at a host's half-years found. */
interface Looked {
  /** Of these nothing more is to be seen. */
  readonly settled: readonly string[];
  readonly missing: readonly Raised[];
  readonly failures: readonly unknown[];
}

async function lookAtHost(
  counts: Pick<PublicCounts, "verify">,
  { host, due, nowMs }: { host: string; due: readonly Kept[]; nowMs: number },
): Promise<Looked> {
  const found = { settled: [] as string[], missing: [] as Raised[], failures: [] as unknown[] };
  for (const [period, kept] of Map.groupBy(due, ({ receipt }) => receipt.period)) {
    try {
      const report = (await counts.verify(host, periodText(period)))?.report;
      // Looked at only where something is missing: it may have been counted earlier than it was promised.
      let before: Promise<PeriodReport | undefined> | undefined;
      for (const one of kept) {
        let state = stateOf(one.receipt, report, nowMs);
        if (state === "missing" && report !== undefined) {
          before ??= counts.verify(host, periodText(period - 1)).then((earlier) => earlier?.report);
          const earlier = await before;
          if (earlier !== undefined) state = checkReceipt(one.receipt, report, earlier);
        }
        if (state === "missing") found.missing.push(alarmOf(one));
        if (state === "missing" || state === "open" || state === "sealed") found.settled.push(one.id);
      }
    } catch (error) {
      found.failures.push(error);
    }
  }
  return found;
}

async function keep(
  { store, alarms }: CountedWorld,
  { settled, missing, checked }: Looked & { checked: { readonly host: string; readonly nowMs: number } | undefined },
): Promise<void> {
  await store.transact("write", (tx) => {
    if (checked !== undefined) tx.put(checkedPrefix + checked.host, encode(checkedCodec, { atMs: checked.nowMs }));
    for (const id of settled) tx.put(settledPrefix + id, new Uint8Array([1]));
    for (const raised of missing) alarms.put(tx, raised);
  });
  for (const raised of missing) alarms.tell(raised);
}

/** Those whose half-year is over and that were not found yet, the oldest first, of hosts that were not looked at just now. */
async function receiptsDue({ store, platform, own }: CountedWorld, nowMs: number): Promise<readonly Kept[]> {
  const { found, settled, checked } = await store.transact("read", async (tx) => {
    const came: { readonly host: string; readonly ext: Uint8Array; readonly conversationId: string }[] = [];
    for (const { notice } of await loadNotices(tx))
      came.push({ host: own.host, ext: decode(deskNoticeCodec, notice).ext, conversationId: "" });
    for (const { host, answers, conversationId } of await loadReports(tx))
      for (const answer of answers) came.push({ host, ext: decode(reportAnswerCodec, answer).ext, conversationId });
    const done = await tx.scan({ prefix: settledPrefix });
    const looked = await tx.scan({ prefix: checkedPrefix });
    const isRecent = (value: Uint8Array): boolean => Math.abs(nowMs - decode(checkedCodec, value).atMs) < againMs;
    return {
      found: came,
      settled: new Set(done.map(([key]) => key.slice(settledPrefix.length))),
      checked: new Set(looked.flatMap(([key, value]) => (isRecent(value) ? [key.slice(checkedPrefix.length)] : []))),
    };
  });
  const kept = new Map<string, Kept>();
  for (const { host, ext, conversationId } of found) {
    if (checked.has(host)) continue;
    for (const receipt of decodeReceipts(ext)) {
      // Its record is the case's: with its place, and without, it is one.
      const id = toBase64Url(platform.sha256(encode(countReceiptCodec, { ...receipt, place: undefined })));
      // Of another host than told it, nothing is known.
      if (receipt.host !== host || settled.has(id) || nowMs < periodStartMs(receipt.period + 1)) continue;
      kept.set(id, { id, receipt, conversationId: conversationId === "" ? undefined : conversationId });
    }
  }
  return [...kept.values()].toSorted((a, b) => a.receipt.period - b.receipt.period);
}

/** What the count says of a receipt whose half-year is over. */
function stateOf(receipt: CountReceipt, report: PeriodReport | undefined, nowMs: number): ReceiptState {
  // Of a half-year that is shown to nobody no opening has a day: it has nothing of it a week after its end.
  if (report?.policy === undefined) return nowMs > periodStartMs(receipt.period + 1) + graceMs ? "missing" : "waiting";
  const state = checkReceipt(receipt, report);
  const isLate = report.opening === 0 && nowMs > openingDueMs(report.policy, receipt.period) + graceMs;
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
