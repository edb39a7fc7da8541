import { describe, expect, it } from "vitest";
import { addInvitation, carryOver, judgeRejoin, maxInvitations, readdition } from "./rejoin.ts";
import { SimWorld } from "./sim.testing.ts";
import { lineId } from "./turn.ts";
import type { ConversationState, Effect, Invitation, Roster } from "./types.ts";

const account = (value: number): Uint8Array => new Uint8Array(32).fill(value);
const [self, ben, zed] = [account(1), account(2), account(3)];

/** A conversation that ended for this device after entry 10, and a Welcome into it after entry 12. */
async function ended(): Promise<{ known: ConversationState; joined: ConversationState }> {
  const world = await SimWorld.create("rejoin", ["ada"]);
  const [ada] = world.devices;
  if (ada === undefined) throw new Error("a device");
  await ada.found([]);
  if (ada.state === undefined) throw new Error("a conversation");
  const joined: ConversationState = { ...ada.state, chain: { seq: 12, head: account(12) } };
  const known: ConversationState = {
    ...ada.state,
    phase: { kind: "removed" },
    chain: { seq: 10, head: account(10) },
    roster: undefined,
    group: undefined,
    formerMembers: [self, ben, ada.self.accountId],
    lastOrder: 400,
  };
  return { known, joined };
}

const by = (sender: Uint8Array, answersComplaint = false): Parameters<typeof judgeRejoin>[2] => ({ self, sender, answersComplaint });

