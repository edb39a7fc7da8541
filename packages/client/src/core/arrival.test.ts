import { decode, toHex } from "@latchkey/codec";
import { memberAt, ownLeafIndex } from "@latchkey/mls";
import { complaintCodec, complaintReasons } from "@latchkey/protocol";
import type { Complaint } from "@latchkey/protocol";
import { signedCodec } from "@latchkey/transparency";
import { describe, expect, it } from "vitest";
import { openEnvelope } from "../group/envelope.ts";
import { arrivalOf, leadsElsewhere } from "./arrival.ts";
import { asksToAnswer } from "./answering.ts";
import { HostileMember } from "./hostile.testing.ts";
import type { SimDevice } from "./sim.testing.ts";
import { commitOf, everybodyTalks, groupOf, kinds, letIn, readOn, verdicts } from "./stranded.testing.ts";
import type { Group } from "./stranded.testing.ts";
import type { ConversationState, Invitation } from "./types.ts";

const hourMs = 3_600_000;

function people({ honest }: Group): [SimDevice, SimDevice, SimDevice] {
  const [ada, ben, cyd] = honest;
  if (ada === undefined || ben === undefined || cyd === undefined) throw new Error("three");
  return [ada, ben, cyd];
}

function stateOf({ state }: SimDevice): ConversationState {
  if (state === undefined) throw new Error("a conversation");
  return state;
}

/** What stands in the log about commits, in its order, as `reader` opens it with the keys of the closed epochs that it keeps. */
function complaintsIn({ world }: Group, reader: SimDevice): readonly Complaint[] {
  const { logId, closedEpochs } = stateOf(reader);
  return world.log.entries.flatMap(({ entryKind, epochId, nextAccessHash, blob }) => {
    const key = closedEpochs.find((closed) => closed.epochId === epochId)?.envelope;
    if (entryKind !== "complaint" || key === undefined) return [];
    const opened = openEnvelope({ key, logId, epochId, kind: "complaint", nextAccessHash, blob });
    return opened.kind === "inline" ? [decode(complaintCodec, decode(signedCodec, opened.body.complaint.slice()).body)] : [];
  });
}

/** The complaints in the epoch that the hostile member is in, as they are signed. */
function signedIn({ world, hostile }: Group): readonly Uint8Array[] {
  const { epoch, logId } = hostile.state;
  if (epoch === undefined) throw new Error("an epoch");
  return world.log.entries.flatMap(({ entryKind, epochId, nextAccessHash, blob }) => {
    if (entryKind !== "complaint" || epochId !== epoch.epochId) return [];
    const opened = openEnvelope({ key: epoch.envelope, logId, epochId, kind: "complaint", nextAccessHash, blob });
    return opened.kind === "inline" ? [opened.body.complaint.slice()] : [];
  });
}

function invitationOf({ self }: SimDevice): Invitation {
  const { host, accountId, deviceId } = self;
  return { itemId: new Uint8Array(16).fill(1), host, accountId, deviceId, wasMember: true, missing: [], atMs: 1, notAfterMs: 1e12 };
}

