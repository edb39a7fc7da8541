import type { FieldEntry } from "./entry.ts";

const whileAccount = "As long as the account is there.";
const whileDevice = "As long as the device is in the account.";
const forever = "As long as the server's public record.";
const whileItem = "Until the device erased it, after the days of retention at the latest.";
const whileBackup = "As long as the person keeps a backup here, and the account is there.";
const whileWriting =
  "Until the backup was written anew or turned off, some minutes to an hour longer, and no longer than the account is there.";
const whileKey = "Until the key's last day, or until the device replaced it.";
const whilePassphrase = "Until the person turns the passphrase off, sets another one or has another recovery phrase.";
const whileTries = "While the account has a passphrase that was tried since it was set or opened; else until the day is over.";
const untilSet = "Until the passphrase is set, opened or turned off: it is 0 then; of an account without one until the day is over.";
const last =
  "The last state stays, with its name, the public keys of its devices and that the account was deleted, so that those who knew it can verify that.";
const nameHeld = "It stays while nobody else has the name, so that nobody takes it soon and is taken for this person.";
const commitment = "It stays: the public record is only ever added to, and nobody can tell from it what was committed to.";

/**
 * Every field of the package that has something of a database, by its path. What stands in no database (the host, sums of others, these
 * words) is not here.
 */
