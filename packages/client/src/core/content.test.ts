import { toBase64Url } from "@latchkey/codec";
import type { MessageEvidence } from "@latchkey/mls";
import { createProfileContent, createTextContent, decodeContent } from "@latchkey/protocol";
import { describe, expect, it } from "vitest";
import { onContent } from "./content.ts";
import type { Turn } from "./turn.ts";
import type { Effect, RosterLeaf } from "./types.ts";

const id = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const [ada, ben, mal] = [id(1), id(2), id(3)];
const appendSecret = { generation: 1_767_225_600_000, secret: id(7) };
const head = { salt: new Uint8Array(16), sentAtMs: 5, appendSecret };

function leaf(accountId: Uint8Array, leafIndex: number): RosterLeaf {
  return { accountId, account: toBase64Url(accountId), leafIndex } as unknown as RosterLeaf;
}

/** What Ada's device makes of a message, as far as it is about append secrets. */
function learned(
  author: Uint8Array,
  state: { kind: "direct" | "group" | "devices"; peer?: Uint8Array; unverified?: readonly RosterLeaf[] },
  content = createTextContent({ ...head, text: "hello" }),
): Effect[] {
  const turn = {
    context: { self: { account: toBase64Url(ada), accountId: ada }, nowMs: 10, departed: () => false },
    state: { unverified: [], departed: [], unread: 0, lastOrder: 0, nextLocal: 1, chain: { seq: 3 }, ...state },
    effects: [],
    groups: [],
  } as unknown as Turn;
  // What is kept as evidence matters to somebody who leaves only.
  onContent(turn, leaf(author, 1), decodeContent(content), { id: id(9), evidence: {} as MessageEvidence });
  return turn.effects.filter(({ kind }) => kind === "append_secret");
}

describe("[I-1] append secrets in what is said", () => {
  it("[E-48] are learned of the other person of a direct conversation, in a text and in a profile", () => {
    const theirs = [{ kind: "append_secret", accountId: ben, appendSecret }];
    expect(learned(ben, { kind: "direct", peer: ben })).toEqual(theirs);
    expect(learned(ben, { kind: "direct", peer: ben }, createProfileContent({ ...head, displayName: "Ben" }))).toEqual(theirs);
    // One's own other device told it: told is told.
    expect(learned(ada, { kind: "direct", peer: ben })).toEqual([{ kind: "append_secret", accountId: ada, appendSecret }]);
  });

  it("[E-48] are learned of nobody in a group, of no third account, and of no device that the directory did not vouch for", () => {
    expect(learned(ben, { kind: "group" })).toEqual([]);
    expect(learned(ada, { kind: "devices" })).toEqual([]);
    expect(learned(mal, { kind: "direct", peer: ben })).toEqual([]);
    expect(learned(ben, { kind: "direct", peer: ben, unverified: [leaf(ben, 1)] })).toEqual([]);
    expect(learned(ben, { kind: "direct", peer: ben, unverified: [leaf(ben, 2)] })).toHaveLength(1);
  });
});
