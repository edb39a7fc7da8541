import "../testing/english.ts";
import { describe, expect, it, test } from "vitest";
import { formatDate, formatSpan } from "../state/format.ts";
import { isolateValues, placeholders, readCatalogue, writeIds } from "./catalogue.ts";
import type { CompiledMessage } from "./catalogue.ts";
import { isLanguage, languageFor, languageNames } from "./languages.ts";
import type { Language } from "./languages.ts";
import { failureWords, fetchWords, isMessage, listOf, speak, t } from "./words.ts";

const sources: Readonly<Record<string, string>> = import.meta.glob(["./*.po", "./ids.ts", "../../public/theme.js"], {
  query: "?raw",
  import: "default",
  eager: true,
});
const english = readCatalogue(sources["./en.po"] ?? "");
const languages = Object.keys(languageNames).filter(isLanguage);

/** Texts that are the same in English. */
const alike: Readonly<Record<Language, readonly string[]>> = {
  en: [],
  de: ["Chats", "Code", "Details", "Server", "Name", "System", "Portal", "Post", "Version {version}", "Version"],
  es: ["Chats", "{n, number} min", "No", "no", "id", "Fax", "Portal"],
  fr: [
    "Conversations",
    "Messages",
    "Message",
    "{n, number} min",
    "Code",
    "Version {version}",
    "Version",
    "Description",
    "Invitations",
    "Notifications",
    "Licences",
    "Identification",
    "Type",
    "E-mail",
    "Note",
  ],
  ar: [],
  fa: [],
};
const alikeEverywhere = [
  "Latchkey",
  "{author}: {text}",
  "{name}",
  "{name}, {time}",
  "{event}, {name}",
  "{time} ({left})",
  "{time} ({zone})",
  "X25519",
  "latchkey admin desk open",
];

test("the types of the messages are those of the catalogue (else: npm run words)", () => {
  expect(english.length).toBeGreaterThan(900);
  expect(sources["./ids.ts"]).toBe(writeIds(english));
});

describe.each(languages)("the catalogue in %s", (language) => {
  const entries = new Map(readCatalogue(sources[`./${language}.po`] ?? "").map((entry) => [entry.id, entry]));
  it("has every message, and no other", () => {
    expect(english.filter(({ id }) => !entries.has(id)).map(({ id }) => id)).toEqual([]);
    expect([...entries.keys()].filter((id) => !english.some((entry) => entry.id === id))).toEqual([]);
  });
  it("asks for the same values", () => {
    const valuesOf = (compiled: CompiledMessage): string =>
      JSON.stringify([...placeholders(compiled)].toSorted(([a], [b]) => (a < b ? -1 : 1)));
    const others = english.filter(({ id, compiled }) => valuesOf(entries.get(id)?.compiled ?? []) !== valuesOf(compiled));
    expect(others.map(({ id }) => id)).toEqual([]);
  });
  it("has every form of every number", () => {
    const rules = new Intl.PluralRules(language);
    const numbers = [...Array(201).keys(), 1_000_000];
    const lacks = [...entries.values()].filter(({ compiled }) =>
      plurals(compiled).some((cases) => numbers.some((n) => !(String(n) in cases) && !(rules.select(n) in cases))),
    );
    expect(lacks.map(({ id }) => id)).toEqual([]);
  });
  it("says nothing in English, but for what is the same", () => {
    const same = english.filter(({ id, text }) => language !== "en" && entries.get(id)?.text === text).map(({ text }) => text);
    expect(same.filter((text) => !alikeEverywhere.includes(text) && !alike[language].includes(text))).toEqual([]);
  });
});

/** The cases of every number in a message, those inside of others too. */
function plurals(tokens: unknown): readonly object[] {
  if (!Array.isArray(tokens)) return [];
  return tokens.flatMap((token: unknown): readonly object[] => {
    if (!Array.isArray(token) || typeof token[2] !== "object" || token[2] === null) return [];
    const cases: object = token[2];
    return [...(token[1] === "plural" ? [cases] : []), ...Object.values(cases).flatMap(plurals)];
  });
}

