import { encode, utf8Bytes } from "@latchkey/codec";
import { externalSendersExtension, groupContextExtensions, inspectCommit, ownLeafIndex } from "@latchkey/mls";
import type { Extension, InspectedCommit } from "@latchkey/mls";
import { latchkeyGroupExtensionType, settingsOpeningCodec } from "@latchkey/protocol";
import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, it } from "vitest";
import { credentialOf } from "../group/credential.ts";
import type { DeviceIdentity } from "../group/credential.ts";
import { HostileMember } from "./hostile.testing.ts";
import type { Forgery } from "./hostile.testing.ts";
import { maxLeavesPerAccount, publicCheck } from "./public-check.ts";
import type { PublicFacts, PublicFailure, PublicVerdict } from "./public-check.ts";
import { groupExtension } from "./roster.ts";
import { SimWorld } from "./sim.testing.ts";
import type { SimDevice } from "./sim.testing.ts";

interface Group {
  readonly world: SimWorld;
  readonly ada: SimDevice;
  readonly ben: SimDevice;
  readonly cyd: SimDevice;
  /** Cyd, who is a plain member. */
  readonly hostile: HostileMember;
}

async function groupOf(seed: string): Promise<Group> {
  const world = await SimWorld.create(seed, ["ada", "ben", "cyd"]);
  const [ada, ben, cyd] = world.devices;
  if (ada === undefined || ben === undefined || cyd === undefined) throw new Error("three devices");
  await ada.found([ben, cyd]);
  await world.settle();
  return { world, ada, ben, cyd, hostile: new HostileMember(world, cyd) };
}

function factsOf(device: SimDevice): PublicFacts {
  const { state } = device;
  if (state?.roster === undefined || state.group === undefined) throw new Error("a member");
  const { roster, logId, opening } = state;
  return {
    roster,
    leaving: new Set(),
    deleted: new Set(),
    departed: [],
    complainers: [],
    standing: [],
    isUpToDate: true,
    settings: { sha256, logId, opening, encodedOpening: encode(settingsOpeningCodec, opening) },
  };
}

/** What a member says of a commit that RFC 9420 allows. */
async function verdict(device: SimDevice, message: Uint8Array, facts: Partial<PublicFacts> = {}): Promise<PublicVerdict> {
  const { state } = device;
  if (state?.group === undefined) throw new Error("a member");
  return publicCheck({ ...factsOf(device), ...facts }, await inspectCommit(state.group, message));
}

/** The reason for which everybody but the author refuses it, and by whose name. */
async function refusal({ ada, ben, hostile }: Group, forgery: Forgery, facts: Partial<PublicFacts> = {}): Promise<PublicFailure> {
  const { message } = await hostile.forge(forgery);
  const verdicts = await Promise.all([ada, ben].map((device) => verdict(device, message, facts)));
  const [one, other] = verdicts;
  if (one?.kind !== "fails" || other?.kind !== "fails") throw new Error("it passes");
  expect(other.reason).toBe(one.reason);
  expect(one.author?.account).toBe(hostile.state.roster?.own?.account);
  return one.reason;
}

