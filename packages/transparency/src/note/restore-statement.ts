import { TransparencyError } from "../errors.ts";
import type { Signatures } from "../signature.ts";
import { parseNote, verifyNoteSignatures } from "./note.ts";
import { checkedText, parseDecimal } from "./text.ts";
import type { Verifier } from "./vkey.ts";

/** What a server says of itself: it was made again from a copy (spec D-7). Times in milliseconds since 1970. */
export interface RestoreStatement {
  /** Of its public record: `<host>/latchkey`. */
  readonly origin: string;
  /** Entries of the public record once it was restored. */
  readonly size: number;
  /** When the copy was made: what was accepted after it may be lost. */
  readonly copiedMs: number;
  readonly restoredMs: number;
  /** Whether the public record came back to its end; if not, accounts made or changed after the copy may be lost too. */
  readonly isRecordWhole: boolean;
}

const rule = "D-7";
/** No checkpoint: its second line is no number. */
const firstLine = "latchkey restored 1";
const whole = "record whole";
const copied = "record copied";
const maxTextBytes = 1024;

/** The text of the note that a server signs with the key of its log. */
export function encodeRestoreStatement({ origin, size, copiedMs, restoredMs, isRecordWhole }: RestoreStatement): string {
  return `${[firstLine, origin, size, copiedMs, restoredMs, isRecordWhole ? whole : copied].join("\n")}\n`;
}

/**
 * What a signed note says as the statement of a server that was restored.
 * @param params.log a key of the log of that origin
 * @throws TransparencyError when it is none, of another log, says what cannot be, or the log did not sign it
 */
export async function openRestoreStatement(params: {
  note: Uint8Array;
  origin: string;
  log: Verifier;
  signatures: Signatures;
}): Promise<RestoreStatement> {
  const note = parseNote(params.note);
  const statement = parse(note.text);
  if (statement.origin !== params.origin) throw new TransparencyError("proof", rule, "The statement is of another log.");
  const [signed] = await verifyNoteSignatures(note, [params.log], params.signatures);
  if (signed === undefined) throw new TransparencyError("signature", rule, "The log has not signed the statement.");
  return statement;
}

function parse(text: string): RestoreStatement {
  checkedText(text, { maxBytes: maxTextBytes, rule });
  const [first, origin = "", ...rest] = text.split("\n");
  const [size, copiedMs, restoredMs] = rest.slice(0, 3).map(parseDecimal);
  const [record, end] = rest.slice(3);
  const isForm = first === firstLine && origin !== "" && rest.length === 5 && end === "" && (record === whole || record === copied);
  if (!isForm || size === undefined || copiedMs === undefined || restoredMs === undefined || copiedMs > restoredMs)
    throw new TransparencyError("malformed", rule, "That is no statement of a restore.");
  return { origin, size, copiedMs, restoredMs, isRecordWhole: record === whole };
}
