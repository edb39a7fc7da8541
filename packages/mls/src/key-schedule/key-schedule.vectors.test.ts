import { decode, encode, fromHex, toHex } from "@latchkey/codec";
import { describe, expect, test } from "vitest";
import { decryptWithLabel, keyPackageReference, verifyWithLabel } from "../crypto/labeled.ts";
import type { CipherSuiteId } from "../crypto/suite.ts";
import { decodeStructure } from "../messages/coding.ts";
import { authenticatedContent } from "../messages/framing.ts";
import { groupContext, groupInfo, groupInfoTbs, groupSecrets } from "../messages/group-context.ts";
import { decodeMessage } from "../messages/message.ts";
import { keyPackage } from "../messages/nodes.ts";
import { allProviders } from "../vector-providers.testing.ts";
import { loadVectors } from "../vectors.testing.ts";
import {
  deriveEpochSecret,
  deriveExternalKeyPair,
  deriveJoinerSecret,
  deriveWelcomeSecret,
  expandEpochSecret,
  exportFromSecret,
  welcomeKeyAndNonce,
} from "./epoch-secrets.ts";
import { computePskSecret } from "./psk-secret.ts";
import { computeConfirmationTag, confirmedTranscriptHash, interimTranscriptHash, isConfirmationTag } from "./transcript.ts";

interface KeyScheduleVector {
  cipher_suite: CipherSuiteId;
  group_id: string;
  initial_init_secret: string;
  epochs: ({ exporter: { label: string; context: string; length: number; secret: string } } & Record<
    | "commit_secret"
    | "confirmation_key"
    | "confirmed_transcript_hash"
    | "encryption_secret"
    | "epoch_authenticator"
    | "exporter_secret"
    | "external_pub"
    | "external_secret"
    | "group_context"
    | "init_secret"
    | "joiner_secret"
    | "membership_key"
    | "psk_secret"
    | "resumption_psk"
    | "sender_data_secret"
    | "tree_hash"
    | "welcome_secret",
    string
  >)[];
}

const keySchedule = loadVectors<KeyScheduleVector>("key-schedule");

describe.skipIf(keySchedule === undefined)("key-schedule vectors", () => {
  for (const provider of allProviders) {
    for (const vector of keySchedule ?? []) {
      test(`${provider.name}, suite ${vector.cipher_suite}`, async () => {
        const suite = provider.suite(vector.cipher_suite);
        let initSecret: Uint8Array = fromHex(vector.initial_init_secret);
        for (const [epoch, expected] of vector.epochs.entries()) {
          const context = encode(groupContext, {
            version: 1,
            cipherSuite: vector.cipher_suite,
            groupId: fromHex(vector.group_id),
            epoch: BigInt(epoch),
            treeHash: fromHex(expected.tree_hash),
            confirmedTranscriptHash: fromHex(expected.confirmed_transcript_hash),
            extensions: [],
          });
          expect(toHex(context)).toBe(expected.group_context);
          const pskSecret = fromHex(expected.psk_secret);
          const joinerSecret = deriveJoinerSecret(suite, {
            initSecret,
            commitSecret: fromHex(expected.commit_secret),
            groupContext: context,
          });
          expect(toHex(joinerSecret)).toBe(expected.joiner_secret);
          expect(toHex(deriveWelcomeSecret(suite, { joinerSecret, pskSecret }))).toBe(expected.welcome_secret);
          const secrets = expandEpochSecret(suite, deriveEpochSecret(suite, { joinerSecret, pskSecret, groupContext: context }));
          expect(Object.fromEntries(Object.entries(secrets).map(([name, secret]) => [name, toHex(secret)]))).toEqual({
            senderDataSecret: expected.sender_data_secret,
            encryptionSecret: expected.encryption_secret,
            exporterSecret: expected.exporter_secret,
            externalSecret: expected.external_secret,
            confirmationKey: expected.confirmation_key,
            membershipKey: expected.membership_key,
            resumptionPsk: expected.resumption_psk,
            epochAuthenticator: expected.epoch_authenticator,
            initSecret: expected.init_secret,
          });
          expect(toHex((await deriveExternalKeyPair(suite, secrets.externalSecret)).publicKey)).toBe(expected.external_pub);
          const { label, context: exportContext, length, secret } = expected.exporter;
          const exported = exportFromSecret(suite, {
            exporterSecret: secrets.exporterSecret,
            label,
            context: fromHex(exportContext),
            sizeBytes: length,
          });
          expect(toHex(exported)).toBe(secret);
          initSecret = secrets.initSecret;
        }
      });
    }
  }
});

interface PskSecretVector {
  cipher_suite: CipherSuiteId;
  psks: { psk: string; psk_id: string; psk_nonce: string }[];
  psk_secret: string;
}

const pskSecrets = loadVectors<PskSecretVector>("psk_secret");