describe("[G-5] whoever was let in behind a commit says where it arrived", () => {
  it("once, in the epoch that the commit ended; those who are there count it as stuck no more, and answer nothing", async () => {
    const group = await groupOf("arrived", 3);
    const { world, honest, hostile } = group;
    const [ada, ben, cyd] = people(group);
    const seq = hostile.post(await commitOf(group, { cheats: [cyd] }));
    await world.settle(honest);
    const said = complaintsIn(group, ada);
    const { arrival } = stateOf(cyd);
    expect(said.map(({ reason, at }) => [reason, at])).toEqual([
      [complaintReasons.pathSecret, 0],
      [complaintReasons.arrived, arrival?.at],
    ]);
    expect(arrival).toMatchObject({ seq, isWritten: true });
    for (const device of honest) {
      const closed = stateOf(device).closedEpochs.find(({ child }) => child === seq);
      expect(closed?.stuck).toEqual([]);
      expect(asksToAnswer(stateOf(device))).toEqual([]);
    }
    const epochs = [ada, ben, cyd].map((device) => stateOf(device).epoch?.epochId);
    expect(new Set(epochs)).toEqual(new Set([arrival?.at]));
    await everybodyTalks(group);
  });

  it("[G-6] it counts against the commit no more: two liars do not make it void for one who still waits", async () => {
    const group = await groupOf("one of two is back", 6);
    const { world, hostile, honest } = group;
    const [ada, , , , eve, fay] = honest;
    if (ada === undefined || eve === undefined || fay === undefined) throw new Error("six");
    const created = await commitOf(group, { cheats: [eve, fay] });
    const seq = hostile.post(created);
    await world.settle([ada, eve]);
    expect(stateOf(eve).arrival?.isWritten).toBe(true);
    await readOn(fay);
    expect(stateOf(fay).stranded).toBeDefined();
    // The others are Mallory's friends: with Fay's and Eve's they would be the complaints of all but Ada.
    const liars = honest.slice(1, 4).map((device) => new HostileMember(world, device));
    for (const member of [...liars, hostile]) {
      const key = memberAt(created.next, ownLeafIndex(member.state.group))?.leafNode.encryptionKey;
      if (key === undefined) throw new Error("a leaf");
      await member.complain(seq, key);
    }
    // And what Eve had said before is shown once more.
    const again = world.log.entries.find(({ entryKind }) => entryKind === "complaint");
    if (again === undefined) throw new Error("a complaint");
    hostile.repeat(again.blob);
    await world.settle([ada, eve, fay]);
    expect(stateOf(fay).arrival?.seq).toBe(seq);
    await everybodyTalks({ ...group, honest: [ada, eve, fay] });
  });

  it("[E-26] let in behind a commit that was void before it said so, it stops and says so, like whoever let it in", async () => {
    const group = await groupOf("too late", 3);
    const { world, hostile } = group;
    const [ada, ben, cyd] = people(group);
    const created = await commitOf(group, { cheats: [cyd] });
    const seq = hostile.post(created);
    for (const device of [cyd, ada]) await readOn(device);
    await world.settle([ada]);
    await readOn(cyd);
    expect(await cyd.join()).toBe(true);
    expect(stateOf(cyd).arrival).toMatchObject({ seq, isWritten: false });
    // The server takes in nothing of Cyd's before the two say what they say.
    for (const member of [new HostileMember(world, ben), hostile]) {
      const key = memberAt(created.next, ownLeafIndex(member.state.group))?.leafNode.encryptionKey;
      if (key === undefined) throw new Error("a leaf");
      await member.complain(seq, key);
    }
    await world.settle([ada, cyd]);
    for (const device of [ada, cyd]) {
      expect(stateOf(device).phase).toEqual({ kind: "paused", reason: "left_behind" });
      expect(kinds(device, "alarm")).toBe(1);
    }
  });
});

