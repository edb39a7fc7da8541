import { concatBytes, utf8Bytes } from "@latchkey/codec";
import type { KeyPair } from "@latchkey/mls";
import { inboxSuite } from "../group/inbox-seal.ts";
import type { Platform } from "../platform/platform.ts";

/** Everything of a join link: all of it comes from its seed of 32 bytes (spec X-14). */
export interface LinkKeys {
  readonly linkId: Uint8Array;
  /** What stands for the seed in the group's log. */
  readonly linkHash: Uint8Array;
  /** What reads, clears and closes its inbox. */
  readonly readKey: Uint8Array;
  /** What whoever has the link shows. */
  readonly secret: Uint8Array;
  /** What knocks are sealed to. */
  readonly keyPair: KeyPair;
  readonly tagKey: Uint8Array;
}

type Crypto = Pick<Platform, "crypto" | "sha256">;

const secretBytes = 16;
const tagBytes = 16;

/** What a seed says of itself in the log: nobody learns the seed by it. */
export function linkNames({ sha256 }: Pick<Platform, "sha256">, seed: Uint8Array): { linkId: Uint8Array; linkHash: Uint8Array } {
  return { linkId: derived(sha256, seed, "id"), linkHash: derived(sha256, seed, "hash") };
}

/** The keys of the link with this seed. */
export async function linkKeys({ crypto, sha256 }: Crypto, seed: Uint8Array): Promise<LinkKeys> {
  return {
    ...linkNames({ sha256 }, seed),
    readKey: derived(sha256, seed, "read"),
    secret: derived(sha256, seed, "secret").slice(0, secretBytes),
    keyPair: await crypto.suite(inboxSuite).deriveKemKeyPair(derived(sha256, seed, "inbox")),
    tagKey: derived(sha256, seed, "tag"),
  };
}

/** What stands for an account in the log, to those who have the seed. */
export function tagOf({ sha256 }: Pick<Platform, "sha256">, { tagKey }: Pick<LinkKeys, "tagKey">, accountId: Uint8Array): Uint8Array {
  return sha256(concatBytes(utf8Bytes("latchkey/join-link-account/1"), tagKey, accountId)).slice(0, tagBytes);
}

function derived(sha256: Platform["sha256"], seed: Uint8Array, name: string): Uint8Array {
  return sha256(concatBytes(utf8Bytes(`latchkey/join-link-${name}/1`), seed));
}
