import { count } from "./count.ts";

/** The words of the screens about one's account, its devices and what is verified of others: loaded with them, not at first. */

/** Several of them. */
function listed(names: readonly string[]): string {
  return new Intl.ListFormat("en").format(names.map(name));
}

/** A name inside a sentence, in its own direction of writing. */
function name(text: string): string {
  return `\u2068${text}\u2069`;
}

/** The English catalogue of those screens. */
export const enAccount = {
  requests: {
    heading: "Requests",
    intro: "These people want to write to you. Nothing that they sent was opened yet, and they cannot see whether you are here.",
    none: "Nobody is waiting.",
    accept: "Accept",
    acceptLabel: (who: string): string => `Accept ${name(who)}`,
    decline: "Delete",
    declineLabel: (who: string): string => `Delete the request of ${name(who)}`,
    block: "Block",
    blockLabel: (who: string): string => `Block ${name(who)}`,
    blockTitle: (who: string): string => `Block ${name(who)}?`,
    blockBody: "Nothing that they send reaches you from now on. They are not told. In groups you both stay.",
    write: "Write to them",
    several: (n: number): string => count(n, "invitation", "invitations"),
    state: {
      joining: "Accepted. It is tried again by itself until it can be opened.",
      failed: "This invitation cannot be opened any more. Ask them to write again, or write to them yourself.",
    },
    dropped: (n: number): string => `And ${n.toLocaleString("en")} more, dropped because there were too many at once.`,
    quiet: "Accept only whom you know: anybody can choose any name. Deleting tells them nothing.",
  },

  blocked: {
    heading: "Blocked people",
    intro: "Nothing that they send reaches you. They are not told.",
    none: "You have blocked nobody.",
    unblock: "Unblock",
    unblockLabel: (who: string): string => `Unblock ${name(who)}`,
  },

  recovery: {
    heading: "Your recovery phrase",
    why: "If you lose every device, these 24 words bring your account back. Nobody else can do that, not the people who run this server either.",
    whyNot: "Whoever has the words has your account, so keep them on paper and show them to nobody.",
    show: "Show the 24 words",
    hidden: "Make sure that nobody looks over your shoulder.",
    words: "The 24 words, in their order",
    print: "Print",
    copy: "Copy",
    copyTitle: "Copy the words?",
    copyBody:
      "Other programs can read what you copy, and some send it to a cloud. Paste the words only into a password manager, then copy something else. Paper is safer.",
    copyConfirm: "Copy them",
    copied: "Copied. Paste them into your password manager now.",
    copyFailed: "The browser did not let Latchkey copy. Write the words down.",
    next: "I have written them down",
    later: "Later",
    check: "Let us see whether you can read it",
    checkBody: "Type three of the words from your paper.",
    word: (number: number): string => `Word ${String(number)}`,
    wrong: (number: number): string => `Word ${String(number)} is another one`,
    empty: (number: number): string => `Word ${String(number)} is still missing`,
    again: "Show the words again",
    finish: "Check",
    doneHeading: "Done",
    done: "The words are now only on your paper: this device has erased them. You cannot see them here again.",
    doneAction: "Go on",
    none: "This device does not keep the words any more. If you lost the paper, link a second device, so that you have another way in.",
    printTitle: (address: string): string => `Latchkey recovery phrase of ${address}`,
    printNote: "Keep this where you keep your passport. Whoever has these words has the account.",
    printDate: (date: string): string => `Printed on ${date}`,
    toSettings: "To the settings",
  },

  recovered: {
    back: "This is its only device now. Your username and your place in the public record are what they were.",
    lost: "What was said before, and with whom, was on the devices you lost: the server never knew it, and nobody can give it back.",
    groups: "Ask the people in your groups: whoever manages one is offered to let you back in, as the same person in the same role.",
    people: "Write to the people you know by their usernames. They are told that you are on a new device: compare safety numbers again.",
  },

  stop: {
    label: "Ways on",
    waits: "What you write waits, and the conversation goes on by itself when that is over.",
    direct: "You can go on in a new conversation with the same person; what you have stays above it.",
    group: "You can go on in a new conversation with the same people; what you have stays above it.",
    goOn: "Go on in a new conversation",
    madeBy: (who: string): string => `The change is by ${name(who)}.`,
    goOnWithout: (who: string): string => `Go on without ${name(who)}`,
    removeUnproven: (names: readonly string[]): string => `Remove the device in the name of ${listed(names)}`,
    goOnWithAll: "Go on with everybody",
    offered: (who: string): string => `${name(who)} goes on in a new conversation.`,
    offeredHow: "It has the same people and roles. What you have stays above it.",
    offeredWithout: (names: readonly string[]): string =>
      `Not in it: ${listed(names)}. The roles are the same, and what you have stays above it.`,
    goOnThere: "Go on there",
    stay: "Not there",
    unreachable: (names: readonly string[]): string => `Not reached: ${listed(names)}. Add them when they are back.`,
    invited: (who: string): string => `${name(who)} asks you back into this conversation.`,
    invitedWithout: (names: readonly string[]): string => `Not there: ${listed(names)}.`,
    invitedMember: "If you accept, you read what is written from then on.",
    invitedStranger: (who: string): string =>
      `${name(who)} was not in it when you were. Ask somebody whom you know from it, by another way, before you accept.`,
    invitedOther: (who: string): string => `${name(who)} asks you into another group than the one here.`,
    invitedInPlace: (before: string, who: string): string =>
      `The one here is ${name(before)}’s word alone: the server has not confirmed it, and nothing was read or sent in it. If you accept, the other takes its place for good; the lines here stay, and what you wrote is not sent by itself. Ask ${name(who)}, by another way, if you are not sure.`,
    invitedElsewhere: (other: string): string =>
      `${name(other)} has let you back in already, at another place: only one of them is where the others are. Nothing is sent before you choose. Ask somebody in it, by another way, if you are not sure.`,
    stayWith: (who: string): string => `Stay with ${name(who)}`,
    goWith: (who: string): string => `Go with ${name(who)}`,
    accept: "Accept",
    decline: "Decline",
  },

  letBack: {
    label: "On a new device",
    title: (who: string): string => `${name(who)} is on a new device and cannot read this group.`,
    body: "If you know that it is them, let them back. They read what is written from then on.",
    othersMay: (who: string): string => `Whoever manages this group can let ${name(who)} back in.`,
    action: (who: string): string => `Let ${name(who)} back in`,
    more: (n: number): string => count(n, "other", "others"),
  },

  recover: {
    heading: "Recover your account",
    intro:
      "With your username and the 24 words from your paper. Devices that were linked before lose access, and the people you write to are told.",
    notBack: "Messages of the past come back only from another device of yours.",
    username: "Username",
    words: "The 24 words",
    hint: "Type the first letters of each word, or paste all of them at once.",
    word: (number: number): string => `Word ${String(number)}`,
    notInList: (word: string, number: number): string => `Word ${String(number)}: “${word}” is not a word of the list`,
    didYouMean: (suggestion: string): string => `Did you mean “${suggestion}”?`,
    missing: (n: number): string => `${count(n, "word is", "words are")} still missing.`,
    wrongPhrase: "All 24 are words of the list, but together they are no recovery phrase. One is another word, or two have changed places.",
    needUsername: "Write your username.",
    submit: "Recover account",
    busy: "Bringing your account back",
  },

  devices: {
    heading: "Devices",
    intro: "All of these can read and write in your name.",
    thisDevice: "This device",
    added: (date: string): string => `Added ${date}`,
    link: "Link a device",
    remove: "Remove",
    removeLabel: (device: string): string => `Remove ${device}`,
    removeTitle: (device: string): string => `Remove ${name(device)}?`,
    removeBody: (device: string): string =>
      `${name(device)} loses every conversation at once and can read nothing sent from then on. What it received already stays on it until someone erases it there. Your other devices and the people you write to are told.`,
    removeConfirm: "Remove device",
    removing: "Making new keys everywhere",
    unknown: "A device you do not know? Remove it, then tell the people you write to.",
    alone: "This is your only device. Link a second one, and a lost phone or a cleared browser costs you nothing.",
    unnamed: "A device without a name",
    listLabel: "Your devices",
    loading: "Loading",
  },

  link: {
    heading: "Link a device",
    warningTitle: "Only link a device that you hold in your hands",
    warning:
      "It will read all your messages and write in your name. If somebody sent you a code, or asks you to scan a picture of one, it is a trick: stop here. Nobody from Latchkey ever asks for this.",
    steps: (origin: string): readonly string[] => [
      `On the new device, open ${origin}`,
      "There, choose “I have an account: link this device”",
      "Scan the code that it shows, or type its words below",
    ],
    scan: "Scan the code",
    stopScan: "Stop the camera",
    typed: "Words or code from the new device",
    typedHint: "The words in their order, with spaces between them.",
    go: "Go on",
    reading: "Reaching the new device",
    compareHeading: "Do both screens show this number?",
    compareHelp: "Look at the other screen. Every digit must be the same.",
    device: (device: string): string => `The new device calls itself ${name(device)}.`,
    typeToAdd: (word: string): string => `It is in your hands? Type “${word}” to add it`,
    confirmWord: "my device",
    yes: "Yes, they are the same",
    yesAdd: "Yes, add this device",
    no: "No",
    waitingOther: "Now the same on the other device",
    movingOld: "Sending your conversations to the new device",
    movingNew: "Fetching your conversations",
    movingKeep: "Keep both devices on and this page open.",
    progress: (done: number, total: number): string => `${done.toLocaleString("en")} of ${total.toLocaleString("en")}`,
    doneHeading: "The device is linked",
    done: "Your conversations are on it. You see it in the list of your devices, and can remove it there at any time.",
    doneAction: "To your devices",
    cancel: "Cancel",
    again: "Start again",
    failedHeading: "The device was not linked",
  },

  newDevice: {
    heading: "Link this device",
    intro: "On a device that you use already, open Settings, then Devices, then “Link a device”, and scan this code with it.",
    qr: "Code for linking this device",
    preparing: "Making a code",
    words: "No camera? Type these words there",
    copyCode: "Copy the code",
    expires: (left: string): string => `Good for ${left}`,
    expiredHeading: "This code has run out",
    expired: "For safety a code is good for a few minutes only.",
    newCode: "Show a new code",
    safety: "Let nobody but yourself scan it: whoever links this device puts their account on it.",
    name: (device: string): string => `In your list it will be called ${device}.`,
  },

  scanner: {
    label: "Camera picture",
    aim: "Hold the code in front of the camera",
    asking: "The browser asks whether Latchkey may use the camera",
    denied: "The camera is not allowed for this site. Allow it beside the address bar, or type the words instead.",
    none: "No camera was found. Type the words instead.",
    unavailable: "This browser does not offer a camera here. Type the words instead.",
    stop: "Stop the camera",
  },

  verification: {
    checked: (params: { whose: string; since: string | undefined; witnesses: number; required: number; ago: string }): string =>
      `${params.whose} keys are in the public record${params.since === undefined ? "" : ` since ${params.since}`}, checked by ${count(params.witnesses, "witness", "witnesses")}${params.required > 0 ? ` (${String(params.required)} needed)` : ""} ${params.ago}.`,
    unwatched: (whose: string, ago: string, hasWitnesses: boolean): string =>
      `${whose} keys are in this server’s public record, as this device checked ${ago}. ${hasWitnesses ? "None of its witnesses has followed every change of that record yet." : "Nobody else watches that record: this server has no witnesses yet."} Compare safety numbers to be sure.`,
    unchecked: (whose: string): string => `${whose} keys have not been checked in the public record yet. Latchkey tries again by itself.`,
    whose: (person: string): string => `${name(person)}’s`,
    everyones: "Everyone’s",
    someUnchecked: (n: number, of: number): string =>
      `The keys of ${String(n)} of ${count(of, "person", "people")} have not been checked in the public record yet.`,
    allVerified: "You have compared safety numbers with everyone here.",
    verified: "Verified",
    changed: "Changed",
    changedBody: (person: string): string =>
      `${name(person)}’s account was recovered after you had compared the safety number. It may be on a new device of theirs, or in other hands: compare the number again.`,
    falseWord: (person: string, about: "record" | "account"): string =>
      about === "record"
        ? `A device of ${name(person)} says that the server’s public record is another one, and shows nothing that the server signed. Nothing follows from that by itself: ask them, by another way, what they see.`
        : `A device of ${name(person)} says that their account has another history than the public record shows. The record is what counts: ask them, by another way, whether they know all their devices.`,
    safetyNumber: "Safety number",
    safetyNumberWith: (person: string): string => `Safety number with ${person}`,
    devicesOf: (person: string): string => `Devices of ${person}`,
    device: (number: number): string => `Device ${String(number)}`,
    added: (date: string): string => `added ${date}`,
    recent: "new",
    notInConversation: "not in this conversation yet",
    notInAccount: "no longer in the account; being taken out of this conversation",
    showAll: (n: number): string => `Show all ${String(n)} people`,
    yourself: "You",
    facts: "About the encryption",
    loading: "Loading",
    failed: "This could not be read just now.",
  },

  safety: {
    intro: (person: string): string =>
      `Compare these 60 digits with those on ${name(person)}’s screen, in person or in a call where you know the voice. If they are the same, nobody stands between you.`,
    numbers: "Safety number",
    qr: (person: string): string => `Code of your safety number with ${person}`,
    scan: (person: string): string => `Scan ${person}’s code`,
    mark: "Mark as verified",
    unmark: "Take the mark back",
    marked: "You have marked this as verified.",
    results: {
      match: "The same on both sides. Marked as verified.",
      differs:
        "The numbers are not the same. Do not write anything private here. Look at whether it is really their device, then tell the person who runs the server.",
      other_account: "This is the code of another person, or of another account of theirs.",
      not_a_code: "This is not the code of a safety number.",
    },
    sameOnBoth: "The same on both sides and on all your devices.",
  },

  erasing: {
    action: "Log out and erase this device",
    startAgain: "Erase and start again",
    title: "Log out and erase this device?",
    titleOut: "Erase what is on this device?",
    body: "Your conversations and keys go from this device and cannot be got back here. Your account, and your other devices, go on as before. If the server cannot be reached now, this device stays in their list until you remove it there.",
    bodyOnly:
      "This is your only device. Your conversations and keys go from it for good: nobody has a copy. Only the 24 words on your paper bring the account back, without its conversations.",
    bodyLost:
      "This is your only device, and your 24 words are not on paper yet. If you go on, the account is lost for good: nobody can bring it back, and its username stays taken. Write the words down first.",
    bodyOut: "What it received until it was removed goes too. Then you can link it anew, or create another account.",
    bodyShut:
      "Nothing of what is stored here can be opened any more by this browser. Afterwards you can link it as a new device, recover your account with the 24 words, or create another one.",
    confirm: "Erase",
    busy: "Erasing",
  },

  deletion: {
    heading: "Delete account",
    hint: "For good: nobody can bring it back, not with the recovery phrase either.",
    action: "Delete account…",
    title: "Delete your account for good?",
    body: [
      "Your conversations and keys are erased from this device, and your other devices lose their access.",
      "The server erases what it holds about you. In the public record stays one line that says “deleted”, without your name.",
      "What you have sent stays with those who received it.",
      "Your username stays reserved for a while, so that nobody can pretend to be you.",
    ] as readonly string[],
    typeName: (username: string): string => `Type your username, ${username}, to go on`,
    confirm: "Delete for good",
    busy: "Deleting",
  },

  record: {
    heading: "Public record of keys",
    checked: (params: { host: string; size: number; witnesses: number; required: number; ago: string }): string =>
      `${params.host} keeps a public record of everybody’s keys. This device has followed all ${count(params.size, "entry", "entries")} of it; ${count(params.witnesses, "independent witness has", "independent witnesses have")} signed the same one (${String(params.required)} needed), checked ${params.ago}.`,
    unwatched: (host: string, size: number, ago: string, hasWitnesses: boolean): string =>
      `${host} keeps a public record of everybody’s keys. This device has followed all ${count(size, "entry", "entries")} of it, last ${ago}. ${hasWitnesses ? "None of its independent witnesses has followed every change of it yet" : "No independent witnesses watch it yet"}: the server could show another record to somebody else until the two of you write to each other.`,
    unchecked: (host: string): string => `This device has not been able to check the public record of ${host} yet.`,
    why: "Nobody can put a device into your account, or show others wrong keys for you, without it standing there for all to see. Your own entry is watched by your devices all the time.",
  },
};

/** The shape of the catalogue. */
export type AccountCatalogue = typeof enAccount;
