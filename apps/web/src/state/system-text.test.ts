import "../testing/english.ts";
import type { Message } from "@latchkey/client";
import { afterAll, describe, expect, it } from "vitest";
import type { Language } from "../messages/languages.ts";
import { speak } from "../messages/words.ts";
import { ben, me, testMessage, testPerson } from "../testing/fixtures.ts";
import { systemParts, systemText } from "./system-text.ts";

const chidi = testPerson("chidi");
const textOf = (message: Message): string =>
  systemParts(message, "group")
    .map((part) => (typeof part === "string" ? part : part.text))
    .join("");
const peopleOf = (message: Message): readonly string[] =>
  systemParts(message, "group").flatMap((part) => (typeof part === "string" ? [] : [part.person.accountId]));

describe("what happened to its reader", () => {
  const said = async (language: Language, author: typeof ben, body: Message["body"]): Promise<string> => {
    await speak(language);
    return systemText(testMessage({ order: 1, author, body }), "group").replaceAll(/[\u2068\u2069]/gu, "");
  };
  const added = { kind: "added", people: [me] } as const;
  const demoted = { kind: "role_changed", person: me, role: "member" } as const;

  afterAll(async () => speak("en"));

  it.each([
    ["en", "Ben added you", "Ben took you out of the administrators", "You took yourself out of the administrators"],
    ["de", "Ben hat dich hinzugefügt", "Ben hat dich als Admin abgesetzt", "Du hast dich als Admin abgesetzt"],
    ["es", "Ben te añadió", "Ben te quitó de la administración", "Dejaste la administración"],
    ["fr", "Ben vous a ajouté", "Ben vous a retiré des administrateurs", "Vous vous êtes retiré des administrateurs"],
    ["ar", "أضافك Ben", "أخرجك Ben من المشرفين", "خرجتَ من المشرفين"],
    ["fa", "Ben شما را افزود", "Ben شما را از مدیران برداشت", "شما خود را از مدیران برداشتید"],
  ] as const)("is said as one says it: %s", async (language, byOther, demotedByOther, byOneself) => {
    const named = { ...ben, displayName: "Ben", besideName: undefined };
    expect(await said(language, named, added)).toBe(byOther);
    expect(await said(language, named, demoted)).toBe(demotedByOther);
    expect(await said(language, me, demoted)).toBe(byOneself);
  });
});

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