describe("[M-8] a commit holds Add, Remove, a path and GroupContextExtensions with our extension, and nothing else", () => {
  it("no PSK, no ReInit, whatever RFC 9420 allows", async () => {
    const group = await groupOf("psk");
    const { world, hostile } = group;
    const nonce = world.random(32);
    const psk = { source: { kind: "external", pskId: utf8Bytes("known") }, nonce } as const;
    expect(await refusal(group, { psks: [psk], psk: () => nonce })).toBe("proposal");
    const reInit = { groupId: world.random(32), cipherSuite: 1, extensions: [] } as const;
    expect(await refusal(group, { reInit })).toBe("proposal");
    // With something that would be allowed beside it.
    const own = { ...identityOf(hostile), deviceId: world.random(16) };
    expect(await refusal(group, { psks: [psk], psk: () => nonce, adds: [await hostile.keyPackage(own)] })).toBe("proposal");
  });

  it("no Update and no ExternalInit: types that a member's commit cannot carry by value are not on the list either", async () => {
    const group = await groupOf("types");
    const { ada, ben, hostile } = group;
    const { message } = await hostile.forge({});
    const commit = await inspectCommit(ada.state?.group ?? hostile.state.group, message);
    for (const kind of ["update", "external-init"] as const) {
      const forged: InspectedCommit = { ...commit, proposals: [kind] };
      expect(publicCheck(factsOf(ben), forged)).toMatchObject({ kind: "fails", reason: "proposal" });
    }
  });

  it("no other extension of the group context, and ours not left out, doubled or damaged", async () => {
    const { ada, ben, hostile, world } = await groupOf("extensions");
    const owner = new HostileMember(world, ada);
    const ours = groupContextExtensions(hostile.state.group);
    const sender = { signatureKey: world.random(32), credential: credentialOf(ada.self) };
    for (const extensions of [
      [...ours, externalSendersExtension([sender])],
      [externalSendersExtension([sender])],
      [],
      [{ type: latchkeyGroupExtensionType, data: world.random(7) }],
    ]) {
      const { message } = await owner.forge({ groupContextExtensions: extensions });
      expect(await verdict(ben, message)).toMatchObject({ kind: "fails", reason: "settings" });
    }
    const { opening } = owner.state;
    const facts = (settings: Partial<typeof opening.settings>): Pick<PublicFacts, "settings"> & { extension: Extension } => {
      const next = { salt: world.random(32), settings: { ...opening.settings, ...settings } };
      const known = factsOf(ben).settings;
      const extension = groupExtension(sha256, { host: ada.self.host, conversationKind: 2, logId: world.logId, opening: next });
      return { settings: { ...known, encodedOpening: encode(settingsOpeningCodec, next) }, extension };
    };
    const named = facts({ name: "Another" });
    const { message } = await owner.forge({ groupContextExtensions: [named.extension] });
    expect(await verdict(ben, message, named)).toMatchObject({ kind: "passes" });
    // Under a new salt alone it sets nothing.
    const same = facts({});
    const unchanged = await owner.forge({ groupContextExtensions: [same.extension] });
    expect(await verdict(ben, unchanged.message, same)).toMatchObject({ kind: "fails", reason: "not_permitted" });
  });
});

function identityOf(hostile: HostileMember): DeviceIdentity {
  const { own } = hostile.state.roster ?? {};
  if (own === undefined) throw new Error("a leaf");
  return { host: own.host, accountId: own.accountId, deviceId: own.deviceId };
}

describe("[M-7] a leaf keeps its identity and its key, and an added one is where its account is", () => {
  it("a path that shows another account, another device or nothing of ours", async () => {
    const group = await groupOf("path");
    const { ada, cyd, world } = group;
    expect(await refusal(group, { credential: credentialOf({ ...ada.self, deviceId: world.random(16) }) })).toBe("changed_leaf");
    expect(await refusal(group, { credential: credentialOf({ ...cyd.self, deviceId: world.random(16) }) })).toBe("changed_leaf");
    expect(await refusal(group, { credential: credentialOf({ ...cyd.self, accountId: ada.self.accountId }) })).toBe("changed_leaf");
    expect(await refusal(group, { credential: credentialOf({ ...cyd.self, host: "other.example" }) })).toBe("changed_leaf");
    expect(await refusal(group, { credential: { kind: "basic", identity: utf8Bytes("owner") } })).toBe("identity");
  });

  it("another signature key, in any leaf that stays", async () => {
    const group = await groupOf("key");
    const { ada, ben, hostile, world } = group;
    const { message } = await hostile.forge({ adds: [await hostile.keyPackage({ ...identityOf(hostile), deviceId: world.random(16) })] });
    const commit = await inspectCommit(ada.state?.group ?? hostile.state.group, message);
    expect(publicCheck(factsOf(ben), commit).kind).toBe("passes");
    for (const changed of commit.members) {
      if (commit.adds.some(({ leafIndex }) => leafIndex === changed.leafIndex)) continue;
      const members = commit.members.map((leaf) => (leaf === changed ? { ...leaf, signaturePublicKey: world.random(32) } : leaf));
      expect(publicCheck(factsOf(ben), { ...commit, members })).toMatchObject({ kind: "fails", reason: "changed_leaf" });
    }
  });

  it("an added device on another host, one that is there already, one without an identity, and one too many", async () => {
    const group = await groupOf("added");
    const { hostile, world } = group;
    const own = identityOf(hostile);
    const device = (): DeviceIdentity => ({ ...own, deviceId: world.random(16) });
    expect(await refusal(group, { adds: [await hostile.keyPackage({ ...device(), host: "10.0.0.1" })] })).toBe("host");
    expect(await refusal(group, { adds: [await hostile.keyPackage(own)] })).toBe("device_twice");
    const twice = device();
    expect(await refusal(group, { adds: [await hostile.keyPackage(twice), await hostile.keyPackage(twice)] })).toBe("device_twice");
    expect(await refusal(group, { adds: [await hostile.keyPackage(utf8Bytes("nobody"))] })).toBe("identity");
    const many = await Promise.all(Array.from({ length: maxLeavesPerAccount - 1 }, () => hostile.keyPackage(device())));
    const { message } = await hostile.forge({ adds: many });
    expect(await verdict(group.ben, message)).toMatchObject({ kind: "passes" });
    expect(await refusal(group, { adds: [...many, await hostile.keyPackage(device())] })).toBe("too_many_leaves");
  });
});

