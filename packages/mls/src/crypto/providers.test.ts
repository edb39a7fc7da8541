import { fromHex, toHex, utf8Bytes } from "@latchkey/codec";
import { describe, expect, test } from "vitest";
import { MlsError } from "../errors.ts";
import { allProviders } from "../vector-providers.testing.ts";
import { nobleCrypto } from "./noble.ts";
import { allSuites } from "./parameters.ts";
import { fixedRandom, testRandom } from "./random.testing.ts";
import type { CipherSuite } from "./suite.ts";

const info = utf8Bytes("info");
const aad = utf8Bytes("aad");
const plaintext = utf8Bytes("a plaintext that is longer than one block of AES");

describe.each(allSuites.map((id) => ({ name: `0x${id.toString(16).padStart(4, "0")}`, id })))("suite $name", ({ id }) => {
  const suites = allProviders.map((provider) => provider.suite(id));
  const pairs = suites.flatMap((from) =>
    suites.map((to): [string, CipherSuite, CipherSuite] => [`${from.provider} to ${to.provider}`, from, to]),
  );

  test("all providers hash, MAC, expand and derive alike", async () => {
    const results = await Promise.all(
      suites.map(async (suite) => {
        const { publicKey, secretKey } = await suite.deriveKemKeyPair(utf8Bytes("input key material of enough length"));
        return [
          suite.hash(plaintext),
          suite.mac(info, plaintext),
          suite.mac(new Uint8Array(0), plaintext),
          suite.mac(new Uint8Array(200).fill(5), plaintext),
          suite.extract(info, plaintext),
          suite.expand(suite.hash(info), aad, 1),
          suite.expand(suite.hash(info), aad, suite.hashBytes),
          suite.expand(suite.hash(info), aad, 3 * suite.hashBytes + 1),
          publicKey,
          secretKey,
        ].map((bytes) => toHex(bytes));
      }),
    );
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
  });

  test.each(pairs)("%s: AEAD, signatures, HPKE", async (_, from, to) => {
    const random = testRandom();
    const key = random(from.aeadKeyBytes);
    const nonce = random(from.aeadNonceBytes);
    const ciphertext = await from.seal({ key, nonce, aad, plaintext });
    expect(toHex(await to.open({ key, nonce, aad, ciphertext }))).toBe(toHex(plaintext));

    const signer = await from.generateSignatureKeyPair(random);
    const signature = await from.sign(signer.secretKey, plaintext);
    expect(await to.verify(signer.publicKey, plaintext, signature)).toBe(true);
    expect(await to.verify(signer.publicKey, aad, signature)).toBe(false);
    expect(toHex((await to.generateSignatureKeyPair(() => signer.secretKey)).publicKey)).toBe(toHex(signer.publicKey));

    const recipient = await to.deriveKemKeyPair(random(64));
    const sealed = await from.hpkeSeal({ publicKey: recipient.publicKey, info, aad, plaintext, random });
    expect(toHex(await to.hpkeOpen({ ...recipient, ...sealed, info, aad }))).toBe(toHex(plaintext));
    const sent = await from.hpkeSendExport({ publicKey: recipient.publicKey, info, exporterContext: aad, sizeBytes: 48, random });
    const received = await to.hpkeReceiveExport({ ...recipient, kemOutput: sent.kemOutput, info, exporterContext: aad, sizeBytes: 48 });
    expect(toHex(received)).toBe(toHex(sent.exported));
  });

  test.each(suites.map((suite): [string, CipherSuite] => [suite.provider, suite]))("%s refuses what was changed", async (_, suite) => {
    const random = testRandom();
    const key = random(suite.aeadKeyBytes);
    const nonce = random(suite.aeadNonceBytes);
    const ciphertext = await suite.seal({ key, nonce, aad, plaintext });
    const flipped = flip(ciphertext);
    for (const params of [
      { key, nonce, aad, ciphertext: flipped },
      { key, nonce, aad: info, ciphertext },
      { key, nonce, aad, ciphertext: ciphertext.slice(0, -1) },
      { key, nonce, aad, ciphertext: ciphertext.slice(0, 15) },
      { key: flip(key), nonce, aad, ciphertext },
    ]) {
      expect(await codeOf(() => suite.open(params))).toBe("crypto");
    }
    expect(await codeOf(() => suite.open({ key: key.slice(1), nonce, aad, ciphertext }))).toBe("malformed");
    expect(await codeOf(() => suite.seal({ key, nonce: nonce.slice(1), aad, plaintext }))).toBe("malformed");

    const signer = await suite.generateSignatureKeyPair(random);
    const signature = await suite.sign(signer.secretKey, plaintext);
    for (const wrong of [flip(signature), signature.slice(1), new Uint8Array(0), new Uint8Array(signature.length)]) {
      expect(await suite.verify(signer.publicKey, plaintext, wrong)).toBe(false);
    }
    for (const wrong of [signer.publicKey.slice(1), new Uint8Array(0), new Uint8Array(signer.publicKey.length).fill(0xff)]) {
      expect(await suite.verify(wrong, plaintext, signature)).toBe(false);
    }
    expect(await codeOf(() => suite.sign(new Uint8Array(0), plaintext))).toBe("malformed");

    const recipient = await suite.deriveKemKeyPair(random(64));
    const sealed = await suite.hpkeSeal({ publicKey: recipient.publicKey, info, aad, plaintext, random });
    expect(await codeOf(() => suite.hpkeOpen({ ...recipient, ...sealed, info: aad, aad }))).toBe("crypto");
    expect(await codeOf(() => suite.hpkeOpen({ ...recipient, ...sealed, info, aad, kemOutput: sealed.kemOutput.slice(1) }))).toBe(
      "malformed",
    );
    expect(await codeOf(() => suite.hpkeOpen({ ...recipient, ...sealed, info, aad, secretKey: new Uint8Array(3) }))).toBe("malformed");
    expect(await codeOf(() => suite.hpkeSeal({ publicKey: new Uint8Array(7), info, aad, plaintext, random }))).toBe("malformed");
  });

  test.each(suites.map((suite): [string, CipherSuite] => [suite.provider, suite]))(
    "%s notices that a key's bytes were overwritten",
    async (_, suite) => {
      const random = testRandom();
      const first = await suite.generateSignatureKeyPair(random);
      const second = await suite.generateSignatureKeyPair(random);
      const secretKey = first.secretKey.slice();
      await suite.sign(secretKey, plaintext);
      secretKey.set(second.secretKey);
      expect(await suite.verify(second.publicKey, plaintext, await suite.sign(secretKey, plaintext))).toBe(true);
    },
  );
});