export const fields: Readonly<Record<string, FieldEntry>> = {
  row: {
    what: "The number of the account's row, by which other tables of the same database name it.",
    why: "Rows are joined by it. It is random and says nothing else.",
    kept: whileAccount,
    category: "subscriber",
    afterDeletion: last,
  },
  account_id: {
    what: "The account's id: the hash of its first state.",
    why: "Others look the account up by it.",
    kept: whileAccount,
    category: "subscriber",
    afterDeletion: last,
  },
  version: {
    what: "The number of the newest state of the account.",
    why: "The next one has to follow it.",
    kept: whileAccount,
    category: "subscriber",
    afterDeletion: last,
  },
  history_bytes: {
    what: "The size of all states and bindings together.",
    why: "The server allows up to a limit.",
    kept: whileAccount,
    category: "subscriber",
    afterDeletion: "The size of the last state.",
  },
  "updates.day": {
    what: "The last day on which the account was changed.",
    why: "The server allows so many changes a day.",
    kept: "Until the next day on which it is changed.",
    category: "traffic",
  },
  "updates.count": {
    what: "How often the account was changed on that day.",
    why: "The server allows so many changes a day.",
    kept: "Until the next day on which it is changed.",
    category: "traffic",
  },
  "tokens.day": {
    what: "The last day on which the account asked for tokens; absent where it never did.",
    why: "The server gives so many a day.",
    kept: "Until the next day on which it asks for some.",
    category: "traffic",
  },
  "tokens.count": {
    what: "How many tokens the account was given on that day. What they were spent on, and that they were this account's, nobody can tell.",
    why: "The server gives so many a day.",
    kept: "Until the next day on which it asks for some.",
    category: "traffic",
  },
  "passphrase.recovery_key": {
    what: "The recovery public key that the account had when its passphrase was set.",
    why: "With another recovery phrase the passphrase opens nothing any more.",
    kept: whilePassphrase,
    category: "public",
  },
  "passphrase.record.sha256": {
    what: "The hash of what a passphrase is tried against: the registration record of OPAQUE, 192 bytes. Nobody can tell the passphrase from the record alone. Who has it and the server's keys can try guesses without end, each at the cost of Argon2id with 64 MiB; who has it and gets the server's ordinary answers can test a guess with each of those. So the package, which any device may ask for, has its hash alone.",
    why: "Who lost all devices and the 24 words recovers the account by the passphrase, where the person set one.",
    kept: whilePassphrase,
    category: "sealed",
  },
  "passphrase.sealed.sha256": {
    what: "The hash of the recovery phrase as it is kept, 72 bytes under a key that only the passphrase gives. Who guesses that opens them: so the package has their hash alone.",
    why: "Who shows that they have the passphrase is given it.",
    kept: whilePassphrase,
    category: "sealed",
  },
  "passphrase.set": {
    what: "The day on which the passphrase was set.",
    why: "The account's devices are told.",
    kept: whilePassphrase,
    category: "subscriber",
  },
  "passphrase.opened": {
    what: "The day on which somebody who had the passphrase was last given the sealed phrase; null for never.",
    why: "The account's devices are told.",
    kept: whilePassphrase,
    category: "traffic",
  },
  "passphrase_tries.day": {
    what: "The last day on which somebody tried a passphrase for the account, whether or not it has one. Nothing says who.",
    why: "A day has so many tries.",
    kept: whileTries,
    category: "traffic",
  },
  "passphrase_tries.that_day": {
    what: "How many tries there were on that day.",
    why: "A day has so many tries.",
    kept: whileTries,
    category: "traffic",
  },
  "passphrase_tries.in_all": {
    what: "How many tries there were since the passphrase was set or opened.",
    why: "After so many it opens nothing until it is set anew; the account's devices are told.",
    kept: untilSet,
    category: "traffic",
  },
  deletion: {
    what: "From which size of the public record on the account's deletion counts; null for an account that is not being deleted.",
    why: "What is erased then is erased when that record is served.",
    kept: "Until that record is served, seconds later as a rule.",
    category: "subscriber",
  },
  "restrictions[].what": {
    what: "What is taken from the account here. suspended: all services for something new; tokens, key-packages, invitations, name-look-up: that one alone.",
    why: "The operator or a decision of the desk took it.",
    kept: "Until its day, or until the operator takes it back.",
    category: "subscriber",
  },
  "restrictions[].by": {
    what: "Whether the operator took it or a decision of the desk.",
    why: "Only who took it gives it back.",
    kept: "Until its day, or until the operator takes it back.",
    category: "subscriber",
  },
  "restrictions[].since": {
    what: "Since which day.",
    why: "The account and whoever asks the operator are told.",
    kept: "Until its day, or until the operator takes it back.",
    category: "subscriber",
  },
  "restrictions[].until": {
    what: "The day on which it is over; null until the operator takes it back.",
    why: "It ends by itself then.",
    kept: "Until its day, or until the operator takes it back.",
    category: "subscriber",
  },
  "usernames[].username": {
    what: "A name that the account holds, or held last.",
    why: "Others find the account by it.",
    kept: "Until the account releases it, and half a year longer, in which nobody else gets it; then until somebody takes it.",
    category: "subscriber",
    afterDeletion: nameHeld,
  },
  "usernames[].status": {
    what: "Whether the account holds the name now (bound) or gave it up (released).",
    why: "Others find the account by the name that it holds.",
    kept: "As long as the name.",
    category: "subscriber",
    afterDeletion: nameHeld,
  },
  "usernames[].reserved_until": {
    what: "Until which day nobody else gets the name; null for a name that is held.",
    why: "Who takes a name at once would be taken for who had it.",
    kept: "As long as the name.",
    category: "subscriber",
    afterDeletion: nameHeld,
  },
  "usernames[].binding": {
    what: "The account's own signature for the name (SignedUsernameBinding, base64url).",
    why: "It proves to everybody that the account took the name.",
    kept: "As long as the name.",
    category: "public",
    afterDeletion: nameHeld,
  },
  "states[].version": {
    what: "The number of a state of the account.",
    why: "States follow one another.",
    kept: whileAccount,
    category: "public",
    afterDeletion: last,
  },
  "states[].day": {
    what: "The day on which the server received the state.",
    why: "Old states are told from new ones.",
    kept: whileAccount,
    category: "traffic",
    afterDeletion: last,
  },
  "states[].state": {
    what: "The state as a device of the account signed it (SignedAccountState, base64url): the public keys of its devices, its recovery public key, its name.",
    why: "Anybody may look it up: by it others know whom they write to.",
    kept: whileAccount,
    category: "public",
    afterDeletion: last,
  },
  "states[].proofs_of_possession": {
    what: "Signatures by which the devices that a state adds show that they have their keys (SignedDevicePop, base64url).",
    why: "Nobody is added without their doing.",
    kept: whileAccount,
    category: "public",
  },
  "devices[].row": {
    what: "The number of the device's row.",
    why: "Rows are joined by it. It is random and says nothing else.",
    kept: whileDevice,
    category: "subscriber",
  },
  "devices[].device_id": {
    what: "The device's id: a hash of its public key.",
    why: "Its keys and its inbox are found by it.",
    kept: whileDevice,
    category: "subscriber",
  },
  "devices[].card": {
    what: "Where and how to reach the device, as the device signed it (SignedDeviceCard, base64url).",
    why: "Who adds the device to a group is given it.",
    kept: whileDevice,
    category: "subscriber",
  },
  "devices[].inbox_row": {
    what: "The number of the inbox's row.",
    why: "The numbers of its items are made with it. It is random and says nothing else.",
    kept: whileDevice,
    category: "subscriber",
  },
  "devices[].inbox_id": {
    what: "The address of the device's inbox, which the device chose at random.",
    why: "Items are brought there.",
    kept: whileDevice,
    category: "subscriber",
  },
  "devices[].inbox_last_seq": {
    what: "How many items the inbox has received since it was made, erased ones included.",
    why: "Each gets the next number, by which the device reads on.",
    kept: whileDevice,
    category: "traffic",
  },
  "devices[].inbox_size.items": {
    what: "How many items the inbox has.",
    why: "The server allows up to a limit.",
    kept: whileDevice,
    category: "traffic",
  },
  "devices[].inbox_size.bytes": {
    what: "How many bytes they have.",
    why: "The server allows up to a limit.",
    kept: whileDevice,
    category: "traffic",
  },
  "devices[].inbox_size.stranger_items": {
    what: "How many of the items came without the inbox's capability.",
    why: "Strangers have a limit of their own.",
    kept: whileDevice,
    category: "traffic",
  },
  "devices[].inbox_size.stranger_bytes": {
    what: "How many bytes those have.",
    why: "Strangers have a limit of their own.",
    kept: whileDevice,
    category: "traffic",
  },
  "devices[].inbox_capability.generation": {
    what: "A number that grows with each new capability of the inbox.",
    why: "A late device does not bring back an old one.",
    kept: whileDevice,
    category: "subscriber",
  },
  "devices[].inbox_capability.sha256": {
    what: "The SHA-256 of a random number that the device gives to people whom its person accepted. The server knows neither the number nor who has it.",
    why: "What comes with that number does not wait behind what strangers send.",
    kept: whileDevice,
    category: "subscriber",
  },
  "devices[].inbox_items[].seq": {
    what: "The number of a sealed item that waits for the device.",
    why: "The device reads on from the last one that it read.",
    kept: whileItem,
    category: "traffic",
  },
  "devices[].inbox_items[].day": {
    what: "The day on which it came.",
    why: "It is erased so many days later.",
    kept: whileItem,
    category: "traffic",
  },
  "devices[].inbox_items[].part": {
    what: "Whether it came with the inbox's capability (contacts) or without (strangers). Nothing else says who sent it.",
    why: "Strangers have a limit of their own.",
    kept: whileItem,
    category: "traffic",
  },
  "devices[].inbox_items[].sha256": {
    what: "The SHA-256 of its bytes, of which the database has the first bits.",
    why: "The same item sent again is not stored again.",
    kept: whileItem,
    category: "sealed",
  },
  "devices[].inbox_items[].sealed": {
    what: "Its bytes (base64url). Only the device can open them.",
    why: "They wait until the device reads them.",
    kept: whileItem,
    category: "sealed",
  },
  "devices[].key_packages[].row": {
    what: "The number of the row of a key with which others can add the device to a group.",
    why: "It is random and says nothing else.",
    kept: whileKey,
    category: "subscriber",
  },
  "devices[].key_packages[].seq": {
    what: "Its place in the order in which such keys are given out.",
    why: "The oldest is given out first.",
    kept: whileKey,
    category: "subscriber",
  },
  "devices[].key_packages[].kind": {
    what: "Whether it is given out once, or as often as no other is left (last resort).",
    why: "A device can be added while it is away.",
    kept: whileKey,
    category: "subscriber",
  },
  "devices[].key_packages[].not_after": {
    what: "Its last day.",
    why: "It is erased then.",
    kept: whileKey,
    category: "subscriber",
  },
  "devices[].key_packages[].sha256": {
    what: "The SHA-256 of it.",
    why: "The same published again is not given out again.",
    kept: whileKey,
    category: "subscriber",
  },
  "devices[].key_packages[].key_package": {
    what: "Its bytes (base64url): public keys, signed by the device; null once it was taken. Of those taken only the fact remains, not by whom or when.",
    why: "Who adds the device to a group is given it.",
    kept: whileKey,
    category: "public",
  },
  "directory[].row": {
    what: "The number of the row of one of the account's labels in the public record: its own, and one of each name that it has or had.",
    why: "Rows are joined by it. It is random and says nothing else.",
    kept: forever,
    category: "public",
    afterDeletion: commitment,
  },
  "directory[].label": {
    what: "Whether the label is of an account or of a name.",
    why: "Both are looked up.",
    kept: forever,
    category: "public",
    afterDeletion: commitment,
  },
  "directory[].value": {
    what: "The account's id, or the name.",
    why: "It is looked up by that.",
    kept: forever,
    category: "public",
    afterDeletion: commitment,
  },
  "directory[].index": {
    what: "Where the label stands in the public map: found from the name or id by the server's key alone.",
    why: "Who looks it up is shown its place.",
    kept: forever,
    category: "public",
    afterDeletion: commitment,
  },
  "directory[].vrf_proof": {
    what: "The proof that this is its place.",
    why: "Who looks it up verifies it.",
    kept: forever,
    category: "public",
    afterDeletion: commitment,
  },
  "directory[].values[].version": {
    what: "The number of a value of the label: of a state of the account, or of a binding of the name.",
    why: "Values follow one another.",
    kept: forever,
    category: "public",
    afterDeletion: commitment,
  },
  "directory[].values[].commitment": {
    what: "The commitment to the value that stands in the public record.",
    why: "Nobody is shown another value than everybody else.",
    kept: forever,
    category: "public",
    afterDeletion: commitment,
  },
  "directory[].values[].opening": {
    what: "The random number that opens the commitment: without it nobody can tell what was committed to.",
    why: "Who looks the label up verifies its values.",
    kept: "As long as what it opens.",
    category: "public",
    afterDeletion: "That of the last state, and of a name that was not released.",
  },
  "directory[].values[].binding": {
    what: "Of a name, what the account signed for it, or to give it up (SignedUsernameBinding, base64url).",
    why: "Who looks the name up verifies it.",
    kept: "As long as the account, and that of the last one that had the name beyond that.",
    category: "public",
    afterDeletion: "That of a name that was not released, or its release.",
  },
  "directory[].values[].is_release": {
    what: "Whether the value gives the name up.",
    why: "A name that was given up leads to nobody.",
    kept: forever,
    category: "public",
    afterDeletion: commitment,
  },
  "directory[].values[].username": {
    what: "Of the account's own label, which name the account had with this value.",
    why: "Who asks for the account is shown its name too.",
    kept: forever,
    category: "public",
    afterDeletion: "It stays: the name stands in the last state, or in what is public of the names that the account had.",
  },
  "history_backup.counter": {
    what: "How often the backup of the account's history was written.",
    why: "None takes the place of a later one.",
    kept: whileBackup,
    category: "traffic",
  },
  "history_backup.generation_row": {
    what: "The number of the writing that counts, by which its chunks are found. It is random and says nothing else.",
    why: "Rows are joined by it.",
    kept: whileBackup,
    category: "subscriber",
  },
  "history_backup.chunks": {
    what: "How many chunks of it count.",
    why: "No chunk that counts is changed.",
    kept: whileBackup,
    category: "traffic",
  },
  "history_backup.written": {
    what: "The day on which the backup was written last.",
    why: "The person sees how old it is.",
    kept: whileBackup,
    category: "traffic",
  },
  "history_backup.manifest": {
    what: "What the chunks are, how many messages they have and when that was written, sealed, and signed by a device of the account, which it names (base64url). The server has no key.",
    why: "A device that begins anew finds its history by it.",
    kept: whileBackup,
    category: "sealed",
  },
  "history_generations[].row": {
    what: "The number of a writing of the backup. It is random and says nothing else.",
    why: "Chunks are numbered by it.",
    kept: whileWriting,
    category: "subscriber",
  },
  "history_generations[].generation": {
    what: "What the devices call that writing: random bytes.",
    why: "Its chunks are asked for by it.",
    kept: whileWriting,
    category: "subscriber",
  },
  "history_generations[].size_bytes": {
    what: "The size of its chunks together.",
    why: "An account may keep up to a limit.",
    kept: whileWriting,
    category: "traffic",
  },
  "history_generations[].chunks[].number": {
    what: "The place of a chunk.",
    why: "Chunks are read in their order.",
    kept: whileWriting,
    category: "traffic",
  },
  "history_generations[].chunks[].day": {
    what: "The day on which the chunk came.",
    why: "The person sees when their history was written.",
    kept: whileWriting,
    category: "traffic",
  },
  "history_generations[].chunks[].sha256": {
    what: "The chunk, of one of four sizes whatever is in it, by its hash (SHA-256, base64url). The chunk itself is sealed, the server has no key, and it is too large for a package: only devices of the account get it.",
    why: "A device that begins anew has its history by it.",
    kept: whileWriting,
    category: "sealed",
  },
};