describe("[E-31] let in at two places (G-5)", () => {
  /** Ben, in league with Mallory, lets Cyd in beside the way of the group; Ada, who lets it in there, comes later. */
  async function between(
    seed: string,
  ): Promise<Group & { readonly ada: SimDevice; readonly ben: SimDevice; readonly cyd: SimDevice; readonly before: ConversationState }> {
    const group = await groupOf(seed, 3);
    const { hostile, world } = group;
    const [ada, ben, cyd] = people(group);
    hostile.post(await commitOf(group, { cheats: [cyd] }));
    for (const device of [cyd, ada, ben]) await readOn(device);
    const [ask] = stateOf(ada).asks;
    if (ask === undefined) throw new Error("a complaint");
    await world.settle([ada]);
    const answer = cyd.inbox.splice(0);
    expect(answer).toHaveLength(1);
    const before = stateOf(cyd);
    await letIn(group, ben, cyd, ask.signed, []);
    await world.settle([cyd]);
    expect(stateOf(cyd).arrival?.by).toEqual(ben.self.accountId);
    expect(stateOf(cyd).epoch?.epochId).not.toBe(stateOf(ada).epoch?.epochId);
    return { ...group, ada, ben, cyd, before };
  }

  it("by a friend of its author beside the way of the others: these hear that it arrived elsewhere, and let it in once more; the person is asked", async () => {
    const group = await between("beside the way");
    const { world, ada, cyd } = group;
    await world.settle([ada]);
    await cyd.input({ kind: "invited", invitation: invitationOf(ada) });
    await cyd.say("to whom?");
    await world.settle([cyd]);
    expect(verdicts(cyd)).toEqual(["asks"]);
    // Nothing is sent before the person has chosen.
    expect(stateOf(cyd).outgoing).toHaveLength(1);
    expect(stateOf(cyd).outgoing[0]?.sealed).toBeUndefined();
  });

  it("whom the person goes with has it, and the others know", async () => {
    const group = await between("chosen");
    const { world, ada, cyd } = group;
    cyd.agrees = true;
    await world.settle([ada, cyd]);
    expect(stateOf(cyd).epoch?.epochId).toBe(stateOf(ada).epoch?.epochId);
    expect(stateOf(cyd).arrival).toMatchObject({ by: ada.self.accountId, isWritten: true, declined: [group.ben.self.accountId] });
    await everybodyTalks({ ...group, honest: [ada, cyd] });
  });

  it("whom the person does not go with is not asked about again, and what waits is sent", async () => {
    const group = await between("turned away");
    const { world, ada, cyd } = group;
    const invitation = invitationOf(ada);
    await cyd.input({ kind: "invited", invitation });
    await cyd.say("here");
    await cyd.input({ kind: "uninvited", itemId: invitation.itemId });
    await world.settle([ada, cyd]);
    expect(verdicts(cyd)).toEqual(["still_in"]);
    expect([...cyd.texts().values()]).toContain("here");
  });

  it("an invitation elsewhere is one by a member who could have answered, for a commit behind the one that it cannot follow", async () => {
    const { ada, ben, cyd, mallory, world, before } = await between("where");
    await world.settle([ada]);
    await readOn(cyd);
    const known = stateOf(cyd);
    const { arrival, roster } = known;
    if (arrival === undefined || roster === undefined) throw new Error("it arrived");
    const { head } = known.chain;
    const place = arrival.behind.find((seq) => seq !== arrival.at && seq !== arrival.seq);
    if (place === undefined) throw new Error("another place");
    const joined: ConversationState = { ...stateOf(ada), chain: { seq: place, head } };
    const leads = (other: Partial<ConversationState>, sender = ada.self, at = joined): boolean =>
      leadsElsewhere({ ...known, ...other }, at, sender, { ownHead: head, nowMs: arrival.sinceMs });
    expect(leads({})).toBe(true);
    expect(leads({ arrival: undefined })).toBe(false);
    for (const { self } of [ben, mallory]) expect(leads({}, self)).toBe(false);
    expect(leads({}, { ...ada.self, accountId: new Uint8Array(32) })).toBe(false);
    expect(leads({ arrival: { ...arrival, declined: [ada.self.accountId] } })).toBe(false);
    expect(leads({ arrival: { ...arrival, behind: [arrival.seq, arrival.at] } })).toBe(false);
    const [leaf] = roster.accounts.get(ada.self.account) ?? [];
    if (leaf === undefined) throw new Error("a leaf");
    const heard = { number: 1, mark: new Uint8Array(32), first: 1, absent: [], unread: 0, toldAtMs: 0 };
    expect(leads({ spoken: new Map([[leaf.leafIndex, heard]]) })).toBe(false);
    // Whoever let it in there may have left ada out.
    const without = new Map([...roster.accounts].filter(([account]) => account !== ada.self.account));
    const leaves = new Map([...roster.leaves].filter(([, { account }]) => account !== ada.self.account));
    expect(leads({ roster: { ...roster, accounts: without, leaves } })).toBe(true);
    // Where nobody knows whose commit it is, only by who manages the group.
    const { stranded, ...epoch } = before;
    if (stranded === undefined) throw new Error("it was stranded");
    const byNobody = arrivalOf({ ...epoch, stranded: { ...stranded, author: undefined } }, known, mallory.self.accountId);
    expect(byNobody?.arrival?.answerers).toEqual([ada.self.accountId]);
    expect(arrival.answerers.map(toHex).toSorted()).toEqual([ada, ben, cyd].map(({ self }) => toHex(self.accountId)).toSorted());
    // On its own way, before the commit, and under another head.
    for (const seq of [arrival.at, arrival.seq - 1]) expect(leads({}, ada.self, { ...joined, chain: { seq, head } })).toBe(false);
    const nowMs = arrival.sinceMs;
    expect(leadsElsewhere(known, joined, ada.self, { ownHead: undefined, nowMs })).toBe(false);
    expect(leadsElsewhere(known, joined, ada.self, { ownHead: head, nowMs: nowMs + 7 * 86_400_000 })).toBe(false);
    const onAnother = { ...joined, chain: { seq: place, head: new Uint8Array(32) } };
    expect(leadsElsewhere(known, onAnother, ada.self, { ownHead: head, nowMs })).toBe(false);
  });
});