describe("the language", () => {
  it.each([
    [undefined, ["en-US", "de"], "en"],
    [undefined, ["ja", "fr-CA", "en"], "fr"],
    [undefined, ["ja"], "en"],
    [undefined, [], "en"],
    ["fa", ["de"], "fa"],
    ["tlh", ["de-AT"], "de"],
    ["toString", ["constructor"], "en"],
  ])("chosen as %s, with a system in %s, is %s", (chosen, wanted, expected) => expect(languageFor(chosen, wanted)).toBe(expected));
  it("is one of those that the page knows before its scripts", () => {
    expect(sources["../../public/theme.js"]).toContain(`const spoken = ${JSON.stringify(languages).replaceAll(",", ", ")};`);
  });
  it("is spoken with its numbers, dates, lists and spans at once, and turns nothing around", async () => {
    await speak("fa");
    expect(t("list.archived", { n: 1234 })).toBe("بایگانی‌شده (۱٬۲۳۴)");
    expect(formatDate(Date.UTC(2026, 10, 23), { timeZone: "UTC" })).toBe("۲ آذر ۱۴۰۵");
    expect(t("system.left", { author: "Ben", who: "other" })).toBe("\u2068Ben\u2069 گفتگو را ترک کرد");
    await speak("ar");
    const unread = [0, 1, 2, 3, 11, 100].map((n) => t("list.unread", { n }));
    expect(new Set(unread).size).toBe(6);
    expect(listOf(["Ben", "Chidi"])).toBe("\u2068Ben\u2069 و\u2068Chidi\u2069");
    expect(t("system.added", { author: "Ben", who: "you", whom: "other", names: "Chidi" })).toBe("أضفتَ \u2068Chidi\u2069");
    await speak("de");
    expect(formatSpan(7200)).toBe("2 Stunden");
    expect(t("system.left", { author: "", who: "you" })).toBe("Du hast die Unterhaltung verlassen");
    await speak("en");
    expect(t("list.archived", { n: 1234 })).toBe("Archived (1,234)");
  });
  it("has what comes later in it too, whether that was asked for before it is spoken, meanwhile, or after it", async () => {
    await fetchWords("attach");
    await speak("de");
    expect([t("attach.heading"), t("voice.heading"), isMessage("attach.heading")]).toEqual(["Dateien zum Senden", "Sprachnachricht", true]);
    const asking = fetchWords("desk");
    const speaking = speak("fr");
    await Promise.all([asking, speaking]);
    expect([t("attach.heading"), t("desk.title")]).not.toContain("desk.title");
    expect(t("attach.heading")).toBe("Fichiers à envoyer");
    await speak("en");
    expect([t("attach.heading"), isMessage("desk.title")]).toEqual(["Files to send", true]);
  });
});

describe("readCatalogue", () => {
  const po = (...lines: string[]): string => `msgid ""\nmsgstr ""\n\n${lines.join("\n")}\n`;
  it("names the values that a message asks for, and what they are", () => {
    const [entry] = readCatalogue(
      po('msgid "a"', 'msgstr "{who, select, you {You} other {{author}}} {n, plural, one {# {what}} other {#}} {m, number}"'),
    );
    expect([...placeholders(entry?.compiled ?? [])]).toEqual([
      ["who", '"you" | "other"'],
      ["author", "string"],
      ["n", "number"],
      ["what", "string"],
      ["m", "number"],
    ]);
  });
  it("keeps each value in its own direction of writing where that is asked for, and nothing else", () => {
    const [entry] = readCatalogue(
      po('msgid "a"', 'msgstr "{who, select, you {You} other {{author}}} {n, plural, one {# {what}} other {#}}"'),
    );
    expect(isolateValues(entry?.compiled ?? [])).toMatchObject([
      ["who", "select", { you: ["You"], other: ["\u2068", ["author"], "\u2069"] }],
      " ",
      ["n", "plural", { one: ["#", " ", "\u2068", ["what"], "\u2069"], other: ["#"] }],
    ]);
  });
  it("refuses what is no message, and what stands there twice", () => {
    expect(() => readCatalogue(po('msgid "a"', 'msgstr "{n, plural, one {x}"'))).toThrow(/^a is no message/u);
    expect(() => readCatalogue(po('msgid "a"', 'msgstr "x"', "", 'msgid "a"', 'msgstr "y"'))).toThrow("a stands twice");
  });
});

describe("what people wrote", () => {
  it.each(["\\u202e", "\\x41", "\\\\u0041", "%__lingui_octothorpe__%", "{name}", "$&", "#", "'{'", "<b>", "%__", "\\u005c"])(
    "stands in a sentence as it was written: %s",
    (text) => {
      expect(t("search.nothing", { query: text })).toBe(`Nothing found for “${text}”`);
      // Where the runtime puts in numbers as well.
      expect(t("group.members.removeTitle", { n: 2, group: text })).toBe(`Remove 2 people from ${text}?`);
      expect(t("messageParts.typing", { n: 1, names: text })).toBe(`${text} is typing…`);
    },
  );
  it("does not turn the sentence around", () => {
    for (const text of ["أحمد", "\u202etxt.exe", "עדה"])
      expect(t("system.left", { author: text, who: "other" })).toBe(`\u2068${text}\u2069 left`);
    expect(listOf(["Ben", "أحمد"])).toBe("Ben and \u2068أحمد\u2069");
  });
});

describe("lists and failures", () => {
  it("names twelve people, and of more the first ten", () => {
    const names = Array.from({ length: 1300 }, (_, index) => `P${index + 1}`);
    expect(listOf(names.slice(0, 3))).toBe("P1, P2 and P3");
    expect(listOf(names)).toBe("P1, P2, P3, P4, P5, P6, P7, P8, P9, P10 and 1,290 others");
  });
  it("has a failure that it does not know say its own sentence", () => {
    expect(failureWords({ code: "offline", message: "x", canRetry: true }).title).toBe(t("failure.offline.title"));
    expect(failureWords({ code: "of tomorrow" as "offline", message: "x", canRetry: true })).toEqual({ title: "x", advice: "" });
    expect(isMessage("toString")).toBe(false);
  });
});
