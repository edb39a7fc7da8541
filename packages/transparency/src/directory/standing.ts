import { emptyRoot } from "../log/hashes.ts";
import type { Signatures } from "../signature.ts";
import { openConfigChange } from "./head.ts";
import { decodeDirectoryProof, verifyLookup } from "./lookup.ts";
import { configChangeCodec, decodeOrRefuse } from "./structures.ts";
import type { DirectoryProof } from "./structures.ts";
import type { DirectoryView } from "./view.ts";

/** A public log as it proves itself to somebody who knows nothing of it but the hash of its first config. */
export interface LogEvidence {
  /** Entry 0's config, encoded. */
  readonly config: Uint8Array;
  /** Encoded ConfigChanges, oldest first: how its keys of now followed. */
  readonly changes: readonly Uint8Array[];
}

/** An account with the DirectoryProof of its labels, as `AccountRecord` has them. */
export interface StandingRecord {
  readonly states: readonly Uint8Array[];
  readonly bindings: readonly Uint8Array[];
  readonly proof: Uint8Array;
}

/** Later than every date, so that no clock decides. */
const noClock = Number.MAX_SAFE_INTEGER;

/**
 * Verifies that these are all states that an account has in the public log with this config, at the checkpoint of the proof: signed by
 * the log, cosigned by the quorum that its config asks for, whenever that was. It takes no clock and no view, so that whoever is asked
 * finds the same (spec M-2, G-1).
 * @throws TransparencyError `config` for another log, else as `openConfigChange` and `verifyLookup`
 */
export async function verifyStanding(params: {
  readonly host: string;
  /** H of the log's first config. */
  readonly configHash: Uint8Array;
  readonly log: LogEvidence;
  readonly accountId: Uint8Array;
  readonly username: string;
  readonly record: StandingRecord;
  readonly signatures: Signatures;
}): Promise<void> {
  const { host, configHash, log, accountId, username, record, signatures } = params;
  const common = { host, config: log.config, pinnedConfigHash: configHash, nowMs: noClock, signatures };
  let view: DirectoryView | undefined;
  for (const bytes of log.changes) {
    const change = decodeOrRefuse(configChangeCodec, bytes, "D-2");
    const next = await openConfigChange({ ...common, view: undefined, known: view, change });
    // What its heads saw is not compared with what the proof has: of the log only its keys are asked.
    view = { ...next, size: 0, root: emptyRoot(), timestampMs: 0, leafCount: 0, pendingConfig: undefined };
  }
  const proof = decodeDirectoryProof(record.proof);
  await verifyLookup({
    ...common,
    view,
    maxAgeMs: Number.POSITIVE_INFINITY,
    consistency: [],
    proof,
    query: { accountId, username },
    record: { states: openedValues(record.states, proof, "account"), bindings: openedValues(record.bindings, proof, "username") },
  });
}

/** As many of the newest values as a proof opens: erased ones stand in it as bare commitments. */
export function openedValues(values: readonly Uint8Array[], proof: DirectoryProof, type: "account" | "username"): readonly Uint8Array[] {
  const items = proof.labels.find((label) => label.type === type)?.items ?? [];
  const count = items.filter((item) => item.kind === "opening").length;
  return items.length === count ? values : values.slice(Math.max(0, values.length - count));
}
