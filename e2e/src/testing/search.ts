import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** Where something was found that must not be there. */
export interface Finding {
  readonly needle: string;
  readonly encoding: string;
  readonly file: string;
}

/** Every file below `folder` with its bytes. */
export function readTree(folder: string): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) files.set(join(entry.parentPath, entry.name), readFileSync(join(entry.parentPath, entry.name)));
  }
  return files;
}

/** Finds `needles` in the bytes of files and in their names, in every way that software writes text or bytes. */
export function search(files: ReadonlyMap<string, Buffer>, needles: ReadonlyMap<string, Buffer>): Finding[] {
  const findings: Finding[] = [];
  for (const [needle, bytes] of needles) {
    for (const [encoding, form] of formsOf(bytes)) {
      for (const [file, content] of files) {
        if (content.includes(form) || Buffer.from(file, "utf8").includes(form)) findings.push({ needle, encoding, file });
      }
    }
  }
  return findings;
}

/** The bytes as such, as UTF-16 of their text, as hex, and as base64 at each of its three alignments. */
function formsOf(bytes: Buffer): [string, Buffer][] {
  const text = bytes.toString("utf8");
  const hex = bytes.toString("hex");
  const forms: [string, Buffer][] = [
    ["plain", bytes],
    ["hex", Buffer.from(hex)],
    ["HEX", Buffer.from(hex.toUpperCase())],
    ["JSON", Buffer.from(JSON.stringify(text).slice(1, -1))],
  ];
  if (Buffer.from(text, "utf8").equals(bytes)) {
    forms.push(["UTF-16 LE", Buffer.from(text, "utf16le")], ["UTF-16 BE", Buffer.from(text, "utf16le").swap16()]);
  }
  for (const shift of [0, 1, 2]) {
    // Only the characters that depend on these bytes alone: not those shared with what stands before and behind them.
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString("base64")
      .replaceAll("=", "");
    const from = shift === 0 ? 0 : shift + 1;
    const whole = Math.floor(((shift + bytes.length) * 8) / 6);
    const inner = encoded.slice(from, whole);
    forms.push([`base64 at ${String(shift)}`, Buffer.from(inner)]);
    forms.push([`base64url at ${String(shift)}`, Buffer.from(inner.replaceAll("+", "-").replaceAll("/", "_"))]);
  }
  return forms;
}
