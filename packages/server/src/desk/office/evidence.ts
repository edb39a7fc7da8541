import type { CaseItem, ClaimVerdict } from "@latchkey/protocol/desk";

/** Somebody, as evidence names them: never stored as that, but for the accused. */
export interface Person {
  readonly host: string;
  readonly accountId: Uint8Array;
}

/** A message that a report or an appeal encloses, opened and verified. */
export interface NewItem {
  /** Hash over the signed content and its signature: the same message in two reports is one. */
  readonly identity: Uint8Array;
  /** By which the accused's own client finds its copy. */
  readonly messageId: Uint8Array;
  readonly author: Person;
  readonly role: CaseItem["role"];
  /** Of the items beside it, counted from 0: what an edit, deletion or reaction is about. */
  readonly about?: number;
  readonly text?: string;
  readonly saysAtMs?: number;
  /** When its author had it gone from every device. */
  readonly goneAtMs?: number;
  readonly gapBefore: number;
  readonly verdicts: readonly ClaimVerdict[];
  /** Whether it is proved to be its author's. */
  readonly isProved: boolean;
}

/** A file that came with it, opened. */
export interface NewFile {
  /** Of the items beside it, counted from 0. */
  readonly item: number;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  readonly verdict: ClaimVerdict["verdict"];
}

/** What a report and an appeal have in common. */
export interface NewEvidence {
  /** Which conversation it is from; only HMACs of it are kept. */
  readonly conversation: Uint8Array;
  readonly items: readonly NewItem[];
  readonly files: readonly NewFile[];
  readonly verdicts: readonly ClaimVerdict[];
  /** What verifying it again needs: kept under the case's key. */
  readonly contexts: Uint8Array;
  readonly words: string;
}

/** Where the desk answers a reporter, and what it seals its answers with. */
export interface Mailbox {
  readonly mailbox: Uint8Array;
  readonly replySecret: Uint8Array;
}

/** A report, opened and verified. */
export interface NewReport extends NewEvidence, Mailbox {
  readonly reportId: Uint8Array;
  readonly accused: Person;
  readonly reason: string;
  /** A device of this account signed it; absent where nobody says who reports. */
  readonly reporter?: Person;
}

/** An appeal, opened: by a device of the accused, or by who has the secret of a report. */
export interface NewAppeal extends NewEvidence {
  readonly puid: string;
  readonly by: { readonly kind: "accused"; readonly account: Person } | { readonly kind: "reporter"; readonly mailbox: Uint8Array };
}
