import { decode, encode } from "@latchkey/codec";
import { encryptApplicationMessage, inspectCommit, ownLeafIndex } from "@latchkey/mls";
import type { GroupState, MessageEvidence } from "@latchkey/mls";
import { nodeCrypto } from "@latchkey/mls/node";
import { createLeaveContent, createTextContent, leavesCodec, maxLeaveBytes, maxLeaves } from "@latchkey/protocol";
import type { SignedLeave } from "@latchkey/protocol";
import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, it } from "vitest";
import { HostileMember } from "./hostile.testing.ts";
import { judge } from "./judge.ts";
import { leafMark, leavingBy, removableAtOnce, wordsFor } from "./leaving.ts";
import { SimWorld } from "./sim.testing.ts";
import { suiteId } from "./sim.testing.ts";
import type { SimDevice } from "./sim.testing.ts";
import type { Turn } from "./turn.ts";
import type { Leaver, RosterLeaf } from "./types.ts";

interface Group {
  readonly world: SimWorld;
  /** The owner. */
  readonly ada: SimDevice;
  readonly ben: SimDevice;
  readonly cyd: SimDevice;
  /** Not in the group yet. */
  readonly dee: SimDevice;
}

async function groupOf(seed: string): Promise<Group> {
  const world = await SimWorld.create(seed, ["ada", "ben", "cyd", "dee"]);
  const [ada, ben, cyd, dee] = world.devices;
  if (ada === undefined || ben === undefined || cyd === undefined || dee === undefined) throw new Error("four devices");
  await ada.found([ben, cyd]);
  await world.settle();
  return { world, ada, ben, cyd, dee };
}

/** What is on its way arrives; no timer fires. */
async function read(device: SimDevice): Promise<void> {
  while (device.serve() || device.stream() || (await device.receive())) {
    // Until nothing is left.
  }
}

function lines(device: SimDevice, kind: string): (Uint8Array | undefined)[] {
  return [...device.lines.values()].filter(({ body }) => body.kind === kind).map(({ author }) => author);
}

describe("[E-25] who leaves is removed by anybody, with what they said in the commit", () => {
  it("[G-1] a member who joined since the word was said follows the removal by one who does not manage", async () => {
    const { world, ada, ben, cyd, dee } = await groupOf("joined since");
    await ben.leave();
    await ada.change([dee], []);
    // Ben's word is in the log first, and Ada's commit, made before she read it, adds Dee behind it.
    ben.serve();
    await read(ada);
    await world.settle([ben, cyd, dee]);
    expect(cyd.state?.memberCount).toBe(3);
    expect(dee.state?.epoch?.epochId).toBe(cyd.state?.epoch?.epochId);
    await dee.say("by dee");
    await cyd.say("by cyd");
    await world.settle();
    for (const device of [ada, cyd, dee]) {
      expect([...device.texts().values()].toSorted()).toEqual(["by cyd", "by dee"]);
      expect(lines(device, "skipped")).toEqual([]);
      expect(lines(device, "removed")).toEqual([]);
      expect(lines(device, "left")).toEqual([ben.self.accountId]);
    }
  });

  it("[M-3] several who leave go in one commit", async () => {
    const { world, ada, ben, cyd, dee } = await groupOf("several");
    await ada.change([dee], []);
    await world.settle();
    await ben.leave();
    await dee.leave();
    await read(ben);
    await read(dee);
    await world.settle([cyd]);
    await world.settle([ada]);
    expect(ada.state?.memberCount).toBe(2);
    expect(ada.state?.leavers).toEqual([]);
    expect(world.log.entries.filter(({ entryKind }) => entryKind === "commit")).toHaveLength(3);
    expect(lines(ada, "removed")).toEqual([]);
  });

  it("[M-3] who came back before a planned removal has its turn stays, also where a member that manages planned it", async () => {
    const { world, ada, ben, cyd } = await groupOf("came back");
    await ben.leave();
    await read(ben);
    await read(ada);
    await ada.input({ kind: "timer", name: "remove_leavers" });
    const planned = ada.state?.staged?.change;
    if (planned === undefined) throw new Error("it is planned");
    expect(planned.removes).toEqual([ben.self.accountId]);
    await world.settle([ada, cyd]);
    expect(ada.state?.memberCount).toBe(2);
    await ada.change([ben], []);
    await world.settle();
    expect(ben.isActive).toBe(true);
    // As if it had lost its race to somebody else's removal, and that member had let Ben in again.
    if (ada.state === undefined) throw new Error("a member");
    ada.state = { ...ada.state, changes: [planned] };
    await ada.say("still three");
    await world.settle();
    expect(ben.isActive).toBe(true);
    expect([...ben.texts().values()]).toEqual(["still three"]);
    expect(ada.state.changes).toEqual([]);
  });

  it("[M-3] who says so and then renews its leaf stays, and nobody waits for it any more", async () => {
    const { world, ada, ben, cyd } = await groupOf("renews");
    const hostile = new HostileMember(world, ben);
    await hostile.say(createLeaveContent({ ...head(world), leaf: markOf(ben) }));
    await read(ada);
    await read(cyd);
    expect(cyd.state?.leavers).toHaveLength(1);
    const device = { ...ben.self, deviceId: world.random(16) };
    hostile.post(await hostile.forge({ adds: [await hostile.keyPackage(device)] }));
    await world.settle([ada, cyd]);
    for (const other of [ada, cyd]) {
      expect(other.state?.leavers).toEqual([]);
      expect(other.state?.memberCount).toBe(3);
    }
    await cyd.say("goes on");
    await world.settle([ada, cyd]);
    expect([...ada.texts().values()]).toEqual(["goes on"]);
  });

  it("a word of another leaf, of none, or longer than a commit can show, is no word: nobody waits", async () => {
    const { world, ada, ben, cyd } = await groupOf("no word");
    const hostile = new HostileMember(world, ben);
    await hostile.say(createLeaveContent({ ...head(world), leaf: markOf(cyd) }));
    await hostile.say(createLeaveContent({ ...head(world), leaf: new Uint8Array(7) }));
    await hostile.say(createLeaveContent({ ...head(world), leaf: markOf(ben) }), { ext: new Uint8Array(maxLeaveBytes.content) });
    await world.settle([ada, cyd]);
    for (const device of [ada, cyd]) {
      expect(device.state?.leavers).toEqual([]);
      expect(lines(device, "unsupported")).toHaveLength(3);
      expect(lines(device, "left")).toEqual([]);
    }
  });
});

