import { fromHex, toHex, utf8Bytes } from "@latchkey/codec";
import { describe, expect, test } from "vitest";
import { aeadOf, hkdf, kemOf } from "./build-suite.ts";
import { createHpke } from "./hpke.ts";
import { noblePrimitives } from "./noble-primitives.ts";
import { nodePrimitives } from "./node-primitives.ts";
import { fixedRandom } from "./random.testing.ts";
import { webPrimitives } from "./web-primitives.ts";

const primitivesOf = [nodePrimitives, webPrimitives, noblePrimitives];
const sha256 = (hex: Uint8Array): string => toHex(noblePrimitives.hash("sha256", hex));

// RFC 9180 appendix A.1.1.
const rfc9180 = {
  info: fromHex("4f6465206f6e2061204772656369616e2055726e"),
  ikmE: fromHex("7268600d403fce431561aef583ee1613527cff655c1343f29812e66706df3234"),
  enc: "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431",
  ikmR: fromHex("6db9df30aa07dd42ee5e8181afdb977e538f5e1fec8a06223f33f7013e525037"),
  skRm: "4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8",
  pkRm: "3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d",
  plaintext: fromHex("4265617574792069732074727574682c20747275746820626561757479"),
  aad: fromHex("436f756e742d30"),
  ciphertext: "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a",
  exporterContext: new Uint8Array(0),
  exported: "3853fe2b4035195a573ffc53856e77058e15d9ea064de3e59f4961d0095250ee",
};

// MLKEM768-X25519, HKDF-SHA256, ChaCha20Poly1305 of draft-ietf-hpke-pq (test-vectors.json, revision 74dafaa).
const hpkePq = {
  info: fromHex("34663634363532303666366532303631323034373732363536333639363136653230353537323665"),
  coins: fromHex(
    "2a1c0a3745fe8a48fb62034d300f54dfe1974a5b2e169e580a8789cb1cf5fd190fc00f3fd899594e01a8b15334b9f3fa03d8de44da86e19f5776850fb689e6c8",
  ),
  ikmR: fromHex("b86e76a59fabfc87b30cd7b1f7aaa28a834eb64e7a261c197b9a842893fbce56"),
  skRm: "3ec47fa82dd5689d27c6190e724c74ec8f608df3331ce331929e37b829676630",
  pkRmSha256: "ad8aaf3f00d8a39bfeec2947a7d5dde68be08bba19bd301a348a45dc5fcc8341",
  encSha256: "95c0a5fca31ea59f29bbc66255ad6637b5a476b3212886af11afdc8930aeb772",
  sharedSecret: "58200ed1f137bd95a921bb47f6aaecf2395b26f7fd24efd3a5ffae4849e8dea3",
  plaintext: fromHex(
    "34323635363137353734373932303639373332303734373237353734363832633230373437323735373436383230363236353631373537343739",
  ),
  aad: fromHex("436f756e742d30"),
  ciphertext:
    "c5c591f99092d5e38df0a52699af249c66f8275a863423c076de8147a53e65cc584041c963b77a7e59ea93841b1339b5efda8909b71f74bb0073ad62e899de310c1566dea2fd29eba377",
  exporterContext: fromHex("70736575646f72616e646f6d30"),
  exported: "5a78d37f40e078c17ef43fa40963f1ff7dcdee56e366da9099dc181c3eccaee5",
};

