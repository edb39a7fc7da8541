import { describe, expect, it } from "vitest";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { choosePlaces, completeAt, completeWord, nearestWord, offerWords, putWords, splitPhrase } from "./phrase.ts";

describe("the words of a recovery phrase", () => {
  it("are read from paper as people type or paste them", () => {
    expect(splitPhrase(" Void come\n3. effort\t4) SUFFER,camp ")).toEqual(["void", "come", "effort", "suffer", "camp"]);
    expect(splitPhrase("  ")).toEqual([]);
  });

  it("are completed only when one word is meant", () => {
    expect(completeWord("eff", wordlist)).toBe("effort");
    expect(completeWord("act", wordlist)).toBe("act");
    expect(completeWord("ab", wordlist)).toBeUndefined();
    expect(completeWord("z", wordlist)).toBeUndefined();
    expect(completeWord("xyzzy", wordlist)).toBeUndefined();
  });

  it("that are pasted over one that stands there stay, when the field that is left completes its own", () => {
    const phrase = wordlist.slice(0, 24);
    const before = Array.from({ length: 24 }, (_, at) => (at === 3 ? "zoo" : ""));
    // As the fields do it: filled, then the focus goes on, and the field that loses it completes what stands there now.
    expect(completeAt(putWords(before, 0, phrase), 3, wordlist)).toEqual(phrase);
    expect(putWords(before, 22, ["act", "zone", "zoo"]).slice(21)).toEqual(["", "act", "zone"]);
    expect(completeAt(["eff", ""], 0, wordlist)).toEqual(["effort", ""]);
    const typed = ["effort", "ab"];
    for (const at of [0, 1, 2]) expect(completeAt(typed, at, wordlist)).toBe(typed);
  });

  it("are offered by how they begin", () => {
    expect(offerWords("zo", wordlist)).toEqual(["zone", "zoo"]);
    expect(offerWords("", wordlist)).toEqual([]);
    expect(offerWords("a", wordlist)).toHaveLength(6);
  });

  it("are guessed when mistyped, and not when nothing is near", () => {
    expect(nearestWord("efort", wordlist)).toBe("effort");
    expect(nearestWord("warior", wordlist)).toBe("warrior");
    expect(nearestWord("qqqqqqqq", wordlist)).toBeUndefined();
  });
});

describe("the words asked for", () => {
  it("are different ones, in their order, within the phrase", () => {
    for (let round = 0; round < 50; round += 1) {
      const places = choosePlaces(3, 24);
      expect(new Set(places).size).toBe(3);
      expect([...places].sort((a, b) => a - b)).toEqual(places);
      for (const place of places) expect(place).toBeGreaterThanOrEqual(0);
      for (const place of places) expect(place).toBeLessThan(24);
    }
    expect(choosePlaces(3, 2)).toEqual([0, 1]);
  });
});