// Made by the noble provider, whose encapsulation is reproducible: decision 0003 quotes it.
describe("[M-6] suite 0xf001 known answer", () => {
  const expected = {
    secretKey: "4cb54611511238fb40fe817cac456dc71ea7c408622df6c37b76f4272199dfbe",
    publicKeySha256: "9c413b9cf8331b07ba25501a46abfaf0669a1c127f759c1480990156783e9d4c",
    kemOutputSha256: "07748a03c31b0aecca842ac2570910f4ac694fd89375bdcefc3589295d46f1fd",
    ciphertext: "cebec09aab9cc12a9f0375085525d565f2d268a25b7726bc82ce3c70",
    exported: "1c177094d9d960ddfdf426e1e4815e1b164e140bc64e5f0f846100944255bd77",
  };
  const ikm = Uint8Array.from({ length: 32 }, (_, i) => i);
  const coins = Uint8Array.from({ length: 64 }, (_, i) => 0x40 + i);
  const vectorInfo = utf8Bytes("Latchkey suite 0xf001");
  const sealedText = utf8Bytes("known answer");

  test("key pair, sealing and export", async () => {
    const suite = nobleCrypto.suite(0xf001);
    const { secretKey, publicKey } = await suite.deriveKemKeyPair(ikm);
    const common = { publicKey, info: vectorInfo };
    const sealed = await suite.hpkeSeal({ ...common, aad, plaintext: sealedText, random: fixedRandom(coins) });
    const sent = await suite.hpkeSendExport({ ...common, exporterContext: aad, sizeBytes: 32, random: fixedRandom(coins) });
    expect({
      secretKey: toHex(secretKey),
      publicKeySha256: toHex(suite.hash(publicKey)),
      kemOutputSha256: toHex(suite.hash(sealed.kemOutput)),
      ciphertext: toHex(sealed.ciphertext),
      exported: toHex(sent.exported),
    }).toEqual(expected);
    expect(publicKey.length).toBe(1216);
    expect(sealed.kemOutput.length).toBe(1120);
    expect(sent.kemOutput).toEqual(sealed.kemOutput);
  });

  test.each(allProviders)("$name opens it", async (provider) => {
    const noble = nobleCrypto.suite(0xf001);
    const suite = provider.suite(0xf001);
    const pair = await suite.deriveKemKeyPair(ikm);
    expect(toHex(pair.secretKey)).toBe(expected.secretKey);
    const { kemOutput } = await noble.hpkeSeal({ ...pair, info: vectorInfo, aad, plaintext: sealedText, random: fixedRandom(coins) });
    const opened = await suite.hpkeOpen({ ...pair, kemOutput, info: vectorInfo, aad, ciphertext: fromHex(expected.ciphertext) });
    expect(toHex(opened)).toBe(toHex(sealedText));
  });
});

test("an unknown suite is refused", () => {
  for (const provider of allProviders) {
    // A number from the network, as a careless caller would pass it.
    expect(() => provider.suite(0x0a0a as 0x0001)).toThrow(expect.objectContaining({ code: "unsupported" }) as Error);
  }
});

function flip(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  copy[copy.length - 1] = (copy.at(-1) ?? 0) ^ 1;
  return copy;
}

async function codeOf(run: () => unknown): Promise<string> {
  try {
    await run();
  } catch (error) {
    return error instanceof MlsError ? error.code : `not an MlsError: ${String(error)}`;
  }
  return "no error";
}
