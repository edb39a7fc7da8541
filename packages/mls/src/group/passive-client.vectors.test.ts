import { decode, equalBytes, fromHex, toHex } from "@latchkey/codec";
import { describe, expect, it } from "vitest";
import { nodeCrypto } from "../crypto/node.ts";
import { keyPackage as keyPackageCodec } from "../messages/nodes.ts";
import { decodeMessage } from "../messages/message.ts";
import { loadVectors } from "../vectors.testing.ts";
import { joinGroup } from "./join-group.ts";
import { decodeGroupState, encodeGroupState, encodeStateChanges } from "./persistence.ts";
import { processMessage } from "./process-message.ts";
import { epoch, epochAuthenticator, groupId, resumptionPsk } from "./state.ts";
import type { GroupState } from "./state.ts";
import type { PskLookup } from "./types.ts";

interface PassiveClientVector {
  cipher_suite: number;
  external_psks: { psk_id: string; psk: string }[];
  key_package: string;
  signature_priv: string;
  encryption_priv: string;
  init_priv: string;
  welcome: string;
  ratchet_tree: string | null;
  initial_epoch_authenticator: string;
  epochs: { proposals: string[]; commit: string; epoch_authenticator: string }[];
}

for (const name of ["passive-client-welcome", "passive-client-handling-commit", "passive-client-random"]) {
  const vectors = loadVectors<PassiveClientVector>(name);
  describe.skipIf(vectors === undefined)(name, () => {
    for (const [i, vector] of (vectors ?? []).entries()) {
      const offered = nodeCrypto.suites.find((id) => id === vector.cipher_suite);
      it.skipIf(offered === undefined)(`case ${i}, suite ${vector.cipher_suite}`, { timeout: 120_000 }, async () => {
        if (offered === undefined) return;
        const suite = nodeCrypto.suite(offered);
        const message = decodeMessage(fromHex(vector.key_package));
        if (message.kind !== "key-package") throw new Error("a key package expected");
        const { keyPackage } = message;
        expect(decode(keyPackageCodec, fromHex(vector.key_package).subarray(4))).toEqual(keyPackage);
        const past: { groupId: Uint8Array; epoch: bigint; psk: Uint8Array }[] = [];
        const psk: PskLookup = ({ source }) =>
          source.kind === "external"
            ? fromOptionalHex(vector.external_psks.find(({ psk_id }) => psk_id === toHex(source.pskId))?.psk)
            : past.find((entry) => entry.epoch === source.epoch && equalBytes(entry.groupId, source.groupId))?.psk;
        const joined = await joinGroup({
          suite,
          welcome: fromHex(vector.welcome),
          keyPackage,
          privateKeys: {
            initSecretKey: scalar(suite.id, vector.init_priv),
            leafSecretKey: scalar(suite.id, vector.encryption_priv),
            signatureSecretKey: scalar(suite.id, vector.signature_priv),
          },
          ...(vector.ratchet_tree === null ? {} : { ratchetTree: fromHex(vector.ratchet_tree) }),
          psk,
        });
        let { state } = joined;
        expect(toHex(epochAuthenticator(state))).toBe(vector.initial_epoch_authenticator);
        const store = new Map<string, Uint8Array>();
        for (const { key, value } of encodeGroupState(state)) if (value !== undefined) store.set(key, value);
        const adopt = (next: GroupState): void => {
          for (const { key, value } of encodeStateChanges(state, next)) {
            if (value === undefined) store.delete(key);
            else store.set(key, value);
          }
          state = next;
        };
        for (const [j, step] of vector.epochs.entries()) {
          past.push({ groupId: groupId(state), epoch: epoch(state), psk: resumptionPsk(state) });
          for (const proposal of step.proposals) {
            const processed = await processMessage(state, fromHex(proposal), { allowProposals: true });
            if (processed.kind !== "proposal") throw new Error("a proposal expected");
            adopt(processed.state);
          }
          // Every other epoch continues from what was stored.
          if (j % 2 === 1) state = decodeGroupState(suite, store);
          const processed = await processMessage(state, fromHex(step.commit), { psk, allowProposals: true, allowExternalCommits: true });
          if (processed.kind !== "commit") throw new Error("a commit expected");
          adopt(processed.state);
          expect(toHex(epochAuthenticator(state))).toBe(step.epoch_authenticator);
        }
        const stored = new Map(encodeGroupState(state).map(({ key, value }) => [key, value === undefined ? "" : toHex(value)]));
        expect(new Map([...store].map(([key, value]) => [key, toHex(value)]))).toEqual(stored);
      });
    }
  });
}

function fromOptionalHex(hex: string | undefined): Uint8Array | undefined {
  return hex === undefined ? undefined : fromHex(hex);
}

/** P-521 keys of the vectors lack their leading zeros (RFC 9180 section 7.1.2 wants 66 bytes). */
function scalar(suite: number, hex: string): Uint8Array {
  return fromHex(suite === 5 ? hex.padStart(132, "0") : hex);
}
