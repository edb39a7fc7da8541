import { equalBytes } from "@latchkey/codec";
import { MlsError, ownLeafIndex, processMessage } from "@latchkey/mls";
import type { Processed, ProcessedCommit } from "@latchkey/mls";
import { complaintReasons } from "@latchkey/protocol";
import type { EntryEvent, EnvelopeBody } from "@latchkey/protocol";
import { strand } from "./complaints.ts";
import { endMembership, enterEpoch } from "./epoch.ts";
import { hear, parseAuthenticatedData } from "./heard.ts";
import { hearView } from "./heads.ts";
import { epochKeys } from "./keys.ts";
import { renewalStamp } from "./renewal.ts";
import { isSameDevice } from "./roster.ts";
import { judge } from "./judge.ts";
import { unjudged, verify } from "./proven.ts";
import type { Passed } from "./public-check.ts";
import { skipCommit } from "./skipped.ts";
import { addLine, nextOrder, pause } from "./turn.ts";
import type { Turn } from "./turn.ts";
import type { RosterLeaf, UnverifiedLeaf } from "./types.ts";

/** Takes a commit of the current epoch: it is followed, or skipped like by everybody else (spec G-3). */
export async function onCommit(turn: Turn, event: EntryEvent, body: EnvelopeBody): Promise<void> {
  const { group, roster } = turn.state;
  if (group === undefined || roster === undefined) return;
  const verdict = await judge(turn, body, { group, roster });
  if (verdict.kind === "fails" || turn.state.barred.includes(verdict.author.leafIndex)) {
    skipCommit(turn, event.seq, verdict.author);
    return;
  }
  const { author } = verdict;
  const cannotFollow = (reason: number): void => strand(turn, { event, author, verdict, reason });
  if (author.leafIndex === ownLeafIndex(group)) {
    // With one of its own under way, or refused, somebody posted a copy of that which nobody can follow, or sealed it anew (spec G-7, E-78).
    if (turn.state.staged === undefined && turn.state.refused.length === 0) pause(turn, "profile_restored");
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
  if (processed.kind === "commit") {
    const saidAtMs = renewalStamp(said?.ext ?? new Uint8Array(0), turn.context.nowMs);
    await follow(turn, { event, processed, verdict, proofs: body.directoryProofs, saidAtMs });
  }
}

async function follow(
  turn: Turn,
  params: { event: EntryEvent; processed: ProcessedCommit; verdict: Passed; proofs: Uint8Array; saidAtMs: number },
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
  const { leaving } = verdict;
  const unverified: UnverifiedLeaf[] = [...after.leaves.values()]
    .filter((leaf) => {
      const same = before?.leaves.get(leaf.leafIndex);
      return same === undefined || !equalBytes(same.signaturePublicKey, leaf.signaturePublicKey);
    })
    .filter((leaf) => !isSameDevice(leaf, context.self))
    .filter((leaf) => !context.vouched(leaf))
    .map((leaf) => unjudged(leaf));
  const accountsAdded = [...after.accounts.keys()].filter((account) => before?.accounts.has(account) !== true);
  const isPathAlone = verdict.adds.length + verdict.removes.length === 0 && opening === state.opening;
  const pathAloneAtMs = isPathAlone ? params.saidAtMs : undefined;
  const { proofs } = params;
  await enterEpoch(turn, { group: processed.state, keys, roster: after, opening, author, isOwn: false, pathAloneAtMs, proofs, leaving });
  turn.state = {
    ...turn.state,
    rosterAdds: turn.state.rosterAdds + (accountsAdded.length > 0 ? 1 : 0),
    unverified: [...turn.state.unverified, ...unverified],
  };
  tellLetBack(turn, author, verdict);
  verify(turn, unverified, params.proofs.slice());
}

/** Who was let back in: removed and added again, by the same commit (spec G-5). */
function tellLetBack(turn: Turn, author: RosterLeaf, { removes, adds }: Passed): void {
  const back = removes.filter((leaf) => adds.some((added) => isSameDevice(added, leaf)));
  for (const { accountId } of back) {
    addLine(turn, { order: nextOrder(turn), author: author.accountId, body: { kind: "let_back", account: accountId } });
  }
}
