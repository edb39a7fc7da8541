import { toBase64Url } from "@latchkey/codec";
import { toLeafIndex } from "@latchkey/mls";
import { conversationKinds, logHashOf, settingsHashOf } from "@latchkey/protocol";
import type { GroupSettings, LatchkeyGroup, LeafIdentity, RoleEntry, SettingsOpening } from "@latchkey/protocol";
import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, it } from "vitest";
import { isPermitted } from "./permitted.ts";
import type { ProposedChange, Proven } from "./proposed.ts";
import { roles } from "./rights.ts";
import { opens, settingsOf } from "./roster.ts";
import { foundingSettings } from "./settings.ts";
import type { Roster, RosterLeaf } from "./types.ts";

const host = "chat.example";
const nothing = new Uint8Array(0);
const idOf = (name: string): Uint8Array => sha256(new TextEncoder().encode(name));
const noReason: Proven = { leaving: new Set(), deleted: new Set(), departed: [], complainers: [], standing: [] };
const names = ["owner", "first", "second", "member", "other"] as const;
type Name = (typeof names)[number];

function leafOf(name: Name, at: number): RosterLeaf {
  const accountId = idOf(name);
  return {
    leafIndex: toLeafIndex(at),
    host,
    accountId,
    deviceId: idOf(`device of ${name}`).slice(0, 16),
    signaturePublicKey: idOf(`key of ${name}`),
    account: toBase64Url(accountId),
  };
}

const leaves = new Map(names.map((name, at) => [name, leafOf(name, at)]));
const leaf = (name: Name): RosterLeaf => leaves.get(name) ?? leafOf(name, 0);
/** A device that is in no leaf yet. */
const device = (account: string): LeafIdentity => ({
  format: 1,
  host,
  accountId: idOf(account),
  deviceId: idOf(`another of ${account}`).slice(0, 16),
});

/** Of a group that was founded by more than twenty: administrators lead it. */
const settingsBefore: GroupSettings = {
  ...foundingSettings({ name: "Choir", accounts: 21, directory: idOf("directory") }),
  roles: [
    { accountId: idOf("owner"), role: roles.owner },
    { accountId: idOf("first"), role: roles.administrator },
    { accountId: idOf("second"), role: roles.administrator },
  ],
};

function rosterOf(
  present: readonly Name[],
  kind: number = conversationKinds.group,
  rights: Partial<GroupSettings["rights"]> = {},
  given: readonly RoleEntry[] = settingsBefore.roles,
): Roster {
  const settings = { ...settingsBefore, rights: { ...settingsBefore.rights, ...rights }, roles: given };
  return {
    leaves: new Map(present.map((name) => [leaf(name).leafIndex, leaf(name)])),
    accounts: new Map(present.map((name) => [leaf(name).account, [leaf(name)]])),
    settings: settingsOf({ host, conversationKind: kind }, { salt: idOf("salt"), settings }),
    own: undefined,
  };
}

/** The same group, which keeps these out. */
function keeping(roster: Roster, out: readonly string[]): Roster {
  return { ...roster, settings: { ...roster.settings, keptOut: out.map(idOf) } };
}

const may = (roster: Roster, author: Name, change: Partial<Omit<ProposedChange, "author">>, why = noReason): boolean =>
  isPermitted(roster, why, { author: leaf(author), adds: [], removes: [], settings: undefined, ...change });
const removes = (roster: Roster, author: Name, name: Name): boolean => may(roster, author, { removes: [leaf(name)] });
const adds = (roster: Roster, author: Name, account: string): boolean => may(roster, author, { adds: [device(account)] });

