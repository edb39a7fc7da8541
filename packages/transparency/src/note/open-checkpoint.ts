import { TransparencyError } from "../errors.ts";
import type { Signatures } from "../signature.ts";
import { encodeCheckpoint, parseCheckpoint } from "./checkpoint.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { parseNote, signNote, verifyNoteSignatures } from "./note.ts";
import type { Note, VerifiedSignature } from "./note.ts";
import type { Verifier } from "./vkey.ts";

/** A checkpoint that its log signed. */
export interface OpenedCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly note: Note;
  /** The valid cosignatures of known witnesses. Whether they suffice is for the policy. */
  readonly cosignatures: readonly VerifiedSignature[];
}

const rule = "C2SP tlog-checkpoint";

/**
 * The signed note of a checkpoint. `name` is the log's key name, which should be its origin.
 * A log never signs two checkpoints of which one does not continue the other: the caller sees to it.
 * @throws TransparencyError when a part is malformed.
 */
export async function signCheckpoint(params: {
  checkpoint: Checkpoint;
  name: string;
  /** 32-byte seed. */
  secretKey: Uint8Array;
  signatures: Signatures;
}): Promise<Note> {
  const { checkpoint, ...key } = params;
  return await signNote({ text: encodeCheckpoint(checkpoint), ...key });
}

/**
 * Parses and verifies the checkpoint of one log: its origin, the log's signature, and every cosignature of the witnesses given.
 * @throws TransparencyError when it is malformed, of another log, not signed by it, or a known key's signature does not verify.
 */
export async function openCheckpoint(params: {
  note: string | Uint8Array;
  origin: string;
  log: Verifier;
  witnesses: readonly Verifier[];
  signatures: Signatures;
}): Promise<OpenedCheckpoint> {
  const { origin, log, witnesses, signatures } = params;
  const note = parseNote(params.note);
  const checkpoint = parseCheckpoint(note.text);
  if (checkpoint.origin !== origin) throw new TransparencyError("proof", rule, "The checkpoint is of another log.");
  const [own] = await verifyNoteSignatures(note, [log], signatures);
  if (own === undefined) throw new TransparencyError("signature", rule, "The log has not signed the checkpoint.");
  return { checkpoint, note, cosignatures: await verifyNoteSignatures(note, witnesses, signatures) };
}
