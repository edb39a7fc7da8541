/** An id as a key of a Map: one character a byte. */
export function keyOf(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.length).toString("latin1");
}
