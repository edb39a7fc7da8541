// The part of the catalogue that is about reading a log, roles, heads and what goes out (see mutants-catalogue.js).
import { of } from "./mutation.js";

const client = "packages/client/src";
const tests = (...names) => names.map((name) => `${client}/core/${name}.test.ts`);

/** Mutations of what a conversation makes of its log. */
export const conversationMutants = [
  ...of(`${client}/core/entries.ts`, tests("core", "stall", "heads", "numbers", "complaints"), [
    [
      "a message of a closed epoch (L-4)",
      'if (entryKind !== "message" || !turn.state.closedEpochs.some((closed) => closed.epochId === epochId)) return;',
      "return;",
    ],
    ["what concerns nobody is no line (L-4)", " || !turn.state.closedEpochs.some((closed) => closed.epochId === epochId)", ""],
    ["an entry that does not follow the chain (L-3)", "if (event.seq !== state.chain.seq + 1) {", "if (false) {"],
    [
      "an entry with another access hash inside (L-9)",
      ' || opened.kind === "access_hash_differs"',
      "",
      "it has no body, which is asked as well: the names of the cases stand there for the reader",
    ],
    ["a message of one's own that this device did not write (L-6)", "if (processed.sender === ownLeafIndex(group)) {", "if (false) {"],
    ["what a message says of its author's view (L-10)", "await hearView(turn, author, { viewTag: said.viewTag, seq });", ""],
    ["what a message says of its place (L-10)", "hearNumber(turn, author, said, mark);", ""],
    ["one's own commit whose outcome is unknown, shown sealed (L-6)", 'isBehind(entry, "commit", nextAccessHash)', "false"],
    [
      "one's own message whose outcome is unknown, shown sealed (L-6)",
      'item.sealed !== undefined && isBehind(item.sealed, "message", zeroHash)',
      "false",
    ],
    [
      "one's own commit whose outcome is unknown (L-6)",
      "commits.find(({ entry }) => equalBytes(entry.entryId, id))",
      "commits.find(() => false)",
    ],
    ["content that the server does not give out (G-4)", "if (!isMissing) skipCommit", "if (true) skipCommit"],
  ]),
  ...of(`${client}/core/commits.ts`, tests("core", "complaints", "accounts", "heads"), [
    ["what a commit says of its author's view (L-10)", "await hearView(turn, author, { viewTag: said.viewTag, seq: body.seq });", ""],
    [
      "a commit with another access key (L-9, G-4)",
      "if (!equalBytes(context.sha256(keys.access), event.nextAccessHash)) {",
      "if (false) {",
    ],
    [
      "a commit of one's own that this device did not make",
      'if (turn.state.staged === undefined && turn.state.refused.length === 0) pause(turn, "profile_restored");',
      "if (false) {}",
    ],
    [
      "who was added since a message was written (L-4)",
      "rosterAdds: turn.state.rosterAdds + (accountsAdded.length > 0 ? 1 : 0),",
      "rosterAdds: turn.state.rosterAdds,",
    ],
    ["new leaves that nobody vouches for (G-8)", ".filter((leaf) => !context.vouched(leaf))", ".filter(() => false)"],
  ]),
  ...of(`${client}/core/permitted.ts`, tests("permitted", "public-check", "complaints"), [
    [
      "who may remove the owner (M-2)",
      "return roleOf(roster, removed.account) <= Math.max(roleOf(roster, account), roles.administrator);",
      "return true;",
    ],
    [
      "a leaf in the owner's name owns the group (M-2)",
      "return !needsProof(roster, author.account, account) || standing.some((device) => isSameDevice(device, added));",
      "return true;",
    ],
    [
      "an administrator adds a leaf in the owner's name (M-2)",
      "roleOf(roster, account) > roleOf(roster, other);",
      "roleOf(roster, other) < roles.administrator;",
    ],
    ["a member adds leaves that nobody has (M-2)", "!manages(roster, author)", "false"],
    ["who may add others (M-2, X-13)", "if (!mayAdd(roster, author.account)) return false;", ""],
    ["whose right it is to add (X-13)", "&& holds(roster, account, roster.settings.rights.add)", ""],
    [
      "a third in a direct conversation (M-9)",
      "if (isDirect) return roster.accounts.has(account) || roster.accounts.size === 1;",
      "if (isDirect) return true;",
    ],
    [
      "who may remove the other of a direct conversation (M-9)",
      "conversationKind === conversationKinds.direct || !holds(roster, account, rights.remove)",
      "!holds(roster, account, rights.remove)",
    ],
    ["who may take others out (M-2, X-13)", " || !holds(roster, account, rights.remove)) return false;", ") return false;"],
    ["somebody else among the devices of one account", "roster.settings.conversationKind === conversationKinds.group && holds(", "holds("],
    ["who is let back in must come back (G-5)", " && change.adds.some((added) => isSameDevice(added, leaf));", ";"],
  ]),
  ...of(`${client}/core/roster.ts`, tests("permitted", "blinded"), [
    ["settings of another hash (M-1)", " && equalBytes(group.settingsHash, settingsHashOf(sha256, opening))", ""],
    ["a group of another log (M-1)", "equalBytes(group.logHash, logHashOf(sha256, opening.salt, logId)) && ", ""],
  ]),
  ...of(`${client}/core/rights.ts`, tests("permitted", "rights"), [
    [
      "nobody left who may manage (M-2)",
      "return role >= roles.administrator || !hasAny(roster, roles.administrator);",
      "return role >= roles.administrator;",
    ],
    ["what is the owners' is an administrator's (X-13)", 'if (holder === "owner" && (', "if (false && ("],
    ["who posts (X-13)", "post: may(rights.post)", "post: true"],
  ]),
  ...of(`${client}/core/settings.ts`, tests("permitted", "settings"), [
    ["what the group continues (M-9)", "equalBytes(a.continues, b.continues) && ", ""],
    ["the directory that the group names (M-2)", " && equalBytes(a.directory, b.directory)", ""],
    ["who names the group (X-13)", "if (!isSameInfo(after, before) && !holds(roster, account, rights.editInfo)) return false;", ""],
    ["the description is named too (X-13)", " && a.description === b.description", ""],
    ["who sets the timer (X-13)", "if (after.timerS !== before.timerS && !holds(roster, account, rights.timer)) return false;", ""],
    ["who sets slow mode (X-13)", "if (after.slowModeS !== before.slowModeS && !manages(roster, account)) return false;", ""],
    [
      "who sets rights (X-13)",
      "if (!isSameRights(after.rights, before.rights) && roleOf(roster, account) !== roles.owner) return false;",
      "",
    ],
    ["rights before the commit, not after it (X-13)", "const { rights } = before;", "const { rights } = after;"],
    ["a commit that sets nothing (X-13)", "if (isSameSettings(after, before)) return false;", ""],
    ["who gives roles (X-13)", "return changed.every((account) => isOwnLess(account) || isGone(account));", "return true;"],
    ["the last owner goes without another one (X-13)", "if (hadOwner && ![...after.keys()].some(", "if (false && ![...after.keys()].some("],
    ["a role of who is not there (X-13)", " && !after.has(account))) return false;", ") && false) return false;"],
    ["more administrators than may be (X-13)", " || administrators > maxAdministrators", ""],
    [
      "who follows the last owner (X-13)",
      "if (succession !== undefined) return isSameRoles(next, succession);",
      "if (succession !== undefined) return true;",
    ],
    ["an owner who is only away is followed (X-13)", "if (!before.some((entry) => isOver(entry))) return undefined;", ""],
    [
      "an owner follows while another is there (X-13)",
      "if (hasAny({ settings: roster.settings, accounts: after }, roles.owner)) return undefined;",
      "",
    ],
    ["the kind of the group (M-1)", " || after.conversationKind !== conversationKind", ""],
  ]),
  ...of(`${client}/core/epoch.ts`, tests("core", "leaving"), [
    [
      "what was sealed for a closed epoch (L-4)",
      "outgoing: state.outgoing.map((item) => unsealed(item)),\n  });\n  if (!params.isOwn)",
      "outgoing: state.outgoing,\n  });\n  if (!params.isOwn)",
    ],
  ]),
  ...of(`${client}/core/heads.ts`, tests("heads", "proven"), [
    ["another log that a leaf nobody knows spoke of (E-28)", " && !isUnproven(turn.state, open)", ""],
    ["a published head that is not on one's chain (L-11)", 'if (compared === "another") pause(turn, "foreign_head");', ""],
    ["who spoke of another log is named (L-10)", 'if (compared === "mine") nameSpeakers(turn, published.seq);', ""],
    ["a speaker beyond what is published (L-10)", "!open.isNamed && open.seq <= seq && ", "!open.isNamed && "],
    [
      "what the record names and the log never shows (L-11)",
      'else if (nowMs - awaited.sinceMs > deliveredWithinMs) pause(turn, "foreign_head");',
      "",
    ],
  ]),
  ...of(`${client}/core/rejoin.ts`, tests("rejoin"), [
    [
      "a re-add by another than who committed it (M-9)",
      "readdedBy === undefined || !equalBytes(readdedBy, sender)",
      "readdedBy === undefined",
    ],
    [
      "a re-add at another place (M-9)",
      "return joined.chain.seq === chain.seq && (base !== undefined || equalBytes(joined.chain.head, chain.head));",
      "return true;",
    ],
  ]),
  ...of(`${client}/core/departed.ts`, tests("departed", "accounts"), [
    [
      "a departure that stands in no log (M-2)",
      "await verifyStanding({ host, configHash, log, accountId, username: state.username, record, signatures });",
      "",
    ],
    [
      "a device that is in its account (M-2)",
      'if (state.status === "active" && deviceOf(account, leaf.deviceId) !== undefined) return false;',
      "",
    ],
    ["a device with another key (M-2)", " && equalBytes(device.signatureKey, leaf.signaturePublicKey));", ");"],
  ]),
  ...of(`${client}/core/sending.ts`, tests("core", "accounts", "changes", "undo"), [
    [
      "what was written before somebody was added (L-4)",
      "return message.rosterAdds !== turn.state.rosterAdds && hasWords(message);",
      "return false;",
    ],
    [
      "what was said after what can be taken back (undo)",
      "return outgoing.find((item) => isFree(item) && !isAfter(item) && isToSend(turn.state, item));",
      "return outgoing.find((item) => isFree(item) && isToSend(turn.state, item));",
    ],
    ["while something holds (M-3, G-8, A-1)", "const isHeld = turn.context.isHeld || isHolding(turn.state);", "const isHeld = false;"],
    ["who is barred makes no change (G-6)", "const change = isBarred ? undefined : changes[0];", "const change = changes[0];"],
  ]),
  ...of(`${client}/core/waits-with.ts`, tests("core"), [
    ["another text in the place of one, before somebody was added (L-4)", 'bodyOf(item)?.kind === "edit"', "false"],
    [
      "what was done to a message that waits for its author (L-4)",
      "return !outgoing.some(({ id, failure }) => failure !== undefined && id === target);",
      "return true;",
    ],
  ]),
  ...of(`${client}/core/numbers.ts`, tests("numbers", "proven"), [
    ["numbers of a leaf that nobody knows (E-28)", "if (isUnproven(turn.state, { leafIndex })) return toldAtMs;", ""],
    ["a message of before counted twice (L-10)", "lost: 0, isFalse: !isLate };", "lost: 0, isFalse: false };"],
    ["another message before it (L-10)", "const isFalse = gap === 0 &&", "const isFalse = gap < 0 &&"],
  ]),
  ...of(`${client}/core/stall.ts`, tests("stall"), [
    [
      "an expiry before its time (L-8)",
      "return nowMs - atMs >= Math.max(retentionDays, leastRetentionDays) * dayMs - toleranceMs;",
      "return true;",
    ],
  ]),
];
