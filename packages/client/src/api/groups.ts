import type { GroupRights } from "@latchkey/protocol";
import type { Role } from "./people.ts";

export type { GroupRights, RightHolder } from "@latchkey/protocol";

/** What one person may do in a conversation now, by their role and the rights of the group (spec X-13). */
export interface GroupPermissions {
  readonly add: boolean;
  readonly remove: boolean;
  readonly post: boolean;
  readonly editInfo: boolean;
  readonly timer: boolean;
  readonly slowMode: boolean;
  /** Give roles, and set who may do what. */
  readonly own: boolean;
}

/** How a conversation is run. */
export interface GroupRun {
  /** "" for none. */
  readonly description: string;
  /** Seconds after which what is said goes; 0 for never. */
  readonly timerS: number;
  /** Seconds that everybody waits between two messages; 0 for none. */
  readonly slowModeS: number;
  /** Who may do what; absent of a conversation of two. */
  readonly rights: GroupRights | undefined;
  /** What this person may do now. */
  readonly may: GroupPermissions;
}

/** What a client sets of a group (spec X-13). Each call is one change, told to all members. */
export interface GroupCalls {
  /** Takes these people out of a group, in one commit. @throws ClientError `not_permitted`, `unknown_user` */
  removeMembers(conversationId: string, accountIds: readonly string[]): Promise<void>;
  /**
   * Gives these members a role, in one commit: owners do; and everybody may give up their own.
   * @throws ClientError `not_permitted`, `unknown_user`, `last_owner`, `invalid_setting` beyond 50 of a role
   */
  setRole(conversationId: string, accountIds: readonly string[], role: Role): Promise<void>;
  /** Name, of at most 128 bytes, and description, of at most 2,048, in one commit. @throws ClientError `not_permitted`, `name_required`, `invalid_setting` */
  changeInfo(conversationId: string, info: { name?: string; description?: string }): Promise<void>;
  /** Sets who may do what, all of it in one commit: owners do. @throws ClientError `not_permitted`, `invalid_setting` */
  changeRights(conversationId: string, rights: Partial<GroupRights>): Promise<void>;
  /** Lets what is said from now on go after so many seconds, a year at most; 0 for never. @throws ClientError `not_permitted`, `invalid_setting` */
  setTimer(conversationId: string, seconds: number): Promise<void>;
  /** Lets everybody wait so many seconds between two messages, an hour at most; 0 for not at all. @throws ClientError `not_permitted`, `invalid_setting` */
  setSlowMode(conversationId: string, seconds: number): Promise<void>;
}
