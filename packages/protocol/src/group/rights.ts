import { bool, enumeration, struct, uint8 } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";

/** Who has a right in a group: everybody in it, its administrators and owners, or its owners alone (spec X-13). */
export type RightHolder = "everyone" | "administrators" | "owner";

/** Who may do what in a group (spec X-13). In a conversation of another kind it says nothing. */
export interface GroupRights {
  readonly add: RightHolder;
  /** Never `everyone`: else any member throws out any other. */
  readonly remove: Exclude<RightHolder, "everyone">;
  readonly post: RightHolder;
  /** Name, description and picture. */
  readonly editInfo: RightHolder;
  readonly timer: RightHolder;
  readonly pin: RightHolder;
  readonly invite: RightHolder;
  readonly mentionAll: RightHolder;
  readonly deleteOthers: RightHolder;
  readonly shareHistory: RightHolder;
  /** Whether whoever comes by an invite link waits for an administrator's word. */
  readonly approval: boolean;
  /** What who joins may be given of what was said before, while it was not off (spec R-5). */
  readonly history: HistoryPolicy;
}

/** How far back joiners are given what was said: nothing, so many days, or the last messages (spec R-5). */
export type HistoryPolicy = "off" | "1_day" | "7_days" | "30_days" | "100_messages";

/** Who has a right, in one byte. */
export const rightHolderCodec: Codec<RightHolder> = enumeration<RightHolder>(uint8, { everyone: 0, administrators: 1, owner: 2 });

/** The same of a right that everyone never has. */
export const leadersCodec: Codec<GroupRights["remove"]> = enumeration<GroupRights["remove"]>(uint8, { administrators: 1, owner: 2 });

/** How far back, in one byte. */
export const historyPolicyCodec: Codec<HistoryPolicy> = enumeration<HistoryPolicy>(uint8, {
  off: 0,
  "1_day": 1,
  "7_days": 2,
  "30_days": 3,
  "100_messages": 4,
});

export const groupRightsCodec: Codec<GroupRights> = struct<GroupRights>({
  add: rightHolderCodec,
  remove: leadersCodec,
  post: rightHolderCodec,
  editInfo: rightHolderCodec,
  timer: rightHolderCodec,
  pin: rightHolderCodec,
  invite: rightHolderCodec,
  mentionAll: rightHolderCodec,
  deleteOthers: rightHolderCodec,
  shareHistory: rightHolderCodec,
  approval: bool,
  history: historyPolicyCodec,
});
