import { toBase64Url, utf8Bytes } from "@latchkey/codec";
import { encodePicture } from "@latchkey/protocol";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { expect, test } from "vitest";
import { decryptBlob, encryptBlobUnder } from "../group/blobs.ts";
import { OwnSecrets, secretIn } from "./own-picture.ts";

const fill = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
const reference = { blobId: fill(1), key: fill(2), hash: fill(3), sizeBytes: 512 };

test("[X-21] the same picture has another blob and another key in each conversation, the same on every device, as it is here", () => {
  const secrets = new OwnSecrets();
  expect(secrets.of(fill(8))).toBeUndefined();
  expect(secrets.follow(encodePicture(reference))).toEqual(reference);
  const [one, other] = [secrets.of(fill(8)), secrets.of(fill(9))];
  expect(one).toEqual(secretIn(reference, fill(8)));
  const derived = hkdf(sha256, reference.key, fill(8), utf8Bytes("latchkey/picture/1"), 64);
  expect([one?.blobId, one?.key]).toEqual([derived.subarray(0, 32), derived.subarray(32)]);
  for (const field of ["blobId", "key"] as const) expect(one?.[field]).not.toEqual(other?.[field]);
  expect([one?.blobId, one?.key].map((bytes) => bytes?.length)).toEqual([32, 32]);
  expect(toBase64Url(one?.blobId ?? fill(0))).toMatchInlineSnapshot(`"Dy8dwRheWSd-hZSo7l1W1yqBUug75zAPi9cgfxpwOjo"`);
  // Another picture, none, and what leads to none.
  secrets.follow(encodePicture({ ...reference, key: fill(4) }));
  expect(secrets.of(fill(8))).not.toEqual(one);
  for (const none of [new Uint8Array(0), new Uint8Array(96)]) {
    expect(secrets.follow(none)).toBeUndefined();
    expect(secrets.of(fill(8))).toBeUndefined();
  }
});

test("[X-21] what is encrypted for a conversation is the same bytes however often, and opens there", () => {
  const plaintext = fill(7);
  const secret = secretIn(reference, fill(8));
  const blob = encryptBlobUnder(secret, { plaintext, sha256 });
  expect(encryptBlobUnder(secret, { plaintext, sha256 })).toEqual(blob);
  expect(decryptBlob({ reference: blob.reference, ciphertext: blob.ciphertext, sha256 })).toEqual(plaintext);
  expect(blob.reference).toMatchObject({ ...secret, sizeBytes: 512 });
});
