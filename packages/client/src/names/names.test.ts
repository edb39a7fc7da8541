import { describe, expect, test } from "vitest";
import { cleanName } from "./clean.ts";
import { dayOf } from "./day.ts";
import { ShownNames } from "./shown-names.ts";
import { skeletonsOf } from "./skeleton.ts";

const looksLike = (a: string, b: string): boolean => skeletonsOf(a).some((look) => skeletonsOf(b).includes(look));

async function among(
  people: Readonly<Record<string, string>>,
  serverNames: readonly string[] = ["chat.example", "Our Chat"],
): Promise<ShownNames> {
  const names = new ShownNames();
  names.setServerNames(serverNames);
  for (const [username, name] of Object.entries(people)) {
    names.setUsername(username, username);
    names.setName(username, name);
  }
  await names.prepare();
  return names;
}

describe("[E-63] a name is cleaned", () => {
  test.each([
    ["directions", "\u202Eevil\u202C \u2066x\u2069\u200F\u061C", "evil x"],
    ["control characters and lines", "a\u0000b\u001B[31m\n\tc\u0085d", "ab[31m c d"],
    ["zero width and fillers", "a\u200B\u200D\uFEFF\u00AD\u2060\u3164\u180Eb", "ab"],
    ["private and unassigned characters", "a\uE000\u{F0000}\u0378b", "ab"],
    ["an unpaired surrogate", "a\uD800b", "a\uFFFDb"],
    ["space of every kind", "\u00A0\u3000 a \u2003\u2028 b \u2800", "a b"],
    ["decomposed letters", "Zoe\u0308", "Zo\u00EB"],
    ["marks without a letter, and too many on one", "\u0301\u0301e\u0301\u0302\u0303\u0304\u0305\u0306x", "\u00E9\u0302\u0303\u0304x"],
    ["emoji, which keep what belongs to them", "Mika \u{1F469}\u200D\u{1F467} \u2764\uFE0F", "Mika \u{1F469}\u200D\u{1F467} \u2764\uFE0F"],
    [
      "names of other scripts",
      "\u0644\u064A\u0644\u0649 \u062D\u062F\u0651\u0627\u062F",
      "\u0644\u064A\u0644\u0649 \u062D\u062F\u0651\u0627\u062F",
    ],
    ["what is too long", "x".repeat(5000), "x".repeat(64)],
  ])("of %s", (_, text, name) => {
    expect(cleanName(text)).toBe(name);
    expect(cleanName(name)).toBe(name);
  });

  test.each(["", "  ", "\u2800", "\u200B", "\u3164\u115F", "\u0301", "...", "\u2014", "\u202E"])("and %j is none", (text) => {
    expect(cleanName(text)).toBe("");
  });
});

describe("[E-61] a day", () => {
  test.each([
    [0, "1970-01-01"],
    [1_795_816_079_685, "2026-11-27"],
    [8.64e15, "+275760-09-13"],
    [9e15, "an unknown day"],
    [Number.MAX_SAFE_INTEGER, "an unknown day"],
    [Number.NaN, "an unknown day"],
  ])("of %d is %s", (timeMs, day) => {
    expect(dayOf(timeMs)).toBe(day);
  });
});

describe("[E-63] names look alike", () => {
  test.each([
    ["paypal", "\u0440\u0430\u0443\u0440\u0430l"],
    ["Alice", "A\u0406ice"],
    ["Alice", "AIice"],
    ["Alice", "ALICE"],
    ["Mike", "rnike"],
    ["Bob", "\uFF22\uFF4F\uFF42"],
    ["Bob", "\u{1D401}\u{1D428}\u{1D41B}"],
    ["Bob Ross", "BobRoss"],
    ["bob", "b0b"],
  ])("%s and %s", (a, b) => {
    expect(looksLike(a, b)).toBe(true);
  });

  test.each([
    ["Anna", "Hanna"],
    ["Ann", "Anna"],
    ["Zoe", "Zo\u00EB"],
    ["\u0416\u0430\u043D", "\u0425\u0430\u043D"],
  ])("%s and %s do not", (a, b) => {
    expect(looksLike(a, b)).toBe(false);
  });
});

describe("[E-63] a person is shown", () => {
  test("by the name of their own making, alone, where nobody goes by one that looks the same", async () => {
    const names = await among({ ann: "Ann Li", bob: "" });
    expect(names.shown("ann", "ann")).toEqual({ displayName: "Ann Li", isShared: false });
    expect(names.shown("bob", "bob")).toEqual({ displayName: "bob", isShared: false });
    expect(names.shown("new", "new")).toEqual({ displayName: "new", isShared: false });
  });

  test.each([
    "You",
    "y\u200Bou",
    "Y\u03BFu",
    "Me",
    "Latchkey",
    "L\u0430tchkey",
    "Our Chat",
    "0ur chat",
    "chat.example",
    "Support",
    "\u202E",
    "someone",
  ])("by the username, who wants to be called %j", async (name) => {
    expect((await among({ mallory: name })).shown("mallory", "mallory").displayName).toBe("mallory");
  });

  test("by the username, who wants to be called by somebody else's, whoever came first", async () => {
    const names = await among({ mallory: "b\u043Eb" });
    expect(names.shown("mallory", "mallory").displayName).toBe("b\u043Eb");
    names.setUsername("bob", "bob");
    expect(names.shown("mallory", "mallory")).toEqual({ displayName: "mallory", isShared: false });
    // One's own username is one's own to be called by.
    names.setName("bob", "Bob");
    expect(names.shown("bob", "bob").displayName).toBe("Bob");
  });

  test("as sharing a name with whoever goes by one that looks the same, both, until one of them changes it", async () => {
    const names = await among({ ann: "Ann Li", eve: "\u0410nn L\u0456", bob: "Bob" });
    for (const id of ["ann", "eve"]) expect(names.shown(id, id).isShared, id).toBe(true);
    expect(names.shown("bob", "bob").isShared).toBe(false);
    names.setName("eve", "Eve");
    expect(names.shown("ann", "ann").isShared).toBe(false);
  });

  test("as sharing it with everybody, while nothing tells what looks alike", () => {
    const names = new ShownNames();
    names.setUsername("ann", "ann");
    names.setName("ann", "Ann");
    expect(names.shown("ann", "ann")).toEqual({ displayName: "Ann", isShared: true });
  });
});
