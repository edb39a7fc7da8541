import type { EntryEvent, Opened, SealedEvent, WireErrorCode } from "@latchkey/protocol";
import type { ClientErrorCode } from "../api.ts";
import type { DeviceReference, WantedChange } from "./change.ts";
import type { LeafVerdict } from "./leaf-verdict.ts";
import type { Chain, Purpose, Invitation, ContinuationOffer } from "./state.ts";

/** What a conversation waits for by the clock. */
export type TimerName =
  | "retry"
  | "remove_leavers"
  | "self_update"
  | "renew"
  | "verify"
  | "unblock"
  | "complain"
  | "answer"
  | "give_up"
  | "undo";

/** What a step takes: what the log brings, what the person wants, what the engine found out, and timers. */
export type Input =
  /** `retentionDays`: by the server's hello. */
  | { readonly kind: "connected"; readonly retentionDays: number }
  /** `heardAtMs`: when the server last said anything on the connection. */
  | { readonly kind: "disconnected"; readonly heardAtMs: number }
  | { readonly kind: "opened"; readonly opened: Opened }
  /**
   * `external` is the envelope's content out of its blob, asked for by a `needs_blob` answer; `missing` when it is gone, `unreadable` when it is
   * there and does not open, for nobody.
   */
  | { readonly kind: "entry"; readonly event: EntryEvent; readonly external?: Uint8Array | "missing" | "unreadable" }
  | { readonly kind: "sealed"; readonly event: SealedEvent }
  /** This app could not take in an entry, for a reason of its own that the store has no part in (spec E-17). */
  | { readonly kind: "faulty"; readonly entry: Extract<Input, { readonly kind: "entry" | "sealed" }> }
  /** What came could not be stored. */
  | { readonly kind: "unkept" }
  /** A part of the next entry cannot be had from the server now. */
  | { readonly kind: "unavailable" }
  | { readonly kind: "accepted"; readonly entryId: Uint8Array; readonly seq: number; readonly head: Uint8Array }
  | {
      readonly kind: "refused";
      readonly request: "create" | "open" | "append" | "commit";
      readonly entryId: Uint8Array | undefined;
      readonly code: WireErrorCode;
      readonly retryAfterMs: number;
      /** What is told of a message until it is sent again, where the code is not what happened. */
      readonly failure?: ClientErrorCode | undefined;
    }
  | {
      readonly kind: "compose";
      readonly id: string;
      readonly purpose: Purpose;
      readonly text: string;
      readonly content: Uint8Array;
      /** The mark of what it tells of its author (`profileMark`), where it tells something new. */
      readonly told?: string | undefined;
      /** It waits for the person's word first. */
      readonly failure?: ClientErrorCode | undefined;
      /** So long the person may take it back. */
      readonly undoMs?: number | undefined;
      /** Its files, which are not at the host yet: their blobs, by id in base64url. */
      readonly uploads?: readonly string[] | undefined;
    }
  /** A blob is at the host of this conversation. */
  | { readonly kind: "uploaded"; readonly blobId: string }
  /** A file of this message cannot be brought there, as things are: it waits for the person. */
  | { readonly kind: "upload_failed"; readonly messageId: string; readonly code: ClientErrorCode }
  | { readonly kind: "retry"; readonly id: string }
  | { readonly kind: "discard"; readonly id: string }
  /** What was written becomes the draft again, where it is not sealed yet. */
  | { readonly kind: "take_back"; readonly id: string }
  | { readonly kind: "change"; readonly change: WantedChange }
  | { readonly kind: "leave"; readonly id: string }
  | { readonly kind: "supersede"; readonly by: string }
  | { readonly kind: "verified"; readonly verdicts: readonly LeafVerdict[] }
  /** What is known of accounts changed: every leaf is judged anew. `recovered`: those that came back by their recovery phrase. */
  | { readonly kind: "accounts"; readonly recovered: readonly Uint8Array[] }
  /** One's own account changed: its states and their proof go to the group (spec D-5). */
  | { readonly kind: "announce"; readonly id: string; readonly displayName: string; readonly proofs: Uint8Array }
  /** The head of this log that the public record has; `missing` when it has none, though the log was written to (spec L-11). */
  | { readonly kind: "published_head"; readonly published: Chain | "missing" }
  /** The server says, signed by its log, that it was restored from a copy of then (spec D-7). */
  | { readonly kind: "server_restored"; readonly copiedMs: number }
  /** A member's device says that it was shown this part of the log: the heads after consecutive entries, `lastSeq` the last. */
  | { readonly kind: "fork_notice"; readonly device: DeviceReference; readonly lastSeq: number; readonly heads: readonly Uint8Array[] }
  /** A Welcome that waits for the person, or one that was dealt with, by its item (spec M-9). */
  | { readonly kind: "invited"; readonly invitation: Invitation }
  | { readonly kind: "uninvited"; readonly itemId: Uint8Array }
  /** Another member goes on elsewhere. */
  | { readonly kind: "offered"; readonly offer: ContinuationOffer }
  /** The person does not go where this account goes on. */
  | { readonly kind: "unoffered"; readonly accountId: Uint8Array }
  /** The person goes on elsewhere. */
  | { readonly kind: "continued"; readonly by: string }
  /** Another group takes the place of the conversation that this one goes on with. */
  | { readonly kind: "uncontinued" }
  | { readonly kind: "timer"; readonly name: TimerName }
  /** A key package that was made for a complaint, and the inbox for the Welcome (spec G-4). */
  | { readonly kind: "complain"; readonly keyPackage: Uint8Array; readonly inboxId: Uint8Array; readonly inboxKey: Uint8Array }
  | { readonly kind: "read"; readonly throughOrder: number; readonly unread: number }
  | { readonly kind: "history"; readonly saidAtMs: number } // From another device of one's own: when something was said last.
  /** `insteadOf`: only where this stands there still. */
  | { readonly kind: "draft"; readonly text: string; readonly insteadOf?: string };
