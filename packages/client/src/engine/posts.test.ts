import { nodeCrypto } from "@latchkey/mls/node";
import { maxInlineProofBytes, maxInlineTreeBytes } from "@latchkey/protocol";
import { nobleSignatures } from "@latchkey/transparency";
import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, it } from "vitest";
import { simInboxKey } from "../core/sim.testing.ts";
import type { WelcomePost } from "../core/types.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import { Posts } from "./posts.ts";

const zeros = (size: number): Uint8Array => new Uint8Array(size);
/** The longest name of a host. */
const host = `${"a".repeat(60)}.${"b".repeat(60)}.${"c".repeat(60)}.${"d".repeat(60)}.example`;

/** The largest Welcome that a group can lead to: as many roles and as long a name as its settings take, tree and records in its item. */
function largest(inboxKey: Uint8Array, welcomeBytes: number): WelcomePost {
  return {
    joiner: { host, accountId: zeros(32), deviceId: zeros(16), inboxId: zeros(32), inboxKey, keyPackage: zeros(0) },
    seq: 1,
    epochId: 1,
    head: zeros(32),
    welcome: zeros(welcomeBytes),
    tree: { kind: "inline", tree: zeros(maxInlineTreeBytes) },
    proofs: { kind: "inline", proofs: zeros(maxInlineProofBytes) },
    opening: {
      salt: zeros(32),
      settings: {
        format: 2,
        roles: Array.from({ length: 248 }, () => ({ accountId: zeros(32), role: 2 })),
        name: "n".repeat(512),
        continues: zeros(32),
        directory: zeros(32),
        ext: zeros(4096),
      },
    },
  };
}

describe("Welcomes on their way", () => {
  const store = createMemoryStore();
  const platform = { nowMs: () => 1, random: zeros, sha256, signatures: nobleSignatures, crypto: nodeCrypto };
  const own = { host, accountId: zeros(32), deviceId: zeros(16), signatureKeyPair: { secretKey: zeros(32) } };
  // Of the world this reads no more than what is here.
  const posts = new Posts({ store, platform, own } as unknown as ConstructorParameters<typeof Posts>[0]);
  const put = (post: WelcomePost): Promise<boolean> => store.transact("write", (tx) => posts.put(tx, host, zeros(32), post));

  it("[E-19] the largest fits an inbox: its MLS Welcome, of one joiner and one extension of the context, is below 8 KiB", async () => {
    expect(await put(largest(simInboxKey, 8192))).toBe(true);
    expect(posts.waiting).toBe(1);
  });

  it("[E-18] one that cannot be sealed is given up, and whatever else is stored with it is stored", async () => {
    const before = posts.waiting;
    expect(await put(largest(zeros(7), 8192))).toBe(false);
    expect(await put(largest(simInboxKey, 60_000))).toBe(false);
    expect(posts.waiting).toBe(before);
  });
});
