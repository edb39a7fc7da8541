import { encode, toBase64Url } from "@latchkey/codec";
import { createKeyPackage } from "@latchkey/mls";
import type { CipherSuite, CreatedKeyPackage, RandomBytes } from "@latchkey/mls";
import { latchkeyGroupExtensionType, leafIdentityCodec } from "@latchkey/protocol";
import type { WelcomeBundle } from "@latchkey/protocol";
import { sha256 } from "@noble/hashes/sha2.js";
import { decryptBlob } from "../group/blobs.ts";
import type { Self, WelcomePost } from "./types.ts";

/** A key package of a simulated device. */
export async function simKeyPackage(self: Self, suite: CipherSuite, random: RandomBytes): Promise<CreatedKeyPackage> {
  const only = { versions: [1], extensions: [latchkeyGroupExtensionType], proposals: [], credentials: [1] };
  return await createKeyPackage({
    suite,
    credential: { kind: "basic", identity: encode(leafIdentityCodec, { format: 1, ...self }) },
    signatureKeyPair: self.signatureKeyPair,
    lifetime: { notBefore: 1n, notAfter: 4_000_000_000n },
    capabilities: { ...only, cipherSuites: [suite.id] },
    random,
  });
}

/** What a joiner finds in its inbox. */
export function bundleOf(post: WelcomePost, { host, logId }: Pick<WelcomeBundle, "host" | "logId">): WelcomeBundle {
  const nothing = new Uint8Array(0);
  return { format: 2, host, logId, ...post, directoryProofs: post.proofs, checkpoint: nothing, ext: nothing };
}

/** A tree as a joiner has it: out of the Welcome, or out of its blob; nothing where the server does not have that. */
export function treeOf(tree: WelcomePost["tree"], blobs: ReadonlyMap<string, Uint8Array>): Uint8Array {
  if (tree.kind === "inline") return tree.tree;
  const ciphertext = blobs.get(toBase64Url(tree.blobId));
  const found = ciphertext === undefined ? undefined : decryptBlob({ reference: tree, ciphertext, sha256 });
  return found ?? new Uint8Array(0);
}
