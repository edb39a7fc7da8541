/**
 * Overwrites secrets that nobody needs any more with zeros. Engines may have copied the bytes before (a moving garbage collector, a
 * native library): this shortens the time that a secret can be found in memory, it does not promise that it cannot.
 */
export function wipe(...secrets: readonly (Uint8Array | undefined)[]): void {
  for (const secret of secrets) secret?.fill(0);
}
