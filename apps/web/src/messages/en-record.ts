/** Alarms about the server's public record, and about accounts in it. */
export const recordAlarms = {
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
} as const;
