import type { ClientErrorCode } from "../api.ts";

const sentences: Readonly<Partial<Record<ClientErrorCode, string>>> = {
  message_too_large: "This message is too long.",
  server_full: "The server has no space left. Nothing is lost; it is tried again.",
  server_down: "The server is down; what stands before it answers. Nothing is lost; it is tried again.",
  way_blocked: "Something between here and the server refuses this. Nothing is lost; it is tried again.",
  members_changed: "Somebody joined since you wrote this. Send it to them too?",
  not_a_member: "You are not in this conversation any more.",
  not_permitted: "Your role in the group does not allow that.",
  last_owner: "Nobody else owns this group. Make another member an owner first.",
  change_waits: "Others keep changing this group. The change waits, and is made as soon as it gets through.",
  server_lied: "The server did something that it must not. Nothing is sent.",
  profile_restored: "This profile is an old copy: it must not send.",
  conversation_unavailable: "It is not known whether the server took this message. Send it again?",
  invitation_expired: "This invitation does not hold any more. Ask them to add you again.",
  unreachable_device: "A device of this person cannot be reached now.",
};

/** What a failure means, in one plain sentence. */
export function sentenceOf(code: ClientErrorCode): string {
  return sentences[code] ?? "The server refused this.";
}
