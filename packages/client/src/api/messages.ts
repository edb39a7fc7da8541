import type { ClientFailure } from "./failures.ts";
import type { AttachedFile } from "./files.ts";
import type { Person, Role } from "./people.ts";

/** How a message of one's own fares. */
export type Delivery =
  /** `undoUntilMs`: it waits until then, by this device's clock, so that its author can take it back (`takeBack`). */
  | { readonly kind: "pending"; readonly undoUntilMs?: number }
  /** `withoutReader`: people of whom no device was in the conversation then, so that it will not reach them. */
  | { readonly kind: "accepted"; readonly atMs: number; readonly withoutReader?: readonly Person[] }
  | { readonly kind: "failed"; readonly failure: ClientFailure };

/** What a line of a conversation says: `One` and `Several` are how it names accounts. */
export type BodyOf<One, Several> =
  | { readonly kind: "text"; readonly text: string }
  /** A change of the group, told in the stream. */
  | { readonly kind: "created"; readonly name: string }
  | ({ readonly kind: "added" } & Several)
  | ({ readonly kind: "removed" } & Several)
  | { readonly kind: "left" }
  | { readonly kind: "renamed"; readonly name: string }
  /** "" where it was taken away. */
  | { readonly kind: "described"; readonly description: string }
  | { readonly kind: "picture_changed" }
  /** What is said from now on goes after so long; 0 for never. */
  | { readonly kind: "timer_changed"; readonly seconds: number }
  /** So long everybody waits between two messages; 0 for not at all. */
  | { readonly kind: "slow_mode_changed"; readonly seconds: number }
  | { readonly kind: "rights_changed" }
  /** Nobody adds these people while they are kept out (spec X-24). */
  | ({ readonly kind: "kept_out" } & Several)
  | ({ readonly kind: "kept_out_ended" } & Several)
  | ({ readonly kind: "role_changed"; readonly role: Role } & One)
  | { readonly kind: "keys_updated" }
  /** Devices of one account joined or left, or the account came back by its recovery phrase. */
  | ({ readonly kind: "device_added" } & One)
  | ({ readonly kind: "device_removed" } & One)
  | ({ readonly kind: "recovered" } & One)
  /** The author's app sent a change that nobody can use; nothing came of it (spec G-3). */
  | { readonly kind: "skipped" }
  /** A change by the author cannot be read by this person's device, which asked the others to let it back in (spec G-4). */
  | ({ readonly kind: "complaint" } & One)
  /** The author let this person's device back in (spec G-5). */
  | ({ readonly kind: "let_back" } & One)
  /** All devices that the person had here left the account, as after a recovery: the person was not thrown out (spec E-64). */
  | ({ readonly kind: "away" } & One)
  /** Entries that the server no longer keeps (spec L-8). */
  | { readonly kind: "expired"; readonly count: number }
  /** The author's device spoke of another version of this conversation than the one in the public record, which is this person's (spec L-10). */
  | { readonly kind: "other_view" }
  /** So many messages of the author's device never came; with 0 its numbers cannot be: perhaps an old copy of it is in use (spec L-10). */
  | { readonly kind: "misnumbered"; readonly missing: number }
  /** The author gave these people what was said before they came (spec R-5). */
  | ({ readonly kind: "history_given" } & Several)
  /** Of what the author gave this person of earlier messages so many are missing here; `unproven`: and so many did not hold (spec R-5). */
  | { readonly kind: "left_out"; readonly count: number; readonly unproven: number }
  /** Content of a kind that this version does not know. */
  | { readonly kind: "unsupported" }
  /** A message that cannot be read, and why. */
  | { readonly kind: "unreadable"; readonly reason: string }
  /** A message that was deleted for everybody, and by whom (spec X-4). */
  | ({ readonly kind: "deleted" } & One)
  /** The author pinned a message for all, or took the pin back (spec X-10). */
  | { readonly kind: "pinned"; readonly messageId: string; readonly isPinned: boolean }
  /** The author wrote where they may not: nobody reads it (spec X-13). */
  | { readonly kind: "unpermitted" }
  /** Something that must not happen: a fork, a lie of the server. Stays until acknowledged (spec L-9, L-10). */
  | { readonly kind: "alarm"; readonly reason: string };

/** A poll with its votes (spec X-11). */
export interface ShownPoll {
  readonly kind: "poll";
  readonly question: string;
  readonly options: readonly {
    readonly text: string;
    readonly count: number;
    /** Who chose it, the first `maxPeopleShown`. */
    readonly people: readonly Person[];
    /** Whether this person did. */
    readonly isChosen: boolean;
  }[];
  /** How many options one person may choose. */
  readonly maxSelections: number;
  /** When its author wants to end it, milliseconds since 1970; it ends when they do. */
  readonly endsAtMs: number | undefined;
  /** No vote counts any more. */
  readonly isClosed: boolean;
}

/** What a line of a conversation says, as people see it. */
export type MessageBody = BodyOf<{ readonly person: Person }, { readonly people: readonly Person[] }> | ShownPoll;

