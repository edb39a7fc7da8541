import { fromBase64Url, toBase64Url } from "@latchkey/codec";
import { describe, expect, test } from "vitest";
import type { Roster, RosterLeaf } from "../core/state.ts";
import { noMentions } from "../timeline/line.ts";
import type { PeerToken } from "./peer-tokens.ts";
import { smallDevices, tokensFor } from "./whom.ts";

const host = "chat.example";
const idOf = (number: number): string => toBase64Url(new Uint8Array(32).fill(number % 251).with(0, number >> 8));
const deviceOf = (number: number): Uint8Array => new Uint8Array(16).fill(number % 251).with(0, number >> 8);

/** A group of so many people, one device each; this person is the first. */
function group(size: number): { roster: Roster; tokens: readonly PeerToken[] } {
  const leaves = Array.from({ length: size }, (_, number): RosterLeaf => {
    const account = idOf(number);
    const ids = { accountId: fromBase64Url(account), deviceId: deviceOf(number) };
    return { leafIndex: number as RosterLeaf["leafIndex"], host, ...ids, signaturePublicKey: new Uint8Array(), account };
  });
  const roster = {
    leaves: new Map(leaves.map((leaf, at) => [at, leaf])),
    accounts: new Map(leaves.map((leaf) => [leaf.account, [leaf]])),
    own: leaves[0],
  } as unknown as Roster;
  const tokens = leaves.map(({ account, deviceId }) => ({
    account,
    deviceId: toBase64Url(deviceId),
    host,
    token: new Uint8Array(1),
    keptUntilMs: 1,
  }));
  return { roster, tokens };
}

const nobody = { mentions: noMentions, answered: [] };
const accountsOf = (tokens: readonly PeerToken[]): readonly string[] => tokens.map(({ account }) => account);

describe("[W-1] who is woken", () => {
  test("in a small group everybody but oneself", () => {
    const { roster, tokens } = group(smallDevices);
    expect(tokensFor(roster, tokens, nobody)).toEqual(tokens.slice(1));
  });

  test("above a hundred devices those who are named, whose message is answered, or everybody where everybody is named", () => {
    const { roster, tokens } = group(smallDevices + 1);
    expect(tokensFor(roster, tokens, nobody)).toEqual([]);
    const mentions = { accounts: [fromBase64Url(idOf(7)), fromBase64Url(idOf(0))], all: false };
    expect(accountsOf(tokensFor(roster, tokens, { mentions, answered: [idOf(9)] }))).toEqual([idOf(7), idOf(9)]);
    expect(tokensFor(roster, tokens, { mentions: { accounts: [], all: true }, answered: [] })).toHaveLength(smallDevices);
  });

  test("nobody who is no member now, nor by another host than their own", () => {
    const { roster, tokens } = group(3);
    const [, ben, cyd] = tokens;
    if (ben === undefined || cyd === undefined) throw new Error("three");
    const left = { ...ben, account: idOf(99) };
    const gone = { ...ben, deviceId: toBase64Url(deviceOf(99)) };
    const elsewhere = { ...cyd, host: "inside.example" };
    expect(tokensFor(roster, [left, gone, elsewhere], nobody)).toEqual([]);
    expect(tokensFor(undefined, tokens, nobody)).toEqual([]);
  });
});
