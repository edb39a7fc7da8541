import {
  createCommit,
  createExternalProposal,
  createGroupInfo,
  createKeyPackage,
  createProposal,
  encodeRatchetTree,
  epoch,
  groupId,
  joinByExternalCommit,
  ownLeafIndex,
} from "@latchkey/mls";
import type { GroupState } from "@latchkey/mls";
import type { EntryKind } from "@latchkey/protocol";
import { seededRandom } from "@latchkey/testkit";
import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, it } from "vitest";
import { sealEnvelope } from "../group/envelope.ts";
import { SimWorld } from "./sim.testing.ts";
import type { SimDevice } from "./sim.testing.ts";

const nothing = new Uint8Array(0);
const zeroHash = new Uint8Array(32);
const lifetime = { notBefore: 0n, notAfter: 1n << 40n };

describe("[M-2] no proposal stands alone, there are no external senders, and external commits are refused", () => {
  const random = seededRandom("refused proposals");

  async function scene(): Promise<{ ada: GroupState; ben: SimDevice; world: SimWorld }> {
    const world = await SimWorld.create("M-2", ["ada", "ben", "cyd"]);
    const [ada, ben, cyd] = world.devices;
    if (ada === undefined || ben === undefined || cyd === undefined) throw new Error("three devices");
    await ada.found([ben, cyd]);
    await world.settle();
    if (ada.state?.group === undefined) throw new Error("a group");
    return { ada: ada.state.group, ben, world };
  }

  /** Somebody with the epoch's keys puts it into the log; what ben makes of it. */
  async function read(ben: SimDevice, world: SimWorld, mlsMessage: Uint8Array, entryKind: EntryKind): Promise<void> {
    const { state } = ben;
    if (state?.epoch === undefined) throw new Error("an epoch");
    const { logId, epoch: keys, chain } = state;
    const isCommit = entryKind === "commit";
    const { blob } = sealEnvelope({
      key: keys.envelope,
      logId,
      epochId: keys.epochId,
      kind: entryKind,
      ...(isCommit ? { nextAccessHash: zeroHash } : {}),
      body: { seq: chain.seq, mlsMessage, directoryProofs: nothing, settings: nothing, complaint: nothing, leaves: nothing },
      random,
      sha256,
    });
    const { day } = world.log.entries.at(-1) ?? { day: 0 };
    const event = { logId, seq: chain.seq + 1, epochId: keys.epochId, entryKind, day, nextAccessHash: zeroHash, blob };
    await ben.input({ kind: "entry", event });
  }

  it("a member's proposal, public or encrypted, that of somebody who asks to be added, and a commit that refers to one", async () => {
    const { ada, ben, world } = await scene();
    const common = { authenticatedData: nothing, random, nowSeconds: BigInt(Math.floor(ben.context.nowMs / 1000)) };
    const { suite } = ada;
    const guest = await createKeyPackage({
      suite,
      credential: { kind: "basic", identity: nothing },
      signatureKeyPair: await suite.generateSignatureKeyPair(random),
      lifetime,
      random,
    });
    const removed = ownLeafIndex(ben.state?.group ?? ada);
    const proposed = await createProposal(ada, { ...common, request: { kind: "remove", removed } });
    const encrypted = await createProposal(ada, { ...common, request: { kind: "update" }, wireFormat: "private-message" });
    const asked = await createExternalProposal({
      suite,
      groupId: groupId(ada),
      epoch: epoch(ada),
      from: { kind: "new-member", keyPackage: guest.keyPackage, signatureSecretKey: guest.privateKeys.signatureSecretKey },
      authenticatedData: nothing,
    });
    for (const message of [proposed.message, encrypted.message, asked]) {
      const before = ben.state?.group;
      await read(ben, world, message, "message");
      expect([...ben.lines.values()].at(-1)?.body).toMatchObject({ kind: "unreadable" });
      expect(ben.state?.group).toBe(before);
      expect(ben.state?.phase.kind).toBe("active");
    }
    const byReference = await createCommit(proposed.next, { ...common, references: [proposed.reference] });
    await read(ben, world, byReference.message, "commit");
    expect([...ben.lines.values()].at(-1)?.body).toEqual({ kind: "skipped" });
    expect(ben.state?.phase.kind).toBe("active");
    expect(ben.state?.memberCount).toBe(3);
  });

  it("an external commit is skipped", async () => {
    const { ada, ben, world } = await scene();
    const { suite } = ada;
    const { message } = await joinByExternalCommit({
      suite,
      groupInfo: await createGroupInfo(ada),
      ratchetTree: encodeRatchetTree(ada),
      credential: { kind: "basic", identity: nothing },
      signatureKeyPair: await suite.generateSignatureKeyPair(random),
      lifetime,
      authenticatedData: nothing,
      random,
    });
    await read(ben, world, message, "commit");
    expect([...ben.lines.values()].at(-1)?.body).toEqual({ kind: "skipped" });
    expect(ben.state?.phase.kind).toBe("active");
    expect(ben.state?.memberCount).toBe(3);
  });
});
