import type { ContentBody } from "@latchkey/protocol";
import type { Mentions, SpeakingDevice } from "./line.ts";
import type { MessageTimer } from "./timer.ts";

/** What of content belongs into the timeline: the rest is the conversation's own business. */
export type SaidBody = Exclude<
  ContentBody,
  { readonly kind: "sync" | "leave" | "profile" | "status" | "read_query" | "history" | "join_link" }
>;

/**
 * What a member said, at its place in the log, with what its author might do there: all that the timeline decides by, the same for every
 * reader but for `arrivedAtMs`, `sentAtMs` and `acceptedAtMs`, which decide nothing (spec X-5).
 */
export interface Said {
  readonly order: number;
  /** 32 bytes (draft-ietf-mimi-content section 3.3). */
  readonly id: Uint8Array;
  readonly author: Uint8Array;
  /** Where the device that said it is not proven to be its author's. */
  readonly device: SpeakingDevice | undefined;
  readonly claimedAtMs: number | undefined;
  /** As it is shown: what they claim, or when it came. */
  readonly sentAtMs: number;
  readonly arrivedAtMs: number;
  readonly acceptedAtMs: number;
  readonly body: SaidBody;
  readonly inReplyTo: Uint8Array | undefined;
  readonly forwardedHops: number;
  readonly mentions: Mentions;
  readonly may: SpeakerMay;
  /** Seconds that its author waits there between two messages; not stored, since messages wait for nothing. */
  readonly slowModeS?: number | undefined;
  /** Who gave it to this person, who came later (spec R-5). Not kept of what waits. */
  readonly sharedBy?: Uint8Array | undefined;
  /** How long a message stays (spec X-7); not kept of what waits, since messages wait for nothing. */
  readonly timer?: MessageTimer | undefined;
}

/** What the author might do at that place (spec X-13). */
export interface SpeakerMay {
  readonly post: boolean;
  readonly pin: boolean;
  /** Delete what others said, and end their polls. */
  readonly deleteOthers: boolean;
}

/** What somebody's words are about (32 bytes); `undefined` of a message of its own. A pin is a line of its own too, whatever it pins. */
export function targetOf(body: SaidBody): Uint8Array | undefined {
  switch (body.kind) {
    case "edit":
    case "deletion":
      return body.replaces;
    case "reaction":
    case "vote":
    case "poll_end":
      return body.inReplyTo;
    case "pin":
      return body.messageId;
    default:
      return undefined;
  }
}

/** Whether it is a message of its own, and not a change of another one. */
export function isMessage(body: Pick<SaidBody, "kind">): boolean {
  return body.kind === "text" || body.kind === "poll" || body.kind === "unsupported";
}
