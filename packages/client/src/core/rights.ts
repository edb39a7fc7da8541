import { conversationKinds } from "@latchkey/protocol";
import { roleOf, roles } from "./roster.ts";
import type { ConversationState, RosterLeaf } from "./types.ts";

/** What the author of an application message may do at the message's place in the log (spec X-13); the same for every member. */
export interface SpeakerRights {
  readonly role: "member" | "administrator" | "owner";
  readonly post: boolean;
  readonly pin: boolean;
  readonly mentionAll: boolean;
  readonly deleteOthers: boolean;
}

const roleNames: Readonly<Record<number, SpeakerRights["role"]>> = { [roles.administrator]: "administrator", [roles.owner]: "owner" };

/** The rights of a leaf's account in the epoch that `state` is in: of the author of a message while the message is read. */
export function rightsOf({ roster }: ConversationState, leaf: RosterLeaf): SpeakerRights {
  if (roster === undefined || roster.settings.conversationKind !== conversationKinds.group)
    return { role: "member", post: true, pin: true, mentionAll: true, deleteOthers: false };
  const role = roleNames[roleOf(roster, leaf.account)] ?? "member";
  const leads = role !== "member";
  return { role, post: true, pin: leads, mentionAll: leads, deleteOthers: leads };
}
