import type { CaseDetail, CaseSummary, DecisionRecord } from "@latchkey/client/desk";

const day = 20_780;
const atMs = day * 86_400_000 + 36_000_000;

/** A case of the queue. */
export function caseSummary(change: Partial<CaseSummary> = {}): CaseSummary {
  return {
    number: 12,
    revision: 3,
    state: "new",
    openedDay: day,
    newestDay: day,
    reports: 1,
    reasons: ["threat"],
    messages: 4,
    proved: 3,
    sameConversation: [],
    sameAccused: [],
    ...change,
  };
}

/** A decision that stands. */
export function decisionRecord(change: Partial<DecisionRecord> = {}): DecisionRecord {
  return {
    puid: "f3a9",
    kind: "restrict",
    restrictions: ["tokens", "invitations"],
    days: 30,
    ground: { kind: "incompatible", basis: "Terms, no. 3", explanation: "Threats are not allowed." },
    facts: "Message 2 threatens the reader.",
    category: "CYBER_VIOLENCE",
    contentTypes: ["TEXT"],
    territory: [],
    toReporter: "Thank you.",
    atMs,
    by: "Ada",
    untilDay: day + 30,
    contentDay: day,
    source: "notice",
    isAutomatedDetection: false,
    automatedDecision: "NOT_AUTOMATED",
    appealUntilDay: day + 184,
    state: "stands",
    ...change,
  };
}

/** A case with everything that one can have. */
export function caseDetail(change: Partial<CaseDetail> = {}): CaseDetail {
  return {
    ...caseSummary({ sameAccused: [3], sameConversation: [9, 11] }),
    accused: { host: "chat.example", username: "mallory", restricted: [{ what: "tokens", untilDay: day + 10 }] },
    received: [
      {
        arrivedDay: day,
        reason: "threat",
        words: "They wrote this after I said no.",
        reporter: "account",
        verdicts: [
          { claim: "reporter", verdict: "proved" },
          { claim: "accused", verdict: "not-proved", why: "not every message is proved" },
          { claim: "time", verdict: "not-proved", why: "clocks are their owners' word" },
        ],
      },
    ],
    items: [
      {
        number: 1,
        author: "reporter",
        role: "context",
        text: "No, thank you.",
        saysAtMs: atMs,
        gapBefore: 0,
        verdicts: [
          { claim: "signed", verdict: "proved" },
          { claim: "author", verdict: "proved" },
        ],
        attachments: [],
      },
      {
        number: 2,
        author: "accused",
        role: "reported",
        text: "I know where you live, and <b>I will come</b> tonight.",
        saysAtMs: atMs + 60_000,
        gapBefore: 2,
        verdicts: [
          { claim: "signed", verdict: "proved" },
          { claim: "author", verdict: "proved" },
          { claim: "order", verdict: "proved" },
        ],
        attachments: [1],
      },
      {
        number: 3,
        author: "accused",
        role: "edit",
        about: 2,
        text: "See you.",
        saysAtMs: atMs + 120_000,
        gapBefore: -1,
        verdicts: [
          { claim: "signed", verdict: "contradicted", why: "the signature is wrong" },
          { claim: "author", verdict: "not-proved", why: "nothing is proved to be signed" },
        ],
        attachments: [],
      },
      { number: 4, author: "other-1", role: "reaction", text: "👍", gapBefore: 0, verdicts: [], attachments: [] },
    ],
    attachments: [{ number: 1, mediaType: "image/png", sizeBytes: 90_000, verdict: "proved" }],
    decisions: [],
    appeals: [],
    timeline: [
      { atMs, kind: "report" },
      { atMs: atMs + 1000, kind: "taken", by: "Ada" },
      { atMs: atMs + 2000, kind: "note", by: "Ada", text: "Looks like the one of last week." },
    ],
    mayDecide: true,
    mayDecideAppeal: false,
    ...change,
  };
}
