import { TransparencyError } from "../errors.ts";
import { checkTreeNumber } from "../log/hashes.ts";
import { fromBase64, toBase64 } from "./base64.ts";
import { checkedText, parseDecimal } from "./text.ts";

/** A tree head with the log's identity: what a checkpoint says. */
export interface Checkpoint {
  /** The log's identity, a line of text: `host/path`. */
  readonly origin: string;
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
  /** Opaque lines after the first three. Ours have none. */
  readonly extensions: readonly string[];
}

const rule = "C2SP tlog-checkpoint";
const maxTextBytes = 4096;
const maxExtensions = 16;

/**
 * The note text of a checkpoint: origin, size, root, extension lines (C2SP tlog-checkpoint, "Note text").
 * @throws TransparencyError when a part is malformed.
 */
export function encodeCheckpoint(checkpoint: Checkpoint): string {
  const { origin, size, root, extensions } = checkpoint;
  checkTreeNumber(size, rule);
  if (root.length !== 32) throw malformed("A checkpoint's root has 32 bytes.");
  const lines = [origin, String(size), toBase64(root), ...extensions];
  // A newline or an empty string would be read as another line, or as the end.
  if (lines.some((line) => line === "" || line.includes("\n")))
    throw malformed("A checkpoint's lines are not empty, and each is one line.");
  const text = `${lines.join("\n")}\n`;
  parseCheckpoint(text);
  return text;
}

/**
 * What the text of a note says as a checkpoint. The note's signatures are verified elsewhere.
 * @throws TransparencyError when it is no checkpoint, or beyond 4 KiB or 16 extension lines.
 */
export function parseCheckpoint(text: string): Checkpoint {
  checkedText(text, { maxBytes: maxTextBytes, rule });
  if (!text.endsWith("\n")) throw malformed("A checkpoint ends with a newline.");
  const lines = text.slice(0, -1).split("\n");
  const [origin = "", decimal = "", encoded = "", ...extensions] = lines;
  if (lines.length < 3 || lines.includes("")) throw malformed("A checkpoint has at least three lines, none empty.");
  if (extensions.length > maxExtensions) throw malformed("A checkpoint has too many lines.");
  const size = parseDecimal(decimal);
  if (size === undefined) throw malformed("A checkpoint's size is not a decimal number in range.");
  const root = fromBase64(encoded);
  if (root?.length !== 32) throw malformed("A checkpoint's root is not 32 bytes in base64.");
  return { origin, size, root, extensions };
}

function malformed(message: string): TransparencyError {
  return new TransparencyError("malformed", rule, message);
}
