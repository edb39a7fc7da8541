import { bool, opaque, safeUint64, struct, text, uint32, uint8, variant, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import {
  approvalRules,
  dataCategories,
  decisionLimits,
  dsaCategories,
  dsaContentTypes,
  requestLimits,
  restrictions,
} from "@latchkey/protocol/desk";
import type {
  AppealOutcome,
  ApprovalRule,
  DataCategory,
  DecisionGround,
  DsaCategory,
  DsaContentType,
  Restriction,
} from "@latchkey/protocol/desk";
import { extCodec, formatOne, hostCodec, id32 } from "@latchkey/protocol";
import { maxReportItems } from "./report.ts";
import { numbered } from "./names.ts";

/** Kinds of what is decided against an account. */
export const sanctionKinds = ["warn", "restrict", "suspend"] as const;
/** What becomes of an appeal. */
export const appealOutcomes: readonly AppealOutcome[] = ["upheld", "reversed", "replaced"];

/** On what a decision rests; "" where the rule cannot be read anywhere. */
export type NoticeGround = Required<DecisionGround>;

/** A decision against an account, told to it with everything that DSA Art. 17 asks for (spec V-5). */
export interface StatementOfReasons {
  readonly kind: "statement";
  /** Random name of the decision: an appeal names it. */
  readonly puid: string;
  readonly sanction: (typeof sanctionKinds)[number];
  /** Of `restrict` only. */
  readonly restrictions: readonly Restriction[];
  readonly decidedDay: number;
  /** First day on which it does not hold any more; 0 of a warning. Days since 1970. */
  readonly untilDay: number;
  readonly ground: NoticeGround;
  readonly facts: string;
  readonly category: DsaCategory;
  readonly contentTypes: readonly DsaContentType[];
  /** Countries in which it applies; empty for everywhere. */
  readonly territory: readonly string[];
  /** What made the desk look: somebody's report. */
  readonly source: "notice";
  /** Whether software found it, or decided: never here (F-4), and said in every statement. */
  readonly isAutomatedDetection: boolean;
  readonly isAutomatedDecision: boolean;
  /** Ids of the proved messages that it rests on (`messageIdOf`): the accused's own client shows its copies. */
  readonly messageIds: readonly Uint8Array[];
  /** Last day on which one may appeal. */
  readonly appealUntilDay: number;
}

/** What became of an appeal, by either side, told to the accused; of `replaced` the statement of the new decision comes too. */
export interface AppealDecided {
  readonly kind: "appeal-decided";
  readonly puid: string;
  readonly outcome: AppealOutcome;
  readonly decidedDay: number;
  /** Why. */
  readonly words: string;
}

/**
 * What was given out about an account upon a request of an authority (rule F-8): who asked, by what law, for what, and what they got. Which
 * other accounts were asked for is told to nobody.
 */
export interface Disclosure {
  readonly kind: "disclosure";
  /** Random name of the release. */
  readonly puid: string;
  readonly authority: string;
  /** Two letters. */
  readonly country: string;
  /** The authority's own file number. */
  readonly reference: string;
  readonly basis: string;
  /** Days since 1970: when it was asked, when it went out, and of which day it is. */
  readonly receivedDay: number;
  readonly releasedDay: number;
  readonly asOfDay: number;
  /** It is a copy that was kept when the request came. */
  readonly isPreserved: boolean;
  readonly categories: readonly DataCategory[];
  /** For which days it was asked, both counted; 0 for any. */
  readonly fromDay: number;
  readonly toDay: number;
  /** What was given about this account: its hash and size. */
  readonly sha256: Uint8Array;
  readonly sizeBytes: number;
  /** The desk was not allowed to tell before; the last day of that, or 0. */
  readonly secretUntilDay: number;
  readonly rule: ApprovalRule;
}

/** What the desk tells an account: body of an inbox item of kind 7, signed under the label "DeskNotice" (spec V-5). */
export interface DeskNotice {
  readonly format: 1;
  /** Random: the same notice lies in the inbox of each of the account's devices. */
  readonly noticeId: Uint8Array;
  /** To whom: who gets another's notice drops it. */
  readonly host: string;
  readonly accountId: Uint8Array;
  readonly body: StatementOfReasons | AppealDecided | Disclosure;
  readonly ext: Uint8Array;
}

const puidCodec = text(64);
/** Texts are limited in characters where they are written: four bytes for each here. */
const characters = (limit: number): Codec<string> => text(4 * limit);

const groundCodec: Codec<NoticeGround> = struct<NoticeGround>({
  kind: numbered(["illegal", "incompatible"]),
  basis: characters(decisionLimits.basis),
  explanation: characters(decisionLimits.explanation),
  referenceUrl: characters(decisionLimits.reference),
  isAlsoIllegal: bool,
});

const statementCodec: Codec<Omit<StatementOfReasons, "kind">> = struct<Omit<StatementOfReasons, "kind">>({
  puid: puidCodec,
  sanction: numbered(sanctionKinds),
  restrictions: vector(numbered(restrictions), { maxBytes: restrictions.length }),
  decidedDay: uint32,
  untilDay: uint32,
  ground: groundCodec,
  facts: characters(decisionLimits.facts),
  category: numbered(dsaCategories),
  contentTypes: vector(numbered(dsaContentTypes), { maxBytes: dsaContentTypes.length }),
  territory: vector(text(2), { maxBytes: 3 * decisionLimits.territory }),
  source: numbered(["notice"]),
  isAutomatedDetection: bool,
  isAutomatedDecision: bool,
  messageIds: vector(id32, { maxBytes: 32 * maxReportItems }),
  appealUntilDay: uint32,
});

const disclosureCodec: Codec<Omit<Disclosure, "kind">> = struct<Omit<Disclosure, "kind">>({
  puid: puidCodec,
  authority: characters(requestLimits.name),
  country: text(2),
  reference: characters(requestLimits.line),
  basis: characters(requestLimits.line),
  receivedDay: uint32,
  releasedDay: uint32,
  asOfDay: uint32,
  isPreserved: bool,
  categories: vector(numbered(dataCategories), { maxBytes: dataCategories.length }),
  fromDay: uint32,
  toDay: uint32,
  sha256: id32,
  sizeBytes: safeUint64,
  secretUntilDay: uint32,
  rule: numbered(approvalRules),
});

/** Codec of `DeskNotice` (spec V-5). */
export const deskNoticeCodec: Codec<DeskNotice> = struct<DeskNotice>({
  format: formatOne,
  noticeId: opaque(16),
  host: hostCodec,
  accountId: id32,
  body: variant<DeskNotice["body"]>(uint8, {
    statement: [1, statementCodec],
    "appeal-decided": [
      2,
      struct<Omit<AppealDecided, "kind">>({
        puid: puidCodec,
        outcome: numbered(appealOutcomes),
        decidedDay: uint32,
        words: characters(decisionLimits.note),
      }),
    ],
    disclosure: [3, disclosureCodec],
  }),
  ext: extCodec,
});
