import type { ClientErrorCode } from "@latchkey/client";

/** What happened, and what the person can do, for one kind of failure. */
export interface FailureWords {
  readonly title: string;
  readonly advice: string;
}

/** What to say about every kind of failure, by its code. */
export const failures: Readonly<Record<ClientErrorCode, FailureWords>> = {
  no_account: { title: "There is no account in this browser", advice: "Create one first." },
  account_waits: {
    title: "Your account is made, and waits",
    advice:
      "It counts once the server’s public record can be checked again. Your name and your keys are kept here, over a reload too; Latchkey goes on by itself.",
  },
  account_exists: { title: "This browser has an account already", advice: "Reload the page to use it." },
  invalid_username: { title: "This username cannot be used", advice: "Use 3 to 32 small letters, digits and _ . -" },
  username_taken: { title: "This username is taken", advice: "Choose another one." },
  invalid_invitation: {
    title: "This invitation does not hold",
    advice: "It may have been used up, taken back or expired. Ask who sent it for another one.",
  },
  registration_closed: { title: "This server is not taking new accounts", advice: "Ask the person who runs it." },
  account_suspended: {
    title: "The server has suspended your account",
    advice: "Nobody can start a conversation with you or add you to a group. Your conversations go on. Ask the person who runs it.",
  },
  invalid_address: { title: "That is not a username", advice: "A username looks like ben." },
  unknown_user: { title: "There is no such account", advice: "Check the spelling, or send them your link." },
  blocked: { title: "You blocked this person", advice: "Unblock them in the settings to write to them." },
  unknown_request: { title: "This request is not here any more", advice: "It was answered on another of your devices, perhaps." },
  other_server: {
    title: "They are on another server",
    advice: "Nothing was sent there: people on other servers cannot be reached yet. Ask them for an account on yours.",
  },
  unreachable_device: {
    title: "Their device has no fresh keys on the server",
    advice: "They need to open Latchkey once. Then try again.",
  },
  unknown_conversation: { title: "There is no such conversation in this browser", advice: "It may be on another of your devices." },
  invalid_cursor: { title: "This place in the messages is not known here", advice: "Begin again." },
  unknown_message: { title: "This message is not here any more", advice: "Nothing needs to be done." },
  not_a_member: { title: "You are no longer in this conversation", advice: "Ask someone in it to add you again." },
  not_permitted: { title: "Only administrators can do this", advice: "Ask one of them." },
  last_owner: { title: "Nobody else owns this group", advice: "Make another member an owner before you go." },
  invalid_setting: { title: "A group cannot have that", advice: "Choose a shorter text, or another value." },
  already_member: { title: "They are in this conversation already", advice: "Nothing needs to be done." },
  message_too_large: { title: "This message is too long", advice: "Send it in parts." },
  name_required: { title: "A group needs a name", advice: "Give it one." },
  offline: { title: "The server cannot be reached", advice: "Check your connection and try again." },
  rate_limited: { title: "Not so fast", advice: "Wait a minute and try again." },
  server_full: { title: "The server has no space left", advice: "Nothing of yours is lost. Tell the person who runs it." },
  server_down: {
    title: "The server is down",
    advice: "What stands before it answers. Nothing of yours is lost: it goes out when the server is back. Tell the person who runs it.",
  },
  way_blocked: {
    title: "Something on the way to the server refuses this",
    advice:
      "Nothing of yours is lost; it is tried again. Try another network, and tell the person who runs the server: their proxy may refuse it.",
  },
  app_outdated: { title: "Latchkey here is too old for its server", advice: "Update it. What you wrote is kept, and is sent then." },
  server_outdated: {
    title: "The server is too old for this Latchkey",
    advice: "Who runs it must update it. What you wrote is kept, and is sent then.",
  },
  server_refused: { title: "The server refused this", advice: "Try again. If it stays so, tell the person who runs it." },
  server_lied: {
    title: "The server’s answer does not fit what was said before",
    advice:
      "It may be broken, restored from a copy, or tampered with. Sending is paused there. Ask the people you write to, by another way, whether they see the same.",
  },
  server_restored: {
    title: "The server was restored from a copy",
    advice: "Something may be missing here for some of you. If nobody writes any more, go on in a new conversation with the same people.",
  },
  conflict: { title: "Your account was changed at the same moment", advice: "Try again." },
  change_waits: { title: "Others keep changing this group", advice: "Your change waits, and is made as soon as it gets through." },
  conversation_unavailable: {
    title: "The server does not have this conversation now",
    advice: "What you write waits, and goes out when the server has it again.",
  },
  change_unreadable: { title: "A change cannot be read by this device", advice: "What you write waits until you are let back in." },
  left_behind: { title: "The others went on without this device", advice: "Go on in a new conversation with the same people." },
  changes_expired: {
    title: "Changes of this group expired before this device read them",
    advice: "Ask someone in it to add you again, or go on in a new conversation.",
  },
  device_unproven: {
    title: "A device in this group does not belong to the account that it names",
    advice: "Nothing is sent here until it is removed. Ask the person whose account it is, by another way.",
  },
  invitation_expired: {
    title: "This invitation does not hold any more",
    advice: "Ask them to add you again.",
  },
  members_changed: {
    title: "Somebody was added after you wrote this",
    advice: "They would read it too. Look who is in the conversation, then decide.",
  },
  storage_denied: {
    title: "This browser does not let Latchkey store anything",
    advice: "Your keys must be kept somewhere. Leave private browsing, or allow this site to store data, then try again.",
  },
  storage_in_use: { title: "Latchkey is open elsewhere with this profile", advice: "Close it there, then try again." },
  storage_older: {
    title: "This browser has data of an early test version",
    advice: "No version can read it any more. Erase it, then begin anew.",
  },
  storage_newer: { title: "A newer Latchkey has used this browser", advice: "Reload to get the newest version. Nothing was changed." },
  profile_restored: {
    title: "This is an old copy of your data",
    advice:
      "Sending with old keys would make your messages readable to others, so this copy is not opened. Use the device or browser profile that was used last; or erase this one, and link it as a new device.",
  },
  clock_skew: {
    title: "This device’s clock is wrong",
    advice: "Keys are valid for certain days only, so the clock matters. Set date and time to automatic; Latchkey then goes on by itself.",
  },
  invalid_key_package: {
    title: "The keys of one of their devices are not valid",
    advice: "Nothing was sent. They need to open Latchkey once, then try again.",
  },
  directory_unproven: {
    title: "The server did not prove that these keys are in the public record",
    advice:
      "It may be broken, or somebody may be trying to slip in keys of their own. Nothing was sent. Try again; if it stays so, ask the people you write to, by another way, and tell the person who runs the server.",
  },
  directory_changed: {
    title: "The public record gets other keys or other witnesses",
    advice: "If you know the person who runs the server, ask whether that was them, and why.",
  },
  retention_shorter: {
    title: "The server keeps messages for less time than before",
    advice: "Open Latchkey at least that often, on each of your devices.",
  },
  record_withheld: {
    title: "Part of the public record cannot be had",
    advice:
      "The server's record could not be compared with what others were shown, so nobody new is trusted. Latchkey tries again by itself. If it stays so, tell the person who runs the server.",
  },
  directory_stale: {
    title: "The public record was not checked lately",
    advice:
      "Too few of its witnesses can be reached, so new keys are not trusted until they are back. Conversations whose keys were checked go on. Latchkey tries again by itself.",
  },
  directory_fork: {
    title: "The server shows different public records to different people",
    advice:
      "One of them may hold keys that are not theirs. Sending is paused. Ask the people you write to, by another way, whether they see this too, and compare safety numbers before you go on.",
  },
  account_forked: {
    title: "Two lists of devices were signed for one account",
    advice:
      "The one in the public record is used. Ask the person whose account it is, by another way, whether one of their devices was lost or stolen.",
  },
  account_changed: {
    title: "Somebody changed your account, and it was not this device",
    advice:
      "A device that is not yours may be able to read what is sent to you from now on. Sending is paused. Look at your list of devices, remove those that you do not know, and tell the people you write to.",
  },
  name_changed_hands: {
    title: "This username belongs to another account now",
    advice:
      "Whoever has it may be somebody else than the person you knew. Nothing was sent. Ask them by another way before you write to the new account.",
  },
  log_fork: {
    title: "Not everybody sees the same in this conversation",
    advice:
      "The server shows some people other messages than the rest, or hides some. Sending is paused here. Ask the others, by another way, what was written last.",
  },
  device_added: {
    title: "Another of your devices added a device to your account",
    advice: "If it was not you, look at your list of devices now, and remove those that you do not know.",
  },
  device_removed: {
    title: "This device was removed from the account",
    advice: "It gets no more messages. If you did not do this, look at your list of devices on another one at once.",
  },
  account_deleted: { title: "This account was deleted", advice: "It cannot be brought back. You can create a new one." },
  invalid_phrase: {
    title: "These are not the words of this account",
    advice: "Check each word and their order, and the username. There are 24 words.",
  },
  invalid_code: { title: "That is not a linking code", advice: "Show a new one on the new device, and scan or type it again." },
  link_expired: { title: "The linking was broken off", advice: "Nothing was changed. Start again with a new code." },
  link_refused: {
    title: "The numbers were not the same",
    advice:
      "Nothing was changed. Somebody may have tried to put their device in place of yours. Start again, with both devices in your hands.",
  },
  invalid_join_link: { title: "That is not an invite link", advice: "A part of it may be missing: open or copy all of it." },
  join_link_gone: { title: "This link does not hold any more", advice: "It was taken back, or its time is over. Ask for another one." },
  join_link_used_up: { title: "As many as this link is for came in by it", advice: "Make another link, or add them by their username." },
  unknown_join_link: { title: "This link is not there any more", advice: "Somebody who leads the group took it back, perhaps." },
  waiting_room_full: { title: "Too many people wait there", advice: "Try again later, or ask somebody in the group to add you." },
  closed: { title: "Latchkey was closed", advice: "Reload the page." },
};
