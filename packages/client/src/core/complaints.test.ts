import { decode, encode, equalBytes } from "@latchkey/codec";
import { decodeKeyPackage, inspectCommit, memberAt, ownLeafIndex, toLeafIndex } from "@latchkey/mls";
import { complaintCodec } from "@latchkey/protocol";
import type { Complaint } from "@latchkey/protocol";
import { nobleSignatures, signedCodec, signedContent } from "@latchkey/transparency";
import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, it } from "vitest";
import { openEnvelope } from "../group/envelope.ts";
import { answersComplaint, asksToAnswer, complainersIn } from "./answering.ts";
import { noteBehind } from "./complaints.ts";
import { epochKeys } from "./keys.ts";
import { HostileMember } from "./hostile.testing.ts";
import type { Forgery } from "./hostile.testing.ts";
import { unjudged } from "./proven.ts";
import { SimWorld } from "./sim.testing.ts";
import { commitOf, everybodyTalks, groupOf, kinds, letIn, readOn, verdicts } from "./stranded.testing.ts";
import type { Group } from "./stranded.testing.ts";
import type { SimDevice } from "./sim.testing.ts";
import type { Turn } from "./turn.ts";
import type { ConversationState, DeviceReference } from "./types.ts";

describe("[G-4] who cannot follow a commit that counts complains, and waits", () => {
  it("[E-22] a path secret that one member cannot open: the others go on, and let it back in (G-5)", async () => {
    const group = await groupOf("one victim", 3);
    const { world, honest, hostile } = group;
    const [ada, ben, cyd] = honest;
    if (ada === undefined || ben === undefined || cyd === undefined) throw new Error("three");
    await cyd.say("written before");
    await world.settle(honest);
    hostile.post(await commitOf(group, { cheats: [cyd] }));
    // Cyd stands where it stood, can be read, and says so.
    for (let i = 0; i < 3; i++) {
      cyd.stream();
      cyd.serve();
      await cyd.receive();
    }
    expect(cyd.state?.stranded).toBeDefined();
    expect(cyd.isActive).toBe(true);
    await cyd.say("waits");
    expect(cyd.state?.outgoing.map(({ sealed }) => sealed)).toEqual([undefined]);
    await world.settle(honest);
    expect(kinds(ada, "complaint")).toBe(1);
    expect(kinds(cyd, "complaint")).toBe(1);
    expect(kinds(ada, "let_back") + kinds(ben, "let_back") + kinds(cyd, "let_back")).toBeGreaterThan(0);
    await everybodyTalks(group);
    expect([...cyd.texts().values()]).toContain("written before");
    expect([...cyd.texts().values()]).toContain("by ada");
  });

  it("[G-7] an honest commit posted again with a broken tag, before its own: void, its author not removed (G-6)", async () => {
    const group = await groupOf("broken tag", 3);
    const { world, honest, hostile } = group;
    const [ada] = honest;
    const created = await commitOf(group);
    hostile.post({ ...created, message: hostile.breakConfirmation(created.message) });
    await world.settle(honest);
    for (const device of honest) {
      expect(device.state?.memberCount).toBe(4);
      expect(device.state?.barred).toHaveLength(1);
      expect(kinds(device, "skipped")).toBe(1);
    }
    // The server has the right one too: its author has a void commit in this epoch.
    hostile.post(created);
    await everybodyTalks(group);
    expect(ada?.state?.memberCount).toBe(4);
  });

  it("[G-6] an access key that is another for everybody: void, and the epoch goes on", async () => {
    const group = await groupOf("access", 3);
    const { world, honest, hostile } = group;
    const nextAccessHash = world.random(32);
    const seq = hostile.post(await commitOf(group), { nextAccessHash });
    await world.settle(honest);
    for (const device of honest)
      expect(device.state).toMatchObject({ stranded: undefined, lastCommitSeq: seq, barred: [expect.any(Number)] });
    await everybodyTalks(group);
  });

  it("[G-6] a commit whose content lies nowhere: void, and the epoch goes on", async () => {
    const group = await groupOf("nowhere", 3);
    const { world, honest, hostile } = group;
    const seq = hostile.postNowhere();
    await world.settle(honest);
    for (const device of honest) {
      expect(device.state).toMatchObject({ stranded: undefined, lastCommitSeq: seq, barred: [] });
      expect(kinds(device, "skipped")).toBe(1);
    }
    await everybodyTalks(group);
  });

  it("[E-26] whose own commit the others cannot read, because the server keeps it back from them, stops and says so (G-6)", async () => {
    const world = await SimWorld.create("kept back", ["ada", "ben", "cyd", "dee"]);
    const [ada, ben, cyd, dee] = world.devices;
    if (ada === undefined || ben === undefined || cyd === undefined || dee === undefined) throw new Error("four");
    await ada.found([ben, cyd]);
    await world.settle();
    const added = { adds: [await dee.joiner()], removes: [], removeDevices: [], update: false };
    await ada.input({ kind: "change", change: { id: "large", ...added, proofs: new Uint8Array(70_000) } });
    await readOn(ada);
    expect(ada.state?.memberCount).toBe(4);
    world.keepBackContent();
    await ada.say("to nobody");
    await world.settle([ada, ben, cyd]);
    for (const device of [ben, cyd]) expect(device.state).toMatchObject({ stranded: undefined, lastCommitSeq: 2, memberCount: 3 });
    expect(ada.state?.phase).toEqual({ kind: "paused", reason: "left_behind" });
    expect(kinds(ada, "alarm")).toBe(1);
    // The others go on.
    await ben.say("without ada");
    await world.settle([ben, cyd]);
    expect([...cyd.texts().values()]).toEqual(["without ada"]);
    expect(ada.texts().size).toBe(1);
  });

  it.each(["before", "after"])("[E-26] two liars of four make three complaints of one, %s the true one was answered", async (when) => {
    const group = await groupOf(`liars, ${when}`, 3);
    const { hostile, world } = group;
    const [ada, ben, cyd] = group.honest;
    if (ada === undefined || ben === undefined || cyd === undefined) throw new Error("three");
    const created = await commitOf(group, { cheats: [cyd] });
    const seq = hostile.post(created);
    if (when === "after") await world.settle([ada, cyd]);
    else for (const device of [cyd, ada]) await readOn(device);
    const liar = new HostileMember(world, ben);
    for (const member of [liar, hostile]) {
      const key = memberAt(created.next, ownLeafIndex(member.state.group))?.leafNode.encryptionKey;
      if (key === undefined) throw new Error("a leaf");
      await member.complain(seq, key);
    }
    await world.settle([ada, cyd]);
    expect(cyd.isActive).toBe(true);
    expect(kinds(ada, "complaint")).toBe(3);
    if (when === "after") await everybodyTalks({ ...group, honest: [ada, cyd] });
    // Cyd has gone on without the commit: Ada knows that what she writes does not reach everybody.
    else expect(ada.state?.phase).toEqual({ kind: "paused", reason: "left_behind" });
  });

  it("[E-18] of somebody to whom nothing can be sealed is not heard, and one that cannot be answered keeps no other waiting", async () => {
    const group = await groupOf("no way back", 3);
    const { hostile, world } = group;
    const [ada, ben, cyd] = group.honest;
    if (ada === undefined || ben === undefined || cyd === undefined) throw new Error("three");
    const created = await commitOf(group);
    const seq = hostile.post(created);
    await world.settle([ada]);
    const liar = new HostileMember(world, ben);
    const key = memberAt(created.next, ownLeafIndex(liar.state.group))?.leafNode.encryptionKey;
    if (key === undefined) throw new Error("a leaf");
    await liar.complain(seq, key, { inboxKey: world.random(7) });
    await readOn(ada);
    expect([ada.state?.asks, kinds(ada, "complaint")]).toEqual([[], 0]);
    // Somebody else's key package.
    const { keyPackage } = await cyd.joiner();
    await liar.complain(seq, key, { keyPackage });
    await readOn(ada);
    expect(ada.state?.asks).toHaveLength(1);
    const epoch = ada.state?.epoch?.epochId;
    await world.settle([ada]);
    expect(ada.state?.asks).toEqual([]);
    expect(ada.state?.epoch?.epochId).toBe(epoch);
    // Its true one is answered.
    await liar.complain(seq, key);
    await world.settle([ada]);
    expect(ada.state?.epoch?.epochId).toBeGreaterThan(epoch ?? 0);
  });

  it("[E-15] while it waits, it fetches nothing for what else is committed there", async () => {
    const group = await groupOf("more of nowhere", 3);
    const { world, honest, hostile } = group;
    const [ada] = honest;
    if (ada === undefined) throw new Error("three");
    for (let at = 0; at < 20; at++) hostile.postNowhere();
    for (let at = 0; at < 60; at++) {
      ada.serve();
      ada.stream();
      await ada.receive();
    }
    expect(ada.state?.stranded).toBeDefined();
    expect(ada.fetched).toBe(1);
    expect(ada.state?.chain.seq).toBe(world.log.entries.length);
  });

  it.each(["of a member", "of nobody"])("[E-23] what was said of a void commit %s lets its author remove nobody later", async (of) => {
    const group = await groupOf(`void, then used, ${of}`, 3);
    const { world, honest, hostile, mallory } = group;
    const [ada, ben] = honest;
    const { epoch, logId, roster } = hostile.state;
    if (ada === undefined || ben === undefined || epoch === undefined || roster?.own === undefined) throw new Error("members");
    if (of === "of nobody") hostile.postNowhere();
    else hostile.post(await commitOf(group), { nextAccessHash: world.random(32) });
    await world.settle(honest);
    const complaints = world.log.entries.flatMap(({ entryKind, epochId, nextAccessHash, blob }) => {
      if (entryKind !== "complaint") return [];
      const opened = openEnvelope({ key: epoch.envelope, logId, epochId, kind: "complaint", nextAccessHash, blob });
      return opened.kind === "inline" ? [opened.body.complaint.slice()] : [];
    });
    expect(complaints).toHaveLength(3);
    await ada.say("goes on");
    await world.settle(honest);
    // The hostile member's own code skips its commit like everybody's does.
    if (mallory.state !== undefined) mallory.state = { ...mallory.state, barred: [roster.own.leafIndex] };
    await world.settle();
    expect(mallory.state?.epoch?.epochId).toBe(ada.state?.epoch?.epochId);
    const leaf = [...roster.leaves.values()].find(({ account }) => account === ben.self.account);
    const signed = complaints.find((bytes) =>
      equalBytes(decode(complaintCodec, decode(signedCodec, bytes).body).accountId, ben.self.accountId),
    );
    if (leaf === undefined || signed === undefined) throw new Error("a complaint");
    const keyPackage = decodeKeyPackage(decode(complaintCodec, decode(signedCodec, signed).body).keyPackage);
    const created = await hostile.forge({ removes: [leaf.leafIndex], adds: [keyPackage] });
    const nextAccessHash = sha256(epochKeys(created.next, logId, 0).access);
    hostile.postBlob(hostile.seal(created.message, nextAccessHash, "commit", { complaint: signed }), nextAccessHash);
    await world.settle(honest);
    expect(ben.isActive).toBe(true);
    await everybodyTalks(group);
  });

  it("[G-3] a message that was on its way when a commit came that nobody follows goes out with the next epoch", async () => {
    const { world, honest, hostile } = await groupOf("on its way", 3);
    const [ada, ben] = honest;
    if (ada === undefined || ben === undefined) throw new Error("two");
    hostile.postBlob(world.random(300), world.random(32));
    await ada.say("on its way");
    await world.settle(honest);
    expect(ada.state?.outgoing).toEqual([]);
    expect([...ben.texts().values()]).toEqual(["on its way"]);
  });

  it("[G-9] between two people nobody else can help: it says so at once, with the author's name", async () => {
    const group = await groupOf("two", 1);
    const { world, honest, hostile, mallory } = group;
    const [ada] = honest;
    if (ada === undefined) throw new Error("one");
    hostile.post(await commitOf(group, { cheats: [ada] }));
    await world.settle(honest);
    expect(ada.state?.phase).toEqual({ kind: "paused", reason: "unreadable_commit" });
    const alarm = [...ada.lines.values()].find(({ body }) => body.kind === "alarm");
    expect(alarm?.author).toEqual(mallory.self.accountId);
  });

  it("[G-9] unheard for a day, it says so", async () => {
    const group = await groupOf("unheard", 3);
    const { world, honest, hostile } = group;
    const [, , cyd] = honest;
    if (cyd === undefined) throw new Error("three");
    hostile.post(await commitOf(group, { cheats: [cyd] }));
    await world.settle([cyd]);
    expect(cyd.state?.phase).toEqual({ kind: "paused", reason: "unreadable_commit" });
    // It was asked for more than once.
    expect(world.log.entries.filter(({ entryKind }) => entryKind === "complaint").length).toBeGreaterThan(2);
  });

  it("[G-4] started again meanwhile, it asks again all the same, when it would have", async () => {
    const group = await groupOf("started again", 3);
    const { world, honest, hostile } = group;
    const [, , cyd] = honest;
    if (cyd === undefined) throw new Error("three");
    hostile.post(await commitOf(group, { cheats: [cyd] }));
    await readOn(cyd);
    const atMs = cyd.state?.stranded?.againAtMs ?? 0;
    await cyd.restart(0);
    expect(cyd.timers.has("complain")).toBe(false);
    await cyd.connect();
    await readOn(cyd);
    expect(atMs).toBeGreaterThan(0);
    expect(cyd.state?.stranded?.againAtMs).toBe(atMs);
    expect(cyd.timers.has("complain")).toBe(true);
    await world.settle([cyd]);
    expect(world.log.entries.filter(({ entryKind }) => entryKind === "complaint").length).toBe(5);
  });
});