/** Of the people who chose an emoji or an option so many stand with the message; all are in its `messageInfo`. */
export const maxPeopleShown = 20;

/** What a message answers, as this device has it: no quoted words travel with an answer (spec X-2). */
export interface Quote {
  /** Of the message, whatever version was answered; `undefined` where this device does not have it. */
  readonly messageId: string | undefined;
  readonly author: Person | undefined;
  /** The beginning of the version that was answered, or of a poll's question; "" where nothing of it is here, or it was deleted. */
  readonly text: string;
  readonly isDeleted: boolean;
}

/** An emoji given to a message, and by whom (spec X-6). */
export interface ShownReaction {
  readonly emoji: string;
  readonly count: number;
  /** The first `maxPeopleShown`. */
  readonly people: readonly Person[];
  /** Whether this person is one of them. */
  readonly isOwn: boolean;
}

/** A change of a message that could not be sent: `retry` and `discard` take its id. */
export interface FailedChange {
  readonly id: string;
  readonly failure: ClientFailure;
}

/** Everything that this device knows of a message. */
export interface MessageInfo {
  readonly message: Message;
  /** By the sender's clock, as they claim it; `undefined` where they claim nothing that can be. */
  readonly claimedAtMs: number | undefined;
  /** When it came to this device. */
  readonly arrivedAtMs: number;
  /** What it said, the first version first. */
  readonly versions: readonly { readonly text: string; readonly claimedAtMs: number | undefined; readonly arrivedAtMs: number }[];
  readonly reactions: readonly { readonly emoji: string; readonly people: readonly Person[] }[];
  /** Of one's own: who said that it came to them, and that they read it (spec X-12). */
  readonly deliveredTo: readonly Person[];
  readonly readBy: readonly Person[];
  /** Who tried to change it and may not, and how often (spec X-1). */
  readonly refused: readonly { readonly person: Person; readonly count: number }[];
}

/** Deletions by one person that wait for this one's word, because they were so many in an hour (spec X-4). */
export interface HeldDeletions {
  readonly person: Person;
  readonly count: number;
}

/** How long a message stays (spec X-7). */
export interface ShownTimer {
  /** So long after it was first seen, or sent where it is one's own; absent where its author named a time. */
  readonly seconds?: number;
  /** When it goes at the latest as it is now, seen or not; milliseconds since 1970. */
  readonly goesAtMs: number;
  /** Whether the seconds are counted already: somebody saw it, or it was sent. */
  readonly isRunning: boolean;
}

/** One line of a conversation. */
export interface Message {
  /** No other line of this profile has it; of what somebody wrote it is the same on every device. */
  readonly id: string;
  readonly conversationId: string;
  /** Place in the conversation; strictly increasing, dense enough to sort by. Pending messages come last. */
  readonly order: number;
  readonly author: Person | undefined;
  readonly body: MessageBody;
  /** By the sender's clock. */
  readonly sentAtMs: number;
  /** Of own messages only. */
  readonly delivery: Delivery | undefined;
  /** Its device is not known yet to be its author's, or was not any more when it came (spec G-8, M-3). */
  readonly doubt?: "unproven" | "departed";
  /** What it answers. */
  readonly quote?: Quote;
  /** It was changed by its author; its words are the newest (spec X-3). */
  readonly edited?: { readonly count: number; readonly atMs: number };
  /** In the order in which they were first given. */
  readonly reactions?: readonly ShownReaction[];
  /** Members whom it names, and whether it names this person, or everybody (spec X-1). */
  readonly mentions?: readonly Person[];
  readonly isMentioned?: boolean;
  /** How often it was forwarded, by its sender's word (spec X-9). */
  readonly forwardedHops?: number;
  /** It came sooner than slow mode allows its author, by their own stamps, or from a clock that is ahead: shown on demand (spec X-20). */
  readonly folded?: true;
  /** It was said before this person came, and this member gave it to them, with what proves who wrote it (spec R-5). */
  readonly sharedBy?: Person;
  readonly failedChanges?: readonly FailedChange[];
  /** What came with it; its text, which may be "", is said of them (spec X-23). */
  readonly files?: readonly AttachedFile[];
  /** Its file is to be seen once (spec X-8). */
  readonly isOnce?: true;
  /** It was seen, here or on another device of one's own, or its time is over, or one sent it oneself: it cannot be opened. */
  readonly isSeen?: true;
  /** It goes, everywhere, after a time (spec X-7); `hidden` tells that it has. */
  readonly timer?: ShownTimer;
}

/** Which messages of a conversation: the `limit` before `beforeOrder` (the newest when absent), or with `afterOrder` (-1: the beginning) those right after it. */
export interface MessageRange {
  readonly beforeOrder?: number | undefined;
  readonly afterOrder?: number | undefined;
  readonly limit: number;
}

/** Messages in the order in which they arrived. */
export interface MessagePage {
  readonly messages: readonly Message[];
  /** Stands after the last of them. */
  readonly cursor: string;
  /** Whether there are more already. */
  readonly hasMore: boolean;
}
