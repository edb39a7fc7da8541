import { toBase64Url } from "@latchkey/codec";
import { toLeafIndex } from "@latchkey/mls";
import { conversationKinds, logHashOf, settingsHashOf } from "@latchkey/protocol";
import type { GroupSettings, LatchkeyGroup, LeafIdentity, SettingsOpening } from "@latchkey/protocol";
import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, it } from "vitest";
import { isPermitted, opens, policies, roles } from "./roster.ts";
import type { ProposedChange, Proven } from "./roster.ts";
import type { Roster, RosterLeaf } from "./types.ts";

const host = "chat.example";
const nothing = new Uint8Array(0);
const idOf = (name: string): Uint8Array => sha256(new TextEncoder().encode(name));
const noReason: Proven = { leaving: new Set(), departed: [], complainers: [], standing: [] };
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

const settingsBefore: GroupSettings = {
  format: 2,
  roles: [
    { accountId: idOf("owner"), role: roles.owner },
    { accountId: idOf("first"), role: roles.administrator },
    { accountId: idOf("second"), role: roles.administrator },
  ],
  name: "Choir",
  continues: nothing,
  directory: idOf("directory"),
  ext: nothing,
};

function rosterOf(present: readonly Name[], kind: number = conversationKinds.group, policy: number = policies.administrators): Roster {
  const { format: _format, ext: _ext, ...settings } = settingsBefore;
  return {
    leaves: new Map(present.map((name) => [leaf(name).leafIndex, leaf(name)])),
    accounts: new Map(present.map((name) => [leaf(name).account, [leaf(name)]])),
    settings: { ...settings, host, conversationKind: kind, policy },
    own: undefined,
  };
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
    // Where every member may, the owner still stays.
    const open = rosterOf(names, conversationKinds.group, policies.everyMember);
    expect(names.map((name) => removes(open, "member", name))).toEqual([false, true, true, true, true]);
  });

  it("administrators add others, everybody devices of their own, nobody one on another host", () => {
    const group = rosterOf(names);
    expect(names.map((author) => adds(group, author, "somebody"))).toEqual([true, true, true, false, false]);
    expect(names.map((author) => adds(group, author, author))).toEqual([true, true, true, true, true]);
    expect(may(group, "owner", { adds: [{ ...device("owner"), host: "other.example" }] })).toBe(false);
  });

  it("with no administrator left everybody may, and only then", () => {
    expect(adds(rosterOf(["member", "other"]), "member", "somebody")).toBe(true);
    expect(removes(rosterOf(["member", "other"]), "member", "other")).toBe(true);
    expect(adds(rosterOf(["second", "member", "other"]), "member", "somebody")).toBe(false);
  });

  const groupBefore: LatchkeyGroup = {
    format: 2,
    host,
    logHash: idOf("log"),
    settingsHash: idOf("settings"),
    policy: policies.administrators,
    conversationKind: conversationKinds.group,
    ext: nothing,
  };
  const sets = (author: Name, group: Partial<LatchkeyGroup>, settings: Partial<GroupSettings>): boolean => {
    const opening: SettingsOpening = { salt: idOf("salt"), settings: { ...settingsBefore, ...settings } };
    return may(rosterOf(names), author, { settings: { group: { ...groupBefore, ...group }, opening } });
  };

  it("administrators change the name, members nothing", () => {
    expect(names.map((author) => sets(author, {}, { name: "Band" }))).toEqual([true, true, true, false, false]);
  });

  it.each<readonly [string, Partial<LatchkeyGroup>, Partial<GroupSettings>]>([
    ["the host", { host: "other.example" }, {}],
    ["the kind", { conversationKind: conversationKinds.direct }, {}],
    ["the policy", { policy: policies.everyMember }, {}],
    ["what it continues", {}, { continues: idOf("another") }],
    ["the directory", {}, { directory: idOf("another") }],
    ["a role", {}, { roles: [{ accountId: idOf("first"), role: roles.owner }] }],
    ["a role more", {}, { roles: [...settingsBefore.roles, { accountId: idOf("member"), role: roles.owner }] }],
    ["a role less", {}, { roles: settingsBefore.roles.slice(1) }],
  ])("nobody changes %s after founding", (_name, group, settings) => {
    expect(names.map((author) => sets(author, group, settings))).toEqual([false, false, false, false, false]);
  });
});

describe("[M-9] a direct conversation", () => {
  it("stays with its two people: neither adds a third or removes the other, both add and remove devices of the two", () => {
    const direct = rosterOf(["owner", "member"], conversationKinds.direct, policies.everyMember);
    expect([adds(direct, "owner", "somebody"), adds(direct, "member", "somebody")]).toEqual([false, false]);
    expect([removes(direct, "owner", "member"), removes(direct, "member", "owner")]).toEqual([false, false]);
    expect([adds(direct, "owner", "member"), adds(direct, "member", "member")]).toEqual([true, true]);
    expect(removes(direct, "member", "member")).toBe(true);
    // Before the other is in.
    expect(adds(rosterOf(["owner"], conversationKinds.direct, policies.everyMember), "owner", "member")).toBe(true);
  });

  it("of one's own devices takes no other account", () => {
    const devices = rosterOf(["owner"], conversationKinds.devices, policies.everyMember);
    expect([adds(devices, "owner", "owner"), adds(devices, "owner", "somebody")]).toEqual([true, false]);
  });
});

describe("[M-1] what a group committed to", () => {
  it("opens with its own log, salt and settings alone", () => {
    const opening: SettingsOpening = { salt: idOf("salt"), settings: settingsBefore };
    const logId = idOf("a log");
    const group: LatchkeyGroup = {
      format: 2,
      host,
      logHash: logHashOf(sha256, opening.salt, logId),
      settingsHash: settingsHashOf(sha256, opening),
      policy: policies.administrators,
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
