import { CodecError, toBase64Url } from "@latchkey/codec";
import { MlsError, inspectCommit } from "@latchkey/mls";
import type { GroupState, InspectedCommit } from "@latchkey/mls";
import type { EnvelopeBody } from "@latchkey/protocol";
import type { Signatures } from "@latchkey/transparency";
import { complainersIn } from "./answering.ts";
import { deletedBy, departedBy, standingBy } from "./departed.ts";
import { parseAuthenticatedData } from "./heard.ts";
import { leavingBy } from "./leaving.ts";
import { publicCheck } from "./public-check.ts";
import type { Passed, PublicFailure, PublicVerdict } from "./public-check.ts";
import { identityOf } from "../group/credential.ts";
import { needsProof } from "./permitted.ts";
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
      deleted: commit.groupContextExtensions === undefined ? new Set() : await deletedBy(directoryProofs, roster.settings, signatures),
      standing: await standingIn(directoryProofs, { roster, commit, signatures }),
      complainers: await complainersIn(turn, complaint, { group, roster, commit }),
      isUpToDate: lastCommitSeq === 0 || (await hasSeen(turn, { viewTag: said.viewTag, seq }, lastCommitSeq)),
      settings: { sha256, logId, opening, encodedOpening: settings },
    },
    commit,
  );
  return verdict.kind === "fails" ? verdict : { ...verdict, authenticatedData: commit.authenticatedData };
}

/** Of the devices that a commit adds, those that have to be proven and are. */
async function standingIn(
  proofs: Uint8Array,
  { roster, commit, signatures }: { readonly roster: Roster; readonly commit: InspectedCommit; readonly signatures: Signatures },
): Promise<readonly RosterLeaf[]> {
  const author = roster.leaves.get(commit.sender)?.account;
  if (author === undefined || commit.adds.length === 0) return [];
  const added = new Set(commit.adds.map(({ leafIndex }) => leafIndex));
  try {
    const leaves = commit.members
      .filter(({ leafIndex }) => added.has(leafIndex))
      .map(({ leafIndex, signaturePublicKey, credential }): RosterLeaf => {
        const { host, accountId, deviceId } = identityOf(credential);
        return { leafIndex, host, accountId, deviceId, signaturePublicKey, account: toBase64Url(accountId) };
      })
      .filter(({ account }) => needsProof(roster, author, account));
    return leaves.length === 0 ? [] : await standingBy(proofs, leaves, roster.settings, signatures);
  } catch (error) {
    // The check itself says what is wrong with it.
    if (!(error instanceof CodecError)) throw error;
    return [];
  }
}
