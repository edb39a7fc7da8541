import { MlsError, inspectCommit } from "@latchkey/mls";
import type { GroupState, InspectedCommit } from "@latchkey/mls";
import type { EnvelopeBody } from "@latchkey/protocol";
import { complainersIn } from "./answering.ts";
import { departedBy } from "./departed.ts";
import { updateRankOf } from "./epoch.ts";
import { parseAuthenticatedData } from "./heard.ts";
import { leavingBy } from "./leaving.ts";
import { publicCheck } from "./public-check.ts";
import type { Passed, PublicFailure, PublicVerdict } from "./public-check.ts";
import type { Turn } from "./turn.ts";
import type { Roster, RosterLeaf } from "./types.ts";
import { hasSeen } from "./view.ts";

/** The outcome of the whole check; of a commit that passes, what it says of its author's view too. */
export type Judged = Exclude<PublicVerdict, Passed> | (Passed & Pick<InspectedCommit, "authenticatedData">);

/**
 * The whole public check (spec G-1): RFC 9420's part, then Latchkey's. It is what every member finds of a commit in the log, whoever made
 * it, and what a member finds of its own before it is sent.
 */
export async function judge(
  turn: Turn,
  { seq, mlsMessage, directoryProofs, settings, complaint, leaves }: EnvelopeBody,
  { group, roster }: { readonly group: GroupState; readonly roster: Roster },
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
  const { lastCommitSeq, logId, opening, suiteId } = turn.state;
  const { sha256, signatures } = turn.context;
  const removes = commit.removes.flatMap((member) => roster.leaves.get(member.leafIndex) ?? []);
  const verdict = publicCheck(
    {
      roster,
      leaving: await leavingBy(leaves, { sha256, suite: turn.context.suite(suiteId), group, roster }),
      departed: await departedBy(directoryProofs, removes, roster.settings, signatures),
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
