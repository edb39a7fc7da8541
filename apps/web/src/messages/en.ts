import { count } from "./count.ts";

/** Every word that the app says, in English. A translation is another object of the same shape. */

/** "Ben", "Ben and Chidi", "Ben, Chidi and Dana"; of many the first ten, and how many more. */
function list(names: readonly string[]): string {
  const shown = names.length > 12 ? [...names.slice(0, 10), count(names.length - 10, "other", "others")] : names;
  return new Intl.ListFormat("en-GB", { type: "conjunction" }).format(shown);
}

/** The English catalogue. */
export const en = {
  appName: "Latchkey",
  promise: "Messages only the people in them can read. Not even this server.",

  common: {
    back: "Back",
    cancel: "Cancel",
    close: "Close",
    dismiss: "Dismiss",
    tryAgain: "Try again",
    you: "You",
    copy: "Copy",
    copied: "Copied",
    loading: "Loading",
    skipToMessage: "Skip to the message box",
    people: (n: number): string => count(n, "person", "people"),
    devices: (n: number): string => count(n, "device", "devices"),
  },

  list: {
    heading: "Chats",
    label: "Conversations",
    search: "Search",
    searchLabel: "Search conversations",
    newConversation: "New conversation",
    settings: "Settings",
    noMatch: (query: string): string => `Nothing called “${query}”`,
    empty: "No conversations yet",
    draft: "Draft:",
    noteToSelf: "Note to self",
    archived: (n: number): string => `Archived (${n.toLocaleString("en")})`,
    archivedHeading: "Archived",
    leaveArchive: "Archived. Back to all conversations",
    noArchived: "Nothing is archived",
    muted: "Muted",
    pinned: "On top",
    markedUnread: "Marked as unread",
    you: "You:",
    unread: (n: number): string => count(n, "unread message", "unread messages"),
    pending: "Waiting to be sent",
    failed: "Not sent",
    alarm: "Needs your attention",
    requests: (n: number): string => `Requests (${n.toLocaleString("en")})`,
    resize: "Width of the conversation list",
    storageNoteLabel: "Storage",
    storageNote: "This browser may clear your messages when space runs short.",
    storageAction: "Have your messages kept",
    recoveryNoteLabel: "Recovery phrase",
    recoveryNote: "Your 24 recovery words are not on paper yet. Without them a lost device is a lost account.",
    recoveryAction: "Write down your 24 words",
  },

  empty: {
    heading: "Nobody here yet",
    recoveredHeading: "Your account is back",
    chooseHeading: "Pick a conversation",
    choose: "Or start a new one. Press ? for the keyboard.",
    body: "Send someone your link. When they open it, they can write to you.",
    linkLabel: "Your link",
    copyLink: "Copy link",
    orWrite: "Or, if you know their username:",
    write: "Write to someone",
  },

  conversation: {
    details: "Conversation details",
    backToList: "Back to conversations",
    messages: "Messages",
    composerLabel: "Message",
    composerPlaceholder: "Message",
    send: "Send",
    members: (n: number): string => count(n, "person", "people"),
    encrypted: "End-to-end encrypted",
    verified: "Verified",
    blocked: (name: string): string => `You blocked ${name}. What they write is not shown, and they are not told.`,
    unblock: "Unblock",
    hold: "Nothing is sent just now.",
    holdWaiting: "What you write waits here and goes out by itself.",
    holdDetails: "Look at the keys",
    newMessages: (n: number): string => count(n, "new message", "new messages"),
    jumpDown: "Jump to the newest message",
    jumpDownUnread: (n: number): string => `Jump to the newest message, ${count(n, "unread", "unread")}`,
    start: (name: string): string => `This is the beginning of your conversation with ${name}.`,
    startGroup: (name: string): string => `This is the beginning of ${name}.`,
    startKeys: "Only the people in it hold its keys.",
    loadingOlder: "Loading earlier messages",
    readMore: "Read more",
    readLess: "Show less",
    tryAgain: "Try again",
    sendAnyway: "Send anyway",
    discard: "Discard",
    removed: "You are no longer in this conversation. What you received stays here.",
    paused: "Sending is paused here.",
    notFound: "There is no such conversation in this browser.",
    notFoundAdvice: "It may be on another of your devices, or the link is incomplete.",
    toList: "To your conversations",
    delivery: {
      pending: "Waiting to be sent",
      accepted: "On the server",
      delivered: "Delivered",
      read: "Read",
      withoutReader: (names: readonly string[]): string => `On the server. No device of ${list(names)} can read it.`,
      unread: (names: readonly string[]): string => `Does not reach ${list(names)}: no device that can read it`,
      failed: "Not sent",
    },
    doubt: {
      unproven: (author: string): string => `Whether this is ${author}'s device is being checked`,
      departed: (author: string): string => `By a device that ${author} had removed by then`,
    },
    heard: (author: string, text: string): string => `${author}: ${text}`,
    heardElsewhere: (author: string, title: string): string => `New message from ${author} in ${title}`,
  },

  system: {
    created: (author: string, name: string): string => `${author} created “${name}”`,
    createdDirect: (author: string): string => `${author} started the conversation`,
    added: (author: string, names: readonly string[]): string => `${author} added ${list(names)}`,
    removed: (author: string, names: readonly string[]): string => `${author} removed ${list(names)}`,
    left: (author: string): string => `${author} left`,
    renamed: (author: string, name: string): string => `${author} renamed this to “${name}”`,
    keysUpdated: (author: string): string => `${author} changed keys, as devices regularly do`,
    deviceAdded: (author: string): string => `${author} added a device`,
    deviceRemoved: (author: string): string => `${author} removed a device`,
    recovered: (author: string): string =>
      `${author} is on a new device: the account was brought back by its recovery phrase. Compare the safety number again.`,
    away: (who: string): string => `${who}’s old devices are out of this group`,
    recoveredSelf: "You recovered your account. The others were told to compare the safety number again.",
    skipped: (author: string): string => `${author} sent a change that nobody can use; nothing came of it`,
    complaint: (author: string, who: string): string => `A change by ${author} cannot be read by ${who}`,
    complaintSelf: (author: string): string => `This device cannot read a change by ${author}. The others were asked to let you back in.`,
    letBack: (author: string, who: string): string => `${author} let ${who} back in`,
    deleted: (who: string, whose: string | undefined): string =>
      whose === undefined ? `${who} deleted a message` : `${who} deleted a message of ${whose}`,
    pinned: (who: string): string => `${who} pinned a message`,
    unpinned: (who: string): string => `${who} unpinned a message`,
    unpermitted: (who: string): string => `${who} wrote something, and may not write here`,
    historyGiven: (author: string, names: readonly string[]): string => `${author} gave ${list(names)} what was said before`,
    leftOut: (author: string, n: number, unproven: number): string =>
      `${author} left out ${count(n, "message or change", "messages or changes")} here${unproven === 0 ? "" : `: ${count(unproven, "is", "are")} not proven`}`,
    expired: (n: number): string => `${count(n, "message is", "messages are")} no longer on the server`,
    missingMessages: (author: string, n: number): string => `${count(n, "message", "messages")} by ${author} never arrived here`,
    misnumbered: (author: string): string =>
      `A device of ${author} numbers its messages in a way that cannot be: perhaps an old copy of it is in use`,
    otherView: (author: string): string =>
      `${author}’s device spoke of another version of this conversation; yours is the one in the server’s public record. If ${author} sees a warning, the server shows them something else. If not, their device cannot be trusted.`,
    unsupported: "A message of a kind that this version does not know. Reload to get the newest version.",
    unreadable: "A message that this device cannot read",
    alarm: "Something is wrong in this conversation",
    alarmDone: "Sending is paused here.",
    someone: "Someone",
    youSubject: "You",
    youObject: "you",
  },

  announcementRegion: "Announcement of the server",
  announcedBy: (host: string): string => `From the server ${host}:`,

  connection: {
    connecting: "Connecting",
    offline: (since: string): string => `Offline since ${since}`,
    waiting: (n: number): string => count(n, "message waits", "messages wait"),
    tryNow: "Try now",
    update: "Update",
    reading: (done: number, total: number): string => `Catching up: ${done.toLocaleString("en")} of ${total.toLocaleString("en")}`,
    fetching: (done: number, total: number): string =>
      `Your conversations are coming: ${done.toLocaleString("en")} of ${total.toLocaleString("en")}`,
  },

  blocked: {
    inUse: "Latchkey is open in another tab",
    inUseAdvice: "One tab at a time can hold your keys in this browser. Close the other one and this one goes on by itself.",
    failedHeading: "Latchkey cannot open",
    reload: "Try again",
    startAnew: "To the beginning",
    evicted: "This browser has cleared Latchkey’s data",
    evictedAdvice:
      "Keys and messages that were kept here are gone, and nobody else has them: not the server either. If you made the account in another browser too, go on there. Otherwise create a new account.",
  },

  starting: "Opening",
  noticeRegion: "Notices",
  alarmRegion: "Warnings",
  acknowledge: "I have read this",
  alarmPlaces: (titles: readonly string[]): string => {
    const shown = titles.slice(0, 3).map((title) => `\u2068${title}\u2069`);
    return list(titles.length > 3 ? [...shown, count(titles.length - 3, "other", "others")] : shown);
  },
  alarmMore: "Read",
  alarmHandled: "I have dealt with it",
  alarmSure: "Only take this warning away when you have done what it says. It will not come back by itself.",
  alarmKeep: "Keep it",
  alarmRemove: "Take it away",
  openDevices: "Look at your devices",
  linked: "This device is linked. Your conversations are here.",
  notLoaded: "This part of Latchkey could not be fetched from the server. Check your connection, then try again.",
  reload: "Reload",
  broken: {
    line: "This line cannot be shown.",
    part: "This part of Latchkey cannot be shown. The rest goes on.",
    page: "Latchkey cannot be shown. Your messages and keys are kept in this browser.",
  },
  openConversation: "Show the conversation",

  help: {
    heading: "Keyboard",
    rows: [
      ["Ctrl K", "Search conversations"],
      ["Alt ↑ / Alt ↓", "Previous, next conversation"],
      ["↑ / ↓", "Move in a list"],
      ["Enter", "Send; on a message: what can be done with it"],
      ["Shift Enter", "New line"],
      ["↑ in an empty field", "Change what you sent last"],
      ["Esc", "Close, or go back"],
      ["?", "This sheet"],
    ] as readonly (readonly [string, string])[],
  },

  time: {
    language: "en",
    now: "now",
    justNow: "just now",
    onDate: (date: string): string => `on ${date}`,
    yesterday: "Yesterday",
    today: "Today",
    minutes: (n: number): string => `${n} min`,
  },
};
