import { fromHex, toHex } from "@latchkey/codec";
import { describe, expect, test } from "vitest";
import type { CipherSuiteId } from "../crypto/suite.ts";
import { senderDataKeyAndNonce } from "../framing/private-message.ts";
import { toLeafIndex } from "../tree/tree-math.ts";
import { allProviders } from "../vector-providers.testing.ts";
import { loadVectors } from "../vectors.testing.ts";
import { createSecretTree, messageKeyAt } from "./secret-tree.ts";

interface SecretTreeVector {
  cipher_suite: CipherSuiteId;
  encryption_secret: string;
  sender_data: { sender_data_secret: string; ciphertext: string; key: string; nonce: string };
  leaves: { generation: number; application_key: string; application_nonce: string; handshake_key: string; handshake_nonce: string }[][];
}

const vectors = loadVectors<SecretTreeVector>("secret-tree");

describe.skipIf(vectors === undefined)("secret-tree vectors", () => {
  for (const provider of allProviders) {
    for (const vector of vectors ?? []) {
      test(`${provider.name}, suite ${vector.cipher_suite}, ${vector.leaves.length} leaves`, () => {
        const suite = provider.suite(vector.cipher_suite);
        const { sender_data_secret, ciphertext, key, nonce } = vector.sender_data;
        const hidden = senderDataKeyAndNonce(suite, { senderDataSecret: fromHex(sender_data_secret), ciphertext: fromHex(ciphertext) });
        expect([toHex(hidden.key), toHex(hidden.nonce)]).toEqual([key, nonce]);

        let tree = createSecretTree({ encryptionSecret: fromHex(vector.encryption_secret), leafCount: vector.leaves.length });
        for (const [leaf, generations] of vector.leaves.entries()) {
          for (const expected of generations) {
            for (const ratchet of ["application", "handshake"] as const) {
              const taken = messageKeyAt(suite, tree, { leafIndex: toLeafIndex(leaf), ratchet, generation: expected.generation });
              expect(toHex(taken.key)).toBe(expected[`${ratchet}_key`]);
              expect(toHex(taken.nonce)).toBe(expected[`${ratchet}_nonce`]);
              tree = taken.tree;
            }
          }
        }
      });
    }
  }
});
