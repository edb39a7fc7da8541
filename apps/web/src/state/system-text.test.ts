import "../testing/english.ts";
import type { Message } from "@latchkey/client";
import { describe, expect, it } from "vitest";
import { ben, me, testMessage, testPerson } from "../testing/fixtures.ts";
import { systemParts, systemText } from "./system-text.ts";

const chidi = testPerson("chidi");
const textOf = (message: Message): string =>
  systemParts(message, "group")
    .map((part) => (typeof part === "string" ? part : part.text))
    .join("");
const peopleOf = (message: Message): readonly string[] =>
  systemParts(message, "group").flatMap((part) => (typeof part === "string" ? [] : [part.person.accountId]));

describe("what happened, in pieces", () => {
  const line = (author: typeof ben, body: Message["body"]): Message => testMessage({ order: 1, author, body });

  it("says the same as the line in one piece, and knows whom it names", () => {
    const added = line(ben, { kind: "added", people: [chidi, me] });
    expect(textOf(added)).toBe(systemText(added, "group"));
    expect(peopleOf(added)).toEqual([ben.accountId, chidi.accountId]);
    const mine = line(me, { kind: "role_changed", person: ben, role: "administrator" });
    expect(textOf(mine)).toBe(systemText(mine, "group"));
    expect(peopleOf(mine)).toEqual([ben.accountId]);
    expect(peopleOf(line(me, { kind: "left" }))).toEqual([]);
  });

  it("keeps apart people whose names are parts of others, or words of the line", () => {
    const [a, b] = [
      { ...ben, displayName: "added", besideName: undefined },
      { ...chidi, displayName: "a", besideName: undefined },
    ];
    const added = line(a, { kind: "added", people: [b] });
    expect(textOf(added)).toBe(systemText(added, "group"));
    expect(systemParts(added, "group").filter((part) => typeof part !== "string")).toEqual([
      { person: a, text: "added" },
      { person: b, text: "a" },
    ]);
  });

  it("takes nothing that people wrote for a person", () => {
    const renamed = line(ben, { kind: "renamed", name: "\u{E000}\u{E001} \u{E000}\u{E005}" });
    expect(peopleOf(renamed).filter((id) => id !== ben.accountId)).toEqual([]);
  });

  it("[R-5] shows a line of very many people without cutting it up", () => {
    const people = Array.from({ length: 1000 }, (_, at) => ({
      ...chidi,
      accountId: `account-${String(at)}`,
      displayName: `P${String(at)}`,
    }));
    const removed = line(ben, { kind: "removed", people });
    expect(textOf(removed)).toBe(systemText(removed, "group"));
  });
});
