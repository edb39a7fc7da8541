/** Whether both hold the same bytes. Not constant-time: for secrets use a comparison made for them. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Whether both hold the same bytes, in time that depends on the lengths only. */
export function equalSecrets(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}

/** A new array holding `parts` one after the other. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let size = 0;
  for (const part of parts) size += part.length;
  const joined = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Orders byte strings as numbers would be: by first difference, then by length. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  let hex = "";
  for (const byte of bytes) hex += byte.toString(16).padStart(2, "0");
  return hex;
}

/** @throws SyntaxError when `hex` is not an even number of hexadecimal digits. */
export function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  if (!/^(?:[0-9a-f]{2})*$/i.test(hex)) throw new SyntaxError("not hexadecimal");
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

const base64UrlAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/** What twelve bits come to. Ids are keys of maps and of the store: one is written for nearly everything that is looked up. */
const base64UrlPairs = Array.from(base64UrlAlphabet, (first) => Array.from(base64UrlAlphabet, (second) => first + second)).flat();
const base64UrlValues = new Int8Array(128).fill(-1);
for (const [value, character] of Array.from(base64UrlAlphabet).entries()) base64UrlValues[character.charCodeAt(0)] = value;

/** RFC 4648 section 5 without padding, as in URLs and conversation ids. */
export function toBase64Url(bytes: Uint8Array): string {
  const { length } = bytes;
  const whole = length - (length % 3);
  let encoded = "";
  for (let at = 0; at < whole; at += 3) {
    const bits = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    encoded += base64UrlPairs[bits >> 12];
    encoded += base64UrlPairs[bits & 0xfff];
  }
  if (length - whole === 1) encoded += base64UrlPairs[(bytes[whole] ?? 0) << 4];
  if (length - whole === 2) {
    const bits = ((bytes[whole] ?? 0) << 10) | ((bytes[whole + 1] ?? 0) << 2);
    encoded += base64UrlPairs[bits >> 6];
    encoded += base64UrlAlphabet[bits & 0x3f];
  }
  return encoded;
}

/** @throws SyntaxError when `encoded` is not canonical unpadded base64url. */
export function fromBase64Url(encoded: string): Uint8Array<ArrayBuffer> {
  const { length } = encoded;
  if (length % 4 === 1) throw new SyntaxError("not base64url");
  const bytes = new Uint8Array(Math.floor((length * 3) / 4));
  let bits = 0;
  let count = 0;
  let at = 0;
  for (let index = 0; index < length; index++) {
    const value = base64UrlValues[encoded.charCodeAt(index)] ?? -1;
    if (value < 0) throw new SyntaxError("not base64url");
    bits = (bits << 6) | value;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes[at++] = bits >> count;
    bits &= (1 << count) - 1;
  }
  // What is left over says nothing: one value has one spelling.
  if (bits !== 0) throw new SyntaxError("not canonical base64url");
  return bytes;
}

const encoder = new TextEncoder();

/** The UTF-8 bytes of a protocol label. */
export function utf8Bytes(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}
