import { bool, opaque, optional, struct, text, uint32, uint8, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { historyPolicyCodec, leadersCodec, maxDescriptionBytes, maxGroupNameBytes, rightHolderCodec } from "@latchkey/protocol";
import type { GroupRights, RoleEntry } from "@latchkey/protocol";
import type { SettingsEdit } from "./settings-edit.ts";

const holder = optional(rightHolderCodec);

/** What somebody set and is not in the log yet, as it is stored. */
export const settingsEditCodec: Codec<SettingsEdit> = struct<SettingsEdit>({
  name: optional(text(maxGroupNameBytes)),
  description: optional(text(maxDescriptionBytes)),
  rights: optional(
    struct<Partial<GroupRights>>({
      add: holder,
      remove: optional(leadersCodec),
      post: holder,
      editInfo: holder,
      timer: holder,
      pin: holder,
      invite: holder,
      mentionAll: holder,
      deleteOthers: holder,
      shareHistory: holder,
      approval: optional(bool),
      history: optional(historyPolicyCodec),
    }),
  ),
  timerS: optional(uint32),
  slowModeS: optional(uint32),
  roles: optional(vector(struct<RoleEntry>({ accountId: opaque(32), role: uint8 }), { maxBytes: 65_536 })),
});