describe("[M-2] who may change a group", () => {
  it("[C32] whoever adds a device by which somebody would manage over them proves that it is theirs", () => {
    const orphaned = rosterOf(["member", "other"]);
    const proven = (name: Name): typeof noReason => ({ ...noReason, standing: [leaf(name)] });
    const adding = (roster: Roster, author: Name, name: Name, why = noReason): boolean =>
      may(roster, author, { adds: [{ ...device(name), deviceId: leaf(name).deviceId }] }, why);
    for (const name of ["owner", "first"] as const) {
      expect(adding(orphaned, "member", name)).toBe(false);
      expect(adding(orphaned, "member", name, proven(name))).toBe(true);
      expect(adding(orphaned, "member", name, proven("second"))).toBe(false);
      // Whoever founds a group is alone in it.
      expect(adding(rosterOf(["member"]), "member", name)).toBe(true);
    }
    expect(adding(rosterOf(["owner", "first"]), "first", "owner")).toBe(false);
    expect(adding(rosterOf(["owner", "first"]), "first", "second")).toBe(true);
    expect(adding(rosterOf(["owner", "first"]), "owner", "first")).toBe(true);
  });

  it("only an owner removes an owner; administrators remove each other and members; members nobody", () => {
    const group = rosterOf(names);
    const table = names.map((author) => names.filter((name) => name !== author && removes(group, author, name)));
    expect(table).toEqual([["first", "second", "member", "other"], ["second", "member", "other"], ["first", "member", "other"], [], []]);
    const owners = rosterOf(names, conversationKinds.group, { remove: "owner" });
    expect(names.map((author) => names.filter((name) => name !== author && removes(owners, author, name)).length)).toEqual([4, 0, 0, 0, 0]);
  });

  it("[X-13] the right to add decides who adds others; everybody adds devices of their own, nobody one on another host", () => {
    const group = rosterOf(names);
    expect(names.map((author) => adds(group, author, "somebody"))).toEqual([true, true, true, false, false]);
    const owners = rosterOf(names, conversationKinds.group, { add: "owner" });
    expect(names.map((author) => adds(owners, author, "somebody"))).toEqual([true, false, false, false, false]);
    const open = rosterOf(names, conversationKinds.group, { add: "everyone" });
    expect(names.map((author) => adds(open, author, "somebody"))).toEqual([true, true, true, false, false]);
    // Who does not manage the group proves of everybody that the device is theirs: else any member could stop it by leaves that nobody has.
    const isTheirs = { ...noReason, standing: [device("somebody")] };
    expect(may(open, "member", { adds: [device("somebody")] }, isTheirs)).toBe(true);
    expect(may(open, "member", { adds: [device("somebody"), device("other")] }, isTheirs)).toBe(false);
    expect(names.map((author) => adds(group, author, author))).toEqual([true, true, true, true, true]);
    expect(may(group, "owner", { adds: [{ ...device("owner"), host: "other.example" }] })).toBe(false);
  });

  it("with no administrator left everybody may, and only then", () => {
    expect(adds(rosterOf(["member", "other"]), "member", "somebody")).toBe(true);
    expect(removes(rosterOf(["member", "other"]), "member", "other")).toBe(true);
    expect(adds(rosterOf(["second", "member", "other"]), "member", "somebody")).toBe(false);
    // What is the owners' passes to administrators while no owner is there.
    const owners = { add: "owner", remove: "owner" } as const;
    expect(adds(rosterOf(["second", "member"], conversationKinds.group, owners), "second", "somebody")).toBe(true);
    expect(adds(rosterOf(["second", "member"], conversationKinds.group, owners), "member", "somebody")).toBe(false);
  });

  const groupBefore: LatchkeyGroup = {
    format: 3,
    host,
    logHash: idOf("log"),
    settingsHash: idOf("settings"),
    conversationKind: conversationKinds.group,
    ext: nothing,
  };
  const sets = (
    author: Name,
    settings: Partial<GroupSettings>,
    { group = {}, roster = rosterOf(names), why = noReason, removed = [] }: Partial<Around> = {},
  ): boolean => {
    const { host: _host, conversationKind, ...before } = roster.settings;
    const opening: SettingsOpening = { salt: idOf("salt"), settings: { ...before, format: 3, ext: nothing, ...settings } };
    return may(
      roster,
      author,
      { settings: { group: { ...groupBefore, conversationKind, ...group }, opening }, removes: removed.map(leaf) },
      why,
    );
  };
  interface Around {
    readonly group: Partial<LatchkeyGroup>;
    readonly roster: Roster;
    readonly why: Proven;
    readonly removed: readonly Name[];
  }
  const role = (name: Name, as: number): RoleEntry => ({ accountId: idOf(name), role: as });

  it("[X-13] name, description and picture are set by who has the right, before the commit and not after it", () => {
    for (const info of [{ name: "Band" }, { description: "On Tuesdays" }, { picture: new Uint8Array(96) }]) {
      expect(names.map((author) => sets(author, info))).toEqual([true, true, true, false, false]);
      const open = rosterOf(names, conversationKinds.group, { editInfo: "everyone" });
      expect(names.map((author) => sets(author, info, { roster: open }))).toEqual([true, true, true, true, true]);
      const owners = rosterOf(names, conversationKinds.group, { editInfo: "owner" });
      expect(names.map((author) => sets(author, info, { roster: owners }))).toEqual([true, false, false, false, false]);
      // To give oneself the right and use it in one commit.
      const all = { ...settingsBefore.rights, editInfo: "everyone" } as const;
      expect(sets("first", { ...info, rights: all }, { roster: owners })).toBe(false);
    }
  });

  it("[X-13] the timer by its right, slow mode by administrators, rights by owners alone", () => {
    expect(names.map((author) => sets(author, { timerS: 60 }))).toEqual([true, true, true, false, false]);
    const open = rosterOf(names, conversationKinds.group, { timer: "everyone" });
    expect(names.map((author) => sets(author, { timerS: 60 }, { roster: open }))).toEqual([true, true, true, true, true]);
    expect(names.map((author) => sets(author, { slowModeS: 60 }))).toEqual([true, true, true, false, false]);
    const rights = { ...settingsBefore.rights, post: "administrators" } as const;
    expect(names.map((author) => sets(author, { rights }))).toEqual([true, false, false, false, false]);
    // While the owner is away it stays as it is.
    expect(names.slice(1).map((author) => sets(author, { rights }, { roster: rosterOf(names.slice(1)) }))).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  it("[X-24] who may remove keeps out whom they may remove, and lets in again; nobody else does, before the commit and not after it", () => {
    const keptOut = (...who: readonly string[]): Partial<GroupSettings> => ({ format: 4, keptOut: who.map(idOf) });
    expect(names.map((author) => sets(author, keptOut("somebody")))).toEqual([true, true, true, false, false]);
    const owners = rosterOf(names, conversationKinds.group, { remove: "owner" });
    expect(names.map((author) => sets(author, keptOut("somebody"), { roster: owners }))).toEqual([true, false, false, false, false]);
    const all = { ...settingsBefore.rights, remove: "administrators" } as const;
    expect(sets("first", { ...keptOut("somebody"), rights: all }, { roster: owners })).toBe(false);
    // Who is in the group goes in the same commit; an owner is kept out by owners alone, away or not.
    expect(sets("first", keptOut("member"))).toBe(false);
    expect(sets("first", keptOut("member"), { removed: ["member"] })).toBe(true);
    expect(sets("first", keptOut("first"))).toBe(false);
    const withoutOwner = rosterOf(names.slice(1));
    expect(sets("first", keptOut("owner"), { roster: withoutOwner })).toBe(false);
    const kept = keeping(rosterOf(names), ["somebody"]);
    expect(names.map((author) => sets(author, { format: 3, keptOut: [] }, { roster: kept }))).toEqual([true, true, true, false, false]);
    expect(names.map((author) => sets(author, keptOut("another"), { roster: kept }))).toEqual([true, true, true, false, false]);
  });

  it("[X-24] nobody adds whom the group keeps out, an owner neither, unless the same commit ends it", () => {
    const open = keeping(rosterOf(names, conversationKinds.group, { add: "everyone" }), ["somebody"]);
    expect(names.map((author) => adds(open, author, "somebody"))).toEqual([false, false, false, false, false]);
    expect(adds(open, "first", "another")).toBe(true);
    const standing = { ...noReason, standing: [device("somebody")] };
    expect(may(open, "member", { adds: [device("somebody")] }, standing)).toBe(false);
    expect(may(open, "member", { adds: [device("another")] }, { ...noReason, standing: [device("another")] })).toBe(true);
    const { host: _host, conversationKind: _kind, ...before } = open.settings;
    const ending = (next: Partial<GroupSettings>, author: Name): boolean => {
      const opening: SettingsOpening = { salt: idOf("salt"), settings: { ...before, format: 3, ext: nothing, ...next } };
      return may(open, author, { adds: [device("somebody")], settings: { group: groupBefore, opening } }, standing);
    };
    expect(names.map((author) => ending({ keptOut: [] }, author))).toEqual([true, true, true, false, false]);
    // To keep out and to add at once.
    expect(ending({ format: 4, keptOut: [idOf("somebody")], name: "Band" }, "owner")).toBe(false);
  });

  it("[X-13] a commit that sets what is set already is nobody's to make", () => {
    expect(names.map((author) => sets(author, {}))).toEqual([false, false, false, false, false]);
    expect(sets("owner", { roles: settingsBefore.roles.toReversed() })).toBe(false);
  });

  it("[X-13] owners give and take roles, everybody gives up their own, and somebody stays owner", () => {
    const [owner, first, second] = [role("owner", 3), role("first", 2), role("second", 2)];
    const given: readonly (readonly [string, readonly RoleEntry[], readonly boolean[]])[] = [
      ["an administrator more", [owner, first, second, role("member", 2)], [true, false, false, false, false]],
      ["an owner more", [owner, role("first", 3), second], [true, false, false, false, false]],
      ["an administrator less", [owner, second], [true, true, false, false, false]],
      ["the owner's given away", [role("owner", 2), role("first", 3), second], [true, false, false, false, false]],
      ["no owner", [first, second], [false, false, false, false, false]],
      ["nobody", [], [false, false, false, false, false]],
      ["somebody who is not there", [owner, first, second, { accountId: idOf("somebody"), role: 2 }], [false, false, false, false, false]],
      ["a role that there is not", [owner, first, second, role("member", 4)], [false, false, false, false, false]],
      ["a member's as a role", [owner, first, second, role("member", 1)], [false, false, false, false, false]],
    ];
    for (const [what, next, expected] of given)
      expect(
        names.map((author) => sets(author, { roles: next })),
        what,
      ).toEqual(expected);
    const many = Array.from({ length: 51 }, (_, at) => ({ accountId: idOf(`of ${String(at)}`), role: 2 }));
    expect(sets("owner", { roles: [owner, ...many] }, { roster: rosterOf(names, 2, {}, [owner, ...many.slice(1)]) })).toBe(false);
  });

  it("[X-13] a role goes with who is removed or leaves, by whoever may remove them; that of who is only away stays", () => {
    const [owner, first, second] = [role("owner", 3), role("first", 2), role("second", 2)];
    const next = { roles: [owner, second] };
    expect(names.map((author) => author !== "first" && sets(author, next, { removed: ["first"] }))).toEqual([
      true,
      false,
      true,
      false,
      false,
    ]);
    const leaving = { ...noReason, leaving: new Set([leaf("first").account]) };
    expect(sets("member", next, { removed: ["first"], why: leaving })).toBe(true);
    const departed = { ...noReason, departed: [leaf("first")] };
    expect(sets("member", next, { removed: ["first"], why: departed })).toBe(false);
    expect(sets("first", { roles: [first, second] }, { removed: ["owner"], why: { ...noReason, departed: [leaf("owner")] } })).toBe(false);
  });

  it("[X-13] where the last owner leaves or is deleted, the administrator with the lowest leaf follows, and nobody else", () => {
    const [first, second] = [role("first", 2), role("second", 2)];
    const [firstOwns, secondOwns] = [
      [role("first", 3), second],
      [first, role("second", 3)],
    ];
    const { account } = leaf("owner");
    const leaves = { removed: ["owner"], why: { ...noReason, leaving: new Set([account]) } } as const;
    const isDeleted = { ...noReason, departed: [leaf("owner")], deleted: new Set([account]) };
    for (const around of [leaves, { removed: ["owner"], why: isDeleted } as const]) {
      for (const author of ["first", "second", "member"] as const) {
        expect(sets(author, { roles: firstOwns }, around)).toBe(true);
        expect(sets(author, { roles: secondOwns }, around)).toBe(false);
        expect(sets(author, { roles: [first, second] }, around)).toBe(false);
        expect(sets(author, { roles: [role("first", 3), role("second", 3)] }, around)).toBe(false);
      }
    }
    // Behind the commit that removed them, by what proves that the account was deleted; nobody's word of another.
    const orphaned = rosterOf(["first", "second", "member"]);
    expect(sets("second", { roles: firstOwns }, { roster: orphaned, why: { ...noReason, deleted: new Set([account]) } })).toBe(true);
    expect(sets("second", { roles: firstOwns }, { roster: orphaned })).toBe(false);
    expect(sets("second", { roles: firstOwns }, { roster: orphaned, why: { ...noReason, leaving: new Set([account]) } })).toBe(false);
    // Whose devices left an account that lives on is away, as after a recovery, and owns it when they are back.
    expect(sets("first", { roles: firstOwns }, { removed: ["owner"], why: { ...noReason, departed: [leaf("owner")] } })).toBe(false);
    // While another owner is there, nobody follows.
    const two = rosterOf(names, conversationKinds.group, {}, [role("owner", 3), role("second", 3), first]);
    expect(sets("member", { roles: [role("first", 3), role("second", 3)] }, { ...leaves, roster: two })).toBe(false);
  });

  it("[X-13] two people set the timer of their conversation, and nothing else", () => {
    const direct = rosterOf(["owner", "member"], conversationKinds.direct, {}, []);
    expect([sets("owner", { timerS: 60 }, { roster: direct }), sets("member", { timerS: 60 }, { roster: direct })]).toEqual([true, true]);
    for (const other of [{ name: "Us" }, { slowModeS: 10 }, { roles: [role("owner", 3)] }, { description: "Us" }])
      expect(sets("owner", { timerS: 60, ...other }, { roster: direct })).toBe(false);
    const devices = rosterOf(["owner"], conversationKinds.devices, {}, []);
    expect(sets("owner", { timerS: 60 }, { roster: devices })).toBe(false);
  });

  it.each<readonly [string, Partial<LatchkeyGroup>, Partial<GroupSettings>]>([
    ["the host", { host: "other.example" }, {}],
    ["the kind", { conversationKind: conversationKinds.direct }, {}],
    ["what it continues", {}, { continues: idOf("another") }],
    ["the directory", {}, { directory: idOf("another") }],
  ])("nobody changes %s after founding", (_name, group, settings) => {
    expect(names.map((author) => sets(author, { name: "Band", ...settings }, { group }))).toEqual([false, false, false, false, false]);
  });
});

describe("[M-9] a direct conversation", () => {
  it("stays with its two people: neither adds a third or removes the other, both add and remove devices of the two", () => {
    const direct = rosterOf(["owner", "member"], conversationKinds.direct);
    expect([adds(direct, "owner", "somebody"), adds(direct, "member", "somebody")]).toEqual([false, false]);
    expect([removes(direct, "owner", "member"), removes(direct, "member", "owner")]).toEqual([false, false]);
    expect([adds(direct, "owner", "member"), adds(direct, "member", "member")]).toEqual([true, true]);
    expect(removes(direct, "member", "member")).toBe(true);
    // Before the other is in.
    expect(adds(rosterOf(["owner"], conversationKinds.direct), "owner", "member")).toBe(true);
  });

  it("of one's own devices takes no other account", () => {
    const devices = rosterOf(["owner"], conversationKinds.devices);
    expect([adds(devices, "owner", "owner"), adds(devices, "owner", "somebody")]).toEqual([true, false]);
  });
});

describe("[M-1] what a group committed to", () => {
  it("opens with its own log, salt and settings alone", () => {
    const opening: SettingsOpening = { salt: idOf("salt"), settings: settingsBefore };
    const logId = idOf("a log");
    const group: LatchkeyGroup = {
      format: 3,
      host,
      logHash: logHashOf(sha256, opening.salt, logId),
      settingsHash: settingsHashOf(sha256, opening),
      conversationKind: conversationKinds.group,
      ext: nothing,
    };
    const renamed = { ...opening, settings: { ...settingsBefore, name: "Band" } };
    expect(opens(sha256, logId, group, opening)).toBe(true);
    expect(opens(sha256, idOf("another log"), group, opening)).toBe(false);
    expect(opens(sha256, logId, group, renamed)).toBe(false);
    expect(opens(sha256, logId, group, { ...opening, salt: idOf("another salt") })).toBe(false);
  });
});
