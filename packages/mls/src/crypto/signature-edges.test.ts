import { concatBytes, fromHex, toHex, utf8Bytes } from "@latchkey/codec";
import { ed25519 } from "@noble/curves/ed25519.js";
import { ed448 } from "@noble/curves/ed448.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { shake256 } from "@noble/hashes/sha3.js";
import { describe, expect, it } from "vitest";
import { allProviders } from "../vector-providers.testing.ts";

// Signatures that RFC 8032 lets engines judge in two ways. A member could make a commit with one: whatever the verdict, it has to be the
// same for all, else the group falls apart by browser.

const little = (bytes: Uint8Array): bigint => bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
const encode = (value: bigint, size: number): Uint8Array =>
  Uint8Array.from({ length: size }, (_, i) => Number((value >> BigInt(8 * i)) & 255n));

async function verdicts(id: 1 | 4, key: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean[]> {
  return await Promise.all(allProviders.map(async (provider) => await provider.suite(id).verify(key, message, signature)));
}

describe("Ed25519", () => {
  // RFC 8032 section 7.1: TEST 1 to 3.
  it.each([
    [
      "",
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ],
    [
      "72",
      "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ],
    [
      "af82",
      "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
      "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ],
  ])("message %j of RFC 8032 is taken by all", async (message, key, signature) => {
    expect(await verdicts(1, fromHex(key), fromHex(message), fromHex(signature))).toEqual([true, true, true]);
  });

  const secret = new Uint8Array(32).fill(7);
  const key = ed25519.getPublicKey(secret);
  const { prefix, scalar } = ed25519.utils.getExtendedPublicKey(secret);
  const order = ed25519.Point.Fn.ORDER;
  // A point of order 8.
  const torsion = ed25519.Point.fromBytes(fromHex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"));

  /** Signs as the RFC says, with another key or commitment than honest ones. */
  function sign(
    message: Uint8Array,
    { publicKey = key, twistedR = false }: { publicKey?: Uint8Array; twistedR?: boolean } = {},
  ): Uint8Array {
    const r = little(sha512(concatBytes(prefix, message))) % order;
    const plain = ed25519.Point.BASE.multiply(r);
    const commitment = (twistedR ? plain.add(torsion) : plain).toBytes();
    const h = little(sha512(concatBytes(commitment, publicKey, message))) % order;
    return concatBytes(commitment, encode((r + h * scalar) % order, 32));
  }

  it("a key of mixed order: the same verdict from all, for each of many messages", async () => {
    const publicKey = new Uint8Array(ed25519.Point.fromBytes(key).add(torsion).toBytes());
    const seen = new Set<string>();
    for (let i = 0; i < 64; i++) {
      const found = await verdicts(1, publicKey, Uint8Array.of(i), sign(Uint8Array.of(i), { publicKey }));
      expect(new Set(found).size, `message ${i}: ${found.join()}`).toBe(1);
      seen.add(String(found[0]));
    }
    // The control: such keys do sign some messages validly and others not.
    expect(seen).toEqual(new Set(["true", "false"]));
  });

  it("a commitment of mixed order is refused by all", async () => {
    for (let i = 0; i < 16; i++) {
      expect(await verdicts(1, key, Uint8Array.of(i), sign(Uint8Array.of(i), { twistedR: true }))).toEqual([false, false, false]);
    }
  });

  it("keys and commitments of small order or beyond the prime are refused by all", async () => {
    const points = [
      "0100000000000000000000000000000000000000000000000000000000000000",
      "0100000000000000000000000000000000000000000000000000000000000080",
      "0000000000000000000000000000000000000000000000000000000000000000",
      "0000000000000000000000000000000000000000000000000000000000000080",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
      "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
      "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    ].map((hex) => fromHex(hex));
    for (const point of points) {
      for (const r of points) {
        for (let i = 0; i < 4; i++) {
          const found = await verdicts(1, point, Uint8Array.of(i), concatBytes(r, new Uint8Array(32)));
          expect(found, `${toHex(point)} ${toHex(r)}`).toEqual([false, false, false]);
        }
      }
    }
  });

  it("an S beyond the order is refused by all: a signature has one form", async () => {
    const signature = ed25519.sign(utf8Bytes("x"), secret);
    const malleated = concatBytes(signature.subarray(0, 32), encode(little(signature.subarray(32)) + order, 32));
    expect(await verdicts(1, key, utf8Bytes("x"), signature)).toEqual([true, true, true]);
    expect(await verdicts(1, key, utf8Bytes("x"), malleated)).toEqual([false, false, false]);
    for (const size of [0, 63, 65]) expect(await verdicts(1, key, utf8Bytes("x"), new Uint8Array(size))).toEqual([false, false, false]);
  });
});

describe("Ed448", () => {
  it("a key of mixed order: the same verdict from all", async () => {
    const secret = new Uint8Array(57).fill(5);
    const { prefix, scalar } = ed448.utils.getExtendedPublicKey(secret);
    const order = ed448.Point.Fn.ORDER;
    // (0, -1) has order 2.
    const torsion = ed448.Point.fromAffine({ x: 0n, y: ed448.Point.Fp.neg(1n) });
    const publicKey = ed448.Point.BASE.multiply(scalar % order)
      .add(torsion)
      .toBytes();
    const domain = concatBytes(utf8Bytes("SigEd448"), Uint8Array.of(0, 0));
    const seen = new Set<string>();
    for (let i = 0; i < 24; i++) {
      const message = Uint8Array.of(i);
      const r = little(shake256(concatBytes(domain, prefix, message), { dkLen: 114 })) % order;
      const commitment = ed448.Point.BASE.multiply(r).toBytes();
      const h = little(shake256(concatBytes(domain, commitment, publicKey, message), { dkLen: 114 })) % order;
      const found = await verdicts(4, publicKey, message, concatBytes(commitment, encode((r + h * scalar) % order, 57)));
      expect(new Set(found).size, `message ${i}: ${found.join()}`).toBe(1);
      seen.add(String(found[0]));
    }
    // Verified times the cofactor, which is what OpenSSL does for this curve: such keys always sign validly.
    expect(seen).toEqual(new Set(["true"]));
  });
});
