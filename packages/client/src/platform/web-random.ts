/** The most that browsers give at once. */
const maxRandomBytes = 65_536;

/** So many random bytes. */
export function webRandom(size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += maxRandomBytes) crypto.getRandomValues(bytes.subarray(at, at + maxRandomBytes));
  return bytes;
}
