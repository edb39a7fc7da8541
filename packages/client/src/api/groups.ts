import type { GroupRights } from "@latchkey/protocol";
import type { Person, Role } from "./people.ts";

export type { GroupRights, RightHolder } from "@latchkey/protocol";

/** What one person may do in a conversation now, by their role and the rights of the group (spec X-13). */
export interface GroupPermissions {
  readonly add: boolean;
  readonly remove: boolean;
  readonly post: boolean;
  readonly editInfo: boolean;
  readonly timer: boolean;
  readonly slowMode: boolean;
  /** Pin messages for all. */
  readonly pin: boolean;
  /** Delete for everybody what others said. */
  readonly deleteOthers: boolean;
  /** Make join links, and answer those who wait at them. */
  readonly invite: boolean;
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
  /** Whom nobody adds (spec X-24). */
  readonly keptOut: readonly Person[];
  /** Who may do what; absent of a conversation of two. */
  readonly rights: GroupRights | undefined;
  /** Within so many days every device renews its keys that is on when its turn comes; what was stolen of them before is then worth nothing (spec R-6). */
  readonly healsWithinDays: number;
  /** When this device's keys here were made or renewed, by its clock; `undefined` where it has none. */
  readonly keysRenewedAtMs: number | undefined;
  /** What this person may do now. */
  readonly may: GroupPermissions;
  /** A link to it in a text mentions everybody; absent where this person may not (spec X-1). */
  readonly mentionAllUri?: string;
}

/** What a person sets of a group; what is absent stays as it is (spec X-13). */
export interface GroupSettingsChange {
  /** At most 128 bytes. */
  readonly name?: string | undefined;
  /** At most 2,048 bytes; "" takes it away. */
  readonly description?: string | undefined;
  /** What is said from now on goes after so many seconds, a year at most; 0 for never. */
  readonly timerS?: number | undefined;
  /** Everybody waits so many seconds between two messages, an hour at most; 0 for not at all. */
  readonly slowModeS?: number | undefined;
  /** Who may do what: owners say. */
  readonly rights?: Partial<GroupRights> | undefined;
}

/** What a client sets of a group (spec X-13). Each call is one change, told to all members. */
export interface GroupCalls {
  /**
   * Takes these people out of a group, in one commit. `keepOut`: nobody adds them again before somebody who may remove ends it (`keepOut`).
   * @throws ClientError `not_permitted`, `unknown_user`, `invalid_setting` where a group keeps out 128 people already
   */
  removeMembers(conversationId: string, accountIds: readonly string[], options?: { readonly keepOut?: boolean }): Promise<void>;
  /**
   * Keeps people out of a group who are not in it, or does not any more: who may remove decides it for all (spec X-24).
   * @throws ClientError `not_permitted`, `already_member`, `invalid_setting` beyond 128
   */
  keepOut(conversationId: string, accountIds: readonly string[], isKept: boolean): Promise<void>;
  /**
   * Gives these members a role, in one commit: owners do; and everybody may give up their own.
   * @throws ClientError `not_permitted`, `unknown_user`, `last_owner`, `invalid_setting` beyond 50 of a role
   */
  setRole(conversationId: string, accountIds: readonly string[], role: Role): Promise<void>;
  /**
   * All of it in one commit. At most one a minute of name, description and timer, four an hour of the timer (spec X-19); what waits because the
   * server cannot be reached is made together. Of a conversation of two only the timer can be set.
   * @throws ClientError `not_permitted`, `name_required`, `invalid_setting`, and `rate_limited` with the time to wait
   */
  changeSettings(conversationId: string, settings: GroupSettingsChange): Promise<void>;
  /**
   * The picture of a group, as `setPicture` takes one; `undefined` for none. By whom may set its name, and as often (spec ).
   * @throws ClientError as `changeSettings`, and `server_full`
   */
  setGroupPicture(conversationId: string, picture: Uint8Array | undefined): Promise<void>;
}