function head(world: SimWorld): { salt: Uint8Array; sentAtMs: number } {
  return { salt: world.random(16), sentAtMs: 1_700_000_000_000 };
}

function groupStateOf(device: SimDevice): GroupState {
  if (device.state?.group === undefined) throw new Error("a member");
  return device.state.group;
}

function markOf(device: SimDevice): Uint8Array {
  const group = groupStateOf(device);
  const mark = leafMark(sha256, group, ownLeafIndex(group));
  if (mark === undefined) throw new Error("a leaf");
  return mark;
}

describe("[E-25] what proves that somebody leaves", () => {
  /** What `device` signs in its group: a message with this content. */
  async function wordOf(world: SimWorld, device: SimDevice, plaintext: Uint8Array): Promise<SignedLeave> {
    const group = groupStateOf(device);
    const { evidence } = await encryptApplicationMessage(group, { plaintext, authenticatedData: new Uint8Array(9), random: world.random });
    return wordFrom(device, evidence);
  }

  function wordFrom(device: SimDevice, { content, context, signature }: MessageEvidence): SignedLeave {
    return { leaf: ownLeafIndex(groupStateOf(device)), content, context, signature };
  }

  async function proves(reader: SimDevice, words: readonly SignedLeave[] | Uint8Array): Promise<readonly string[]> {
    const { roster } = reader.state ?? {};
    if (roster === undefined) throw new Error("a member");
    const bytes = words instanceof Uint8Array ? words : encode(leavesCodec, [...words]);
    return [...(await leavingBy(bytes, { sha256, suite: nodeCrypto.suite(suiteId), group: groupStateOf(reader), roster }))];
  }

  it("their own signed word, of the leaf that stands there, and nothing else", async () => {
    const { world, ada, ben, cyd } = await groupOf("proof");
    const said = createLeaveContent({ ...head(world), leaf: markOf(ben) });
    const word = await wordOf(world, ben, said);
    expect(await proves(ada, [word])).toEqual([ben.self.account]);
    expect(await proves(ada, [word, word])).toEqual([ben.self.account]);
    expect(await proves(ada, [])).toEqual([]);
    // By somebody else's key: with the name of the one, or of the other.
    const forged = await wordOf(world, cyd, said);
    expect(await proves(ada, [forged])).toEqual([]);
    expect(await proves(ada, [{ ...forged, leaf: word.leaf }])).toEqual([]);
    expect(await proves(ada, [{ ...word, leaf: forged.leaf }])).toEqual([]);
    // Signed by the right key, and something else.
    expect(await proves(ada, [await wordOf(world, ben, createTextContent({ ...head(world), text: "I leave" }))])).toEqual([]);
    expect(await proves(ada, [await wordOf(world, ben, createLeaveContent({ ...head(world), leaf: markOf(cyd) }))])).toEqual([]);
    // Altered, cut, with another's context, or nothing that decodes; one that holds is not lost for those beside it.
    const altered = { ...word, content: word.content.map((byte, at) => (at === word.content.length - 1 ? byte ^ 1 : byte)) };
    expect(await proves(ada, [altered])).toEqual([]);
    expect(await proves(ada, [altered, word])).toEqual([ben.self.account]);
    expect(await proves(ada, [{ ...word, context: word.context.slice(1) }])).toEqual([]);
    expect(await proves(ada, encode(leavesCodec, [word]).slice(1))).toEqual([]);
    expect(await proves(ada, world.random(300))).toEqual([]);
    // More than a commit may show is not looked at.
    const many = Array.from({ length: maxLeaves + 1 }, () => word);
    expect(() => encode(leavesCodec, many)).toThrow(expect.objectContaining({ code: "limit" }));
  });

  it("not of another leaf than the one that said it, should both have one key", async () => {
    const { world, ada, ben, cyd } = await groupOf("another leaf");
    const { roster } = ada.state ?? {};
    if (roster === undefined) throw new Error("a member");
    const group = groupStateOf(ada);
    const cydsLeaf = ownLeafIndex(groupStateOf(cyd));
    const word = { ...(await wordOf(world, ben, createLeaveContent({ ...head(world), leaf: markOf(cyd) }))), leaf: cydsLeaf };
    const leaves = new Map(roster.leaves);
    const leaf = leaves.get(cydsLeaf);
    if (leaf === undefined) throw new Error("a leaf");
    leaves.set(cydsLeaf, { ...leaf, signaturePublicKey: ben.self.signatureKeyPair.publicKey });
    const judged = { sha256, suite: nodeCrypto.suite(suiteId), group, roster: { ...roster, leaves } };
    expect((await leavingBy(encode(leavesCodec, [word]), judged)).size).toBe(0);
  });

  it("not in another group, where the same device has a leaf at the same place with the same key package", async () => {
    const { world, ada, ben } = await groupOf("one group");
    const word = await wordOf(world, ben, createLeaveContent({ ...head(world), leaf: markOf(ben) }));
    const group = groupStateOf(ada);
    const other: GroupState = { ...group, context: { ...group.context, groupId: world.random(32) } };
    const { roster } = ada.state ?? {};
    if (roster === undefined) throw new Error("a member");
    const bytes = encode(leavesCodec, [word]);
    const suite = nodeCrypto.suite(suiteId);
    expect((await leavingBy(bytes, { sha256, suite, group, roster })).size).toBe(1);
    expect((await leavingBy(bytes, { sha256, suite, group: other, roster })).size).toBe(0);
  });

  it("not a second time: of a device that is in the group again, an old word says nothing", async () => {
    const { world, ada, ben, cyd, dee } = await groupOf("again");
    await ben.leave();
    await read(ben);
    await read(cyd);
    const [leaver] = cyd.state?.leavers ?? [];
    if (leaver === undefined) throw new Error("a word");
    await world.settle([ada, cyd]);
    await ada.change([ben], []);
    await world.settle();
    expect(ben.isActive).toBe(true);
    expect(ada.state?.memberCount).toBe(3);
    // Cyd's own code shows it to everybody.
    const hostile = new HostileMember(world, cyd);
    const benNow = ownLeafIndex(groupStateOf(ben));
    const word = { ...leaver.word, leaf: benNow };
    const { message } = await hostile.forge({ removes: [benNow] });
    for (const device of [ada, ben]) {
      const { state } = device;
      if (state?.group === undefined || state.roster === undefined) throw new Error("a member");
      const turn: Turn = { context: device.context, state, effects: [], groups: [] };
      const nothing = new Uint8Array(0);
      const body = { seq: state.chain.seq, mlsMessage: message, directoryProofs: nothing, settings: nothing, complaint: nothing };
      const shown = { ...body, leaves: encode(leavesCodec, [word]) };
      expect(await judge(turn, shown, { group: state.group, roster: state.roster })).toMatchObject({ reason: "not_permitted" });
      // The same commit with the word of the leaf that stands there passes.
      const fresh = await wordOf(world, ben, createLeaveContent({ ...head(world), leaf: markOf(ben) }));
      const good = { ...body, leaves: encode(leavesCodec, [fresh]) };
      expect(await judge(turn, good, { group: state.group, roster: state.roster })).toMatchObject({ kind: "passes" });
      expect((await inspectCommit(state.group, message)).removes).toHaveLength(1);
    }
    expect(dee.state).toBeUndefined();
  });

  it("of an account with several devices it takes all of them along, or none", async () => {
    const { world, ada, ben, cyd } = await groupOf("devices");
    const owner = new HostileMember(world, ben);
    const second = await owner.keyPackage({ ...ben.self, deviceId: world.random(16) });
    owner.post(await owner.forge({ adds: [second] }));
    await world.settle([ada, cyd]);
    const { state } = ada;
    if (state?.group === undefined || state.roster === undefined) throw new Error("a member");
    const { roster } = state;
    const leaves = roster.accounts.get(ben.self.account) ?? [];
    expect(leaves).toHaveLength(2);
    const hostile = new HostileMember(world, cyd);
    const turn: Turn = { context: ada.context, state, effects: [], groups: [] };
    const own = leaves.find(({ deviceId }) => deviceId.every((byte, at) => byte === ben.self.deviceId[at]));
    const mark = own === undefined ? undefined : leafMark(sha256, state.group, own.leafIndex);
    if (own === undefined || mark === undefined) throw new Error("a leaf");
    const said = createLeaveContent({ ...head(world), leaf: mark });
    const word = encode(leavesCodec, [{ ...(await wordOf(world, ben, said)), leaf: own.leafIndex }]);
    const reason = async (removes: readonly (typeof own)[], adds = false): Promise<unknown> => {
      const again = adds ? [await hostile.keyPackage({ ...ben.self, deviceId: world.random(16) })] : [];
      const { message } = await hostile.forge({ removes: removes.map(({ leafIndex }) => leafIndex), adds: again });
      const nothing = new Uint8Array(0);
      const body = {
        seq: state.chain.seq,
        mlsMessage: message,
        directoryProofs: nothing,
        settings: nothing,
        complaint: nothing,
        leaves: word,
      };
      const verdict = await judge(turn, body, { group: groupStateOf(ada), roster });
      return verdict.kind === "fails" ? verdict.reason : verdict.kind;
    };
    expect(await reason(leaves)).toBe("passes");
    expect(await reason(leaves.slice(0, 1))).toBe("not_permitted");
    expect(await reason(leaves.slice(1))).toBe("not_permitted");
    expect(await reason(leaves, true)).toBe("not_permitted");
  });

  it("as many as one commit can show go at once, the others by the next", () => {
    const leaver = (leaf: number, bytes: number): Leaver => ({
      leafIndex: leaf as Leaver["leafIndex"],
      accountId: new Uint8Array(32).fill(leaf),
      leaf: new Uint8Array(32),
      word: { leaf, content: new Uint8Array(bytes), context: new Uint8Array(maxLeaveBytes.context), signature: new Uint8Array(64) },
    });
    const short = Array.from({ length: 40 }, (_, at) => leaver(at, 100));
    expect(removableAtOnce(short.map((item) => ({ ...item, word: { ...item.word, context: new Uint8Array(300) } })))).toHaveLength(16);
    // A commit shows the words of those whom it removes, and of nobody else.
    const [first, second] = short;
    const removes = [second].flatMap((item) => (item === undefined ? [] : [{ leafIndex: item.leafIndex } as RosterLeaf]));
    expect(decode(leavesCodec, wordsFor({ leavers: short, unverified: [] }, removes))).toEqual([second?.word]);
    expect(wordsFor({ leavers: first === undefined ? [] : [first], unverified: [] }, removes)).toHaveLength(0);
    const long = removableAtOnce(Array.from({ length: 40 }, (_, at) => leaver(at, maxLeaveBytes.content)));
    expect(long.length).toBeGreaterThan(4);
    expect(long.length).toBeLessThan(maxLeaves);
    expect(() =>
      encode(
        leavesCodec,
        long.map(({ word }) => word),
      ),
    ).not.toThrow();
  });
});
