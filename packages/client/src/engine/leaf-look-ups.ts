import { equalBytes, toBase64Url } from "@latchkey/codec";
import type { LeafVerdict, RosterLeaf, UnverifiedLeaf } from "../core/types.ts";
import { ClientError } from "../errors.ts";
import type { World } from "./world.ts";

/** Accounts of one conversation's leaves that are asked about at a time, whoever put them there (spec E-2). */
const asksAtOnce = 8;

/** Finds out whether accounts have the leaves of a conversation that name them (spec G-8). */
export class LeafLookUps {
  readonly #world: World;
  /** Accounts (base64url) that are asked about now. */
  readonly #asking = new Set<string>();

  constructor(world: World) {
    this.#world = world;
  }

  /** What leaves are, the first ones first: from what came along, else by asking their hosts. Nothing of those for whom there is no room now. */
  async verdicts(leaves: readonly UnverifiedLeaf[], proofs: Uint8Array): Promise<readonly LeafVerdict[]> {
    const { directory, people } = this.#world;
    const claimed = leaves.map((leaf): RosterLeaf => ({ ...leaf, account: toBase64Url(leaf.accountId) }));
    const learned =
      proofs.length === 0
        ? []
        : await directory.learn(
            proofs,
            claimed.map(({ accountId }) => accountId),
          );
    for (const contact of learned) people.keep(contact);
    const known = new Set(claimed.filter((leaf) => people.vouches(leaf)));
    const open = claimed.filter((leaf) => !known.has(leaf) && !this.#asking.has(leaf.account));
    const names = [...new Set(open.map(({ account }) => account))].slice(0, Math.max(0, asksAtOnce - this.#asking.size));
    const accounts = names.map((name) => [name, open.filter(({ account }) => account === name)] as const);
    for (const [account] of accounts) this.#asking.add(account);
    try {
      const asked = await Promise.all(accounts.map(([, ofOne]) => this.#ask(ofOne)));
      return [...[...known].map((leaf) => verdictOf(leaf, "vouched")), ...asked.flat()];
    } finally {
      for (const [account] of accounts) this.#asking.delete(account);
    }
  }

  /** Leaves that name one account. */
  async #ask(leaves: readonly RosterLeaf[]): Promise<readonly LeafVerdict[]> {
    const { directory, people, own } = this.#world;
    const [first] = leaves;
    if (first === undefined) return [];
    const { host, accountId } = first;
    const isOwn = equalBytes(accountId, own.accountId);
    const found = (leaf: RosterLeaf): "vouched" | "departed" | undefined => {
      if (people.vouches(leaf)) return "vouched";
      return !isOwn && people.departed(leaf) ? "departed" : undefined;
    };
    try {
      if (isOwn) await this.#world.refreshOwn();
      else {
        people.keep(await directory.account(host, accountId));
        // Older than a leaf, perhaps: its host has the last word.
        if (!leaves.every((leaf) => found(leaf))) people.keep(await directory.refresh(host, accountId));
      }
      return leaves.map((leaf) => verdictOf(leaf, found(leaf) ?? "refused"));
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      const otherwise = error.code === "unknown_user" ? "refused" : "unknown";
      return leaves.map((leaf) => verdictOf(leaf, found(leaf) ?? otherwise));
    }
  }
}

function verdictOf({ leafIndex, signaturePublicKey }: RosterLeaf, verdict: LeafVerdict["verdict"]): LeafVerdict {
  return { leafIndex, signaturePublicKey, verdict };
}
