import { fromHex, toHex } from "@latchkey/codec";
import { describe, expect, test } from "vitest";
import { loadVectors } from "../vectors.testing.ts";
import {
  decryptWithLabel,
  deriveSecret,
  deriveTreeSecret,
  encryptWithLabel,
  expandWithLabel,
  refHash,
  signWithLabel,
  verifyWithLabel,
} from "./labeled.ts";
import type { CipherSuiteId } from "./suite.ts";
import { allProviders } from "../vector-providers.testing.ts";
import { testRandom } from "./random.testing.ts";

interface CryptoBasicsVector {
  cipher_suite: CipherSuiteId;
  ref_hash: { label: string; value: string; out: string };
  expand_with_label: { secret: string; label: string; context: string; length: number; out: string };
  derive_secret: { secret: string; label: string; out: string };
  derive_tree_secret: { secret: string; label: string; generation: number; length: number; out: string };
  sign_with_label: { priv: string; pub: string; content: string; label: string; signature: string };
  encrypt_with_label: {
    priv: string;
    pub: string;
    label: string;
    context: string;
    plaintext: string;
    kem_output: string;
    ciphertext: string;
  };
}

const vectors = loadVectors<CryptoBasicsVector>("crypto-basics");

describe.skipIf(vectors === undefined)("crypto-basics vectors", () => {
  for (const provider of allProviders) {
    for (const vector of vectors ?? []) {
      test(`${provider.name}, suite ${vector.cipher_suite}`, async () => {
        const suite = provider.suite(vector.cipher_suite);
        const ref = vector.ref_hash;
        expect(toHex(refHash(suite, ref.label, fromHex(ref.value)))).toBe(ref.out);

        const expand = vector.expand_with_label;
        expect(
          toHex(
            expandWithLabel(suite, {
              secret: fromHex(expand.secret),
              label: expand.label,
              context: fromHex(expand.context),
              sizeBytes: expand.length,
            }),
          ),
        ).toBe(expand.out);

        const derive = vector.derive_secret;
        expect(toHex(deriveSecret(suite, fromHex(derive.secret), derive.label))).toBe(derive.out);

        const tree = vector.derive_tree_secret;
        expect(
          toHex(
            deriveTreeSecret(suite, {
              secret: fromHex(tree.secret),
              label: tree.label,
              generation: tree.generation,
              sizeBytes: tree.length,
            }),
          ),
        ).toBe(tree.out);

        const { priv, pub, content, label, signature } = vector.sign_with_label;
        const signed = { publicKey: fromHex(pub), label, content: fromHex(content) };
        expect(await verifyWithLabel(suite, { ...signed, signature: fromHex(signature) })).toBe(true);
        const own = await signWithLabel(suite, { secretKey: fromHex(priv), label, content: fromHex(content) });
        expect(await verifyWithLabel(suite, { ...signed, signature: own })).toBe(true);
        expect(await verifyWithLabel(suite, { ...signed, label: `${label}x`, signature: own })).toBe(false);

        const encrypt = vector.encrypt_with_label;
        const keys = { secretKey: fromHex(encrypt.priv), publicKey: fromHex(encrypt.pub) };
        const labeled = { label: encrypt.label, context: fromHex(encrypt.context) };
        const opened = await decryptWithLabel(suite, {
          ...keys,
          ...labeled,
          kemOutput: fromHex(encrypt.kem_output),
          ciphertext: fromHex(encrypt.ciphertext),
        });
        expect(toHex(opened)).toBe(encrypt.plaintext);
        const sealed = await encryptWithLabel(suite, {
          publicKey: keys.publicKey,
          ...labeled,
          plaintext: fromHex(encrypt.plaintext),
          random: testRandom(),
        });
        expect(toHex(await decryptWithLabel(suite, { ...keys, ...labeled, ...sealed }))).toBe(encrypt.plaintext);
        await expect(
          Promise.resolve(decryptWithLabel(suite, { ...keys, ...labeled, ...sealed, context: fromHex("00") })),
        ).rejects.toMatchObject({ code: "crypto" });
      });
    }
  }
});