describe("what a complaint permits, and whom it may let back in", () => {
  /** Cyd's complaint about a commit of the hostile member's, as it stands in the log, and ada as one who followed that commit. */
  async function complained(
    seed: string,
  ): Promise<Group & { readonly signed: Uint8Array; readonly ada: SimDevice; readonly cyd: SimDevice }> {
    const group = await groupOf(seed, 3);
    const { honest, hostile } = group;
    const [ada, ben, cyd] = honest;
    if (ada === undefined || ben === undefined || cyd === undefined) throw new Error("three");
    hostile.post(await commitOf(group, { cheats: [cyd] }));
    // Nobody answers yet.
    for (let i = 0; i < 60; i++) {
      for (const device of honest) {
        device.stream();
        device.serve();
        await device.receive();
      }
    }
    const [ask] = ada.state?.asks ?? [];
    if (ask === undefined) throw new Error("a complaint");
    return { ...group, signed: ask.signed, ada, cyd };
  }

  it("[E-23] only the complainer's leaf, by the key package that it signed, and not a second time", async () => {
    const group = await complained("permits");
    const { world, honest, ada, cyd, signed } = group;
    const ben = honest[1];
    // Ada's device, which may be anybody's: its own code makes what it likes of the complaint.
    const insider = new HostileMember(world, ada);
    const leaf = [...(ada.state?.roster?.leaves.values() ?? [])].find(({ account }) => account === cyd.self.account);
    const complaint = decode(complaintCodec, decode(signedCodec, signed).body);
    if (leaf === undefined || ben?.state?.roster === undefined) throw new Error("a leaf");
    const [again] = asksToAnswer(ada.state ?? ben.state);
    if (again === undefined) throw new Error("to answer");
    const judged = async (forgery: Forgery, shown: Uint8Array): Promise<boolean> => {
      const { message } = await insider.forge(forgery);
      const { state } = ben;
      if (state?.group === undefined || state.roster === undefined) throw new Error("a member");
      const commit = await inspectCommit(state.group, message);
      const turn: Turn = { context: ben.context, state, effects: [], groups: [] };
      return (await complainersIn(turn, shown, { group: state.group, roster: state.roster, commit })).length === 1;
    };
    const keyPackage = decodeKeyPackage(complaint.keyPackage);
    const answer: Forgery = { removes: [leaf.leafIndex], adds: [keyPackage] };
    expect(await judged(answer, signed)).toBe(true);
    expect(await judged(answer, new Uint8Array(0))).toBe(false);
    // Another key package of the same device, by whoever makes one.
    expect(await judged({ ...answer, adds: [await insider.keyPackage(cyd.self)] }, signed)).toBe(false);
    const resigned = async (changes: Partial<Complaint>, secretKey: Uint8Array): Promise<Uint8Array> => {
      const body = encode(complaintCodec, { ...complaint, ...changes });
      return encode(signedCodec, { body, signature: await nobleSignatures.sign(secretKey, signedContent("Complaint", body)) });
    };
    const { secretKey } = cyd.self.signatureKeyPair;
    expect(await judged(answer, await resigned({}, secretKey))).toBe(true);
    // By somebody else's key, for another log, and with the keys of another leaf: of one that was answered.
    expect(await judged(answer, await resigned({}, ada.self.signatureKeyPair.secretKey))).toBe(false);
    expect(await judged(answer, await resigned({ logId: world.random(32) }, secretKey))).toBe(false);
    expect(await judged(answer, await resigned({ leafKeys: [world.random(32)] }, secretKey))).toBe(false);
    // About a commit whose author nobody knows: only by who may add and remove anyway.
    expect(await judged(answer, await resigned({ authorId: new Uint8Array(32) }, secretKey))).toBe(true);
    // By a device of the author whom it complains about: that one's Welcome would not be taken.
    expect(await judged(answer, await resigned({ authorId: ada.self.accountId }, secretKey))).toBe(false);
    // It names the key that its answer makes: it would ask again for ever.
    const { encryptionKey } = keyPackage.leafNode;
    expect(await judged(answer, await resigned({ leafKeys: [...complaint.leafKeys, encryptionKey] }, secretKey))).toBe(false);
    // An answer that waited while another complaint took the place of the one that it answers is not made: nobody would follow it.
    const { state: asked } = ben;
    const { keyPackage: another } = await cyd.joiner();
    const newer = asked.asks.map((ask) => ({ ...ask }));
    for (const ask of newer) ask.signed = await resigned({ keyPackage: another }, secretKey);
    ben.state = { ...asked, asks: newer };
    const { accountId, deviceId } = cyd.self;
    const late = { id: "late", adds: [again.joiner], removes: [], removeDevices: [{ accountId, deviceId }], update: false };
    await ben.input({ kind: "change", change: { ...late, proofs: new Uint8Array(0) } });
    expect(ben.outcomes).toEqual(["not_permitted"]);
    ben.state = { ...ben.state, asks: asked.asks };
    await everybodyTalks(group);
    // Answered, it says nothing of the leaf that stands there now.
    const now = [...(ada.state?.roster?.leaves.values() ?? [])].find(({ account }) => account === cyd.self.account);
    if (now === undefined) throw new Error("it is back");
    expect(await judged({ removes: [now.leafIndex], adds: [keyPackage] }, signed)).toBe(false);
  });

  it("[G-5] nobody lets a device in that its account has no more, or never had", async () => {
    const { ada, cyd } = await complained("of a dead leaf");
    const { state } = ada;
    const [leaf] = state?.roster?.accounts.get(cyd.self.account) ?? [];
    if (state === undefined || leaf === undefined) throw new Error("a leaf");
    expect(asksToAnswer(state)).toHaveLength(1);
    expect(asksToAnswer({ ...state, unverified: [unjudged(leaf)] })).toHaveLength(1);
    expect(asksToAnswer({ ...state, unverified: [{ ...unjudged(leaf), refused: true }] })).toEqual([]);
    expect(asksToAnswer({ ...state, departed: [leaf] })).toEqual([]);
  });

  it("[E-24] a Welcome into a commit beside the one that it cannot follow, by another member who is in league with its author, is not taken", async () => {
    const group = await groupOf("beside", 3);
    const { honest, hostile } = group;
    const [ada, ben, cyd] = honest;
    if (ada === undefined || ben === undefined || cyd === undefined) throw new Error("three");
    hostile.post(await commitOf(group, { cheats: [cyd] }));
    await readOn(cyd);
    await readOn(ada);
    const [ask] = ada.state?.asks ?? [];
    if (ask === undefined) throw new Error("a complaint");
    // Ben's own code did not follow: to him it is still the epoch in which Cyd stands.
    await letIn(group, ben, cyd, ask.signed, []);
    // Before its entry is read it waits, and is not lost.
    expect(await cyd.join()).toBe(false);
    expect(cyd.inbox).toHaveLength(1);
    await readOn(cyd);
    expect(await cyd.join()).toBe(true);
    expect(verdicts(cyd)).toEqual(["still_in"]);
    expect(cyd.state?.stranded).toBeDefined();
    await everybodyTalks({ ...group, honest: [ada, cyd] });
  });

  it("[E-24] what stands behind a commit is followed by the epochs of the entries, however many there are", async () => {
    const { cyd } = await complained("followed");
    const { state } = cyd;
    if (state?.stranded === undefined) throw new Error("it waits");
    const { seq, behind } = state.stranded;
    const turn: Turn = { context: cyd.context, state, effects: [], groups: [] };
    noteBehind(turn, { seq: seq + 3, epochId: seq });
    noteBehind(turn, { seq: seq + 4, epochId: seq + 1 });
    noteBehind(turn, { seq: seq + 5, epochId: seq + 3 });
    noteBehind(turn, { seq: seq + 6, epochId: seq + 4 });
    expect(turn.state.stranded?.behind).toEqual([...behind, seq + 3, seq + 5]);
    for (let at = 0; at < 5000; at++) noteBehind(turn, { seq: seq + 7 + at, epochId: seq });
    expect(turn.state.stranded?.behind).toHaveLength(4096);
  });

  it("[E-23] whoever lies about it again and again costs eight commits of others, and no more", async () => {
    const group = await groupOf("again and again", 3);
    const { world, hostile, mallory } = group;
    const [ada, , cyd] = group.honest;
    if (ada === undefined || cyd === undefined) throw new Error("three");
    const seq = hostile.post(await commitOf(group));
    for (const device of group.honest) await readOn(device);
    for (let lie = 0; lie < 12; lie++) {
      const leaves = [...(ada.state?.roster?.leaves.values() ?? [])];
      const leaf = leaves.find(
        ({ accountId, deviceId }) => equalBytes(accountId, mallory.self.accountId) && equalBytes(deviceId, mallory.self.deviceId),
      );
      const key =
        ada.state?.group === undefined || leaf === undefined
          ? undefined
          : memberAt(ada.state.group, leaf.leafIndex)?.leafNode.encryptionKey;
      if (key === undefined) throw new Error("its leaf");
      const { keyPackage } = await mallory.joiner();
      await hostile.complain(seq, key, { keyPackage });
      await world.settle([ada, cyd]);
    }
    const commits = world.log.entries.filter(({ entryKind, seq: at }) => entryKind === "commit" && at > seq);
    expect(commits).toHaveLength(8);
    await everybodyTalks({ ...group, honest: [ada, cyd] });
  });

  it.each([
    [32, 0],
    [31, 1],
  ])("[E-23] and 32 about all changes of seven days: after %i it is heard %i times", async (times, heard) => {
    const group = await groupOf(`in all ${times}`, 3);
    const { hostile, mallory } = group;
    const [ada] = group.honest;
    if (ada === undefined) throw new Error("three");
    const seq = hostile.post(await commitOf(group));
    for (const device of group.honest) await readOn(device);
    const { state } = ada;
    const { accountId, deviceId, account } = mallory.self;
    const [closed] = state?.closedEpochs ?? [];
    const leaf = state?.roster?.accounts.get(account)?.find((one) => equalBytes(one.deviceId, deviceId));
    const key =
      state?.group === undefined || leaf === undefined ? undefined : memberAt(state.group, leaf.leafIndex)?.leafNode.encryptionKey;
    if (state === undefined || closed === undefined || key === undefined) throw new Error("it followed");
    const asked = Array.from({ length: times }, (_, at) => ({ accountId, deviceId, complaint: new Uint8Array(32).fill(at) }));
    ada.state = { ...state, closedEpochs: [{ ...closed, epochId: 1_000_000, asked }, ...state.closedEpochs] };
    await hostile.complain(seq, key);
    await readOn(ada);
    expect(ada.state.asks).toHaveLength(heard);
  });

  it("[E-23] what somebody asked before, shown again by another member, neither counts as asked nor takes the place of what it asks now", async () => {
    const group = await groupOf("shown again", 3);
    const { world, hostile } = group;
    const [ada, ben, cyd] = group.honest;
    if (ada === undefined || ben === undefined || cyd === undefined) throw new Error("three");
    hostile.post(await commitOf(group, { cheats: [cyd] }));
    for (const device of [cyd, ben]) await readOn(device);
    const [first] = ben.state?.asks ?? [];
    const [blob] = world.log.entries.filter(({ entryKind }) => entryKind === "complaint").map((entry) => entry.blob);
    if (first === undefined || blob === undefined) throw new Error("a complaint");
    for (let copy = 0; copy < 9; copy++) hostile.repeat(blob);
    await readOn(ada);
    // Ben, in league, answers it, and gives no Welcome: it asks again.
    await letIn(group, ben, cyd, first.signed);
    cyd.inbox.splice(0);
    await readOn(cyd);
    await cyd.input({ kind: "timer", name: "complain" });
    for (const device of [cyd, ada]) await readOn(device);
    hostile.repeat(blob);
    await readOn(ada);
    await world.settle([ada, cyd]);
    expect(verdicts(cyd)).toEqual([]);
    await everybodyTalks({ ...group, honest: [ada, cyd] });
  });

  it("[E-23] a member who does not manage lets it back in, and all others follow", async () => {
    const group = await complained("by a plain member");
    const { world, honest, ada, cyd } = group;
    const ben = honest[1];
    if (ben === undefined) throw new Error("three");
    await world.settle([ben, cyd]);
    expect(cyd.state?.stranded).toBeUndefined();
    expect(cyd.state?.epoch?.epochId).toBe(ben.state?.epoch?.epochId);
    await everybodyTalks(group);
    expect(kinds(ada, "skipped")).toBe(0);
  });

  it("[E-24] one behind it is taken; with somebody there whom it never met, the person is asked", async () => {
    for (const isAlone of [true, false]) {
      const group = await groupOf(`behind, ${isAlone}`, 3);
      const { world, honest, hostile } = group;
      const [ada, ben, cyd] = honest;
      if (ada === undefined || ben === undefined || cyd === undefined) throw new Error("three");
      hostile.post(await commitOf(group, { cheats: [cyd] }));
      await readOn(cyd);
      for (const device of [ada, ben]) await readOn(device);
      const [ask] = ada.state?.asks ?? [];
      if (ask === undefined) throw new Error("a complaint");
      const stranger = { host: "chat.example", accountId: world.random(32), deviceId: world.random(16) };
      await letIn(group, ada, cyd, ask.signed, isAlone ? [] : [await hostile.keyPackage(stranger)]);
      await readOn(cyd);
      expect(await cyd.join()).toBe(true);
      expect(verdicts(cyd)).toEqual(isAlone ? [] : ["asks"]);
      expect(cyd.state?.stranded === undefined).toBe(isAlone);
    }
  });

  it("[E-24] a Welcome by a member that it knew, for a later commit on its chain; none by the author of the commit that it cannot follow", async () => {
    const { cyd, ada, mallory, honest } = await complained("welcome");
    const known = cyd.state;
    const joined = ada.state;
    if (known === undefined || joined === undefined) throw new Error("states");
    const { head } = known.chain;
    const { stranded } = known;
    if (stranded === undefined) throw new Error("it waits");
    const here: ConversationState = { ...joined, chain: known.chain };
    const behind = { ...known, stranded: { ...stranded, behind: [stranded.seq, known.chain.seq] } };
    const answers = (other: Partial<ConversationState>, signer: DeviceReference = ada.self): boolean =>
      answersComplaint({ ...behind, ...other }, here, signer, head);
    expect(answers({})).toBe(true);
    expect(answers({}, mallory.self)).toBe(false);
    expect(answers({}, { ...ada.self, deviceId: new Uint8Array(16) })).toBe(false);
    expect(answers({ stranded: undefined })).toBe(false);
    const barred = [...(known.roster?.leaves.values() ?? [])].filter(({ account }) => account === ada.self.account);
    expect(answers({ barred: barred.map(({ leafIndex }) => leafIndex) })).toBe(false);
    // The author with another device; and where nobody knows the author, who does not manage the group.
    const { roster } = known;
    const ben = honest[1];
    const by = mallory.self.accountId;
    const own = [...(roster?.leaves.values() ?? [])].find(({ account }) => account === mallory.self.account);
    if (roster === undefined || ben === undefined || own === undefined) throw new Error("members");
    const second = { ...own, leafIndex: toLeafIndex(9), deviceId: new Uint8Array(16).fill(9) };
    const withSecond = { roster: { ...roster, leaves: new Map([...roster.leaves, [second.leafIndex, second]]) } };
    expect(answers(withSecond, { accountId: by, deviceId: second.deviceId })).toBe(false);
    expect(answers({}, ben.self)).toBe(true);
    expect(answers({ barred: [second.leafIndex], ...withSecond }, { accountId: by, deviceId: own.deviceId })).toBe(false);
    const byNobody = { stranded: { ...behind.stranded, author: undefined } };
    expect(answers(byNobody)).toBe(true);
    for (const { self } of [ben, mallory]) expect(answers(byNobody, self)).toBe(false);
    // The head is the same as its own.
    expect(answersComplaint(behind, here, ada.self, new Uint8Array(32))).toBe(false);
    expect(answersComplaint(behind, here, ada.self, undefined)).toBe(false);
    // Behind the commit that it cannot follow: neither beside it nor beyond what was read.
    expect(answers({ stranded: { ...stranded, behind: [stranded.seq] } })).toBe(false);
    const later: ConversationState = { ...joined, chain: { seq: known.chain.seq + 1, head } };
    expect(answersComplaint(behind, later, ada.self, head)).toBe(false);
    const earlier: ConversationState = { ...joined, chain: { seq: known.stranded?.seq ?? 0, head: known.chain.head } };
    expect(answersComplaint(known, earlier, ada.self, head)).toBe(false);
    expect(honest).toHaveLength(3);
  });
});
