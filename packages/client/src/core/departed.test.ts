import { decode, encode, utf8Bytes } from "@latchkey/codec";
import type { LeafIndex } from "@latchkey/mls";
import { nodeCrypto } from "@latchkey/mls/node";
import { accountStateCodec, configChangeCodec, nobleSignatures, signedCodec, signStructure, stateHashOf } from "@latchkey/transparency";
import type { AccountState, LogEvidence } from "@latchkey/transparency";
import { createMemoryDirectory } from "@latchkey/transparency/testing";
import type { MemoryDirectory } from "@latchkey/transparency/testing";
import { seededRandom } from "@latchkey/testkit";
import { beforeAll, describe, expect, it } from "vitest";
import { encodeProofs } from "../account/proofs.ts";
import { departedBy, standingBy } from "./departed.ts";
import { createSimAccount } from "./sim-account.testing.ts";
import type { SimAccount } from "./sim-account.testing.ts";
import type { RosterLeaf } from "./types.ts";

const host = "chat.example";
const nothing = new Uint8Array(0);
const dayMs = 86_400_000;

describe("[E-55] that a device left its account", () => {
  let account: SimAccount;
  let secretKey: Uint8Array;
  let leaf: RosterLeaf;
  /** With a quorum of three witnesses, and what the account published in it: first its device, then another one in its place. */
  let directory: MemoryDirectory;

  beforeAll(async () => {
    const random = seededRandom("departed");
    const keys = await nodeCrypto.suite(0x0001).generateSignatureKeyPair(random);
    ({ secretKey } = keys);
    account = await createSimAccount({ host, username: "cyd", keys, random, isProven: true });
    const { accountId, deviceId } = account;
    // The leaf of an index that nothing here looks at.
    const leafIndex = 3 as LeafIndex;
    leaf = { leafIndex, host, accountId, deviceId, signaturePublicKey: keys.publicKey, account: "cyd" };
    directory = await createMemoryDirectory({ host });
    await publish(directory, account.record.states.slice(0, 1), account.record.bindings);
  });

  async function publish(to: MemoryDirectory, states: readonly Uint8Array[], bindings: readonly Uint8Array[] = []): Promise<void> {
    const name = bindings.length === 0 ? [] : [{ type: "username" as const, label: utf8Bytes("cyd"), values: bindings }];
    await to.publish([...(states.length === 0 ? [] : [{ type: "account" as const, label: account.accountId, values: states }]), ...name]);
  }

  /** What a commit carries: the account as this log has it, or with other states in place of its own. */
  async function field(
    log: MemoryDirectory,
    params: { states?: readonly Uint8Array[]; evidence?: LogEvidence; log?: readonly number[]; map?: readonly number[] } = {},
  ): Promise<Uint8Array> {
    const { states, evidence = { config: log.config, changes: [] }, ...head } = params;
    const shown = await log.lookup({ accountId: account.accountId, username: "cyd" }, { cosignedMs: 5000, ...head });
    const { pops } = account.moved;
    return encodeProofs([{ pops, ...shown, states: states ?? shown.states }], evidence);
  }

  const isProven = async (proofs: Uint8Array, configHash = directory.configHash): Promise<boolean> =>
    (await departedBy(proofs, [leaf], { host, directory: configHash }, nobleSignatures)).length === 1;

  it("is proven by the states that stand in the group's log, signed and cosigned, whenever that was", async () => {
    expect(await isProven(await field(directory))).toBe(false);
    const now = directory.fork();
    await publish(now, account.moved.states.slice(1));
    expect(await isProven(await field(now))).toBe(true);
    // Without the log beside it, or under another one, the same record proves nothing.
    expect(await isProven(await field(now, { evidence: { config: nothing, changes: [] } }))).toBe(false);
    expect(await isProven(await field(now), new Uint8Array(32))).toBe(false);
    expect(await isProven(await field(now, { log: [0], map: [0] }))).toBe(false);
  });

  it("is not proven by a branch that the device signed itself: it stands in no log, or in one that somebody made up", async () => {
    // The device throws the others out, in a branch of its own: every signature of it holds.
    const branch = account.moved.states;
    expect(await isProven(await field(directory, { states: branch }))).toBe(false);
    const madeUp = await createMemoryDirectory({ host, witnesses: 0 });
    await publish(madeUp, branch, account.record.bindings);
    expect(await isProven(await field(madeUp))).toBe(false);
    // With the true log's config beside the made-up one's proof, and the other way round.
    expect(await isProven(await field(madeUp, { evidence: { config: directory.config, changes: [] } }))).toBe(false);
    // The true log's older state, with the branch's newer one appended to it.
    const proof = await directory.lookup({ accountId: account.accountId, username: "cyd" });
    expect(
      await isProven(encodeProofs([{ pops: account.moved.pops, ...proof, states: branch }], { config: directory.config, changes: [] })),
    ).toBe(false);
  });

  it("is not proven of a device that is still there, or of one that the account never had", async () => {
    const { body } = decode(signedCodec, account.record.states[0] ?? nothing);
    const value = { ...decode(accountStateCodec, body), accountId: account.accountId, version: 1, prevHash: stateHashOf(body), timeMs: 9 };
    const same = await signStructure({ codec: accountStateCodec, value, label: "AccountState", secretKey, signatures: nobleSignatures });
    const stays = directory.fork();
    await publish(stays, [same]);
    expect(await isProven(await field(stays))).toBe(false);
    const now = directory.fork();
    await publish(now, account.moved.states.slice(1));
    const proofs = await field(now);
    const other: RosterLeaf = { ...leaf, signaturePublicKey: new Uint8Array(32).fill(4) };
    expect(await departedBy(proofs, [other], { host, directory: directory.configHash }, nobleSignatures)).toEqual([]);
  });

  it("[M-2] that it stands in it is proven in the same way: by the log's states alone, with its key, while the account is there", async () => {
    const stands = async (proofs: Uint8Array, other: Partial<RosterLeaf> = {}, configHash = directory.configHash): Promise<boolean> =>
      (await standingBy(proofs, [{ ...leaf, ...other }], { host, directory: configHash }, nobleSignatures)).length === 1;
    const now = await field(directory);
    expect(await stands(now)).toBe(true);
    expect(await stands(now, { signaturePublicKey: new Uint8Array(32).fill(4) })).toBe(false);
    expect(await stands(now, { deviceId: new Uint8Array(16) })).toBe(false);
    expect(await stands(now, { accountId: new Uint8Array(32) })).toBe(false);
    expect(await stands(now, {}, new Uint8Array(32))).toBe(false);
    // The same device under another account's name, beside it.
    const both = [{ ...leaf, accountId: new Uint8Array(32) }, leaf];
    const found = await standingBy(now, both, { host, directory: directory.configHash }, nobleSignatures);
    expect(found.map(({ accountId }) => accountId)).toEqual([leaf.accountId]);
    expect(await stands(await field(directory, { evidence: { config: nothing, changes: [] } }))).toBe(false);
    expect(await stands(nothing)).toBe(false);
    const later = directory.fork();
    await publish(later, account.moved.states.slice(1));
    expect(await stands(await field(later))).toBe(false);
    // Its own states in a log that somebody made up.
    const madeUp = await createMemoryDirectory({ host, witnesses: 0 });
    await publish(madeUp, account.record.states, account.record.bindings);
    expect(await stands(await field(madeUp))).toBe(false);
  });

  it("is proven by whatever history a directory takes: of four hundred kilobytes and three hundred states, each signed", async () => {
    const [first = nothing, second = nothing] = account.moved.states;
    const genesis = decode(signedCodec, first).body;
    const other = decode(accountStateCodec, decode(signedCodec, second).body).devices;
    const states = [first];
    let before = genesis;
    const next = async (change: Partial<AccountState>, key = secretKey): Promise<void> => {
      const [version, prevHash] = [states.length, stateHashOf(before)];
      const value = { ...decode(accountStateCodec, genesis), accountId: account.accountId, version, prevHash, ...change };
      const signed = await signStructure({
        codec: accountStateCodec,
        value,
        label: "AccountState",
        secretKey: key,
        signatures: nobleSignatures,
      });
      states.push(signed);
      before = decode(signedCodec, signed).body;
    };
    while (states.length < 300) await next({ ext: new Uint8Array(1000) });
    const [forged, now] = [directory.fork(), directory.fork()];
    await next({ devices: other });
    await publish(now, states.slice(1));
    const proofs = await field(now);
    expect(proofs.length).toBeGreaterThan(390_000);
    expect(await isProven(proofs)).toBe(true);
    // That it stands in the log is not enough: the account's devices signed it.
    states.pop();
    before = decode(signedCodec, states.at(-1) ?? nothing).body;
    await next({ devices: other }, new Uint8Array(32).fill(7));
    await publish(forged, states.slice(1));
    expect(await isProven(await field(forged))).toBe(false);
  });

  it("is proven under keys that followed the first ones, by the way over each change, and not without it", async () => {
    const now = directory.fork();
    const logSeed = new Uint8Array(32).fill(9);
    await now.publish([], { config: now.changedConfig({ logSeed }) });
    const [index, from] = [now.size() - 1, now.size()];
    const first = await now.head();
    now.setTime(now.nowMs() + 8 * dayMs);
    await publish(now, account.moved.states.slice(1));
    const [last, consistency] = [await now.head(), await now.consistency(from)];
    const inclusion = await now.inclusion(index, from);
    const entry = now.entries()[index] ?? nothing;
    const change = encode(configChangeCodec, { format: 2, index, entry, inclusion, first, last, consistency, ext: nothing });
    now.signWith(logSeed);
    await now.publish([]);
    expect(await isProven(await field(now))).toBe(false);
    expect(await isProven(await field(now, { evidence: { config: now.config, changes: [change] } }))).toBe(true);
  });
});
