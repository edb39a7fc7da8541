import type { GroupRights, RoleEntry } from "@latchkey/protocol";

/** Whether nobody adds this account to the group. */
export interface KeptOut {
  readonly accountId: Uint8Array;
  readonly isKept: boolean;
}

/** What a person sets of a group; what is absent stays as it is when the change is made (spec X-13). */
export interface SettingsEdit {
  /** Who is kept out from now on, and who is not any more (spec X-24). */
  readonly keptOut?: readonly KeptOut[] | undefined;
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  /** What leads to its picture (`encodePicture`); empty for none any more. */
  readonly picture?: Uint8Array | undefined;
  readonly rights?: Partial<GroupRights> | undefined;
  readonly timerS?: number | undefined;
  readonly slowModeS?: number | undefined;
  /** Roles of these accounts; with that of a member an account has none any more. */
  readonly roles?: readonly RoleEntry[] | undefined;
}
