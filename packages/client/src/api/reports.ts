import type { ReportReason } from "@latchkey/protocol/reports";
import type { FileKind } from "./files.ts";
import type { Person } from "./people.ts";

export type { ReportReason } from "@latchkey/protocol/reports";

/** What a person shows the desk of a host, and says to it (spec V-2). */
export interface ReportParams {
  /** What is complained of: messages of one person, of this conversation. */
  readonly messageIds: readonly string[];
  /** Messages around them that make them understood, of whomever; each that is left out shows as a gap. */
  readonly contextIds?: readonly string[];
  readonly reason: ReportReason;
  /** The reporter's own. */
  readonly words?: string;
  /** Nobody is told who reports: what the reporter wrote cannot be enclosed then, since it names them. */
  readonly isAnonymous?: boolean;
  /** Files of the enclosed messages whose content goes along, ten at most. */
  readonly files?: readonly ReportFileChoice[];
  /** `fingerprint` of the preview that the person looked at: nothing else is sent. */
  readonly shown?: string;
}

/** A file that goes along with a report. */
export interface ReportFileChoice {
  /** A message that is enclosed, and a file of it. */
  readonly messageId: string;
  readonly fileId: string;
  /** A picture of it in its place, by the reporter's word: of a file that is too large to go whole. */
  readonly preview?: { readonly mediaType: string; readonly bytes: Uint8Array };
}

/** A file of an enclosed message. Its name and key stand in the signed bytes; what is in it goes along where the reporter chose that. */
export interface EnclosedFile {
  readonly fileId: string;
  readonly kind: FileKind;
  readonly name: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  /** It can go whole. */
  readonly fits: boolean;
  /** Absent where it does not go along. */
  readonly goesAs?: "whole" | "preview" | undefined;
  /** Of one that goes along: whether key and hash in the signed message open it. */
  readonly verdict?: ReportClaim["verdict"];
}

/** What the desk will make of a claim. */
export interface ReportClaim {
  readonly claim: string;
  readonly verdict: "proved" | "not-proved" | "contradicted";
}

/** A message of a report, read from the bytes that will be disclosed. */
export interface ReportLine {
  readonly messageId: string;
  readonly role: "reported" | "context" | "edit" | "delete" | "reaction";
  readonly author: Person;
  /** "" of what has no words. */
  readonly text: string;
  /** By its author's clock. */
  readonly saysAtMs?: number;
  /** What its author's device sent between the line before and this one, and is not shown; -1 where that cannot be told. */
  readonly gapBefore: number;
  /** What else its bytes disclose, and cannot be cut out: the name and picture that its author told with it, the names and keys of its files. */
  readonly carries: readonly ("name" | "picture" | "files")[];
  readonly files: readonly EnclosedFile[];
  readonly claims: readonly ReportClaim[];
}

/** Everything that a report discloses, and to whom (spec V-2). */
export interface ReportPreview {
  /** Whose desk opens it: the host of who is reported. */
  readonly host: string;
  readonly accused: Person;
  /** In the order in which the desk will see them. */
  readonly lines: readonly ReportLine[];
  /** Chosen messages of which this device keeps nothing that proves them: they are not enclosed. */
  readonly unproven: readonly string[];
  /** Whether the desk learns who reports. */
  readonly namesReporter: boolean;
  readonly words: string;
  readonly reason: ReportReason;
  /** Of the signed bytes that go along: another one where somebody changed a message since. */
  readonly fingerprint: string;
  /** Of what is sealed, with the files that go along. */
  readonly sizeBytes: number;
}

/** What became of a report, or of an appeal. */
export type ReportStatus =
  /** It is on this device, and goes by itself. */
  | { readonly kind: "waiting" }
  /** The desk has signed that it came. */
  | { readonly kind: "sent"; readonly day: number }
  | { readonly kind: "received"; readonly day: number }
  | { readonly kind: "refused"; readonly words: string }
  | {
      readonly kind: "decided";
      readonly day: number;
      readonly isActedOn: boolean;
      readonly words: string;
      /** Last day on which one may appeal, in days since 1970. */
      readonly appealUntilDay: number;
      /** Present where it was manifestly unfounded, and this is a warning: until when fewer reports of this account are taken in, in days since 1970; absent within where they are not. */
      readonly unfounded?: { readonly limitedUntilDay?: number };
    }
  | { readonly kind: "appeal-decided"; readonly day: number; readonly outcome: "upheld" | "reversed" | "replaced"; readonly words: string };

/** A report or an appeal that was made on this device. */
export interface SentReport {
  readonly reportId: string;
  readonly kind: "report" | "appeal";
  readonly host: string;
  /** Of a report: about whom. */
  readonly accused?: Person;
  readonly conversationId?: string;
  readonly madeAtMs: number;
  readonly status: ReportStatus;
  /** Files of it that the desk does not have yet, and those that it did not wait for long enough. */
  readonly filesWaiting: number;
  readonly filesLost: number;
}