describe("[G-1] what else every member refuses alike", () => {
  it("[M-2] a change that the author's role does not allow", async () => {
    const group = await groupOf("role");
    const { ada, ben, hostile, world } = group;
    const stranger = { host: ada.self.host, accountId: world.random(32), deviceId: world.random(16) };
    expect(await refusal(group, { adds: [await hostile.keyPackage(stranger)] })).toBe("not_permitted");
    for (const victim of [ada, ben]) {
      const leaf = victim.state?.group;
      if (leaf === undefined) throw new Error("a member");
      expect(await refusal(group, { removes: [ownLeafIndex(leaf)] })).toBe("not_permitted");
    }
    const extensions = groupContextExtensions(hostile.state.group);
    expect(await refusal(group, { groupContextExtensions: extensions })).toBe("not_permitted");
  });

  it("[M-8] not a commit that does nothing but renew its author's leaf: what it costs, one that is skipped costs too", async () => {
    const group = await groupOf("empty");
    const { message } = await group.hostile.forge({});
    expect(await verdict(group.ben, message)).toMatchObject({ kind: "passes", adds: [], removes: [] });
  });

  it("a commit whose author had not seen an earlier one of the epoch, though it is put behind it", async () => {
    const group = await groupOf("behind");
    const { ada, ben, hostile, world } = group;
    const adds = [await hostile.keyPackage({ ...identityOf(hostile), deviceId: world.random(16) })];
    const early = await hostile.forge({ adds });
    expect(await refusal(group, { adds }, { isUpToDate: false })).toBe("behind");
    const junk = hostile.postBlob(world.random(512), world.random(32));
    // Its envelope's hint says otherwise: that is not signed by the commit's author.
    const late = hostile.post(early);
    await settleOthers(group);
    for (const device of [ada, ben]) {
      expect(device.state?.lastCommitSeq).toBe(late);
      expect(device.state?.epoch?.epochId).toBeLessThan(junk);
    }
    const counts = hostile.post(await hostile.forge({ adds }));
    await settleOthers(group);
    for (const device of [ada, ben]) expect(device.state?.epoch?.epochId).toBe(counts);
  });

  it("[G-5] a complaint lets anybody remove that device and add it again, and nothing else", async () => {
    const group = await groupOf("complaint");
    const { ada, ben, cyd, hostile, world } = group;
    const complainers = [...(factsOf(ben).roster.leaves.values() ?? [])].filter((leaf) => leaf.account === ada.self.account);
    const [leaf] = complainers;
    if (leaf === undefined) throw new Error("a leaf");
    const again = await hostile.keyPackage(ada.self);
    const { message } = await hostile.forge({ removes: [leaf.leafIndex], adds: [again] });
    expect(await verdict(ben, message, { complainers })).toMatchObject({ kind: "passes" });
    expect(await verdict(ben, message)).toMatchObject({ kind: "fails", reason: "not_permitted" });
    expect(await refusal(group, { removes: [leaf.leafIndex] }, { complainers })).toBe("not_permitted");
    const other = await hostile.keyPackage({ ...ada.self, deviceId: world.random(16) });
    expect(await refusal(group, { removes: [leaf.leafIndex], adds: [other] }, { complainers })).toBe("not_permitted");
    expect(cyd.isActive).toBe(true);
  });
});

/** Everybody but cyd, whose device is the hostile member's. */
async function settleOthers({ world, ada, ben }: Group): Promise<void> {
  await world.settle([ada, ben]);
}

