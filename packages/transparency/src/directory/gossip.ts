import { encode, utf8Bytes } from "@latchkey/codec";
import { TransparencyError } from "../errors.ts";
import { parseCheckpoint } from "../note/checkpoint.ts";
import type { Checkpoint } from "../note/checkpoint.ts";
import { formatNote, parseNote, verifyNoteSignatures } from "../note/note.ts";
import { parseVkey } from "../note/vkey.ts";
import type { Signatures } from "../signature.ts";
import { decodeOrRefuse, gossipCodec } from "./structures.ts";
import type { DirectoryConfig, Gossip } from "./structures.ts";
import type { DirectoryView } from "./view.ts";

/** What a member tells the others of its groups about the directory: the checkpoint of its view with the log's own signature (spec D-4). */
export function gossipOf(checkpoint: Uint8Array): Uint8Array {
  return encode(gossipCodec, { format: 2, checkpoint, ext: new Uint8Array(0) });
}

/** Gossip that was read and not verified: what it says is nothing yet. */
export interface HeardGossip {
  /** The C2SP note. */
  readonly note: Uint8Array;
  readonly checkpoint: Checkpoint;
}

/**
 * What the text of a directory's checkpoint says. It has no extension lines: whatever the log signs fits into a message, so that none of
 * it is left out of gossip (spec D-4).
 * @throws TransparencyError `malformed`
 */
export function parseDirectoryCheckpoint(text: string): Checkpoint {
  const checkpoint = parseCheckpoint(text);
  if (checkpoint.extensions.length > 0) throw new TransparencyError("malformed", "D-4", "a directory's checkpoint has no extension lines");
  return checkpoint;
}

/** Reads gossip. Whether the log signed it is for `verifyGossip`. @throws TransparencyError `malformed` */
export function decodeGossip(bytes: Uint8Array): HeardGossip {
  const { checkpoint: note }: Gossip = decodeOrRefuse(gossipCodec, bytes, "D-4");
  const checkpoint = parseDirectoryCheckpoint(parseNote(note).text);
  if (checkpoint.size === 0) throw new TransparencyError("malformed", "D-4", "gossip of an empty log");
  return { note, checkpoint };
}

/**
 * Verifies that the log whose view this is signed the gossip's checkpoint, with its key of now or the one that was announced. Without
 * that it is a word of whoever sent it, and nothing follows from it (spec D-4, E-1).
 * @returns the note with that signature alone, whatever else its sender put there
 * @throws TransparencyError `proof` when it is of another log, `signature` when the log did not sign it
 */
export async function verifyGossip(params: { gossip: HeardGossip; view: DirectoryView; signatures: Signatures }): Promise<Uint8Array> {
  const { gossip, view, signatures } = params;
  if (gossip.checkpoint.origin !== view.origin) throw new TransparencyError("proof", "D-4", "the gossip is of another directory");
  const configs = [view.config, ...(view.pendingConfig === undefined ? [] : [view.pendingConfig.config])];
  const keys = [...new Set(configs.map(({ logKey }) => logKey))].map(parseVkey);
  const [verified] = await verifyNoteSignatures(parseNote(gossip.note), keys, signatures);
  if (verified === undefined) throw new TransparencyError("signature", "D-4", "the log has not signed the gossip");
  return withSignatureOf(gossip.note, verified);
}

/** A checkpoint's note with the log's own signature and no other: what gossip carries, and what convicts. @throws TransparencyError `malformed` */
export function withLogSignatureOnly(checkpoint: Uint8Array, config: DirectoryConfig): Uint8Array {
  return withSignatureOf(checkpoint, parseVkey(config.logKey));
}

function withSignatureOf(note: Uint8Array, { name, keyId }: { readonly name: string; readonly keyId: number }): Uint8Array {
  const { text, signatures } = parseNote(note);
  return utf8Bytes(formatNote({ text, signatures: signatures.filter((line) => line.name === name && line.keyId === keyId).slice(0, 1) }));
}
