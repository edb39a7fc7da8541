import {
  CodecError,
  decode,
  encode,
  equalBytes,
  opaque,
  opaqueV,
  safeUint64,
  struct,
  text,
  uint32,
  uint8,
  utf8Bytes,
  vector,
} from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { TransparencyError } from "../errors.ts";
import { encodeCheckpoint, parseCheckpoint } from "../note/checkpoint.ts";
import type { Checkpoint } from "../note/checkpoint.ts";
import { formatNote, parseNote } from "../note/note.ts";
import type { NoteSignature } from "../note/note.ts";

/** Most bytes of a checkpoint's note in a proof. */
const maxNoteBytes = 16_384;

interface ShortSignature {
  /** Characters that the beginning of the name shares with the one before it; the first, with the origin. */
  readonly begin: number;
  /** The same for its end. */
  readonly end: number;
  /** What stands between. */
  readonly rest: string;
  readonly keyId: number;
  readonly signature: Uint8Array;
}

interface ShortNote {
  readonly checkpoint: Checkpoint;
  readonly signatures: readonly ShortSignature[];
}

const shortNote: Codec<ShortNote> = struct<ShortNote>({
  checkpoint: struct<Checkpoint>({
    origin: text(300),
    size: safeUint64,
    root: opaque(32),
    extensions: vector(text(4096), { maxBytes: 4096 }),
  }),
  signatures: vector(struct<ShortSignature>({ begin: uint8, end: uint8, rest: text(255), keyId: uint32, signature: opaqueV(4096) }), {
    maxBytes: maxNoteBytes,
    maxItems: 64,
  }),
});

const whole = opaqueV(maxNoteBytes, 1);
const short = opaqueV(maxNoteBytes, 1);

/**
 * The bytes of a checkpoint's signed note, on the wire without what its text repeats: base64, and beginnings of names. Any other
 * bytes are carried as they are (and refused by who opens them). One encoding for each value.
 */
export const checkpointNoteCodec: Codec<Uint8Array> = {
  write(w, note) {
    if (note.length > maxNoteBytes || note.length === 0) throw new CodecError("limit", `1 to ${maxNoteBytes} bytes expected`);
    const shortened = shorten(note);
    uint8.write(w, shortened === undefined ? 0 : 1);
    if (shortened === undefined) whole.write(w, note);
    else short.write(w, shortened);
  },
  read(r) {
    switch (uint8.read(r)) {
      case 0: {
        const note = whole.read(r);
        if (shorten(note) !== undefined) throw new CodecError("invalid", "a note is not in its short form");
        return note;
      }
      case 1: {
        const shortened = short.read(r);
        const note = lengthen(shortened);
        const again = shorten(note);
        if (again === undefined || !equalBytes(again, shortened)) throw new CodecError("invalid", "a short note is not that of its text");
        return note;
      }
      default:
        throw new CodecError("invalid", "unknown form of a note");
    }
  },
};

/** `undefined` when these bytes are not exactly the text of a checkpoint with its signatures. */
function shorten(bytes: Uint8Array): Uint8Array | undefined {
  try {
    const note = parseNote(bytes);
    const checkpoint = parseCheckpoint(note.text);
    let before = checkpoint.origin;
    const signatures = note.signatures.map(({ name, keyId, signature }): ShortSignature => {
      const shared = sharedParts(before, name);
      before = name;
      return { ...shared, keyId, signature };
    });
    const shortened = encode(shortNote, { checkpoint, signatures });
    return equalBytes(lengthen(shortened), bytes) ? shortened : undefined;
  } catch (error) {
    if (error instanceof TransparencyError || error instanceof CodecError) return undefined;
    throw error;
  }
}

function lengthen(shortened: Uint8Array): Uint8Array {
  const { checkpoint, signatures } = decode(shortNote, shortened);
  let before = checkpoint.origin;
  const full = signatures.map(({ begin, end, rest, keyId, signature }): NoteSignature => {
    if (begin + end > before.length) throw new CodecError("invalid", "a name shares more than there is");
    before = before.slice(0, begin) + rest + before.slice(before.length - end);
    return { name: before, keyId, signature };
  });
  try {
    return utf8Bytes(formatNote({ text: encodeCheckpoint(checkpoint), signatures: full }));
  } catch (error) {
    if (error instanceof TransparencyError) throw new CodecError("invalid", "a short note is not that of a checkpoint");
    throw error;
  }
}

function sharedParts(before: string, name: string): Pick<ShortSignature, "begin" | "end" | "rest"> {
  const most = Math.min(before.length, name.length, 255);
  let begin = 0;
  while (begin < most && before[begin] === name[begin]) begin++;
  let end = 0;
  while (end < most - begin && before[before.length - 1 - end] === name[name.length - 1 - end]) end++;
  const rest = name.slice(begin, name.length - end);
  // Cut inside a character of two UTF-16 units it would be no text.
  return rest.isWellFormed() ? { begin, end, rest } : { begin: 0, end: 0, rest: name };
}
