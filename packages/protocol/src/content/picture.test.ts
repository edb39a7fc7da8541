import { describe, expect, test } from "vitest";
import { maxPictureFileBytes } from "./limits.ts";
import { encodePicture, maxPictureBlobBytes, parsePicture } from "./picture.ts";
import { canBePicture } from "./head.ts";

const fill = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
const reference = { blobId: fill(1), key: fill(2), hash: fill(3), sizeBytes: 16_384 };

describe("[X-21] what leads to a picture", () => {
  test("is the blob's id, its key, the hash and the size of its ciphertext: 100 bytes, as they are here", () => {
    const bytes = encodePicture(reference);
    expect(bytes).toEqual(Uint8Array.of(...fill(1), ...fill(2), ...fill(3), 0, 0, 0x40, 0));
    expect(canBePicture(bytes)).toBe(true);
    expect(parsePicture(bytes)).toEqual(reference);
    expect(maxPictureFileBytes + 8 + 16).toBe(maxPictureBlobBytes);
  });

  test("[E-106] what is shorter, or names a size that is no bucket or too large, leads to none; what comes behind is passed over", () => {
    const bytes = encodePicture(reference);
    expect(parsePicture(Uint8Array.of(...bytes, ...new Uint8Array(156)))).toEqual(reference);
    for (let length = 0; length < 100; length++) expect(parsePicture(bytes.subarray(0, length))).toBeUndefined();
    for (const sizeBytes of [0, 1, 16_383, 65_535, 65_537, 262_144, 0xff_ff_ff_ff])
      expect(parsePicture(encodePicture({ ...reference, sizeBytes }))).toBeUndefined();
    for (const sizeBytes of [512, 65_536])
      expect(parsePicture(encodePicture({ ...reference, sizeBytes }))).toEqual({ ...reference, sizeBytes });
  });
});
