import type { MessageEvidence } from "@latchkey/mls";
import type { AppendSecret, EpochAccess, MessageStatus, ProofSource, SettingsOpening, TreeSource } from "@latchkey/protocol";
import type { ClientErrorCode } from "../api.ts";
import type { Joiner } from "./change.ts";
import type { UnverifiedLeaf } from "./leaf-verdict.ts";
import type { LinkEvent } from "../join-links/book.ts";
import type { Line, Mentions } from "../timeline/line.ts";
import type { Said } from "../timeline/said.ts";
import type { PastEffect } from "./past-effect.ts";
import type { SealedEntry } from "./sealed.ts";
import type { Outgoing, RosterLeaf } from "./state.ts";
import type { TimerName } from "./input.ts";

/** A WelcomeBundle to put into a joiner's inbox (spec M-4). */
export interface WelcomePost {
  readonly joiner: Joiner;
  readonly seq: number;
  readonly head: Uint8Array;
  readonly epochId: number;
  readonly welcome: Uint8Array;
  readonly tree: TreeSource;
  readonly proofs: ProofSource;
  readonly opening: SettingsOpening;
}

/** How a change ended that somebody asked for. */
export type ChangeOutcome = { readonly kind: "done" } | { readonly kind: "failed"; readonly code: ClientErrorCode };

/** What a step asks for: carried out once its state is stored. */
export type Effect =
  | { readonly kind: "create"; readonly accessHash: Uint8Array }
  /** `closed`: epochs that are opened along with it (spec L-3). */
  | {
      readonly kind: "open";
      readonly epochId: number;
      readonly access: Uint8Array;
      readonly afterSeq: number;
      readonly closed: readonly EpochAccess[];
    }
  | { readonly kind: "append"; readonly entry: SealedEntry; readonly entryKind: "message" | "complaint" }
  /** A fresh key package for a complaint is needed; `complain` brings it. */
  | { readonly kind: "complain" }
  /** `afterSeq`: the last commit of the epoch that this device skipped (spec L-5). */
  | { readonly kind: "commit"; readonly entry: SealedEntry; readonly nextAccessHash: Uint8Array; readonly afterSeq: number }
  | { readonly kind: "close" }
  | { readonly kind: "post"; readonly post: WelcomePost }
  | { readonly kind: "line"; readonly line: Line }
  /** A member said something: what becomes of it, the timeline knows. */
  | { readonly kind: "content"; readonly said: Said }
  /** What proves who wrote the line at this place, in this epoch of the group. `isBrief`: no line stands there, and it is kept for a day. */
  | {
      readonly kind: "evidence";
      readonly order: number;
      readonly epoch: number;
      readonly evidence: MessageEvidence;
      readonly isBrief?: true;
    }
  | PastEffect
  | { readonly kind: "named"; readonly accountId: Uint8Array; readonly displayName: string }
  /** What leads to somebody's picture; empty for none any more. */
  | { readonly kind: "pictured"; readonly accountId: Uint8Array; readonly picture: Uint8Array }
  /** The other person of a direct conversation, or another device of one's own there, told what lets into their inboxes (spec I-1). */
  | { readonly kind: "append_secret"; readonly accountId: Uint8Array; readonly appendSecret: AppendSecret }
  /** A member's device told what wakes it, which is for the host of that device to open; empty for no more (spec W-1). */
  | {
      readonly kind: "wake_token";
      readonly device: Pick<RosterLeaf, "host" | "account" | "deviceId">;
      readonly token: Uint8Array;
    }
  /** A message of one's own is in the log: those whom it is for are woken (spec W-1, R-8). */
  | { readonly kind: "wake"; readonly mentions: Mentions; readonly inReplyTo: Uint8Array | undefined }
  /** A member asks who has read a message of theirs (spec R-3). */
  | {
      readonly kind: "read_query";
      readonly accountId: Uint8Array;
      readonly messageId: Uint8Array;
      readonly claimedAtMs: number | undefined;
    }
  | { readonly kind: "receipt"; readonly order: number; readonly accountId: Uint8Array; readonly statuses: readonly MessageStatus[] }
  /** The log said something of the group's join links. */
  | { readonly kind: "join_link"; readonly event: LinkEvent }
  /** Another device of one's own account told this in the group of the devices; `placed`: this one did, and it stands in the log now. */
  | { readonly kind: "sync" | "placed"; readonly order: number; readonly payload: Uint8Array }
  /** `about` makes it one of a kind, with the code and the conversation; `reason` is for people; `accountId`: whose change or device it is about. */
  | {
      readonly kind: "alarm";
      readonly code: ClientErrorCode;
      readonly reason: string;
      readonly about: string;
      readonly accountId?: Uint8Array | undefined;
    }
  /** Somebody spoke of another log: the published head is to be looked at (spec L-10, L-11). */
  | { readonly kind: "ask_head" }
  /** The log is not the one that others see: they are told, as they cannot hear it there (spec L-11). */
  | { readonly kind: "tell_fork" }
  /** What a member's message says of its sender's own account and of the public record that its sender sees (spec L-10, D-4). */
  | {
      readonly kind: "said";
      readonly accountId: Uint8Array;
      readonly host: string;
      readonly accountVersion: number;
      readonly accountChain: Uint8Array;
      readonly gossip: Uint8Array;
    }
  /** A member showed states of accounts with their proofs (spec D-5). */
  | { readonly kind: "accounts"; readonly proofs: Uint8Array; readonly accountId: Uint8Array }
  | { readonly kind: "verify"; readonly leaves: readonly UnverifiedLeaf[]; readonly proofs: Uint8Array }
  | { readonly kind: "schedule"; readonly name: TimerName; readonly delayMs: number }
  /** What waited under this id is gone, and what it was done to is as it was. */
  | { readonly kind: "dropped"; readonly message: Outgoing }
  /** A pending message is new or changed. */
  | { readonly kind: "outgoing"; readonly message: Outgoing }
  | { readonly kind: "change_outcome"; readonly id: string; readonly outcome: ChangeOutcome };
