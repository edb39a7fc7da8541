import { equalBytes } from "@latchkey/codec";
import { MlsError, inspectCommit, ownLeafIndex, processMessage } from "@latchkey/mls";
import type { GroupState, InspectedCommit, Processed, ProcessedCommit } from "@latchkey/mls";
import { complaintReasons } from "@latchkey/protocol";
import type { EntryEvent, EnvelopeBody } from "@latchkey/protocol";
import { complainersIn, strand } from "./complaints.ts";
import { departedBy } from "./departed.ts";
import { endMembership, enterEpoch, updateRankOf } from "./epoch.ts";
import { hear, parseAuthenticatedData } from "./heard.ts";
import { hearView } from "./heads.ts";
import { epochKeys } from "./keys.ts";
import { isSameDevice } from "./roster.ts";
import { publicCheck } from "./public-check.ts";
import type { Passed, PublicFailure, PublicVerdict } from "./public-check.ts";
import { openAgain, skipCommit } from "./skipped.ts";
import { addLine, nextOrder, pause } from "./turn.ts";
import type { Turn } from "./turn.ts";
import type { Roster, RosterLeaf, UnverifiedLeaf } from "./types.ts";
import { hasSeen } from "./view.ts";

/** Takes a commit of the current epoch: it is followed, or skipped like by everybody else (spec G-3). */
export async function onCommit(turn: Turn, event: EntryEvent, body: EnvelopeBody): Promise<void> {
  const { group, roster } = turn.state;
  if (group === undefined || roster === undefined) return;
  // While it waits to be let back in, and may have to read all this again, it follows no sibling (spec G-4).
  if (turn.state.stranded !== undefined) {
    openAgain(turn);
    return;
  }
  const isVoid = turn.state.voided.includes(event.seq);
  const verdict = await judge(turn, body, { group, roster });
  if (verdict.kind === "fails" || isVoid || turn.state.barred.includes(verdict.author.leafIndex)) {
    skipCommit(turn, event.seq, verdict.author);
    return;
  }
  const { author } = verdict;
  const cannotFollow = (reason: number): void => strand(turn, { event, author, verdict, reason });
  if (author.leafIndex === ownLeafIndex(group)) {
    // With one of its own under way, somebody posted a copy of that which nobody can follow (spec G-7).
    if (turn.state.staged === undefined) pause(turn, "profile_restored");
    else cannotFollow(complaintReasons.confirmationTag);
    return;
  }
  const said = parseAuthenticatedData(verdict.authenticatedData);
  if (said !== undefined) {
    hear(turn, author, said);
    await hearView(turn, author, { viewTag: said.viewTag, seq: body.seq });
  }
  let processed: Processed;
  try {
    // No clock: whether a commit counts may not depend on whose clock it is (spec G-1).
    processed = await processMessage(group, body.mlsMessage, {});
  } catch (error) {
    if (!(error instanceof MlsError)) throw error;
    cannotFollow(error.clause === "RFC 9420 §12.4.2" ? complaintReasons.confirmationTag : complaintReasons.pathSecret);
    return;
  }
  if (processed.kind === "removed") {
    const { self } = turn.context;
    endMembership(
      turn,
      author,
      verdict.adds.some((added) => isSameDevice(added, self)),
    );
    return;
  }
  if (processed.kind === "commit") await follow(turn, { event, processed, verdict, proofs: body.directoryProofs });
}

type Judged = Exclude<PublicVerdict, Passed> | (Passed & Pick<InspectedCommit, "authenticatedData">);

/** The whole public check (spec G-1): RFC 9420's part, then Latchkey's. */
async function judge(
  turn: Turn,
  { seq, mlsMessage, directoryProofs, settings, complaint }: EnvelopeBody,
  { group, roster }: { group: GroupState; roster: Roster },
): Promise<Judged> {
  const fails = (reason: PublicFailure, author?: RosterLeaf): Judged => ({ kind: "fails", reason, author });
  let commit: InspectedCommit;
  try {
    commit = await inspectCommit(group, mlsMessage);
  } catch (error) {
    if (!(error instanceof MlsError)) throw error;
    return fails("not_valid");
  }
  const said = parseAuthenticatedData(commit.authenticatedData);
  if (said === undefined) return fails("authenticated_data", roster.leaves.get(commit.sender));
  const { leavers, lastCommitSeq, logId, opening } = turn.state;
  const { sha256 } = turn.context;
  const removes = commit.removes.flatMap((member) => roster.leaves.get(member.leafIndex) ?? []);
  const verdict = publicCheck(
    {
      roster,
      leavers,
      departed: await departedBy(directoryProofs, removes, roster.settings, turn.context.signatures),
      complainers: await complainersIn(turn, complaint, { group, roster, commit }),
      isUpToDate: lastCommitSeq === 0 || (await hasSeen(turn, { viewTag: said.viewTag, seq }, lastCommitSeq)),
      isBlocked: lastCommitSeq > 0,
      settings: { sha256, logId, opening, encodedOpening: settings },
      isUpdateDue: (leaf) => updateRankOf(group, leaf) !== undefined,
    },
    commit,
  );
  return verdict.kind === "fails" ? verdict : { ...verdict, authenticatedData: commit.authenticatedData };
}

async function follow(
  turn: Turn,
  params: { event: EntryEvent; processed: ProcessedCommit; verdict: Passed; proofs: Uint8Array },
): Promise<void> {
  const { event, processed, verdict } = params;
  const { author, after, opening } = verdict;
  const { state, context } = turn;
  const keys = epochKeys(processed.state, state.logId, event.seq);
  if (!equalBytes(context.sha256(keys.access), event.nextAccessHash)) {
    strand(turn, { event, author, verdict, reason: complaintReasons.accessKey });
    return;
  }
  const before = state.roster;
  const unverified: UnverifiedLeaf[] = [...after.leaves.values()]
    .filter((leaf) => {
      const same = before?.leaves.get(leaf.leafIndex);
      return same === undefined || !equalBytes(same.signaturePublicKey, leaf.signaturePublicKey);
    })
    .filter((leaf) => !isSameDevice(leaf, context.self))
    .filter((leaf) => !context.vouched(leaf))
    .map((leaf) => ({ ...leaf, refused: false }));
  const accountsAdded = [...after.accounts.keys()].filter((account) => before?.accounts.has(account) !== true);
  await enterEpoch(turn, { group: processed.state, keys, roster: after, opening, author, isOwn: false, proofs: params.proofs });
  turn.state = {
    ...turn.state,
    rosterAdds: turn.state.rosterAdds + (accountsAdded.length > 0 ? 1 : 0),
    unverified: [...turn.state.unverified, ...unverified],
  };
  tellLetBack(turn, author, verdict);
  if (unverified.length > 0) turn.effects.push({ kind: "verify", leaves: unverified, proofs: params.proofs.slice() });
}

/** Who was let back in: removed and added again, by the same commit (spec G-5). */
function tellLetBack(turn: Turn, author: RosterLeaf, { removes, adds }: Passed): void {
  const back = removes.filter((leaf) => adds.some((added) => isSameDevice(added, leaf)));
  for (const { accountId } of back) {
    addLine(turn, { order: nextOrder(turn), author: author.accountId, body: { kind: "let_back", account: accountId } });
  }
}
