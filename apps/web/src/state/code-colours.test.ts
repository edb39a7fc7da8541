import { describe, expect, it } from "vitest";
import { colourCode } from "./code-colours.ts";

describe("code in colours", () => {
  it("is all of it, in pieces, by the usual names of languages", () => {
    const code = 'const a = "b"; // c';
    for (const name of ["js", "JavaScript", "tsx"]) {
      const parts = colourCode(code, name);
      expect(parts.map(({ text }) => text).join("")).toBe(code);
      expect(parts.map(({ kind }) => kind)).toEqual(expect.arrayContaining(["keyword", "string", "comment"]));
    }
  });

  it("is one plain piece in a language that is not known", () => {
    for (const name of ["klingon", "constructor", "__proto__"]) expect(colourCode("x", name)).toEqual([{ text: "x", kind: undefined }]);
  });
});
