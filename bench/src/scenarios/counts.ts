import { defaultPolicy, openingDueMs, verifyCountLog, verifyPeriod } from "@latchkey/counts";
import { createCountedPeriod, recordOf } from "@latchkey/counts/testing";
import type { Scenario } from "../scenario.ts";
import { summarize } from "../statistics.ts";

const period = 4053;
const cases = 60;
const secret = 7;

/** What a reader of `/transparency` computes for a half-year, without the network: the log's values, and every slot. */
export const counts: Scenario = {
  name: "counts",
  summary: "A half-year counted in public, daily, eight slots, 60 cases: proved in the log and opened",
  async run({ isQuick }) {
    const counted = await createCountedPeriod({
      period,
      cases: Array.from({ length: cases }, (_, at) => ({
        record: recordOf(at, { code: at % 2 === 0 ? "DE" : "FR" }),
        isSecret: at < secret,
        batch: at * 3,
        ...(at < secret ? {} : { country: at % 2 === 0 ? "DE" : "FR" }),
      })),
    });
    const opening = await counted.announce(counted.opening);
    const [log, tree] = [counted.log(), await counted.tree()];
    const { host } = counted.directory;
    const nowMs = openingDueMs(defaultPolicy({ period, firstBatch: 0 }), period) + 3_600_000;
    const [proofs, slots, wholes]: [number[], number[], number[]] = [[], [], []];
    for (let round = 0; round < (isQuick ? 5 : 50); round++) {
      const begun = performance.now();
      const values = await verifyCountLog(log, tree);
      const provedAt = performance.now();
      const report = verifyPeriod({ host, period, values, opening, nowMs });
      const doneAt = performance.now();
      if (report.findings.length > 0 || report.arrivals.length !== cases - secret) throw new Error("an honest half-year does not hold");
      proofs.push(provedAt - begun);
      slots.push(doneAt - provedAt);
      wholes.push(doneAt - begun);
    }
    return {
      parameters: { batches: counted.batches.length, slots: 8, cases, secret, openingBytes: opening.length, logBytes: log.length },
      figures: [
        { name: "values in the log", unit: "ms", ...summarize(proofs) },
        { name: "slots", unit: "ms", ...summarize(slots) },
        { name: "verify", unit: "ms", target: 300, ...summarize(wholes) },
        { name: "opening", unit: "KiB", target: 100, ...summarize([opening.length / 1024]) },
      ],
    };
  },
};
