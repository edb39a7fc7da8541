import { encode } from "@latchkey/codec";
import { encodeOpening, encodeReceipts, openingDueMs, parsePeriod, periodStartMs, verifyCountLog, verifyPeriod } from "@latchkey/counts";
import type { CountReceipt, Opening } from "@latchkey/counts";
import { createCountedPeriod, recordOf } from "@latchkey/counts/testing";
import type { CountedPeriod } from "@latchkey/counts/testing";
import { deskNoticeCodec, reportAnswerCodec } from "@latchkey/reports";
import { sha256 } from "@noble/hashes/sha2.js";
import { beforeAll, describe, expect, test } from "vitest";
import type { Raised } from "../directory/alarms.ts";
import { offlineError } from "../errors.ts";
import { noticeKey, putReport, storedNoticeCodec } from "../reports/stored.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import { lookForCounted } from "./kept-receipts.ts";
import type { CountedWorld } from "./kept-receipts.ts";
import type { VerifiedHalfYear } from "./public-counts.ts";

const period = 4053;
const dayMs = 86_400_000;
const none = new Uint8Array();
let counted: CountedPeriod;
let opening: Uint8Array;
/** The half-year after it, in which nothing is counted. */
let later: CountedPeriod;
let laterOpening: Uint8Array;
const openedMs = (): number => openingDueMs(counted.policy, period) + 3_600_000;

beforeAll(async () => {
  counted = await createCountedPeriod({
    period,
    policy: { everyDays: 7, slots: 8, sealed: 2 },
    cases: [
      { record: recordOf(0), isSecret: false, batch: 1 },
      { record: recordOf(1, { secrecy: { kind: "open" } }), isSecret: true, batch: 2 },
      { record: recordOf(2), isSecret: false, batch: 3 },
    ],
  });
  opening = await counted.announce(counted.opening);
  later = await createCountedPeriod({ period: period + 1, policy: { everyDays: 7, slots: 8, sealed: 2 }, cases: [] });
  laterOpening = await later.announce(later.opening);
});

/** A device that was told of these, the answers by another host where it is named, and what it says then. */
async function device(told: {
  readonly notice?: readonly CountReceipt[];
  readonly answer?: readonly CountReceipt[];
  readonly answerHost?: string;
}): Promise<{
  readonly raised: Raised[];
  readonly asked: string[];
  look(nowMs: number, shown?: { opening?: Uint8Array; isSure?: boolean; isHidden?: boolean; dead?: string }): Promise<void>;
}> {
  const { host } = counted.directory;
  const store = createMemoryStore();
  const body = { kind: "appeal-decided", puid: "p", outcome: "upheld", decidedDay: 1, words: "" } as const;
  const notice = encode(deskNoticeCodec, {
    format: 1,
    noticeId: new Uint8Array(16),
    host,
    accountId: new Uint8Array(32),
    body,
    ext: encodeReceipts(told.notice ?? []),
  });
  const answer = encode(reportAnswerCodec, {
    format: 1,
    reportId: new Uint8Array(16),
    day: 1,
    outcome: { kind: "received" },
    ext: encodeReceipts(told.answer ?? []),
  });
  await store.transact("write", (tx) => {
    tx.put(noticeKey("n"), encode(storedNoticeCodec, { receivedAtMs: 1, isRead: true, notice }));
    putReport(tx, {
      kind: "report",
      reportId: new Uint8Array(16),
      replySecret: new Uint8Array(32),
      host: told.answerHost ?? host,
      accused: new Uint8Array(32),
      conversationId: "talk",
      madeAtMs: 1,
      sealed: none,
      reportHash: new Uint8Array(32),
      deskKey: new Uint8Array(32),
      receipt: none,
      receiptDay: 0,
      answers: [answer],
      fetched: 1,
      refusal: undefined,
    });
  });
  const raised: Raised[] = [];
  const asked: string[] = [];
  return {
    raised,
    asked,
    async look(nowMs, { opening: shown = opening, isSure = true, isHidden = false, dead } = {}) {
      const world = {
        store,
        platform: { nowMs: () => nowMs, sha256 },
        own: { host },
        clock: { isSure: () => isSure },
        alarms: { put: () => undefined, tell: (one: Raised) => raised.push(one) },
      } as unknown as CountedWorld;
      await lookForCounted(world, {
        async verify(of, text) {
          asked.push(text);
          if (dead === of || dead === text) throw offlineError();
          const named = parsePeriod(text);
          const one = named === period ? counted : later;
          if (isHidden || named === undefined || named !== one.policy.period) return undefined;
          const bytes = named === period ? shown : laterOpening;
          const values = await verifyCountLog(one.log(), await one.tree());
          const report = verifyPeriod({ host: of, period: named, values, opening: bytes.length === 0 ? undefined : bytes, nowMs });
          return { report } as VerifiedHalfYear;
        },
      });
    },
  };
}

