/*
 * The few pieces of DER (X.690) of which a certificate request is made. Only writing: what comes from outside is read by
 * node:crypto.
 */

/** One element: its tag, its length, and what stands in it, one after the other. */
export function element(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag]), lengthOf(body.length), body]);
}

/** SEQUENCE. */
export function sequence(...contents: readonly Uint8Array[]): Uint8Array {
  return element(0x30, ...contents);
}

/** SET of one element: several would have to be sorted. */
export function setOf(content: Uint8Array): Uint8Array {
  return element(0x31, content);
}

/** INTEGER of a whole number from 0. */
export function integer(value: number | Uint8Array): Uint8Array {
  const bytes = typeof value === "number" ? bigEndian(value) : Buffer.from(value);
  // A first bit that is set would make it negative.
  return element(0x02, (bytes[0] ?? 0) < 0x80 ? bytes : Buffer.concat([Buffer.from([0]), bytes]));
}

/** OBJECT IDENTIFIER, written with dots. */
export function objectIdentifier(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return element(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** BIT STRING of whole bytes. */
export function bitString(bytes: Uint8Array): Uint8Array {
  return element(0x03, Buffer.from([0]), bytes);
}

/** OCTET STRING. */
export function octetString(bytes: Uint8Array): Uint8Array {
  return element(0x04, bytes);
}

/** UTF8String. */
export function utf8String(text: string): Uint8Array {
  return element(0x0c, Buffer.from(text, "utf8"));
}

/** An element with a tag of its place: `[number]`, made of others unless it is primitive. */
export function contextTag(number: number, content: Uint8Array, kind: "constructed" | "primitive" = "constructed"): Uint8Array {
  return element((kind === "constructed" ? 0xa0 : 0x80) + number, content);
}

function lengthOf(size: number): Uint8Array {
  if (size < 0x80) return Buffer.from([size]);
  const bytes = bigEndian(size);
  return Buffer.concat([Buffer.from([0x80 + bytes.length]), bytes]);
}

function bigEndian(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from(bytes.length === 0 ? [0] : bytes);
}

function base128(value: number): number[] {
  const bytes = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) bytes.unshift(128 + (rest % 128));
  return bytes;
}
