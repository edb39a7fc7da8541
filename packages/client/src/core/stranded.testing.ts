import { decode } from "@latchkey/codec";
import { decodeKeyPackage, encodeRatchetTree, memberAt, ownLeafIndex } from "@latchkey/mls";
import type { CreatedCommit, KeyPackage } from "@latchkey/mls";
import { complaintCodec } from "@latchkey/protocol";
import { signedCodec } from "@latchkey/transparency";
import { sha256 } from "@noble/hashes/sha2.js";
import { expect } from "vitest";
import { HostileMember } from "./hostile.testing.ts";
import type { Forgery } from "./hostile.testing.ts";
import { epochKeys } from "./keys.ts";
import { rosterOf } from "./roster.ts";
import { roundOf, SimWorld } from "./sim.testing.ts";
import type { SimDevice } from "./sim.testing.ts";

/** People, and a member whose own code does what it likes. */
export interface Group {
  readonly world: SimWorld;
  readonly honest: readonly SimDevice[];
  readonly hostile: HostileMember;
  readonly mallory: SimDevice;
}

/** `honest` people in a group whose last member is hostile. */
export async function groupOf(seed: string, count: number): Promise<Group> {
  const names = ["ada", "ben", "cyd", "dee", "eve", "fay"].slice(0, count);
  const world = await SimWorld.create(seed, [...names, "mallory"]);
  const mallory = world.devices[count];
  const [ada] = world.devices;
  if (mallory === undefined || ada === undefined) throw new Error("devices");
  await ada.found(world.devices.slice(1));
  await world.settle();
  return { world, honest: world.devices.slice(0, count), mallory, hostile: new HostileMember(world, mallory) };
}

/** A commit of the hostile member's that is right but for what `forgery` says: it adds a device of its own account. */
export async function commitOf({ hostile, world, mallory }: Group, forgery: Forgery = {}): ReturnType<HostileMember["forge"]> {
  const { host, accountId } = mallory.self;
  return await hostile.forge({ adds: [await hostile.keyPackage({ host, accountId, deviceId: world.random(16) })], ...forgery });
}

export function kinds(device: SimDevice, kind: string): number {
  return [...device.lines.values()].filter(({ body }) => body.kind === kind).length;
}

export async function readOn(device: SimDevice): Promise<void> {
  for (let i = 0; i < 10; i++) {
    device.stream();
    device.serve();
    await device.receive();
  }
}

export async function everybodyTalks({ world, honest }: Group): Promise<void> {
  for (const device of honest) await device.say(`by ${device.name}`);
  await world.settle(honest);
  const [first] = honest;
  if (first === undefined) throw new Error("somebody");
  for (const device of honest) {
    expect(device.alarms).toEqual([]);
    expect(device.isActive).toBe(true);
    expect(device.state?.stranded).toBeUndefined();
    expect(device.state?.epoch?.epochId).toBe(first.state?.epoch?.epochId);
    expect(device.state?.chain).toEqual(first.state?.chain);
    expect([...(device.state?.roster?.accounts.keys() ?? [])].toSorted()).toEqual(
      [...(first.state?.roster?.accounts.keys() ?? [])].toSorted(),
    );
  }
}

/**
 * What a member's own code makes of a complaint where it stands: a commit that lets the complainer in, with others, or where somebody is
 * missing, and its Welcome.
 */
export async function letIn(
  group: Group,
  by: SimDevice,
  complainer: SimDevice,
  signed: Uint8Array,
  others: readonly KeyPackage[] = [],
  missing: readonly SimDevice[] = [],
): Promise<void> {
  const insider = new HostileMember(group.world, by);
  const { opening, logId, roster } = insider.state;
  const removes = [complainer, ...missing].map(({ self }) => {
    const leaf = roster?.accounts.get(self.account)?.[0];
    if (leaf === undefined) throw new Error("it stands there");
    return leaf.leafIndex;
  });
  const { keyPackage, inboxId, inboxKey } = decode(complaintCodec, decode(signedCodec, signed).body);
  const created = await insider.forge({ removes, adds: [decodeKeyPackage(keyPackage), ...others] });
  const nextAccessHash = sha256(epochKeys(created.next, logId, 0).access);
  const seq = insider.postBlob(insider.seal(created.message, nextAccessHash, "commit", { complaint: signed }), nextAccessHash);
  const { head } = group.world.log.entries[seq - 1] ?? {};
  const [welcome] = created.welcomes;
  if (head === undefined || welcome === undefined) throw new Error("it stands in the log");
  const { host, accountId, deviceId } = complainer.self;
  const joiner = { host, accountId, deviceId, inboxId, inboxKey, keyPackage };
  const tree = { kind: "inline", tree: encodeRatchetTree(created.next) } as const;
  const proofs = { kind: "inline", proofs: new Uint8Array(0) } as const;
  complainer.inbox.push({ post: { joiner, seq, epochId: seq, head, welcome, tree, proofs, opening }, sender: by });
}

/** The same, with the hostile member in the second leaf: so it can leave each of the others behind by itself. */
export async function groupAround(seed: string, count: number): Promise<Group> {
  const names = ["ada", "ben", "cyd", "dee", "eve", "fay"].slice(0, count);
  const world = await SimWorld.create(seed, [...names, "mallory"]);
  const mallory = world.devices[count];
  const [ada, ...others] = world.devices.slice(0, count);
  if (mallory === undefined || ada === undefined) throw new Error("devices");
  await ada.found([mallory, ...others]);
  await world.settle();
  return { world, honest: world.devices.slice(0, count), mallory, hostile: new HostileMember(world, mallory) };
}

/** A group in which Cyd cannot follow a change of the hostile member's, and was not let in yet. */
export async function leftBehind(
  seed: string,
  prepare: (cyd: SimDevice) => void = () => undefined,
): Promise<Group & { readonly ada: SimDevice; readonly ben: SimDevice; readonly cyd: SimDevice }> {
  const group = await groupOf(seed, 3);
  const [ada, ben, cyd] = group.honest;
  if (ada === undefined || ben === undefined || cyd === undefined) throw new Error("three");
  prepare(cyd);
  group.hostile.post(await commitOf(group, { cheats: [cyd] }));
  await cyd.connect();
  await readOn(cyd);
  expect(cyd.state?.stranded).toBeDefined();
  return { ...group, ada, ben, cyd };
}

/** The hostile member behind a commit of its own. */
export function behind({ world, mallory }: Group, created: CreatedCommit, seq: number): HostileMember {
  const { state, self } = mallory;
  if (state === undefined) throw new Error("a conversation");
  const group = created.next;
  const there = { ...state, group, epoch: epochKeys(group, state.logId, seq), roster: rosterOf(group, state.opening) };
  return new HostileMember(world, { self, state: there, evidence: new Map() } as unknown as SimDevice);
}

/** The hostile member says of its own commit that it cannot follow it. */
export async function lieAbout({ hostile }: Group, created: CreatedCommit, seq: number): Promise<void> {
  const key = memberAt(created.next, ownLeafIndex(hostile.state.group))?.leafNode.encryptionKey;
  if (key === undefined) throw new Error("a leaf");
  await hostile.complain(seq, key);
}

/** So many rounds and no longer, for devices of which one tries again and again. */
export async function rounds(devices: readonly SimDevice[], count: number): Promise<void> {
  for (let i = 0; i < count; i++) if (!(await roundOf(devices))) return;
}

/** What was said of Welcomes that opened; its earlier key packages open none. */
export function verdicts({ refusals }: SimDevice): readonly string[] {
  return refusals.filter((reason) => reason !== "invalid_welcome");
}
