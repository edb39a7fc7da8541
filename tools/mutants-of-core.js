// The part of the catalogue that is about the conversation machine and what feeds it (see mutants-catalogue.js).
import { of } from "./mutation.js";

const client = "packages/client/src";
const coreTests = [`${client}/core/public-check.test.ts`];
const leavingTests = [`${client}/core/leaving.test.ts`];
const complaintTests = ["complaints", "arrival"].map((name) => `${client}/core/${name}.test.ts`);
const judgeTests = [...coreTests, ...leavingTests, ...complaintTests, `${client}/core/changes.test.ts`];

/** Mutations of which commit counts, who is let in again, and what is read. */
export const coreMutants = [
  ...of(`${client}/core/public-check.ts`, coreTests, [
    [
      "a leaf that changes in place: re-verification (M-7)",
      "(before === undefined || !isSame(before, signaturePublicKey, identity))) return",
      "before === undefined) return",
    ],
    ["a leaf with another signature key (M-7)", " &&\n    equalBytes(before.signaturePublicKey, signaturePublicKey)", ""],
    ["a leaf of another account (M-7)", "    equalBytes(before.accountId, identity.accountId) &&\n", ""],
    ["a leaf of another device (M-7)", "    equalBytes(before.deviceId, identity.deviceId) &&\n", ""],
    ["a leaf on another host (M-7)", 'if (identity.host !== settings.host) return "host";', ""],
    ["a device in two leaves (M-7)", 'if (known.has(device)) return "device_twice";', ""],
    ["more leaves than devices (M-7)", 'if (known.size > maxLeavesPerAccount) return "too_many_leaves";', ""],
    ["any proposal (M-8)", 'if (!commit.proposals.every((kind) => allowed.has(kind))) return fails("proposal");', ""],
    ["any role (M-2)", 'if (!isPermitted(roster, facts, { author, adds, removes, settings })) return fails("not_permitted");', ""],
    ["a commit whose author had not seen the others (G-1)", 'if (!facts.isUpToDate) return fails("behind");', ""],
    [
      "other extensions of the group (M-8)",
      "if (groupContextExtensions.length !== 1 || only?.type !== latchkeyGroupExtensionType)",
      "if (only?.type !== latchkeyGroupExtensionType)",
    ],
  ]),
  ...of(`${client}/core/leaving.ts`, leavingTests, [
    [
      "a word of leaving about another leaf is heard (M-3)",
      "mark === undefined || !equalBytes(mark, leaf) || !isShort",
      "mark === undefined || !isShort",
    ],
    ["a word of leaving that no commit can show is heard (M-3)", "!equalBytes(mark, leaf) || !isShort)", "!equalBytes(mark, leaf))"],
    ["who renewed its leaf is still leaving (M-3)", "return mark !== undefined && equalBytes(mark, leaf);", "return mark !== undefined;"],
    ["more words than a commit can show (M-3)", "(bytes += sizeOf(word)) <= maxLeavesBytes", "(bytes += sizeOf(word)) > 0"],
    ["words of those whom the commit does not remove (M-3)", "removes.some((leaf) => leaf.leafIndex === leafIndex)", "removes.length > 0"],
    ["a word of leaving from another group (E-25)", "&& equalBytes(said.groupId, groupId(group));", ";"],
    [
      "a word of leaving about a leaf as it was (E-25)",
      'content.kind === "leave" && equalBytes(content.leaf, mark)',
      'content.kind === "leave"',
    ],
    ["a word of leaving by another leaf of the same key (E-25)", "said.sender === author.leafIndex && ", ""],
  ]),
  ...of(`${client}/core/permitted.ts`, leavingTests, [
    [
      "one device of who leaves is removed, or added again (M-3)",
      "leaving.has(removed.account) && isGoneWhole(roster, change, removed.account)",
      "leaving.has(removed.account)",
    ],
  ]),
  ...of(
    `${client}/core/changes.ts`,
    [...leavingTests, `${client}/core/changes.test.ts`],
    [
      [
        "a planned removal of who came back since (M-3)",
        "if (id === ofLeavers) return leaversOf(state).some(",
        "if (id === ofLeavers) return true || leaversOf(state).some(",
      ],
      ["a commit of one's own that nobody would follow is sent (G-1)", 'if (verdict.kind === "fails") {', "if (false) {"],
    ],
  ),
  ...of(
    `${client}/core/changes.ts`,
    [`${client}/core/proven.test.ts`, `${client}/core/accounts.test.ts`],
    [
      [
        "a ghost in another account's name is taken out as one's own (G-8)",
        "refused && equalBytes(accountId, turn.context.self.accountId)",
        "refused",
      ],
      ["a ghost in one's own name stays (G-8)", 'if (ghosts.length === 0 || phase.kind !== "active") return;', "return;"],
      [
        "one that cannot be proven keeps all in (E-55)",
        "if (change.id !== ofDeparted || removes.length < 2) return undefined;",
        "return undefined;",
      ],
      ["nobody is told of a removal that cannot be proven (E-55)", "cannotRemove: failed !== undefined", "cannotRemove: false"],
    ],
  ),
  ...of(
    `${client}/directory/gossip.ts`,
    [`${client}/directory/log.test.ts`],
    [
      ["refused files convict (E-58)", "Math.max(view.size, newest.size) < checkpoint.size && ", ""],
      ["a head of before convicts (D-4)", " && newest.atMs - item.sinceMs > deadlineMs", ""],
      ["refused files are not told (E-50)", "if (withheld !== undefined) {", "if (false) {"],
    ],
  ),
  ...of(
    `${client}/account/directory.ts`,
    [`${client}/engine/watch.test.ts`],
    [
      [
        "a false answer that nothing commits to accuses (E-57)",
        "&& !(await wasCommitted()) ? notHolding(found) : found",
        "&& false ? notHolding(found) : found",
      ],
    ],
  ),
  ...of(
    `${client}/engine/posts.ts`,
    [`${client}/engine/posts.test.ts`],
    [
      ["a refusal is final (E-3)", "now - sinceMs < refusedForMs", "false"],
      ["a Welcome that is refused goes without a word (E-18)", "if (raised !== undefined) alarms.put(tx, raised);", ""],
      ["who is out of the group is told of (E-18)", "invited !== undefined && this.#isMeant(invited)", "invited !== undefined"],
    ],
  ),
  ...of(
    `${client}/core/accepted.ts`,
    [`${client}/core/changes.test.ts`],
    [
      ["a commit of one's own behind another one is adopted (G-1)", "staged.afterSeq !== lastCommitSeq || ", ""],
      ["a commit of one's own is adopted where another one is void (G-3)", " || barred.includes(author.leafIndex)", ""],
    ],
  ),
  ...of(`${client}/core/judge.ts`, judgeTests, [
    [
      "words of leaving count for nothing (M-3)",
      "leaving: await leavingBy(leaves, { sha256, suite: turn.context.suite(suiteId), group, roster })",
      "leaving: new Set()",
    ],
    ["a commit made before another one of its epoch (G-1)", "isUpToDate: lastCommitSeq === 0 || ", "isUpToDate: true || "],
    [
      "who complained may not be let back in (G-5)",
      "complainers: await complainersIn(turn, complaint, { group, roster, commit })",
      "complainers: []",
    ],
  ]),
  ...of(
    `${client}/core/entries.ts`,
    [`${client}/core/public-check.test.ts`, `${client}/core/stall.test.ts`],
    [
      [
        "an epoch that this device has not read so far concerns nobody (E-14)",
        "return epochId <= chain.seq && epochId > expired.through;",
        "return epochId > expired.through;",
      ],
      [
        "an epoch whose beginning expired concerns nobody (E-14)",
        "return epochId <= chain.seq && epochId > expired.through;",
        "return epochId <= chain.seq;",
      ],
      ["an epoch that does not count is a gap (E-14)", "return epochId <= chain.seq && epochId > expired.through;", "return false;"],
    ],
  ),
  ...of(`${client}/core/entries.ts`, complaintTests, [
    [
      "content is fetched for what is committed while one waits (E-15)",
      'if (event.entryKind === "commit" && state.stranded !== undefined) {',
      "if (false) {",
    ],
  ]),
  ...of(
    `${client}/core/closed-epochs.ts`,
    [`${client}/core/closed-epochs.test.ts`, `${client}/core/arrival.test.ts`],
    [
      ["nobody is waited for (E-26)", "&& leaf !== author)", "&& false)"],
      ["a commit's author is waited for (E-26)", " && leaf !== author)", ")"],
      [
        "who spoke is waited for (E-26)",
        "return closed.map((epoch) => ({ ...epoch, unheard: withPlaces(epoch.unheard, new Map([[leafIndex, undefined]])) }));",
        "return closed;",
      ],
      ["who took a place speaks for who had it (E-26)", "if (moved.size === 0) return closed;", "return closed;"],
      ["who moved counts by another's place (G-6)", "    kept: withPlaces(epoch.kept, moved),\n", ""],
      ["who is gone keeps a place (G-6)", "moved.get(from) ?? []", "moved.get(from) ?? from"],
      [
        "closed epochs without end (E-2)",
        "  const others = closed.filter((epoch) => !isListened(epoch)).slice(-maxClosedEpochs);",
        "  const others = closed.filter((epoch) => !isListened(epoch));",
      ],
      [
        "who is to be heard is forgotten for others (E-26)",
        "  const listened = closed.filter((epoch) => isListened(epoch)).slice(-maxClosedEpochs);",
        "  const listened: readonly ClosedEpoch[] = [];",
      ],
      ["the oldest of many are heard (E-26)", ".slice(own.length - maxClosedEpochs)", ".slice(0, maxClosedEpochs)"],
      ["heard for ever (E-26)", " && nowMs - closed.closedAtMs < closedEpochMs", ""],
      ["its own word's epoch is not opened (G-5)", "const own = closedEpochs.filter(isOwn);", "const own: readonly ClosedEpoch[] = [];"],
      ["all that was opened stays open (L-3)", ".slice(-maxEpochsOpen)", ""],
    ],
  ),
  ...of(
    `${client}/core/entries.ts`,
    [`${client}/core/closed-epochs.test.ts`],
    [
      [
        "a complaint that is kept back is passed over (E-14)",
        '(event.entryKind === "complaint" && isOpened(turn.state, epochId))',
        "false",
      ],
    ],
  ),
  ...of(
    `${client}/core/rejoin.ts`,
    [`${client}/core/arrival.test.ts`],
    [["let in where somebody is missing, unasked (E-24)", "const isWhole = isReadd || ", "const isWhole = true || "]],
  ),
  ...of(
    `${client}/core/complaints.ts`,
    [`${client}/core/void-for-whom.test.ts`],
    [
      [
        "who was never in the epoch counts (G-6)",
        "(found !== undefined && closed !== undefined && hasBit(closed.kept, found.leaf.leafIndex));",
        "(found !== undefined && closed !== undefined);",
      ],
    ],
  ),
  ...of(
    `${client}/core/rejoin.ts`,
    [`${client}/core/let-in-again.test.ts`],
    [
      [
        "let in again, what was asked for is gone (P7)",
        "changes: [...(staged === undefined ? [] : [staged.change]), ...before.changes].filter((change) => !isAnswer(change)),",
        "",
      ],
      ["who said that they leave is in it again (M-3)", "phase: isLeaving ? before.phase : joined.state.phase,", ""],
      ["let in again, older names are gone (M-9)", "continuity: namesOfBoth(before.continuity, joined.state.continuity),", ""],
      [
        "let in again, a recovery is not seen (A-1)",
        "recovered: before.recovered.filter(",
        "recovered: before.recovered.slice(0, 0).filter(",
      ],
    ],
  ),
  ...of(
    `${client}/engine/continuations.ts`,
    [`${client}/engine/continuations.test.ts`],
    [
      ["asked where theirs goes on (M-9)", "if (begun !== undefined && !isStopped(begun.state)) return;", ""],
      ["moved in a group (M-9)", "if (this.#isAsked(old.state, sender)) next.emitConversation();\n    else if", "if"],
      ["an offer is taken before the log was read (E-16)", "if (!isStopped(old.state) && !isCaughtUp(old.state)) throw notReadYet();", ""],
      ["sent twice after a stop (P5)", "if ((await to.history.line(id)) === undefined)", ""],
    ],
  ),
  ...of(
    `${client}/core/continuation.ts`,
    [`${client}/core/continuation.test.ts`],
    [
      [
        "a role for somebody who may come (E-16)",
        "if (!roles.every((entry) => roleOf(before, toBase64Url(entry.accountId)) === entry.role)) return false;",
        "",
      ],
      ["goes on run otherwise (M-9)", "!isRunAlike(roster.settings, before.settings) || ", ""],
      ["who was removed offers (E-16)", "accounts.has(toBase64Url(accountId))", "true"],
    ],
  ),
  ...of(
    `${client}/core/verifying.ts`,
    [`${client}/core/verifying.test.ts`],
    [
      ["asked without end and without a pause (E-69)", "firstDelayMs * 2 ** (tries - 1)", "firstDelayMs"],
      ["asked once a day at last (E-69)", "Math.min(maxDelayMs, firstDelayMs * 2 ** (tries - 1))", "firstDelayMs * 2 ** (tries - 1)"],
      ["who is offline is told (E-69)", 'link.kind !== "down" && waitMs', "waitMs"],
      ["who is offline asks (E-69)", 'if (link.kind === "down") return;', ""],
      ["answers that come early count (E-69)", " && waitMs(leaf, nowMs) === 0;", ";"],
      ["of very many none is told of (E-69)", "b.tries - a.tries", "a.tries - b.tries"],
      ["a clock that was set back makes one wait (E-69)", "if (tries === 0 || nowMs < askedAtMs) return 0;", "if (tries === 0) return 0;"],
    ],
  ),
  ...of(
    `${client}/core/proven.ts`,
    [`${client}/core/verifying.test.ts`],
    [
      ["what nothing is known of holds for ever (E-69)", "return !refused && tries >= triesUntilStop;", "return false;"],
      ["told at once (E-69)", "const triesUntilStop = 5;", "const triesUntilStop = 1;"],
    ],
  ),
  ...of(
    `${client}/engine/leaf-look-ups.ts`,
    [`${client}/engine/leaf-look-ups.test.ts`],
    [
      ["look-ups without bound (E-2)", ".slice(0, Math.max(0, asksAtOnce - this.#asking.size))", ""],
      ["an account is asked about twice at a time (E-2)", " && !this.#asking.has(leaf.account)", ""],
    ],
  ),
  ...of(
    `${client}/core/changes.ts`,
    [`${client}/core/owner-gone.test.ts`],
    [
      [
        "who manages falls between the slices (M-5)",
        "if (others.length === 0) return adds;",
        "if (others.length === 0) return adds.slice(0, 1);",
      ],
      ["shows the histories of all (M-2)", "context.standingRecordsOf(ranked)", "context.standingRecordsOf(ids)"],
    ],
  ),
  ...of(
    `${client}/core/connection.ts`,
    [`${client}/core/late-and-twice.test.ts`],
    [
      [
        "the rest of a refused change is done (M-5, E-78)",
        "turn.state.changes.filter(({ id }) => id !== staged.change.id)",
        "turn.state.changes",
      ],
      ["what was refused is forgotten (E-78)", "refused: [...turn.state.refused, staged].slice(0, maxRefused)", "refused: []"],
    ],
  ),
  ...of(
    `${client}/core/complaints.ts`,
    [`${client}/core/late-and-twice.test.ts`],
    [["goes alone behind a refused change of its own (E-78, C18)", "    refused: [],\n    stranded: {", "    stranded: {"]],
  ),
  ...of(
    `${client}/core/commits.ts`,
    [`${client}/core/late-and-twice.test.ts`],
    [["a refused change sealed anew convicts (E-78)", " && turn.state.refused.length === 0", ""]],
  ),
  ...of(
    `${client}/core/entries.ts`,
    [`${client}/core/late-and-twice.test.ts`],
    [["one's own behind what expired (E-78)", "expired.count === 0 ? refused : []", "refused"]],
  ),
  ...of(
    `${client}/core/epoch.ts`,
    [`${client}/core/verifying.test.ts`],
    [
      [
        "a verdict sticks to the place (G-8)",
        'return !("signaturePublicKey" in leaf) || equalBytes(now.signaturePublicKey, leaf.signaturePublicKey);',
        "return true;",
      ],
    ],
  ),
  ...of(
    `${client}/core/accepted.ts`,
    [`${client}/core/late-and-twice.test.ts`],
    [["what is under way is lost behind it (E-78)", "if (turn.state.staged !== staged) loseRace(turn);", ""]],
  ),
  ...of(
    `${client}/core/records.ts`,
    [`${client}/core/late-and-twice.test.ts`],
    [["what was refused is not stored (E-78)", "writes.push(...refusedChanges(before?.refused ?? [], after));", ""]],
  ),
  ...of(
    `${client}/engine/direct-conversations.ts`,
    [`${client}/engine/direct-conversations.test.ts`],
    [["the higher log id stays (L-12)", "compareBytes(a.state.logId, b.state.logId)", "compareBytes(b.state.logId, a.state.logId)"]],
  ),
  ...of(
    `${client}/core/arrival.ts`,
    [`${client}/core/let-in-again.test.ts`],
    [
      [
        "who was let in again listens by old places (E-26)",
        "[...heardAnew(before.closedEpochs, roster, joined.roster), closed]",
        "[...before.closedEpochs, closed]",
      ],
    ],
  ),
  ...of(
    `${client}/core/changes.ts`,
    [`${client}/core/late-and-twice.test.ts`],
    [["a complaint is answered twice (G-5)", "if (isAnswer(change) && !stillAnswers(turn.state, change)) {", "if (false) {"]],
  ),
  ...of(
    `${client}/core/arrival.ts`,
    [`${client}/core/late-and-twice.test.ts`],
    [
      ["a late Welcome of its own way (C7)", " || (arrival !== undefined && wayTo(arrival).includes(seq))", ""],
      ["one who does not know the log now is believed (E-3)", 'if (code === "unknown_log" || code === "unknown_epoch") return false;', ""],
      [
        "epochs of whoever is left behind again and again (E-2)",
        "bounded([...heardAnew(before.closedEpochs, roster, joined.roster), closed])",
        "[...heardAnew(before.closedEpochs, roster, joined.roster), closed]",
      ],
    ],
  ),
  ...of(
    `${client}/core/complaints.ts`,
    [`${client}/core/late-and-twice.test.ts`],
    [["who is gone counts no more (E-26)", "      onComplaintOfGone(turn, closed, gone);", ""]],
  ),
  ...of(
    `${client}/core/epoch.ts`,
    [`${client}/core/late-and-twice.test.ts`],
    [
      [
        "taken out and in again, it hears of no void change (E-26)",
        "isReadded && !wasLeaving ? withoutPlaces(state.closedEpochs, state.roster) : []",
        "[]",
      ],
    ],
  ),
  ...of(
    `${client}/core/step.ts`,
    [`${client}/core/late-and-twice.test.ts`],
    [
      [
        "leaving said twice is said to nobody (M-3)",
        'if (state.phase.kind === "leaving" && !isAlone && state.link.stall === undefined) return;',
        "",
      ],
    ],
  ),
  ...of(
    `${client}/core/departed.ts`,
    [`${client}/core/departed.test.ts`],
    [
      [
        "any key of a device stands in its account (M-2)",
        "key !== undefined && equalBytes(key, leaf.signaturePublicKey)",
        "key !== undefined",
      ],
      [
        "a device stands in any account (M-2)",
        " || !equalBytes(accountId, leaf.accountId)) return false;\n    const key",
        ") return false;\n    const key",
      ],
    ],
  ),
  ...of(`${client}/core/answering.ts`, complaintTests, [
    ["a Welcome beside the commit complained about (G-5)", "!stranded.behind.includes(seq) || ", ""],
    ["a Welcome into the commit complained about (G-5)", "if (seq <= stranded.seq || ", "if ("],
    [
      "a Welcome by who may not answer that complaint (G-5)",
      "return mayAnswer(roster, leaf, { authorId: authorOf(known)?.accountId ?? zeroHash });",
      "return true;",
    ],
    [
      "a Welcome by the author of a void commit (G-5)",
      " || barred.some((other) => roster.leaves.get(other)?.account === leaf.account)",
      "",
    ],
    ["a Welcome on another chain (G-5)", " || ownHead === undefined || !equalBytes(ownHead, head)", ""],
    ["a dead leaf is let in again (G-5)", " || dead.includes(leafIndex)", ""],
    ["what was answered waits on (G-5)", " && isUnanswered(group, leaf, complaint);\n  });", ";\n  });"],
  ]),
  ...of(`${client}/core/complaints.ts`, complaintTests, [
    [
      "who followed a void commit goes on (G-6)",
      "else if (noteStuck(turn, closed, leaf)) {",
      "else if (noteStuck(turn, closed, leaf) && false) {",
    ],
    [
      "who arrived counts against a commit for those who wait (G-6)",
      "const complainers = stranded.complainers.filter((other) => other !== leaf.leafIndex);",
      "const { complainers } = stranded;",
    ],
    [
      "who arrived counts against a commit for those who followed it (G-6)",
      "if (isArrival) noteArrived(turn, epochId, leaf);",
      "if (isArrival) void 0;",
    ],
    ["who arrived elsewhere is not let in (G-5)", "(isArrival && isOnWay(turn.state, complaint.at)) ||", "isArrival ||"],
    ["who arrived here is let in again (G-5)", "(isArrival && isOnWay(turn.state, complaint.at)) ||", ""],
    ["what was said before one arrived counts again (G-6)", "if (stranded.arrived.includes(leaf.leafIndex)) return;", ""],
    ["who lies is let in without end (E-23)", "before.length >= maxAsks || ", ""],
    ["who lies about one change after the other is heard without end (E-23)", "if (inAll.length >= maxAsksInAll) return false;", ""],
    ["what was asked before is asked again (E-23)", " || before.some((other) => equalBytes(other.complaint, complaint))", ""],
    ["started again, it asks no more (G-4)", "else if (stranded.againAtMs > 0) schedule(", "else if (false) schedule("],
    ["every commit is one behind it (G-5)", "!stranded.behind.includes(epochId) || ", ""],
  ]),
  ...of(
    `${client}/core/arrival.ts`,
    [`${client}/core/arrival.test.ts`],
    [
      [
        "where it arrived is not said (G-5)",
        "arrival.isWritten || link.complainedIn === link.attempt) return;",
        "arrival.isWritten || true) return;",
      ],
      [
        "who is let in forgets who is stuck there (G-6)",
        ".flatMap((leaf) => stay.find(({ leafIndex }) => leafIndex === leaf) ?? [])",
        ".flatMap((): readonly DeviceReference[] => [])",
      ],
      ["its own word does not count (G-6)", "noteArrived(turn, arrival.epochId, turn.context.self);", ""],
      ["a place on its own way (E-31)", "isOnWay(known, seq) || ", ""],
      ["a place that is not behind the commit (E-31)", "!arrival.behind.includes(seq) || ", ""],
      ["a place on another chain (E-31)", " || ownHead === undefined || !equalBytes(ownHead, head)) return false;", ") return false;"],
      ["by nobody who was there (E-31)", "return arrival.answerers.some(isSender) && ", "return "],
      ["weeks later (E-31)", " || nowMs - arrival.sinceMs >= elsewhereMs) return false;", ") return false;"],
      ["by whoever was heard here (E-31)", "if (leaf !== undefined && spoken.has(leaf.leafIndex)) return false;", ""],
      ["by whoever let it in (E-31)", "![arrival.by, ...arrival.declined].some(isSender)", "!arrival.declined.some(isSender)"],
      ["by whoever was turned away (E-31)", "![arrival.by, ...arrival.declined].some(isSender)", "!isSender(arrival.by)"],
      ["by anybody at all of that epoch (E-31)", "filter((leaf) => mayAnswer(roster, leaf, { authorId }))", "filter(() => true)"],
      [
        "a word that is not taken stalls (G-5)",
        "if (arrival?.entry === undefined || entryId === undefined || ",
        "if (arrival !== undefined || entryId === undefined || ",
      ],
      [
        "something is sent before the person has chosen (E-31)",
        'return arrival !== undefined && phase.kind === "active" && invitations.length > 0;',
        "return false;",
      ],
      [
        "who was turned away asks again (E-31)",
        "if (arrival !== undefined) set(turn, { arrival: { ...arrival, declined: [...arrival.declined, accountId] } });",
        "",
      ],
    ],
  ),
  ...of(
    `${client}/core/rejoin.ts`,
    [`${client}/core/rejoin.test.ts`],
    [
      ["people whom a complainer did not know (E-24)", "[...now.accounts.keys()].every(isKnown) && ", ""],
      ["a Welcome is dropped before its entry was read (E-10)", 'if (isReading(phase) && !isRead) return { kind: "wait" };', ""],
      [
        "a Welcome into a conversation that the device is in (C7)",
        'if (!isOut && !answersComplaint && !leadsElsewhere) return { kind: "ignore", reason: "still_in" };',
        "",
      ],
      [
        "a Welcome into another group (M-9)",
        'if (isOther || known.host !== joined.host || known.kind !== joined.kind) return { kind: "ignore", reason: "other_group" };',
        "",
      ],
      ["a made-up group keeps the true one out (E-29)", "if (isOther && isReplaceable(known, joined, params.self)) ", "if (false) "],
      [
        "another group in the place of a confirmed one (E-29)",
        "if (isConfirmed(known) || known.base === undefined || ",
        "if (known.base === undefined || ",
      ],
      ["the made-up group's past goes on (E-29)", "if (!isOtherGroup(before, joined)) return", "return"],
      ["asked into the made-up group twice, it is bound (E-29)", "isConfirmed(before) ? before : { ...before, continuity: [] }", "before"],
      [
        "other members' invitations keep out the manager's (E-10)",
        "return managers.some((entry) => equalBytes(entry.accountId, accountId)) ? 2 : 1;",
        "return 1;",
      ],
      ["the oldest invitations keep out the newest (E-10)", "b.atMs - a.atMs", "a.atMs - b.atMs"],
      [
        "a Welcome before what was read (M-9)",
        'if (isRead && !isReadd && !answersComplaint && !leadsElsewhere) return { kind: "ignore", reason: "older" };',
        "",
      ],
      [
        "the other person of a direct conversation (M-9)",
        'if (known.kind === "direct" && !isSamePeople(known, joined)) return { kind: "ignore", reason: "other_people" };',
        "",
      ],
    ],
  ),
  ...of(
    `${client}/engine/content-reader.ts`,
    [`${client}/engine/content-reader.test.ts`],
    [
      ["messages without their content wait for ever (E-15)", "!isCommit && !this.#hasPatience()", "false"],
      ["a commit is given up after one answer (E-15)", "!isTransient && !isCommit && ", "!isTransient && "],
      ["what passes is taken for absence (E-3)", "if (!isTransient && !isCommit", "if (!isCommit"],
    ],
  ),
];
