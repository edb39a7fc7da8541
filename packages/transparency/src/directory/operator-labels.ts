import { TransparencyError } from "../errors.ts";
import type { VrfVerifier } from "../vrf/ecvrf.ts";
import { openHead } from "./head.ts";
import type { HeadResult } from "./head.ts";
import { operatorLabel } from "./labels.ts";
import { onlyLabel, verifyLabel } from "./lookup.ts";
import type { HeadParams, LabelState } from "./lookup.ts";
import type { DirectoryProof } from "./structures.ts";

/** What the operator publishes under a name, verified. */
export interface OperatorResult extends HeadResult {
  /** Where the label stands; `undefined` where it has never had a value. */
  readonly label: LabelState | undefined;
  /** Its newest value; `undefined` where it has none, or has none after the one that is known. */
  readonly value: Uint8Array | undefined;
}

/**
 * Verifies what the operator publishes to everybody under a name (spec D-8): the head, where the label stands, and that this is its
 * newest value; of those before it the commitments are enough. A label that has had no value is shown as absent.
 * @throws TransparencyError as `verifyLookup`
 */
export async function verifyOperatorLabel(
  params: HeadParams & {
    readonly proof: DirectoryProof;
    readonly name: string;
    /** What was verified before: the proof leads on from it or begins anew. */
    readonly known?: LabelState | undefined;
    /** Default: `vrfVerify`. */
    readonly verifyVrf?: VrfVerifier | undefined;
    /** The newest value, or none. */
    readonly value: Uint8Array | undefined;
  },
): Promise<OperatorResult> {
  const { proof, name, known, verifyVrf, value, ...rest } = params;
  const opened = await openHead({ ...rest, head: proof.head, consistency: rest.consistency ?? proof.consistency });
  const labelProof = onlyLabel(proof, "operator");
  if (labelProof === undefined || proof.labels.length !== 1) {
    throw new TransparencyError("proof", "D-8", "the proof is not of what the operator publishes");
  }
  const values = value === undefined ? [] : [value];
  return { ...opened, value, label: verifyLabel({ ...opened, proof: labelProof, label: operatorLabel(name), known, verifyVrf, values }) };
}