describe("HPKE known answers", () => {
  for (const primitives of primitivesOf) {
    test(`${primitives.name}: DHKEM(X25519), RFC 9180 A.1.1`, async () => {
      const kem = kemOf(primitives, "x25519");
      const hpke = createHpke(kem, hkdf(primitives, "sha256"), aeadOf(primitives, "aes128gcm"));
      const pair = await kem.deriveKeyPair(rfc9180.ikmR);
      expect([toHex(pair.secretKey), toHex(pair.publicKey)]).toEqual([rfc9180.skRm, rfc9180.pkRm]);
      const { info, aad, plaintext, exporterContext } = rfc9180;
      const sealed = await hpke.seal({ publicKey: pair.publicKey, info, aad, plaintext, random: fixedRandom(rfc9180.ikmE) });
      expect([toHex(sealed.kemOutput), toHex(sealed.ciphertext)]).toEqual([rfc9180.enc, rfc9180.ciphertext]);
      expect(toHex(await hpke.open({ ...pair, ...sealed, info, aad }))).toBe(toHex(plaintext));
      const sent = await hpke.sendExport({
        publicKey: pair.publicKey,
        info,
        exporterContext,
        sizeBytes: 32,
        random: fixedRandom(rfc9180.ikmE),
      });
      expect(toHex(sent.exported)).toBe(rfc9180.exported);
      expect(toHex(await hpke.receiveExport({ ...pair, kemOutput: sent.kemOutput, info, exporterContext, sizeBytes: 32 }))).toBe(
        rfc9180.exported,
      );
    });

    test(`${primitives.name}: X-Wing, draft-ietf-hpke-pq`, async () => {
      const kem = kemOf(primitives, "xwing");
      const hpke = createHpke(kem, hkdf(primitives, "sha256"), aeadOf(primitives, "chacha20poly1305"));
      const pair = await kem.deriveKeyPair(hpkePq.ikmR);
      expect([toHex(pair.secretKey), sha256(pair.publicKey)]).toEqual([hpkePq.skRm, hpkePq.pkRmSha256]);

      // Native ML-KEM takes no coins: the vector's encapsulation is made by noble, and opened by each provider.
      const deterministic = kemOf(noblePrimitives, "xwing");
      const { kemOutput, sharedSecret } = await deterministic.encapsulate(pair.publicKey, fixedRandom(hpkePq.coins));
      expect([sha256(kemOutput), toHex(sharedSecret)]).toEqual([hpkePq.encSha256, hpkePq.sharedSecret]);
      expect(toHex(await kem.decapsulate({ ...pair, kemOutput }))).toBe(hpkePq.sharedSecret);
      const { info, aad, exporterContext } = hpkePq;
      const opened = await hpke.open({ ...pair, kemOutput, info, aad, ciphertext: fromHex(hpkePq.ciphertext) });
      expect(toHex(opened)).toBe(toHex(hpkePq.plaintext));
      expect(toHex(await hpke.receiveExport({ ...pair, kemOutput, info, exporterContext, sizeBytes: 32 }))).toBe(hpkePq.exported);
    });
  }
});

describe("HPKE refuses", () => {
  // The points of small order on curve25519 and its twist, and non-canonical forms of them (RFC 7748 section 6.1).
  const lowOrder = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  ];
  const none = new Uint8Array(0);

  for (const primitives of primitivesOf) {
    test(`${primitives.name}: points of low order, in X25519 and in X-Wing`, async () => {
      const aead = aeadOf(primitives, "aes128gcm");
      const kdf = hkdf(primitives, "sha256");
      const x25519 = kemOf(primitives, "x25519");
      const xWing = kemOf(primitives, "xwing");
      const pair = await x25519.deriveKeyPair(new Uint8Array(32).fill(1));
      const hybrid = await xWing.deriveKeyPair(new Uint8Array(32).fill(2));
      const good = await kemOf(noblePrimitives, "xwing").encapsulate(hybrid.publicKey, (size) => new Uint8Array(size).fill(7));
      for (const point of lowOrder.map((hex) => fromHex(hex))) {
        const message = { info: none, aad: none, ciphertext: new Uint8Array(32) };
        const random = (size: number): Uint8Array => new Uint8Array(size).fill(3);
        await expect(createHpke(x25519, kdf, aead).open({ ...pair, ...message, kemOutput: point })).rejects.toMatchObject({
          code: "malformed",
        });
        await expect(
          createHpke(x25519, kdf, aead).seal({ publicKey: point, info: none, aad: none, plaintext: none, random }),
        ).rejects.toMatchObject({ code: "malformed" });
        const kemOutput = good.kemOutput.slice();
        kemOutput.set(point, 1088);
        await expect(createHpke(xWing, kdf, aead).open({ ...hybrid, ...message, kemOutput })).rejects.toMatchObject({ code: "malformed" });
        const publicKey = hybrid.publicKey.slice();
        publicKey.set(point, 1184);
        await expect(
          createHpke(xWing, kdf, aead).seal({ publicKey, info: none, aad: none, plaintext: none, random }),
        ).rejects.toMatchObject({ code: "malformed" });
      }
    });

    test(`${primitives.name}: an ML-KEM key with coefficients out of range`, async () => {
      const kem = kemOf(primitives, "xwing");
      const { publicKey } = await kem.deriveKeyPair(utf8Bytes("any"));
      const broken = publicKey.slice();
      broken.fill(0xff, 0, 384);
      await expect(kem.encapsulate(broken, (size) => new Uint8Array(size).fill(9))).rejects.toMatchObject({ code: "malformed" });
    });

    test(`${primitives.name}: points off the curve and compressed points`, async () => {
      for (const name of ["p256", "p384", "p521"] as const) {
        const kem = kemOf(primitives, name);
        const { publicKey } = await kem.deriveKeyPair(utf8Bytes("any"));
        const off = publicKey.slice();
        off[off.length - 1] = (off.at(-1) ?? 0) ^ 1;
        const half = (publicKey.length + 1) / 2;
        const compressed = Uint8Array.of(2 + ((publicKey.at(-1) ?? 0) & 1), ...publicKey.subarray(1, half));
        for (const key of [off, compressed]) {
          await expect(kem.encapsulate(key, (size) => new Uint8Array(size).fill(9))).rejects.toMatchObject({ code: "malformed" });
        }
      }
    });
  }
});
