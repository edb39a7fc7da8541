import type { Client, Notice, ReportLine, ReportPreview, SentReport } from "@latchkey/client";
import { people } from "./sample-data.ts";

const day = 20_780;
const atMs = day * 86_400_000;

/** A statement of reasons as somebody gets it. */
const statement: Notice = {
  noticeId: "n1",
  receivedAtMs: atMs,
  isRead: true,
  puid: "f3a9",
  body: {
    kind: "statement",
    sanction: "restrict",
    restrictions: ["tokens", "name-look-up"],
    decidedDay: day,
    untilDay: day + 30,
    ground: {
      kind: "incompatible",
      basis: "Terms of use, no. 3",
      explanation: "Advertising that nobody asked for.",
      referenceUrl: "https://chat.example/terms",
      isAlsoIllegal: false,
    },
    facts: "Messages 1 and 2 advertise a shop to people who had not asked.",
    category: "SCAMS_AND_FRAUD",
    contentTypes: ["TEXT"],
    territory: [],
    isAutomatedDetection: false,
    isAutomatedDecision: false,
    messageIds: [],
    appealUntilDay: 60_000,
  },
};

/** What somebody is told who was asked for. */
const disclosure: Notice = {
  noticeId: "n2",
  receivedAtMs: atMs,
  isRead: true,
  puid: "b7c1",
  body: {
    kind: "disclosure",
    authority: "Staatsanwaltschaft Berlin",
    country: "DE",
    reference: "241 Js 100/26",
    basis: "Regulation (EU) 2023/1543, Art. 5",
    receivedDay: day - 40,
    releasedDay: day - 30,
    asOfDay: day - 40,
    isPreserved: true,
    categories: ["subscriber", "traffic"],
    fromDay: 0,
    toDay: day - 40,
    sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    sizeBytes: 24_576,
    secretUntilDay: day - 2,
    rule: "two-staff",
  },
};

type Reports = Pick<
  Client,
  "previewReport" | "report" | "takesReports" | "reports" | "notices" | "readNotice" | "previewAppeal" | "appeal"
>;

const noFiles = { filesWaiting: 0, filesLost: 0 };

/** Reports that go nowhere, and what was decided about them. */
export function createFakeReports(later: () => Promise<void>): Reports {
  const sent: SentReport[] = [
    {
      reportId: "r1",
      kind: "report",
      host: "chat.example",
      accused: people.ben,
      madeAtMs: atMs,
      status: { kind: "decided", day, isActedOn: true, words: "Thank you for telling us.", appealUntilDay: 60_000 },
      ...noFiles,
    },
  ];
  const made = (kind: SentReport["kind"]): SentReport => {
    const report: SentReport = {
      reportId: `r${sent.length + 1}`,
      kind,
      host: "chat.example",
      madeAtMs: atMs,
      status: { kind: "waiting" },
      ...noFiles,
    };
    sent.unshift(report);
    return report;
  };
  return {
    async previewReport(_conversationId, { messageIds, contextIds = [], reason, words = "", isAnonymous = false }) {
      await later();
      const line = (messageId: string, role: ReportLine["role"]): ReportLine => ({
        messageId,
        role,
        author: people.ben,
        text: `What stands in ${messageId}`,
        saysAtMs: atMs,
        gapBefore: role === "reported" ? 2 : 0,
        carries: ["name"],
        files: [],
        claims: [{ claim: "signed", verdict: "proved" }],
      });
      const preview: ReportPreview = {
        host: "chat.example",
        accused: people.ben,
        lines: [...contextIds.map((id) => line(id, "context")), ...messageIds.map((id) => line(id, "reported"))],
        unproven: [],
        namesReporter: !isAnonymous,
        words,
        reason,
        fingerprint: "f1",
        sizeBytes: 4096,
      };
      return preview;
    },
    async report() {
      await later();
      return made("report");
    },
    takesReports: async () => "yes",
    reports: async () => [...sent],
    notices: async () => [disclosure, statement],
    async readNotice() {
      await later();
    },
    previewAppeal: async () => [],
    async appeal() {
      await later();
      return made("appeal");
    },
  };
}
