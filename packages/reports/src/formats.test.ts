import { describeCodec } from "@latchkey/testkit";
import { describe } from "vitest";
import {
  deskNoticeCodec,
  maxReportItems,
  reportAnswerCodec,
  reportCodec,
  reporterTbsCodec,
  reportPlaintextCodec,
  reportReceiptCodec,
} from "./index.ts";
import type { Complained, DeskNotice, Disclosure, Report, ReportAnswer, ReportItem, StatementOfReasons } from "./index.ts";

const id = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const id16 = (fill: number): Uint8Array => new Uint8Array(16).fill(fill);
const zeros = (size: number): Uint8Array => new Uint8Array(size);
const none = new Uint8Array(0);

const item: ReportItem = {
  role: "reported",
  context: 0,
  sender: { host: "chat.example", accountId: id(1), deviceId: id16(2) },
  signaturePublicKey: id(3),
  content: id(4),
  signature: zeros(64),
};
const complained: Complained = {
  kind: "report",
  accused: { host: "chat.example", accountId: id(1) },
  reason: "threat",
  words: "Look at this",
  contexts: [id(5)],
  items: [item],
  attachments: [{ item: 0, file: 0, form: "preview", mediaType: "image/webp", key: id(6), hash: id(7), sizeBytes: 4096 }],
  states: [{ accountId: id(1), states: [id(8)], pops: [id(9), id(10)] }],
  leftOut: 2,
};
const report: Report = { format: 1, reportId: id16(9), replySecret: id(10), body: complained, ext: none };
const { kind: _kind, accused: _accused, reason: _reason, ...evidence } = complained;
const appeal: Report = {
  ...report,
  body: { ...evidence, kind: "appeal", puid: "a-decision", report: { reportId: id16(9), replySecret: id(10) } },
};

const statement: StatementOfReasons = {
  kind: "statement",
  puid: "a-decision",
  sanction: "restrict",
  restrictions: ["tokens", "name-look-up"],
  decidedDay: 20_000,
  untilDay: 20_030,
  ground: {
    kind: "incompatible",
    basis: "Rule 3",
    explanation: "Threats",
    referenceUrl: "https://chat.example/terms",
    isAlsoIllegal: false,
  },
  facts: "Two messages threaten somebody.",
  category: "VIOLENCE",
  contentTypes: ["TEXT"],
  territory: ["DE", "FR"],
  source: "notice",
  isAutomatedDetection: false,
  isAutomatedDecision: false,
  messageIds: [id(1), id(2)],
  appealUntilDay: 20_184,
};
const notice: DeskNotice = { format: 1, noticeId: id16(1), host: "chat.example", accountId: id(2), body: statement, ext: none };
const disclosure: Disclosure = {
  kind: "disclosure",
  puid: "AAAAAAAAAAAAAAAAAAAAAA",
  authority: "Staatsanwaltschaft Berlin",
  country: "DE",
  reference: "241 Js 100/26",
  basis: "Regulation (EU) 2023/1543, Art. 5",
  receivedDay: 20_000,
  releasedDay: 20_010,
  asOfDay: 20_000,
  isPreserved: true,
  categories: ["subscriber", "traffic"],
  fromDay: 0,
  toDay: 19_999,
  sha256: id(7),
  sizeBytes: 4096,
  secretUntilDay: 20_100,
  rule: "two-staff",
};
const answer: ReportAnswer = { format: 1, reportId: id16(1), day: 20_000, outcome: { kind: "received" }, ext: none };

