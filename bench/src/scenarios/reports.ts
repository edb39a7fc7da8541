import { encode } from "@latchkey/codec";
import { openReport, reportCodec, sealReport, verifyReport } from "@latchkey/reports";
import { random, reportOf, suite, Talk, talker, viewOf } from "@latchkey/reports/testing";
import type { ItemRole } from "@latchkey/reports";
import type { SaidItem } from "@latchkey/reports/testing";
import type { Scenario } from "../scenario.ts";
import { summarize } from "../statistics.ts";

const messages = 50;

/** What the desk does with a report of 50 messages: open it, and judge every claim. */
export const reports: Scenario = {
  name: "reports",
  summary: "A report of 50 messages: opened with the desk's key, every signature, account, place and gap judged",
  async run({ isQuick }) {
    const [mal, ada, ben] = [await talker("mal"), await talker("ada"), await talker("ben")];
    const talk = await Talk.begin(mal, [ada, ben]);
    const said: [ItemRole, SaidItem][] = [];
    for (let count = 0; count < messages; count++) {
      if (count === messages / 2) await talk.nextEpoch(ada);
      const by = [mal, ada, ben][count % 3] ?? mal;
      said.push([by === mal ? "reported" : "context", await talk.say(by, `line ${String(count)} ${"of what was said ".repeat(10)}`)]);
    }
    const report = reportOf(mal, said);
    const desk = await suite.deriveKemKeyPair(random(32));
    const plaintext = { report: encode(reportCodec, report), reporter: { kind: "unnamed" as const } };
    const sealing = { suite, random, desk: { encryptionKey: desk.publicKey }, plaintext, reportId: report.reportId, attachments: [] };
    const [seals, opens, verifies]: [number[], number[], number[]] = [[], [], []];
    for (let round = 0; round < (isQuick ? 5 : 50); round++) {
      const begun = performance.now();
      const sealed = await sealReport(sealing);
      const sealedAt = performance.now();
      const opened = await openReport({ suite, keys: desk, sealed });
      const openedAt = performance.now();
      const verified = await verifyReport(opened, new Map(), viewOf([mal, ada, ben]));
      const doneAt = performance.now();
      const isRight =
        verified.items.length === messages && verified.items.every(({ verdicts }) => verdicts.every((one) => one.verdict === "proved"));
      if (!isRight) throw new Error("not everything was proved");
      seals.push(sealedAt - begun);
      opens.push(openedAt - sealedAt);
      verifies.push(doneAt - openedAt);
    }
    return {
      parameters: { messages, authors: 3, epochs: 2, reportBytes: plaintext.report.length },
      figures: [
        { name: "seal", unit: "ms", ...summarize(seals) },
        { name: "open", unit: "ms", ...summarize(opens) },
        { name: "verify", unit: "ms", target: 100, ...summarize(verifies) },
      ],
    };
  },
};
