import type { ClientErrorCode } from "@latchkey/client";

/** A warning: what was seen, what it may mean, what the app has done, what the person can do. */
export interface AlarmWords {
  readonly title: string;
  readonly meaning: string;
  readonly done: string;
  readonly advice: string;
}

/** Warnings that stay until the person handled them, by their code. */
export const alarms: Readonly<Partial<Record<ClientErrorCode, AlarmWords>>> = {
  account_changed: {
    title: "Somebody changed your account, and it was none of your devices",
    meaning:
      "The public record holds a change to your account that this device did not make and was not told of. A device that is not yours may be trying to read what is sent to you.",
    done: "Sending is paused on this device.",
    advice:
      "Look at your list of devices and remove those that you do not know. Then tell the people you write to, by another way, and the person who runs the server.",
  },
  directory_fork: {
    title: "The server shows different public records to different people",
    meaning: "What it showed this device and what it showed others cannot both be true. In one of them, somebody’s keys may be false.",
    done: "Sending is paused. New keys are not trusted.",
    advice: "Ask the people you write to, by another way, whether they see this warning too, and compare safety numbers with them.",
  },
  account_forked: {
    title: "Two lists of devices were signed for one account",
    meaning:
      "Somebody in your conversations has, or had, a device of that account and signed a second history of it. What counts is the one that stands in the public record, and that is the one used here.",
    done: "Everything goes on as before.",
    advice: "Ask the person whose account it is, by another way, whether they know all their devices, and whether one was lost or stolen.",
  },
  directory_changed: {
    title: "The public record gets other keys or other witnesses",
    meaning:
      "Whoever runs the server changed who signs or who checks it. The change was made in the open, under the rules so far, a week ahead.",
    done: "Everything goes on as before.",
    advice: "If you know the person who runs the server, ask whether that was them, and why.",
  },
  directory_stale: {
    title: "The public record has not been checked for a day",
    meaning:
      "Too few of its witnesses answer, or the server keeps their answers away. Alone, this device cannot tell an outage from a trick.",
    done: "New keys are not trusted: nobody is added, and new people cannot be written to.",
    advice: "Usually it passes by itself. If it stays, ask the person who runs the server whether its witnesses are running.",
  },
  directory_unproven: {
    title: "Keys came without proof that they are in the public record",
    meaning: "The server gave this device keys for somebody, and the proof was missing or wrong. They may not be theirs.",
    done: "These keys were not used, and nothing was encrypted for them.",
    advice: "Ask the person, by another way, whether they have a new device. Tell the person who runs the server.",
  },
  record_withheld: {
    title: "Part of the public record cannot be had",
    meaning:
      "The server signed something for other people that this device could not compare with its own record for a day: the files for that were refused or damaged. A fault on the way does that, and so does a server that shows people different keys.",
    done: "Nobody new is trusted until it can be compared. Your conversations go on. It is asked again every hour.",
    advice: "If it stays, tell the person who runs the server, and compare safety numbers with the people you write to.",
  },
  log_fork: {
    title: "Not everybody sees the same in this conversation",
    meaning: "The server shows some members other messages than it shows you, or it hides some.",
    done: "Sending is paused in this conversation.",
    advice: "Ask the others, by another way, what was written last, and whether they see this warning too.",
  },
  unreachable_device: {
    title: "A device was added and could not be told",
    meaning: "The server does not take the invitation for it: their device may be gone, or the server lost what it had of it.",
    done: "They are in this conversation, and that device of theirs reads nothing of it.",
    advice: "Remove them, and add them again. If it stays so, ask them by another way to open Latchkey once.",
  },
  server_lied: {
    title: "The server’s answer does not fit what it said before",
    meaning: "It may be broken, restored from an old copy, or tampered with.",
    done: "Sending is paused where it happened.",
    advice: "Ask the people you write to, by another way, whether they see the same. Tell the person who runs the server.",
  },
  device_added: {
    title: "Another of your devices added a device to your account",
    meaning: "It can read and write in every conversation of yours from now on.",
    done: "Everything goes on as before.",
    advice: "If it was not you, look at your list of devices now, and remove those that you do not know.",
  },
  change_unreadable: {
    title: "This device cannot read a change that a member made",
    meaning: "Their app may be broken, or they keep you out on purpose. Nobody let this device back in.",
    done: "Nothing is sent in this conversation.",
    advice: "Ask another member to add you again, or go on in a new conversation with the same people.",
  },
  left_behind: {
    title: "The others went on without this device",
    meaning:
      "They cannot read a change that this device followed or made: an app of theirs is broken, or the server holds it back from them.",
    done: "Nothing is sent in this conversation. What was sent since then reached nobody who could not read that change.",
    advice: "Ask another member to add you again, or go on in a new conversation with the same people.",
  },
  changes_expired: {
    title: "Changes of this group expired before this device read them",
    meaning: "It was away for longer than the server keeps them. What came after cannot be read without them.",
    done: "Nothing is sent in this conversation.",
    advice: "Ask someone in it to add you again, or go on in a new conversation with the same people.",
  },
  device_unproven: {
    title: "A device in this group does not belong to the account that it names",
    meaning: "A member added it. They may have been shown false keys, or they let somebody in under another's name.",
    done: "Nothing is sent in this conversation until that device is removed.",
    advice: "Ask the person whose account it is, by another way, and whoever manages the group to remove it.",
  },
  device_removed: {
    title: "This device was removed from the account",
    meaning: "Another of your devices took it out, or somebody who has one of them.",
    done: "It gets no more messages and sends none.",
    advice: "If it was not you, look at the list of devices on your other ones at once.",
  },
  name_changed_hands: {
    title: "This username belongs to another account now",
    meaning: "The account you knew gave it up or was deleted. Whoever has the name now may be somebody else.",
    done: "Nothing is sent to the new account.",
    advice: "Ask the person, by another way, whether the new account is theirs before you write to it.",
  },
  profile_restored: {
    title: "This is an old copy of your data",
    meaning: "Sending with keys that were used before would let others read your messages.",
    done: "This copy only shows what it has and sends nothing.",
    advice: "Go on with the device or browser profile that was used last. To use this one again, link it as a new device.",
  },
};
