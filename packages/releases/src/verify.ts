import { equalBytes, toHex } from "@latchkey/codec";
import { sha256 } from "@noble/hashes/sha2.js";
import { approvalGap, decodeApprovals, decodeSignature, releaseTbs } from "./approvals.ts";
import type { Approval, Approvals } from "./approvals.ts";
import { unzipRelease } from "./file.ts";
import { decodeManifest, releaseDigest } from "./manifest.ts";
import type { ReleaseFile, ReleaseManifest } from "./manifest.ts";
import { checkApproval, checkSignature } from "./passkey.ts";

/** What can be wrong with a release file that is one. */
export const releaseProblems = [
  /** A file is not the one that its hash in the manifest names. */
  "file-altered",
  /** A file that the manifest names is not there. */
  "file-missing",
  /** A file is there that the manifest does not name. */
  "file-added",
  /** The parts hold, and the file has bytes besides. */
  "not-as-written",
  /** A passkey's signature does not hold over these bytes: something was altered after it, or it is of another release. */
  "approval-invalid",
  /** One person, or one passkey, twice. */
  "same-person",
  "too-few",
  "outside-missing",
  "wait-missing",
  /** Somebody approved after it was released. */
  "approval-late",
  /** The operator's signature does not hold over manifest and approvals. */
  "signature-invalid",
  "signature-missing",
  /** It is signed by another key than the one that was expected. */
  "other-key",
  /** It is of another host than the one that was expected. */
  "other-host",
] as const;
/** One of them. */
export type ReleaseProblem = (typeof releaseProblems)[number];

/** What a release file is worth: all of it holds where `problems` is empty. */
export interface ReleaseCheck {
  readonly problems: readonly ReleaseProblem[];
  readonly manifest: ReleaseManifest;
  /** What was approved, hex. */
  readonly digest: string;
  readonly files: readonly (Pick<ReleaseFile, "name"> & { readonly state: "as-approved" | "altered" | "missing" | "added" })[];
  readonly approvals: Approvals;
  /** Of each approval, in their order. */
  readonly areValid: readonly boolean[];
  /** The operator's key, 32 bytes; absent where nothing is signed by it. */
  readonly signedBy?: Uint8Array;
}

/** What the reader knows from elsewhere. */
export interface ReleaseExpectations {
  readonly host?: string;
  /** The desk's Ed25519 key, from the host's public record. */
  readonly key?: Uint8Array;
}

/**
 * Verifies a release file from its bytes alone (rule F-7): every file by its hash, each approval over exactly these bytes, that they are
 * enough together, and the operator's signature. Whose the keys are, nobody learns from the file: say which host and key are expected.
 * @throws ReleaseError for bytes that are no release
 */
export async function verifyRelease(file: Uint8Array, expected: ReleaseExpectations = {}): Promise<ReleaseCheck> {
  const { parts, strangers, isAsWritten } = unzipRelease(file);
  const manifest = decodeManifest(parts.manifest);
  const approvals = decodeApprovals(parts.approvals);
  const problems = new Set<ReleaseProblem>();

  const files: ReleaseCheck["files"][number][] = manifest.files.map((one) => ({
    name: one.name,
    state: stateOf(one, parts.content.get(one.name)),
  }));
  const named = new Set(manifest.files.map(({ name }) => name));
  const added = [...[...parts.content.keys()].filter((name) => !named.has(name)), ...strangers];
  files.push(...added.map((name) => ({ name, state: "added" as const })));
  if (files.some(({ state }) => state === "altered")) problems.add("file-altered");
  if (files.some(({ state }) => state === "missing")) problems.add("file-missing");
  if (added.length > 0) problems.add("file-added");
  else if (!isAsWritten) problems.add("not-as-written");

  const digest = releaseDigest(parts.manifest);
  const areValid = await Promise.all(approvals.approvals.map(async (one) => isApproved(one, { digest, ...manifest.desk })));
  if (areValid.includes(false)) problems.add("approval-invalid");
  const valid = approvals.approvals.filter((_, at) => areValid[at] === true);
  const gap = approvalGap({ rule: approvals.rule, approvals: valid }, approvals.releasedAtMs);
  if (gap !== undefined) problems.add(gap);
  if (valid.some(({ atMs }) => atMs > approvals.releasedAtMs)) problems.add("approval-late");

  const signedBy = await signer(parts, problems);
  if (expected.host !== undefined && expected.host !== manifest.host) problems.add("other-host");
  if (expected.key !== undefined && signedBy !== undefined && !equalBytes(expected.key, signedBy)) problems.add("other-key");
  return {
    problems: releaseProblems.filter((one) => problems.has(one)),
    manifest,
    digest: toHex(digest),
    files,
    approvals,
    areValid,
    ...(signedBy === undefined ? {} : { signedBy }),
  };
}

function stateOf({ sha256: hash, sizeBytes }: ReleaseFile, bytes: Uint8Array | undefined): "as-approved" | "altered" | "missing" {
  if (bytes === undefined) return "missing";
  return bytes.length === sizeBytes && toHex(sha256(bytes)) === hash ? "as-approved" : "altered";
}

async function isApproved(approval: Approval, place: { digest: Uint8Array; origin: string; rpId: string }): Promise<boolean> {
  return (await checkApproval(approval, place)).isValid;
}

async function signer(
  { manifest, approvals, signature: bytes }: { manifest: Uint8Array; approvals: Uint8Array; signature?: Uint8Array },
  problems: Set<ReleaseProblem>,
): Promise<Uint8Array | undefined> {
  if (bytes === undefined) {
    problems.add("signature-missing");
    return undefined;
  }
  const { key, signature } = decodeSignature(bytes);
  if (await checkSignature(key, signature, releaseTbs(manifest, approvals))) return key;
  problems.add("signature-invalid");
  return undefined;
}