describe("a Welcome into a conversation that is known", () => {
  it("[M-9] is ignored while this device is in it, whoever signed it", async () => {
    const { known, joined } = await ended();
    expect(judgeRejoin({ ...known, phase: { kind: "continued", by: "next" } }, joined, by(ben)).kind).toBe("ignore");
    for (const kind of ["creating", "active", "leaving"] as const) {
      for (const sender of [self, ben, zed]) {
        const inIt: ConversationState = { ...known, phase: { kind }, chain: joined.chain };
        expect(judgeRejoin(inIt, joined, by(sender))).toEqual({ kind: "ignore", reason: "still_in" });
        expect(judgeRejoin(inIt, { ...joined, chain: known.chain }, by(sender))).toEqual({ kind: "ignore", reason: "still_in" });
      }
    }
  });

  it("[E-10] is looked at again where the log was not read so far: the commit that takes the device out may stand there", async () => {
    const { known, joined } = await ended();
    for (const kind of ["creating", "active", "leaving"] as const) {
      const inIt: ConversationState = { ...known, phase: { kind } };
      for (const sender of [self, ben, zed]) expect(judgeRejoin(inIt, joined, by(sender))).toEqual({ kind: "wait" });
      expect(judgeRejoin(inIt, joined, by(ben, true))).toEqual({ kind: "wait" });
      // Of no use at any time.
      expect(judgeRejoin(inIt, { ...joined, groupId: account(9) }, by(ben)).kind).toBe("ignore");
    }
  });

  it("[M-9] waits for the person when the device is out of it, paused, removed or left, and says whether who asks was in it", async () => {
    const { known, joined } = await ended();
    const phases = [{ kind: "removed" }, { kind: "left" }, { kind: "paused", reason: "unreadable_commit" }] as const;
    for (const phase of phases) {
      expect(judgeRejoin({ ...known, phase }, joined, by(ben))).toEqual({ kind: "ask", wasMember: true, missing: [self, ben] });
      expect(judgeRejoin({ ...known, phase }, joined, by(zed))).toEqual({ kind: "ask", wasMember: false, missing: [self, ben] });
    }
  });

  it("[M-9] into another group, on another host, of another kind or not later in the log, is ignored", async () => {
    const { known, joined } = await ended();
    const otherGroup = { kind: "ignore", reason: "other_group" };
    expect(judgeRejoin(known, { ...joined, groupId: account(9) }, by(ben))).toEqual(otherGroup);
    expect(judgeRejoin(known, { ...joined, host: "elsewhere.example" }, by(ben))).toEqual(otherGroup);
    expect(judgeRejoin(known, { ...joined, kind: "direct", peer: ben }, by(ben))).toEqual(otherGroup);
    for (const seq of [0, 9, 10]) {
      const older = { ...joined, chain: { seq, head: account(seq) } };
      expect(judgeRejoin(known, older, by(ben))).toEqual({ kind: "ignore", reason: "older" });
    }
  });

  it("[M-9] never changes the other person of a direct conversation", async () => {
    const { known, joined } = await ended();
    const direct: ConversationState = { ...known, kind: "direct", peer: ben, phase: { kind: "paused", reason: "unreadable_commit" } };
    expect(judgeRejoin(direct, { ...joined, kind: "direct", peer: zed }, by(zed))).toEqual({ kind: "ignore", reason: "other_people" });
    expect(judgeRejoin(direct, { ...joined, kind: "direct", peer: ben }, by(ben))).toMatchObject({ kind: "ask", wasMember: true });
  });

  it("[M-9] is taken where it is proven or one's own: the commit that removed the device added it again, or its own account asks", async () => {
    const { known, joined } = await ended();
    const readded: ConversationState = { ...known, readdedBy: ben };
    expect(judgeRejoin(readded, { ...joined, chain: known.chain }, by(ben))).toEqual({ kind: "take" });
    // Of the same epoch anybody who was in it can make a Welcome, into an epoch of their own.
    expect(judgeRejoin(readded, { ...joined, chain: known.chain }, by(zed)).kind).toBe("ignore");
    expect(judgeRejoin(readded, { ...joined, chain: { ...known.chain, head: account(7) } }, by(ben)).kind).toBe("ignore");
    expect(judgeRejoin(known, joined, by(self))).toEqual({ kind: "take" });
    expect(judgeRejoin({ ...known, phase: { kind: "paused", reason: "foreign_head" } }, joined, by(self)).kind).toBe("ask");
    const stranded: ConversationState = { ...known, phase: { kind: "active" }, chain: joined.chain, roster: joined.roster };
    expect(judgeRejoin(stranded, joined, by(ben, true))).toEqual({ kind: "take" });
  });

  it("[E-24] into a group that is not as it was known, the person is asked: somebody new, other roles, rights, name or past", async () => {
    const { known, joined } = await ended();
    const { roster } = joined;
    if (roster === undefined) throw new Error("a roster");
    const stranded: ConversationState = { ...known, phase: { kind: "active" }, chain: joined.chain, roster };
    const readded: ConversationState = { ...known, readdedBy: ben };
    const judged = (other: Partial<Roster["settings"]>, accounts = roster.accounts): string[] => {
      const elsewhere = { ...joined, roster: { ...roster, accounts, settings: { ...roster.settings, ...other } } };
      return [
        judgeRejoin(stranded, elsewhere, by(ben, true)).kind,
        judgeRejoin(readded, { ...elsewhere, chain: known.chain }, by(ben)).kind,
      ];
    };
    expect(judged({})).toEqual(["take", "take"]);
    const others: Partial<Roster["settings"]>[] = [
      { roles: [{ accountId: ben, role: 3 }] },
      { roles: [] },
      { roles: [...roster.settings.roles, { accountId: ben, role: 2 }] },
      { rights: { ...roster.settings.rights, add: "owner" } },
      { timerS: 3600 },
      { description: "Another" },
      { name: "Another" },
      { continues: account(7) },
      { directory: account(7) },
    ];
    for (const other of others) expect(judged(other), JSON.stringify(other)).toEqual(["ask", "ask"]);
    expect(judged({}, new Map([...roster.accounts, ["zed", []]]))).toEqual(["ask", "ask"]);
  });

  /** A conversation that a Welcome of Zed's made, and of whose group its log has said nothing. */
  const unconfirmed = (state: ConversationState): ConversationState => ({
    ...state,
    groupId: account(8),
    base: { accountId: zed, isTold: false },
    joinedSeq: state.chain.seq,
    continuity: [account(7)],
  });

  it("[E-29] where the log never confirmed the group that is known, one into another group waits for the person, whatever became of it", async () => {
    const { known, joined } = await ended();
    const phases = [
      { kind: "active" },
      { kind: "leaving" },
      { kind: "left" },
      { kind: "continued", by: "next" },
      { kind: "superseded", by: "next" },
    ] as const;
    for (const phase of phases) {
      const made = { ...unconfirmed(known), phase };
      const ask = { kind: "ask", wasMember: false, missing: [self, ben] };
      expect(judgeRejoin(made, joined, by(ben))).toEqual(ask);
      expect(judgeRejoin({ ...made, chain: { seq: 2 ** 39, head: account(4) }, joinedSeq: 2 ** 39 }, joined, by(ben))).toEqual(ask);
      expect(judgeRejoin({ ...made, kind: "direct", peer: zed }, joined, by(ben))).toEqual(ask);
      expect(judgeRejoin({ ...made, groupId: joined.groupId, phase: { kind: "active" } }, joined, by(zed)).kind).not.toBe("ask");
    }
  });

  it("[E-29] [M-9] it is bound once its two heads were the same, an entry was read, an epoch followed, and where it is one's own account's word", async () => {
    const { known, joined } = await ended();
    const made: ConversationState = { ...unconfirmed(known), phase: { kind: "active" } };
    const bound: Partial<ConversationState>[] = [
      { base: undefined },
      { joinedSeq: made.chain.seq - 1 },
      { continuity: [account(6), account(7)] },
      { base: { accountId: self, isTold: true } },
      { kind: "devices" },
      { host: "elsewhere.example" },
    ];
    const otherGroup = { kind: "ignore", reason: "other_group" };
    for (const parts of bound) expect(judgeRejoin({ ...made, ...parts }, joined, by(ben)), JSON.stringify(parts)).toEqual(otherGroup);
    expect(judgeRejoin(made, { ...joined, kind: "devices" }, by(ben))).toEqual(otherGroup);
  });

  it("[E-29] of the other group the lines stay and what was typed, which waits for the person; nothing else of it goes on", async () => {
    const { known, joined } = await ended();
    const text = { id: "m", order: 2 ** 52, purpose: "text", text: "so", composedAtMs: 1, content: account(0), rosterAdds: 0 } as const;
    const waiting = { ...text, failure: undefined, undoUntilMs: 0, uploads: [], sealed: undefined, sentIn: 0, accepted: undefined };
    const offers = [{ id: "there", accountId: zed, missing: [] }];
    const made: ConversationState = {
      ...unconfirmed(known),
      phase: { kind: "leaving" },
      continuesId: "old",
      offers,
      draft: "to zed",
      outgoing: [waiting, { ...waiting, id: "name", purpose: "profile" }],
    };
    const base = { accountId: ben, isTold: false };
    const { state } = carryOver(made, { state: { ...joined, base }, effects: [] }, ben);
    const { group, roster, groupId, kind, chain } = joined;
    expect(state).toMatchObject({ groupId, kind, chain, base, phase: joined.phase, draft: "to zed" });
    expect([state.group, state.roster]).toEqual([group, roster]);
    expect(state.outgoing).toEqual([{ ...waiting, failure: "not_a_member" }]);
    expect([state.continuesId, state.offers, state.continuity]).toEqual([undefined, [], joined.continuity]);
    expect(state.lastOrder).toBeGreaterThanOrEqual(made.lastOrder);
  });

  it("[E-29] asked into the same made-up group again, it is as little confirmed as before", async () => {
    const { known, joined } = await ended();
    const made: ConversationState = { ...unconfirmed(known), phase: { kind: "left" } };
    const again = { ...joined, groupId: made.groupId, base: made.base, joinedSeq: joined.chain.seq };
    const { state } = carryOver(made, { state: again, effects: [] }, zed);
    expect(judgeRejoin(state, { ...joined, chain: { seq: 30, head: account(5) } }, by(ben)).kind).toBe("ask");
  });

  it("[M-9] one that only a history of another device tells of is bound by the first", async () => {
    const { known, joined } = await ended();
    expect(judgeRejoin({ ...known, groupId: new Uint8Array(0) }, joined, by(self))).toEqual({ kind: "take" });
  });

  it("[E-10] invitations that wait are few: the newest of each sender, of who managed the group before other members, then the newest", async () => {
    const { known } = await ended();
    const owner = known.opening.settings.roles[0]?.accountId;
    if (owner === undefined) throw new Error("an owner");
    const from = (accountId: Uint8Array, wasMember: boolean, atMs: number): Invitation => ({
      itemId: new Uint8Array(16).fill(atMs),
      host: "chat.example",
      accountId,
      deviceId: new Uint8Array(16),
      wasMember,
      missing: [],
      atMs,
      notAfterMs: 1e12,
    });
    let invitations: readonly Invitation[] = [];
    const asks = (...asking: Parameters<typeof from>): void => {
      invitations = addInvitation({ ...known, invitations }, from(...asking));
    };
    for (let stranger = 10; stranger < 30; stranger++) asks(account(stranger), false, stranger);
    expect(invitations.map(({ atMs }) => atMs)).toEqual([29, 28, 27, 26]);
    asks(ben, true, 40);
    asks(ben, true, 41);
    expect(invitations.map(({ atMs }) => atMs)).toEqual([41, 29, 28, 27]);
    for (let member = 50; member < 60; member++) asks(account(member), true, member);
    asks(owner, true, 45);
    expect(invitations.map(({ atMs }) => atMs)).toEqual([45, 59, 58, 57]);
    for (let member = 60; member < 70; member++) asks(account(member), true, member);
    expect(invitations.map(({ atMs }) => atMs)).toEqual([45, 69, 68, 67]);
    expect(invitations).toHaveLength(maxInvitations);
  });

  it("[M-9] who is a member already is added again only by intent, removed in the same commit; a dead device goes without it", async () => {
    const world = await SimWorld.create("again", ["ada", "ben"]);
    const [ada, other] = world.devices;
    if (ada === undefined || other === undefined) throw new Error("two devices");
    await ada.found([other]);
    await world.settle();
    const { state } = ada;
    if (state === undefined) throw new Error("a conversation");
    const added = { id: "x", adds: [await other.joiner()], removes: [], removeDevices: [], proofs: new Uint8Array(0), update: false };
    const { accountId, deviceId } = other.self;
    const both = { ...added, removeDevices: [{ accountId, deviceId }] };
    expect(readdition({ state, added, again: false, departed: () => false })).toBeUndefined();
    expect(readdition({ state, added, again: true, departed: () => false })).toEqual(both);
    expect(readdition({ state, added, again: false, departed: () => true })).toEqual(both);
    const stranger = { ...added, adds: [{ ...(await other.joiner()), accountId: zed }] };
    expect(readdition({ state, added: stranger, again: false, departed: () => false })).toEqual(stranger);

    await ada.input({ kind: "change", change: both });
    for (let round = 0; round < 10; round++) {
      ada.serve();
      ada.stream();
      await ada.receive();
      other.stream();
      await other.receive();
    }
    // The commit took the device out, and says itself that it comes back: no line tells of it.
    expect(other.state).toMatchObject({ phase: { kind: "removed" }, readdedBy: ada.self.accountId });
    expect([...other.lines.values()].filter(({ body }) => body.kind === "removed")).toEqual([]);
    await world.settle();
    await ada.say("again");
    await world.settle();
    expect([...other.texts().values()]).toEqual(["again"]);
  });

  it("[M-9] nothing takes the place of a line: what a Welcome tells comes after everything that stands there", async () => {
    const { known, joined } = await ended();
    const line = { id: "e192", order: 192, author: ben, sentAtMs: 1, body: { kind: "added", accounts: [self] }, acceptedAtMs: 0 } as const;
    const effects: Effect[] = [{ kind: "line", line }];
    const after = carryOver({ ...known, draft: "so", unread: 2, readThrough: 3 }, { state: joined, effects }, ben);
    expect(after.effects).toEqual([{ kind: "line", line: { ...line, order: 401, id: lineId(joined.id, 401) } }]);
    expect(after.state).toMatchObject({ lastOrder: 401, draft: "so", unread: 2, readThrough: 3, phase: joined.phase, chain: joined.chain });
  });
});