/** What the desk of one's own host decided about this account, or about an appeal (spec V-5). */
export interface Notice {
  readonly noticeId: string;
  readonly receivedAtMs: number;
  /** The person said that they have read it. */
  readonly isRead: boolean;
  /** Names the decision. */
  readonly puid: string;
  readonly body:
    | {
        readonly kind: "statement";
        readonly sanction: "warn" | "restrict" | "suspend";
        readonly restrictions: readonly string[];
        readonly decidedDay: number;
        /** First day on which it does not hold any more; 0 of a warning. Days since 1970. */
        readonly untilDay: number;
        readonly ground: {
          readonly kind: "illegal" | "incompatible";
          readonly basis: string;
          readonly explanation: string;
          readonly referenceUrl: string;
          readonly isAlsoIllegal: boolean;
        };
        readonly facts: string;
        readonly category: string;
        readonly contentTypes: readonly string[];
        readonly territory: readonly string[];
        readonly isAutomatedDetection: boolean;
        readonly isAutomatedDecision: boolean;
        /** The messages that it rests on: this device shows its own copies. */
        readonly messageIds: readonly string[];
        readonly appealUntilDay: number;
      }
    | {
        readonly kind: "appeal-decided";
        readonly outcome: "upheld" | "reversed" | "replaced";
        readonly decidedDay: number;
        readonly words: string;
      }
    | {
        /** What was given out about this account upon a request of an authority. */
        readonly kind: "disclosure";
        readonly authority: string;
        /** Two letters. */
        readonly country: string;
        /** The authority's own file number. */
        readonly reference: string;
        readonly basis: string;
        readonly receivedDay: number;
        readonly releasedDay: number;
        /** Of which day what was given is; a copy was kept from then on where `isPreserved`. */
        readonly asOfDay: number;
        readonly isPreserved: boolean;
        readonly categories: readonly ("subscriber" | "identification" | "traffic" | "content")[];
        /** For which days it was asked, both counted; 0 for any. */
        readonly fromDay: number;
        readonly toDay: number;
        /** Of what was given about this account, lower-case hex. */
        readonly sha256: string;
        readonly sizeBytes: number;
        /** Whoever runs the server was not allowed to tell before; the last day of that, or 0. */
        readonly secretUntilDay: number;
        readonly rule: "two-staff" | "staff-and-outside" | "staff-and-wait";
      };
}

/** Against which decision an appeal goes: one that a notice told, or one that a report of one's own was answered with. */
export interface AppealParams {
  readonly noticeId?: string;
  readonly reportId?: string;
  readonly words: string;
  /** Messages of a conversation that show more, one's own or others', and files of them. */
  readonly evidence?: {
    readonly conversationId: string;
    readonly messageIds: readonly string[];
    readonly files?: readonly ReportFileChoice[];
  };
}

/** What a client does about reports to the operator, and what it is told by the desk (spec V-1 to V-6). */
export interface ReportCalls {
  /**
   * Reads from the very bytes that `report` would send with the same parameters what they disclose and prove. Nothing is sent.
   * @throws ClientError `unknown_message`; `invalid_setting` where they are not one person's, are one's own, are too many, or name a
   * reporter who wants not to be named; `message_too_large` with all that was edited or written, or a file; `not_permitted` where nothing
   * proves them; what fetching a file ends with
   */
  previewReport(conversationId: string, report: ReportParams): Promise<ReportPreview>;
  /**
   * Reports messages to the desk of their author's host, sealed to the key in its public record. It is on disk when this resolves, and
   * goes by itself from then on; edits and deletions of the enclosed messages go along.
   * @throws ClientError as `previewReport`; `conflict` where it would disclose something else than was `shown`, `not_permitted` where the host
   * has no desk, `offline`, `directory_unproven`
   */
  report(conversationId: string, report: ReportParams): Promise<SentReport>;
  /** Whether a host has a desk that takes reports, by its public record; "unknown" where that cannot be asked now. */
  takesReports(host: string): Promise<"yes" | "no" | "unknown">;
  /** What was reported and appealed on this device, newest first, and what became of it. `isFresh` asks the desks before. */
  reports(options?: { readonly isFresh?: boolean }): Promise<readonly SentReport[]>;
  /** What the desk decided about this account or gave out about it, newest first. */
  notices(): Promise<readonly Notice[]>;
  /** The person has read it. */
  readNotice(noticeId: string): Promise<void>;
  /** Reads what an appeal would disclose beside its words. Nothing is sent. @throws ClientError as `previewReport` */
  previewAppeal(appeal: AppealParams): Promise<readonly ReportLine[]>;
  /** Appeals to the desk: somebody else than who decided looks at it. @throws ClientError `unknown_message`, `invalid_setting` without words, as `report` */
  appeal(appeal: AppealParams): Promise<SentReport>;
}