describe.skipIf(pskSecrets === undefined)("psk_secret vectors", () => {
  for (const provider of allProviders) {
    test(`${provider.name}, ${pskSecrets?.length} cases`, () => {
      for (const vector of pskSecrets ?? []) {
        const psks = vector.psks.map(({ psk, psk_id, psk_nonce }) => ({
          id: { source: { kind: "external" as const, pskId: fromHex(psk_id) }, nonce: fromHex(psk_nonce) },
          psk: fromHex(psk),
        }));
        expect(toHex(computePskSecret(provider.suite(vector.cipher_suite), psks))).toBe(vector.psk_secret);
      }
    });
  }
});

interface TranscriptVector {
  cipher_suite: CipherSuiteId;
  confirmation_key: string;
  authenticated_content: string;
  interim_transcript_hash_before: string;
  confirmed_transcript_hash_after: string;
  interim_transcript_hash_after: string;
}

const transcripts = loadVectors<TranscriptVector>("transcript-hashes");

describe.skipIf(transcripts === undefined)("transcript-hashes vectors", () => {
  for (const provider of allProviders) {
    for (const vector of transcripts ?? []) {
      test(`${provider.name}, suite ${vector.cipher_suite}`, () => {
        const suite = provider.suite(vector.cipher_suite);
        const content = decode(authenticatedContent, fromHex(vector.authenticated_content));
        const hash = confirmedTranscriptHash(suite, { interimTranscriptHash: fromHex(vector.interim_transcript_hash_before), content });
        expect(toHex(hash)).toBe(vector.confirmed_transcript_hash_after);
        const confirmationKey = fromHex(vector.confirmation_key);
        const confirmationTag = content.auth.confirmationTag;
        if (confirmationTag === undefined) throw new Error("the vector holds a commit with its tag");
        const params = { confirmationKey, confirmedTranscriptHash: hash };
        expect(isConfirmationTag(suite, { ...params, confirmationTag })).toBe(true);
        expect(isConfirmationTag(suite, { ...params, confirmationTag: confirmationTag.slice(1) })).toBe(false);
        expect(toHex(computeConfirmationTag(suite, params))).toBe(toHex(confirmationTag));
        expect(toHex(interimTranscriptHash(suite, { confirmedTranscriptHash: hash, confirmationTag }))).toBe(
          vector.interim_transcript_hash_after,
        );
      });
    }
  }
});

interface WelcomeVector {
  cipher_suite: CipherSuiteId;
  init_priv: string;
  key_package: string;
  signer_pub: string;
  welcome: string;
}

const welcomes = loadVectors<WelcomeVector>("welcome");

describe.skipIf(welcomes === undefined)("welcome vectors", () => {
  for (const provider of allProviders) {
    for (const vector of welcomes ?? []) {
      test(`${provider.name}, suite ${vector.cipher_suite}`, async () => {
        const suite = provider.suite(vector.cipher_suite);
        const ownMessage = decodeMessage(fromHex(vector.key_package));
        const welcomeMessage = decodeMessage(fromHex(vector.welcome));
        if (ownMessage.kind !== "key-package" || welcomeMessage.kind !== "welcome") throw new Error("messages of other kinds");
        const own = ownMessage.keyPackage;
        const { welcome } = welcomeMessage;
        const reference = keyPackageReference(suite, encode(keyPackage, own));
        const entry = welcome.secrets.find(({ newMember }) => toHex(newMember) === toHex(reference));
        if (entry === undefined) throw new Error("the Welcome names no such key package");
        const secrets = decodeStructure(
          groupSecrets,
          await decryptWithLabel(suite, {
            secretKey: fromHex(vector.init_priv),
            publicKey: own.initKey,
            label: "Welcome",
            context: welcome.encryptedGroupInfo,
            ...entry.encryptedGroupSecrets,
          }),
          "GroupSecrets",
        );
        const pskSecret = computePskSecret(suite, []);
        const { joinerSecret } = secrets;
        const sealed = welcomeKeyAndNonce(suite, deriveWelcomeSecret(suite, { joinerSecret, pskSecret }));
        const opened = await suite.open({ ...sealed, aad: new Uint8Array(0), ciphertext: welcome.encryptedGroupInfo });
        const info = decodeStructure(groupInfo, opened, "GroupInfo");
        expect(
          await verifyWithLabel(suite, {
            publicKey: fromHex(vector.signer_pub),
            label: "GroupInfoTBS",
            content: encode(groupInfoTbs, info),
            signature: info.signature,
          }),
        ).toBe(true);
        const context = encode(groupContext, info.groupContext);
        const { confirmationKey } = expandEpochSecret(suite, deriveEpochSecret(suite, { joinerSecret, pskSecret, groupContext: context }));
        const { confirmedTranscriptHash: confirmed } = info.groupContext;
        expect(
          isConfirmationTag(suite, { confirmationKey, confirmedTranscriptHash: confirmed, confirmationTag: info.confirmationTag }),
        ).toBe(true);
      });
    }
  }
});
