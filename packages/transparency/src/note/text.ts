import { TransparencyError } from "../errors.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The text of untrusted bytes, or an untrusted string, within a bound: valid Unicode without control characters but newline
 * (C2SP signed-note, "Format").
 * @throws TransparencyError for anything else.
 */
export function checkedText(input: string | Uint8Array, params: { maxBytes: number; rule: string }): string {
  const { maxBytes, rule } = params;
  // A UTF-16 unit takes at least one byte of UTF-8.
  if (input.length > maxBytes) throw new TransparencyError("malformed", rule, "The text is too long.");
  const text = typeof input === "string" ? input : decode(input, rule);
  if (!text.isWellFormed()) throw new TransparencyError("malformed", rule, "The text is no valid Unicode.");
  // oxlint-disable-next-line no-control-regex -- control characters are what this looks for.
  if (/[\u0000-\u0009\u000b-\u001f]/.test(text)) throw new TransparencyError("malformed", rule, "The text holds control characters.");
  return text;
}

function decode(bytes: Uint8Array, rule: string): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new TransparencyError("malformed", rule, "The text is no valid UTF-8.", { cause });
  }
}

/** A size as these formats write it: decimal, without leading zeroes, at most 2^53 - 1; undefined for anything else. */
export function parseDecimal(text: string): number | undefined {
  if (!/^(?:0|[1-9]\d{0,15})$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}