describe("receipts that came with notices and answers", () => {
  test("[K-5] of a case that was counted nothing is said, and it is not looked for again; nothing is asked before its half-year is over", async () => {
    const { raised, asked, look } = await device({ notice: [counted.receipt(0, false)], answer: [counted.receipt(1, false)] });
    await look(periodStartMs(period + 1) - 1);
    expect(asked).toEqual([]);
    await look(openedMs());
    expect(asked).toEqual(["2026-2"]);
    await look(openedMs() + dayMs);
    expect(asked).toEqual(["2026-2"]);
    expect(raised).toEqual([]);
  });

  test("[K-5] one that is missing is told, with the receipt as evidence and the conversation of the report, once", async () => {
    const missing = { ...counted.receipt(0, false), salt: new Uint8Array(32).fill(9) };
    const { raised, look } = await device({ notice: [counted.receipt(2, false)], answer: [missing] });
    await look(openedMs());
    await look(openedMs() + dayMs);
    expect(raised).toMatchObject([{ failure: { code: "case_not_counted" }, conversationId: "talk" }]);
    expect(raised[0]?.evidence?.[0]?.length).toBeGreaterThan(50);
  });

  test("[K-5] a case that was altered, and one that came later than it was promised, are missing, too", async () => {
    const late = { ...counted.receipt(2, false), batch: 2 };
    const altered = { ...counted.receipt(0, false), record: counted.receipt(2).record };
    const { raised, look } = await device({ notice: [late, altered] });
    await look(openedMs());
    expect(raised).toHaveLength(2);
  });

  test("[K-5] [E-251] a half-year that is shown to nobody a week after its end, or not opened a week after its day, has nothing; until then it is waited for", async () => {
    const receipts = { notice: [counted.receipt(0, false)] };
    const hidden = await device(receipts);
    for (const laterMs of [0, dayMs, 7 * dayMs]) await hidden.look(periodStartMs(period + 1) + laterMs, { isHidden: true });
    expect([hidden.asked.length, hidden.raised]).toEqual([3, []]);
    await hidden.look(periodStartMs(period + 1) + 8 * dayMs, { isHidden: true });
    expect(hidden.raised).toHaveLength(1);
    const waiting = await device(receipts);
    await waiting.look(openedMs(), { opening: none });
    expect(waiting.raised).toEqual([]);
    await waiting.look(openedMs() + 8 * dayMs, { opening: none });
    expect(waiting.raised).toHaveLength(1);
  });

  test("[K-5] what was counted in the half-year before it was promised for is counted", async () => {
    const { raised, asked, look } = await device({ notice: [{ ...counted.receipt(0, false), period: period + 1, batch: 1 }] });
    const nowMs = openingDueMs(later.policy, period + 1) + 3_600_000;
    await look(nowMs);
    expect([asked, raised]).toEqual([["2027-1", "2026-2"], []]);
    const missing = await device({ notice: [{ ...counted.receipt(0, false), period: period + 1, salt: new Uint8Array(32) }] });
    await missing.look(nowMs);
    expect(missing.raised).toHaveLength(1);
  });

  test("[K-5] a host that is gone holds up no other one, and is asked again with the next look; nor does one half-year hold up another", async () => {
    const missing = { ...counted.receipt(0, false), salt: new Uint8Array(32).fill(9) };
    const answerHost = "gone.example";
    const nowMs = openingDueMs(later.policy, period + 1) + 3_600_000;
    const two = await device({ notice: [missing], answer: [{ ...missing, host: answerHost, period: period - 1 }], answerHost });
    await expect(two.look(nowMs, { dead: answerHost })).rejects.toMatchObject({ code: "offline" });
    expect(two.raised).toHaveLength(1);
    const before = two.asked.length;
    await expect(two.look(nowMs + 3_600_000, { dead: answerHost })).rejects.toMatchObject({ code: "offline" });
    expect(two.asked.slice(before)).toEqual(["2026-1"]);
    const one = await device({ notice: [{ ...missing, period: period - 1 }, missing] });
    await expect(one.look(nowMs, { dead: "2026-1" })).rejects.toMatchObject({ code: "offline" });
    expect(one.asked).toContain("2026-2");
  });

  test("[K-5] by a clock that nobody bears out nobody is accused, and a receipt of another host says nothing", async () => {
    const missing = { ...counted.receipt(0, false), salt: new Uint8Array(32).fill(9) };
    const doubted = await device({ notice: [missing] });
    await doubted.look(openedMs(), { isSure: false });
    expect(doubted.asked).toEqual([]);
    const foreign = await device({ notice: [{ ...missing, host: "other.example" }] });
    await foreign.look(openedMs());
    expect([foreign.asked, foreign.raised]).toEqual([[], []]);
  });

  test("[K-5] an opening that leaves the case out where it was is no excuse", async () => {
    const [, second, ...rest] = counted.opening.batches;
    const emptied: Opening = { ...counted.opening, batches: [counted.opening.batches[0], undefined, ...rest] };
    expect(second).toBeDefined();
    const { raised, look } = await device({ notice: [counted.receipt(0, false)] });
    await look(openedMs(), { opening: encodeOpening(emptied) });
    expect(raised).toHaveLength(1);
  });
});