describe("[V-2] a report is bounded and has one encoding", () => {
  describeCodec("reportCodec", reportCodec, {
    samples: [report, appeal, { ...appeal, body: { ...evidence, kind: "appeal", puid: "another", report: undefined } }],
    frozen: "sha256:cbe6f97ed44f39c84ff571098c1116bff2b11eddc4b25f2c98858bda33a74427",
    overLimit: {
      "201 messages": { ...report, body: { ...complained, items: Array.from({ length: maxReportItems + 1 }, () => item) } },
      "words above 8 KiB": { ...report, body: { ...complained, words: "x".repeat(8193) } },
      "a message above 128 KiB": { ...report, body: { ...complained, items: [{ ...item, content: zeros(131_073) }] } },
      "eleven attachments": {
        ...report,
        body: { ...complained, attachments: Array.from({ length: 11 }, () => ({ ...complained.attachments[0]! })) },
      },
    },
  });

  describeCodec("reportPlaintextCodec", reportPlaintextCodec, {
    samples: [
      { report: id(1), reporter: { kind: "unnamed" } },
      {
        report: id(1),
        reporter: { kind: "device", host: "chat.example", accountId: id(1), deviceId: id16(2), signature: zeros(64) },
      },
    ],
    frozen: "20010101010101010101010101010101010101010101010101010101010101010101",
    overLimit: { "no report": { report: none, reporter: { kind: "unnamed" } } },
  });

  describeCodec("reporterTbsCodec", reporterTbsCodec, {
    samples: [{ hash: id(1), host: "chat.example", accountId: id(2), deviceId: id16(3) }],
    frozen:
      "01010101010101010101010101010101010101010101010101010101010101010c636861742e6578616d706c65020202020202020202020202020202020202020202020202020202020202020203030303030303030303030303030303",
    overLimit: { "a hash of 31 bytes": { hash: zeros(31), host: "chat.example", accountId: id(2), deviceId: id16(3) } },
  });
});

describe("[V-3] [V-4] receipts and answers are bounded and have one encoding", () => {
  describeCodec("reportReceiptCodec", reportReceiptCodec, {
    samples: [{ format: 1, reportId: id16(1), reportHash: id(2), day: 20_000, ext: none }],
    frozen: "000101010101010101010101010101010101020202020202020202020202020202020202020202020202020202020202020200004e2000",
    overLimit: { "an id of 15 bytes": { format: 1, reportId: zeros(15), reportHash: id(2), day: 1, ext: none } },
  });

  describeCodec("reportAnswerCodec", reportAnswerCodec, {
    samples: [
      answer,
      { ...answer, outcome: { kind: "refused", words: "It could not be opened." } },
      { ...answer, outcome: { kind: "decided", puid: "a-decision", isActedOn: true, words: "Thanks", appealUntilDay: 20_184 } },
      { ...answer, outcome: { kind: "appeal-decided", puid: "a-decision", outcome: "replaced", words: "" } },
    ],
    frozen: "00010101010101010101010101010101010100004e200100",
    overLimit: { "words above 4000 characters": { ...answer, outcome: { kind: "refused", words: "x".repeat(16_001) } } },
  });
});

describe("[V-5] [F-8] a notice of the desk is bounded and has one encoding", () => {
  describeCodec("deskNoticeCodec", deskNoticeCodec, {
    samples: [
      notice,
      { ...notice, body: { kind: "appeal-decided", puid: "a-decision", outcome: "reversed", decidedDay: 20_040, words: "It was a joke." } },
      { ...notice, body: disclosure },
    ],
    frozen: "sha256:82de0803bb0d9fe5af472cf974c98930e8a192e6954c9035ffb011e9bfae208c",
    overLimit: {
      "201 messages": { ...notice, body: { ...statement, messageIds: Array.from({ length: 201 }, () => id(1)) } },
      "a country of three letters": { ...notice, body: { ...statement, territory: ["DEU"] } },
      "an authority above 200 characters": { ...notice, body: { ...disclosure, authority: "x".repeat(801) } },
      "five categories": { ...notice, body: { ...disclosure, categories: Array.from({ length: 5 }, () => "traffic" as const) } },
      "a hash of 31 bytes": { ...notice, body: { ...disclosure, sha256: zeros(31) } },
      "facts above 5000 characters": { ...notice, body: { ...statement, facts: "x".repeat(20_001) } },
    },
  });
});
