import { equalBytes } from "@latchkey/codec";
import { TransparencyError } from "../errors.ts";
import { checkTreeNumber, emptyRoot } from "../log/hashes.ts";
import { verifyConsistency } from "../log/verify.ts";
import type { Signatures } from "../signature.ts";
import { fromBase64, toBase64 } from "./base64.ts";
import { parseCheckpoint } from "./checkpoint.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { formatNote, maxNoteBytes, parseNote, verifyNoteSignatures } from "./note.ts";
import type { Note } from "./note.ts";
import { checkedText, parseDecimal } from "./text.ts";
import type { Verifier } from "./vkey.ts";

/** The body of an `add-checkpoint` request. */
export interface AddCheckpoint {
  /** Size of the checkpoint that the witness is thought to have cosigned last; 0 for none. */
  readonly oldSize: number;
  /** From `oldSize` to the checkpoint: RFC 6962 section 2.1.2. */
  readonly proof: readonly Uint8Array[];
  readonly note: Note;
}

/** A tree head that a witness cosigned last for a log. */
export interface CosignedHead {
  readonly size: number;
  readonly root: Uint8Array;
}

/** What a witness does with a request: cosign, after it stored the new head, or answer with a status. */
export type AddCheckpointVerdict =
  | { readonly kind: "cosign"; readonly checkpoint: Checkpoint; readonly note: Note }
  | { readonly kind: "conflict"; readonly status: 409; readonly latestSize: number }
  | { readonly kind: "refused"; readonly status: 400 | 403 | 404 | 422 };

/** Content type of the body of a 409: the size that the witness cosigned last (C2SP tlog-witness, "add-checkpoint"). */
export const witnessSizeContentType = "text/x.tlog.size";

const rule = "C2SP tlog-witness";
const maxProofLines = 63;

/**
 * The body of a request: `old N`, the proof in base64 lines, an empty line, the checkpoint (C2SP tlog-witness, "add-checkpoint").
 * @throws TransparencyError when the proof has more than 63 hashes or a size is out of range.
 */
export function encodeAddCheckpoint(request: AddCheckpoint): string {
  checkTreeNumber(request.oldSize, rule);
  if (request.proof.length > maxProofLines) throw malformed("A request has at most 63 lines of proof.");
  return `old ${request.oldSize}\n${request.proof.map((hash) => `${toBase64(hash)}\n`).join("")}\n${formatNote(request.note)}`;
}

/**
 * What a request says, its checkpoint parsed but nothing verified.
 * @throws TransparencyError when it is malformed, or its old size is above its checkpoint's: the answer is then status 400.
 */
export function parseAddCheckpoint(input: string | Uint8Array): AddCheckpoint & { readonly checkpoint: Checkpoint } {
  const text = checkedText(input, { maxBytes: maxNoteBytes, rule });
  const end = text.indexOf("\n\n");
  if (end < 0) throw malformed("A request has an empty line before its checkpoint.");
  const [first = "", ...lines] = text.slice(0, end).split("\n");
  const oldSize = first.startsWith("old ") ? parseDecimal(first.slice(4)) : undefined;
  if (oldSize === undefined) throw malformed("A request starts with the old size.");
  if (lines.length > maxProofLines) throw malformed("A request has at most 63 lines of proof.");
  const proof = lines.map((line) => {
    const hash = fromBase64(line);
    if (hash?.length !== 32) throw malformed("A line of proof is not 32 bytes in base64.");
    return hash;
  });
  const note = parseNote(text.slice(end + 2));
  const checkpoint = parseCheckpoint(note.text);
  if (oldSize > checkpoint.size) throw malformed("A request's old size is above its checkpoint's.");
  return { oldSize, proof, note, checkpoint };
}

/** The body of a 409: the size that the witness cosigned last. */
export function encodeWitnessSize(size: number): string {
  checkTreeNumber(size, rule);
  return `${size}\n`;
}

/** @throws TransparencyError when the body of a 409 is not a size and a newline. */
export function parseWitnessSize(input: string | Uint8Array): number {
  const text = checkedText(input, { maxBytes: 32, rule });
  const size = text.endsWith("\n") ? parseDecimal(text.slice(0, -1)) : undefined;
  if (size === undefined) throw malformed("A witness's answer is not a size.");
  return size;
}

/**
 * What a witness has to answer, by the checks of C2SP tlog-witness in their order. On `cosign` it must store the new head, provided that
 * `latest` still is what it has stored, before it signs: else two requests could roll it back.
 * Never throws for what the request holds.
 */
export async function judgeAddCheckpoint(params: {
  body: string | Uint8Array;
  /** The keys and the last cosigned head of a log, or undefined for an unknown origin. */
  logOf: (origin: string) => { readonly keys: readonly Verifier[]; readonly latest: CosignedHead | undefined } | undefined;
  signatures: Signatures;
}): Promise<AddCheckpointVerdict> {
  const request = refusedIfThrows(() => parseAddCheckpoint(params.body));
  if (request === undefined) return { kind: "refused", status: 400 };
  const { checkpoint, note } = request;
  const log = params.logOf(checkpoint.origin);
  if (log === undefined) return { kind: "refused", status: 404 };
  if (!(await isSigned(note, log.keys, params.signatures))) return { kind: "refused", status: 403 };
  const latest = log.latest ?? { size: 0, root: emptyRoot() };
  if (request.oldSize !== latest.size) return { kind: "conflict", status: 409, latestSize: latest.size };
  if (checkpoint.size === 0 && !equalBytes(checkpoint.root, emptyRoot())) return { kind: "refused", status: 422 };
  const consistent = refusedIfThrows(() => {
    verifyConsistency({ from: latest.size, to: checkpoint.size, fromRoot: latest.root, toRoot: checkpoint.root, proof: request.proof });
    return true;
  });
  return consistent === undefined ? { kind: "refused", status: 422 } : { kind: "cosign", checkpoint, note };
}

async function isSigned(note: Note, keys: readonly Verifier[], signatures: Signatures): Promise<boolean> {
  try {
    return (await verifyNoteSignatures(note, keys, signatures)).length > 0;
  } catch (error) {
    if (error instanceof TransparencyError) return false;
    throw error;
  }
}

function refusedIfThrows<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof TransparencyError) return undefined;
    throw error;
  }
}

function malformed(message: string): TransparencyError {
  return new TransparencyError("malformed", rule, message);
}
