import type { FilePart, Poll } from "@latchkey/protocol";
import type { BodyOf } from "../api.ts";
import type { MessageTimer } from "./timer.ts";

/**
 * The device by which something was said, where it was not proven to be its author's when it came: whoever shows it judges by what is known
 * then (spec G-8). `isDeparted`: its account had it, and had it no more.
 */
export interface SpeakingDevice {
  readonly deviceId: Uint8Array;
  readonly signaturePublicKey: Uint8Array;
  readonly isDeparted: boolean;
}

/** What a line of a conversation says, by account ids of 32 bytes. */
export type LineBody =
  | Exclude<BodyOf<{ readonly account: Uint8Array }, { readonly accounts: readonly Uint8Array[] }>, { readonly kind: "text" }>
  | TextBody
  | ({ readonly kind: "poll" } & Poll);

/** What somebody wrote; "" where they sent files alone. */
export interface TextBody {
  readonly kind: "text";
  readonly text: string;
  readonly files?: readonly FilePart[] | undefined;
  /** It is to be seen once (spec X-8). */
  readonly isOnce?: true | undefined;
}

/** Whom a text names (spec X-1): members only, by account id. */
export interface Mentions {
  readonly accounts: readonly Uint8Array[];
  /** Everybody, said by somebody who may. */
  readonly all: boolean;
}

/** What was done to a message, as its author's content says it. */
export type Change =
  | { readonly kind: "edit"; readonly text: string; readonly mentions: Mentions }
  | { readonly kind: "reaction"; readonly emoji: readonly string[] }
  /** Takes back what the reaction with this id said. */
  | { readonly kind: "unreaction"; readonly reaction: Uint8Array }
  | { readonly kind: "vote"; readonly options: readonly number[] }
  | { readonly kind: "poll_end" }
  | { readonly kind: "deletion" };

/** A change that counts: who made it, and where it stands in the log. */
export interface Fact {
  readonly order: number;
  /** Of the content that says it, 32 bytes. */
  readonly id: Uint8Array;
  readonly author: Uint8Array;
  /** By its author's clock, as they claim it; `undefined` where they claim nothing. */
  readonly claimedAtMs: number | undefined;
  readonly arrivedAtMs: number;
  readonly change: Change;
}

/** What a line has beside its words where a member said it. */
export interface MessageParts {
  /** By its author's clock, as they claim it, which decides alike for every reader; `undefined` where they claim nothing. */
  readonly claimedAtMs: number | undefined;
  /** By this device's clock. */
  readonly arrivedAtMs: number;
  readonly device: SpeakingDevice | undefined;
  /** The id of the version that it answers. */
  readonly inReplyTo: Uint8Array | undefined;
  readonly forwardedHops: number;
  readonly mentions: Mentions;
  /** By their places in the log. */
  readonly facts: readonly Fact[];
  /** How it kept slow mode; `undefined` where its author waited for nothing (spec X-20). */
  readonly pace?: "kept" | "early" | undefined;
  /** Who tried to change it and may not, and how often (spec X-1). */
  readonly refused: readonly { readonly account: Uint8Array; readonly count: number }[];
  /** Who gave it to this person, who came later (spec R-5). */
  readonly sharedBy?: Uint8Array | undefined;
  /** How long it stays; `undefined` for always (spec X-7). */
  readonly timer?: MessageTimer | undefined;
}

/** What is said in one file of a line. */
export interface Transcript {
  readonly blobId: Uint8Array;
  readonly text: string;
}

/** One line of the history, as it is stored. */
export interface Line {
  /** Of a message its id in base64url, the same on every device (draft-ietf-mimi-content section 3.3). */
  readonly id: string;
  readonly order: number;
  /** Account id of its author, if it has one. */
  readonly author: Uint8Array | undefined;
  /** As it is shown. */
  readonly sentAtMs: number;
  readonly body: LineBody;
  /** When the server acknowledged it, of own messages only; else 0. */
  readonly acceptedAtMs: number;
  /** Of what a member said; lines of changes of the group have none. */
  readonly message?: MessageParts | undefined;
  /** What is said in its files, as far as this device wrote it down: stored beside it (spec X-27). */
  readonly transcripts?: readonly Transcript[] | undefined;
}

/** What names nobody. */
export const noMentions: Mentions = { accounts: [], all: false };