describe("[G-3] a commit that fails the public check is skipped, and the epoch goes on", () => {
  const forgeries: readonly (readonly [string, (group: Group) => Promise<number>])[] = [
    ["a swapped credential", async ({ hostile, ada }) => hostile.post(await hostile.forge({ credential: credentialOf(ada.self) }))],
    [
      "a ReInit",
      async ({ hostile, world }) =>
        hostile.post(await hostile.forge({ reInit: { groupId: world.random(32), cipherSuite: 1, extensions: [] } })),
    ],
    [
      "the owner's removal",
      async ({ hostile, ada }) => hostile.post(await hostile.forge({ removes: [ownLeafIndex(ada.state?.group ?? hostile.state.group)] })),
    ],
    [
      "a view that does not decode",
      async ({ hostile, world }) => hostile.post(await hostile.forge({ authenticatedData: world.random(5) })),
    ],
    [
      "an access hash that differs from the sealed one [L-9]",
      async ({ hostile, world }) => hostile.post(await hostile.forge({}), { sealedHash: world.random(32) }),
    ],
    [
      "random bytes in the envelope",
      async ({ hostile, world }) => hostile.postBlob(hostile.seal(world.random(300), world.random(32)), world.random(32)),
    ],
    ["random bytes", async ({ hostile, world }) => hostile.postBlob(world.random(512), world.random(32))],
  ];
  for (const [name, post] of forgeries) {
    it(`[E-20] ${name}: nobody pauses, one quiet line, and what is written after it arrives`, async () => {
      const group = await groupOf(name);
      const { ada, ben } = group;
      const seq = await post(group);
      await settleOthers(group);
      for (const device of [ada, ben]) {
        expect(device.isActive).toBe(true);
        expect(device.alarms).toEqual([]);
        expect(device.state?.lastCommitSeq).toBe(seq);
        expect([...device.lines.values()].filter(({ body }) => body.kind === "skipped")).toHaveLength(1);
      }
      await ada.say("after it");
      await ben.say("me too");
      await settleOthers(group);
      for (const device of [ada, ben]) {
        expect([...device.texts().values()].toSorted()).toEqual(["after it", "me too"]);
        expect(device.state?.lastCommitSeq).toBe(0);
        expect(device.state?.memberCount).toBe(3);
      }
      expect([...ben.texts()]).toEqual([...ada.texts()]);
    });
  }

  it("[E-21] who did it is named, once a day, however often; who cannot be told is nobody", async () => {
    const group = await groupOf("named");
    const { ada, ben, cyd, hostile, world } = group;
    for (let i = 0; i < 5; i++) hostile.post(await hostile.forge({ credential: credentialOf(ada.self) }));
    for (let i = 0; i < 3; i++) hostile.postBlob(world.random(512), world.random(32));
    await settleOthers(group);
    for (const device of [ada, ben]) {
      const lines = [...device.lines.values()].filter(({ body }) => body.kind === "skipped");
      expect(lines.map(({ author }) => author)).toEqual([cyd.self.accountId, undefined]);
      expect(device.state?.unread).toBe(0);
    }
  });

  it("a device that was away, or starts again, reads on behind what it skipped", async () => {
    const group = await groupOf("away");
    const { ada, ben, hostile, world } = group;
    hostile.postBlob(world.random(512), world.random(32));
    await settleOthers(group);
    await ben.restart(0);
    await ada.say("while ben was away");
    await world.settle([ada]);
    await settleOthers(group);
    expect([...ben.texts().values()]).toEqual(["while ben was away"]);
    hostile.postBlob(world.random(512), world.random(32));
    await settleOthers(group);
    expect(ben.alarms).toEqual([]);
    expect(ben.isActive).toBe(true);
  });

  it("a change of one's own that lost against a broken commit is made again", async () => {
    const group = await groupOf("again");
    const { ada, ben, cyd, hostile, world } = group;
    await ada.input({
      kind: "change",
      change: { id: "out", adds: [], removes: [cyd.self.accountId], removeDevices: [], proofs: new Uint8Array(0), update: false },
    });
    for (let i = 0; i < 3; i++) hostile.postBlob(world.random(512), world.random(32));
    await settleOthers(group);
    expect(ada.state?.memberCount).toBe(2);
    expect(ben.state?.memberCount).toBe(2);
    expect(ada.outcomes).toContain("done");
  });

  it("[E-14] a commit in an epoch that is over, and what is said in the epoch that it begins, concern nobody", async () => {
    const group = await groupOf("elsewhere");
    const { ada, ben, cyd, hostile, world } = group;
    const closed = ada.state?.epoch;
    if (closed === undefined) throw new Error("an epoch");
    // Also who was removed has the key of that epoch.
    await ada.change([], [cyd]);
    await settleOthers(group);
    await ben.disconnect(0);
    hostile.speakElsewhere(closed, 3);
    await settleOthers(group);
    await ada.say("after it");
    await ben.say("me too");
    await settleOthers(group);
    hostile.speakElsewhere(closed, 2);
    await settleOthers(group);
    for (const device of [ada, ben]) {
      expect(device.state?.link.stall).toBeUndefined();
      expect([...device.texts().values()].toSorted()).toEqual(["after it", "me too"]);
      expect([...device.lines.values()].filter(({ body }) => body.kind === "unreadable")).toEqual([]);
      expect(device.alarms).toEqual([]);
    }
    expect(ben.state?.chain).toEqual(ada.state?.chain);
    expect(world.log.entries).toHaveLength(ada.state?.chain.seq ?? 0);
  });
});
