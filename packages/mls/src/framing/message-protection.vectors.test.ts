import { decode, encode, fromHex, toHex } from "@latchkey/codec";
import { describe, expect, test } from "vitest";
import { testRandom } from "../crypto/random.testing.ts";
import type { CipherSuiteId } from "../crypto/suite.ts";
import type { AuthenticatedContent, ContentBody, FramedContent, FramedWireFormat } from "../messages/framing.ts";
import { groupContext } from "../messages/group-context.ts";
import { decodeMessage, encodeMessage } from "../messages/message.ts";
import { commit, proposal } from "../messages/proposals.ts";
import { createSecretTree } from "../secret-tree/secret-tree.ts";
import { toLeafIndex } from "../tree/tree-math.ts";
import { allProviders } from "../vector-providers.testing.ts";
import { loadVectors } from "../vectors.testing.ts";
import { signContent, verifyContent } from "./authenticate.ts";
import { protectPrivateMessage, unprotectPrivateMessage } from "./private-message.ts";
import { protectPublicMessage, unprotectPublicMessage } from "./public-message.ts";

type MessageProtectionVector = { cipher_suite: CipherSuiteId; epoch: number } & Record<
  | "group_id"
  | "tree_hash"
  | "confirmed_transcript_hash"
  | "signature_priv"
  | "signature_pub"
  | "encryption_secret"
  | "sender_data_secret"
  | "membership_key"
  | "proposal"
  | "proposal_priv"
  | "proposal_pub"
  | "commit"
  | "commit_priv"
  | "commit_pub"
  | "application"
  | "application_priv",
  string
>;

const vectors = loadVectors<MessageProtectionVector>("message-protection");
const sender = toLeafIndex(1);

describe.skipIf(vectors === undefined)("message-protection vectors", () => {
  for (const provider of allProviders) {
    for (const vector of vectors ?? []) {
      test(`${provider.name}, suite ${vector.cipher_suite}`, async () => {
        const suite = provider.suite(vector.cipher_suite);
        const context = encode(groupContext, {
          version: 1,
          cipherSuite: vector.cipher_suite,
          groupId: fromHex(vector.group_id),
          epoch: BigInt(vector.epoch),
          treeHash: fromHex(vector.tree_hash),
          confirmedTranscriptHash: fromHex(vector.confirmed_transcript_hash),
          extensions: [],
        });
        const membershipKey = fromHex(vector.membership_key);
        const senderDataSecret = fromHex(vector.sender_data_secret);
        const newTree = (): ReturnType<typeof createSecretTree> =>
          createSecretTree({ encryptionSecret: fromHex(vector.encryption_secret), leafCount: 2 });
        const publicKey = fromHex(vector.signature_pub);

        const openPublic = async (message: Uint8Array): Promise<ContentBody> => {
          const body = decodeMessage(message);
          if (body.kind !== "public-message") throw new Error("no PublicMessage");
          const content = unprotectPublicMessage(suite, { message: body.publicMessage, membershipKey, groupContext: context });
          await verifyContent(suite, { content, groupContext: context, publicKey });
          return content.content.body;
        };
        const openPrivate = async (message: Uint8Array): Promise<ContentBody> => {
          const body = decodeMessage(message);
          if (body.kind !== "private-message") throw new Error("no PrivateMessage");
          const { content, leafIndex } = await unprotectPrivateMessage(suite, {
            message: body.privateMessage,
            senderDataSecret,
            tree: newTree(),
          });
          expect(leafIndex).toBe(sender);
          await verifyContent(suite, { content, groupContext: context, publicKey });
          return content.content.body;
        };
        const authenticated = async (wireFormat: FramedWireFormat, body: ContentBody): Promise<AuthenticatedContent> => {
          const content: FramedContent = {
            groupId: fromHex(vector.group_id),
            epoch: BigInt(vector.epoch),
            sender: { kind: "member", leafIndex: sender },
            authenticatedData: fromHex("616164"),
            body,
          };
          const signature = await signContent(suite, {
            wireFormat,
            content,
            groupContext: context,
            secretKey: fromHex(vector.signature_priv),
          });
          // These vectors do not say what the tag is; any will do.
          return { wireFormat, content, auth: { signature, confirmationTag: body.kind === "commit" ? fromHex("0102") : undefined } };
        };
        const sealPublic = async (body: ContentBody): Promise<Uint8Array> => {
          const content = await authenticated("public-message", body);
          return encodeMessage({
            kind: "public-message",
            publicMessage: protectPublicMessage(suite, { content, membershipKey, groupContext: context }),
          });
        };
        const sealPrivate = async (body: ContentBody): Promise<Uint8Array> => {
          const content = await authenticated("private-message", body);
          const { message } = await protectPrivateMessage(suite, {
            content,
            senderDataSecret,
            tree: newTree(),
            random: testRandom(),
            paddingBytes: 13,
          });
          return encodeMessage({ kind: "private-message", privateMessage: message });
        };

        const proposed: ContentBody = { kind: "proposal", proposal: decode(proposal, fromHex(vector.proposal)) };
        const committed: ContentBody = { kind: "commit", commit: decode(commit, fromHex(vector.commit)) };
        const said: ContentBody = { kind: "application", data: fromHex(vector.application) };
        for (const [body, open, given, seal] of [
          [proposed, openPublic, vector.proposal_pub, sealPublic],
          [proposed, openPrivate, vector.proposal_priv, sealPrivate],
          [committed, openPublic, vector.commit_pub, sealPublic],
          [committed, openPrivate, vector.commit_priv, sealPrivate],
          [said, openPrivate, vector.application_priv, sealPrivate],
        ] as const) {
          expect(encoded(await open(fromHex(given)))).toBe(encoded(body));
          expect(encoded(await open(await seal(body)))).toBe(encoded(body));
        }
        await expect(sealPublic(said)).rejects.toMatchObject({ code: "usage" });
      });
    }
  }
});

function encoded(body: ContentBody): string {
  if (body.kind === "application") return toHex(body.data);
  return body.kind === "commit" ? toHex(encode(commit, body.commit)) : toHex(encode(proposal, body.proposal));
}
