import type { Locator } from "playwright-core";

/** Samples of one channel as a WAV file: 8 bit without a sign, or 16 bit with one. */
export function wav(samples: Uint8Array, { rate, bits }: { readonly rate: number; readonly bits: 8 | 16 }): Buffer<ArrayBuffer> {
  const head = Buffer.alloc(44);
  head.write("RIFF", 0, "latin1");
  head.writeUInt32LE(samples.length + 36, 4);
  head.write("WAVEfmt ", 8, "latin1");
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE((rate * bits) / 8, 28);
  head.writeUInt16LE(bits / 8, 32);
  head.writeUInt16LE(bits, 34);
  head.write("data", 36, "latin1");
  head.writeUInt32LE(samples.length, 40);
  return Buffer.concat([head, samples]);
}

/** Goes to a second of a sound, as a finger on its slider does: React hears the event, and reads the value. */
export async function seek(place: Locator, at: number): Promise<void> {
  await place.evaluate((element, value) => {
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value")?.set?.call(element, value);
    element.dispatchEvent(new Event("input", { bubbles: true }));
  }, String(at));
}
