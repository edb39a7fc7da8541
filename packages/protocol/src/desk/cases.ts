import type { DecisionRecord, Restriction } from "./decisions.ts";

/** Where a case stands: `new` nobody has taken, `taken` somebody works on, `decided`, `appealed` waits for another person, `closed` nothing can come any more. */
export type CaseState = "new" | "taken" | "decided" | "appealed" | "closed";

/** A case in the queue. */
export interface CaseSummary {
  /** Shown to staff, counted from 1. Who has it and no session gets nothing by it. */
  readonly number: number;
  /** Counts changes: what one read and decides on is named by it, so that of two people one decides. */
  readonly revision: number;
  readonly state: CaseState;
  /** Day of the first report, in days since 1970. */
  readonly openedDay: number;
  /** Day of the newest. */
  readonly newestDay: number;
  /** Reports in it. Shown, and decides nothing (rule F-4). */
  readonly reports: number;
  /** What the reporters chose, each once. */
  readonly reasons: readonly string[];
  /** Name of the staff who took it. */
  readonly takenBy?: string;
  /** Messages in evidence, and how many of them are proved to be the accused's. */
  readonly messages: number;
  readonly proved: number;
  /** Same conversation as in these cases. */
  readonly sameConversation: readonly number[];
  /** Open and decided cases about the same account. */
  readonly sameAccused: readonly number[];
}

/** What became of one claim of a report when it was verified. */
export interface ClaimVerdict {
  readonly claim: string;
  readonly verdict: "proved" | "not-proved" | "contradicted";
  /** In a few words, without ids. */
  readonly why?: string;
}

/** Who wrote a message, as the desk may know it: the accused, who reported, or others, who are counted and not named. */
export type ItemAuthor = "accused" | "reporter" | `other-${number}`;

/** A message in evidence. */
export interface CaseItem {
  /** Counted from 1 within the case: what a statement of reasons names. */
  readonly number: number;
  readonly author: ItemAuthor;
  readonly role: "reported" | "context" | "edit" | "delete" | "reaction";
  /** Of an edit, deletion or reaction: the number of the message that it is about; absent where that was not enclosed. */
  readonly about?: number;
  /** What was written; absent of what has no text. */
  readonly text?: string;
  /** What the sender's clock said, in milliseconds since 1970. */
  readonly saysAtMs?: number;
  /** Own messages of the author that lie unshown before this one; -1 where it cannot be told. */
  readonly gapBefore: number;
  readonly verdicts: readonly ClaimVerdict[];
  /** Numbers of its files among the case's attachments. */
  readonly attachments: readonly number[];
}

/** A file that a reporter chose to send. */
export interface CaseAttachment {
  readonly number: number;
  readonly mediaType: string;
  readonly sizeBytes: number;
  /** Whether key and hash in the signed message open it. */
  readonly verdict: ClaimVerdict["verdict"];
}

/** One report of a case. */
export interface CaseReport {
  readonly arrivedDay: number;
  readonly reason: string;
  /** The reporter's own words. */
  readonly words: string;
  /** Whether a device of an account here signed it. Which, the desk does not say. */
  readonly reporter: "account" | "nobody";
  /** By how many decisions of the last year that stand they were told that what they reported was manifestly unfounded; absent for none. */
  readonly unfoundedBefore?: number;
  /** About the report as a whole. */
  readonly verdicts: readonly ClaimVerdict[];
}

/** An appeal, by whoever the decision went against or did not go far enough for. */
export interface CaseAppeal {
  readonly number: number;
  readonly by: "accused" | "reporter";
  readonly arrivedDay: number;
  readonly words: string;
  /** Numbers of the messages that it added. */
  readonly items: readonly number[];
  /** The decision's puid. */
  readonly decision: string;
  readonly outcome?: { readonly kind: AppealOutcome; readonly by: string; readonly atMs: number; readonly words: string };
}

/** What becomes of an appeal: the decision stands, falls, or another takes its place. */
export type AppealOutcome = "upheld" | "reversed" | "replaced";

/** One line of a case's timeline: what came and what was done, in order. */
export interface TimelineEvent {
  readonly atMs: number;
  readonly kind: "report" | "taken" | "released" | "note" | "decision" | "told" | "appeal" | "appeal-decided" | "merged";
  /** Name of the staff. */
  readonly by?: string;
  readonly text?: string;
}

/** Everything that the desk has of a case. */
export interface CaseDetail extends CaseSummary {
  readonly accused: {
    readonly host: string;
    /** What it is called now; absent where it has no name here, is deleted, or belongs to another host. */
    readonly username?: string;
    /** What is taken from it now, by whatever case. */
    readonly restricted: readonly { readonly what: Restriction | "suspended"; readonly untilDay: number }[];
  };
  readonly received: readonly CaseReport[];
  readonly items: readonly CaseItem[];
  readonly attachments: readonly CaseAttachment[];
  readonly decisions: readonly DecisionRecord[];
  readonly appeals: readonly CaseAppeal[];
  readonly timeline: readonly TimelineEvent[];
  /** Whether whoever asks may decide it, or its open appeal: not both, and not an appeal against themselves. */
  readonly mayDecide: boolean;
  readonly mayDecideAppeal: boolean;
}
