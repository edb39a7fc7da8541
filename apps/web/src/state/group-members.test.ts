import type { GroupPermissions, Member, Role } from "@latchkey/client";
import { describe, expect, it } from "vitest";
import { ben, me, testPerson } from "../testing/fixtures.ts";
import { memberActions, membersShown } from "./group-members.ts";

const may = (permissions: Partial<GroupPermissions>): { may: GroupPermissions; successors: [] } => {
  const none = {
    add: false,
    remove: false,
    post: true,
    editInfo: false,
    timer: false,
    slowMode: false,
    pin: false,
    deleteOthers: false,
    invite: false,
  };
  return { may: { ...none, own: false, ...permissions }, successors: [] };
};
const member = (person: Member["person"], role: Role): Member => ({ person, role, deviceCount: 1 });

describe("the members of a group", () => {
  const members = [
    member(testPerson("zoe"), "member"),
    member(ben, "member"),
    member(testPerson("ute"), "owner"),
    member(me, "administrator"),
  ];

  it("stand by what they are, then by name", () => {
    expect(membersShown(members, "").map(({ role }) => role)).toEqual(["owner", "administrator", "member", "member"]);
    expect(membersShown(members, "").at(-1)?.person.username).toBe("zoe");
  });

  it("are found by any part of their name or address", () => {
    expect(membersShown(members, " ZO").map(({ person }) => person.username)).toEqual(["zoe"]);
    expect(membersShown(members, "nobody")).toEqual([]);
  });
});

describe("[X-13] what can be done with a member", () => {
  it("is writing for everybody; roles for owners; removing for who may, of an owner for an owner", () => {
    expect(memberActions(member(ben, "member"), may({}))).toEqual(["write"]);
    expect(memberActions(member(ben, "member"), may({ remove: true }))).toEqual(["write", "remove"]);
    expect(memberActions(member(ben, "owner"), may({ remove: true }))).toEqual(["write"]);
    expect(memberActions(member(ben, "member"), may({ own: true, remove: true }))).toEqual(["write", "owner", "administrator", "remove"]);
    expect(memberActions(member(ben, "owner"), may({ own: true, remove: true }))).toEqual(["write", "administrator", "member", "remove"]);
  });

  it("is, with oneself, giving up a role, but not while nobody else owns the group", () => {
    expect(memberActions(member(me, "administrator"), may({}))).toEqual(["giveUp"]);
    expect(memberActions(member(me, "owner"), { ...may({ own: true }), successors: [ben] })).toEqual([]);
    expect(memberActions(member(me, "member"), may({}))).toEqual([]);
  });
});