describe("[G-5] let in long after the change that it could not follow", () => {
  it("more than a day later it goes on like anybody: its word is written, and nothing stalls", async () => {
    const group = await groupOf("late", 3);
    const { world, hostile } = group;
    const [ada, ben, cyd] = people(group);
    hostile.post(await commitOf(group, { cheats: [cyd] }));
    await cyd.connect();
    await readOn(cyd);
    cyd.agrees = true;
    cyd.jump(25 * hourMs);
    await cyd.input({ kind: "timer", name: "give_up" });
    expect(stateOf(cyd).phase.kind).toBe("paused");
    await world.settle([ada, ben]);
    await world.settle([ada, ben, cyd]);
    expect(stateOf(cyd)).toMatchObject({ phase: { kind: "active" }, arrival: { isWritten: true }, link: { stall: undefined } });
    expect(complaintsIn(group, ada).map(({ reason }) => reason)).toContain(complaintReasons.arrived);
    expect(cyd.alarms.splice(0)).toHaveLength(1);
    await everybodyTalks(group);
  });

  it("where the server does not take its word, it does without it", async () => {
    const group = await groupOf("not taken", 3);
    const { world, hostile } = group;
    const [ada, ben, cyd] = people(group);
    hostile.post(await commitOf(group, { cheats: [cyd] }));
    const append = world.log.append.bind(world.log);
    let words = 0;
    world.log.append = (reader, entry) => {
      if (entry.entryKind !== "complaint" || stateOf(cyd).arrival === undefined) return append(reader, entry);
      words += 1;
      return { kind: "error", code: "wrong_access_key", retryAfterMs: 0, message: "" };
    };
    await world.settle([ada, ben, cyd]);
    expect(words).toBe(1);
    expect(stateOf(cyd)).toMatchObject({ arrival: { isWritten: true }, link: { stall: undefined } });
    await everybodyTalks(group);
  });

  it("weeks later nobody makes it ask its person about another place", async () => {
    const group = await groupOf("much later", 3);
    const { world, hostile } = group;
    const [ada, ben, cyd] = people(group);
    hostile.post(await commitOf(group, { cheats: [cyd] }));
    await ben.connect();
    await readOn(ben);
    const then = { self: ben.self, state: stateOf(ben), evidence: new Map() } as unknown as SimDevice;
    await world.settle([ada, ben, cyd]);
    const [ask] = signedIn(group);
    if (ask === undefined) throw new Error("it complained");
    for (const device of [ada, ben, cyd]) device.jump(30 * 24 * hourMs);
    await letIn(group, then, cyd, ask, []);
    await world.settle([ada, ben, cyd]);
    expect(verdicts(cyd)).not.toContain("asks");
  });
});

describe("[E-24] let in where an honest member is missing, by a friend of the change's author", () => {
  it("the person is asked, and where everybody is it goes unasked", async () => {
    const group = await groupOf("without ada", 3);
    const { hostile, world } = group;
    const [ada, ben, cyd] = people(group);
    hostile.post(await commitOf(group, { cheats: [cyd] }));
    for (const device of [cyd, ada, ben]) await readOn(device);
    const [ask] = stateOf(ada).asks;
    if (ask === undefined) throw new Error("a complaint");
    await world.settle([ada]);
    const late = cyd.inbox.splice(0);
    await letIn(group, ben, cyd, ask.signed, [], [ada]);
    await readOn(cyd);
    await cyd.join();
    expect(verdicts(cyd)).toEqual(["asks"]);
    expect(stateOf(cyd).stranded).toBeDefined();
    cyd.inbox.push(...late);
    await world.settle([ada, cyd]);
    expect(verdicts(cyd)).toEqual(["asks"]);
    await everybodyTalks({ ...group, honest: [ada, cyd] });
  });

  it("[G-5] agreed to all the same, it hears of the place where the others are, though they are not in the group that it sees", async () => {
    const group = await groupOf("agreed", 3);
    const { hostile, world } = group;
    const [ada, ben, cyd] = people(group);
    hostile.post(await commitOf(group, { cheats: [cyd] }));
    for (const device of [cyd, ada, ben]) await readOn(device);
    const [ask] = stateOf(ada).asks;
    if (ask === undefined) throw new Error("a complaint");
    await world.settle([ada]);
    const late = cyd.inbox.splice(0);
    cyd.agrees = true;
    await letIn(group, ben, cyd, ask.signed, [], [ada]);
    await world.settle([cyd]);
    expect(stateOf(cyd).roster?.accounts.has(ada.self.account)).toBe(false);
    cyd.agrees = false;
    cyd.inbox.push(...late);
    await world.settle([ada, cyd]);
    expect(verdicts(cyd)).toContain("asks");
  });
});
