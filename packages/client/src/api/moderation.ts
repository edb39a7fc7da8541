import type { GroupReportReason } from "@latchkey/protocol";
import type { Message } from "./messages.ts";
import type { Person } from "./people.ts";

export type { GroupReportReason } from "@latchkey/protocol";

/** How a member came into a group, by the group's own log. */
export interface InvitedBy {
  readonly person: Person;
  /** Who added them, by a signed change that all members read; absent of whoever was there before this device came. */
  readonly addedBy?: Person;
  readonly atMs?: number;
  /** By whose join link, where this device has that link's keys. */
  readonly linkOf?: Person;
}

/** What a member told the administrators of a group. */
export interface GroupReport {
  readonly reportId: string;
  readonly conversationId: string;
  /** A device of theirs signed it. */
  readonly from: Person;
  readonly receivedAtMs: number;
  readonly reason: GroupReportReason;
  /** The reporter's own; "" for none. */
  readonly words: string;
  /** As this device has each of them: what the reporter says of it is nowhere. Without `message` it is not here. */
  readonly messages: readonly { readonly messageId: string; readonly message?: Message }[];
}

/** What a client does so that a group is kept in order (spec ). */
export interface ModerationCalls {
  /** How each member came into a group (spec X-25). */
  invitedBy(conversationId: string): Promise<readonly InvitedBy[]>;
  /**
   * Tells the administrators and owners of a group of messages, sealed to each of their devices: the group sees nothing of it, its log neither, nor
   * do those of them who wrote one of these messages. Who reads it learns who reports. Answers to whom it goes (spec X-26).
   * @throws ClientError `unknown_message`, `no_administrator` where nobody is left to tell, `invalid_setting` beyond 50 messages or 2,048 bytes,
   * `offline`
   */
  reportToAdministrators(
    conversationId: string,
    report: { readonly messageIds: readonly string[]; readonly reason: GroupReportReason; readonly words?: string },
  ): Promise<readonly Person[]>;
  /** What members told this person of a group that they administer, newest first; nothing of one that they do not. */
  groupReports(conversationId: string): Promise<readonly GroupReport[]>;
  /** A report was dealt with: it goes from this device. */
  dismissGroupReport(conversationId: string, reportId: string): Promise<void>;
}
