import { bool, CodecError, opaque, opaqueV, optional, struct, text, uint32, uint8, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import {
  historyPolicyCodec,
  leadersCodec,
  maxDescriptionBytes,
  maxGroupNameBytes,
  maxPictureBytes,
  rightHolderCodec,
} from "@latchkey/protocol";
import type { GroupRights, RoleEntry } from "@latchkey/protocol";
import type { KeptOut, SettingsEdit } from "./settings-edit.ts";

const holder = optional(rightHolderCodec);

const name = text(maxGroupNameBytes);
const picture = opaqueV(maxPictureBytes);

/** Name and picture, each where it is set: 1 for a name, 2 for a picture and 4 for who is kept out, so that what was stored before there were pictures reads as ever. */
const nameAndPicture: Codec<Pick<SettingsEdit, "name" | "picture" | "keptOut">> = {
  write(writer, edit) {
    writer.uint8((edit.name === undefined ? 0 : 1) + (edit.picture === undefined ? 0 : 2) + (edit.keptOut === undefined ? 0 : 4));
    if (edit.name !== undefined) name.write(writer, edit.name);
    if (edit.picture !== undefined) picture.write(writer, edit.picture);
    if (edit.keptOut !== undefined) keptOut.write(writer, edit.keptOut);
  },
  read(reader) {
    const which = reader.uint8();
    if (which > 7) throw new CodecError("invalid", "neither a name nor a picture");
    return {
      name: (which & 1) === 0 ? undefined : name.read(reader),
      picture: (which & 2) === 0 ? undefined : picture.read(reader).slice(),
      keptOut:
        (which & 4) === 0 ? undefined : keptOut.read(reader).map(({ accountId, isKept }) => ({ accountId: accountId.slice(), isKept })),
    };
  },
};

const otherSettings: Codec<Omit<SettingsEdit, "name" | "picture" | "keptOut">> = struct<Omit<SettingsEdit, "name" | "picture" | "keptOut">>(
  {
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
  },
);

const keptOut: Codec<readonly KeptOut[]> = vector(struct<KeptOut>({ accountId: opaque(32), isKept: bool }), { maxBytes: 65_536 });

/** What somebody set and is not in the log yet, as it is stored. */
export const settingsEditCodec: Codec<SettingsEdit> = {
  write(writer, edit) {
    nameAndPicture.write(writer, edit);
    otherSettings.write(writer, edit);
  },
  read: (reader) => ({ ...nameAndPicture.read(reader), ...otherSettings.read(reader) }),
};
