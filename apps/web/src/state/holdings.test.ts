import { describe, expect, it } from "vitest";
import { holdingsRows } from "./holdings.ts";

describe("holdingsRows", () => {
  it("shows every value with its place", () => {
    const rows = holdingsRows(
      JSON.stringify({ username: "ada", devices: [{ createdDay: "2026-01-02", keys: 3 }, { keys: 0 }], tags: ["a", "b"], empty: {} }),
    );
    expect(rows.map(({ what, value }) => [what, value])).toEqual([
      ["username", "ada"],
      ["devices 1 · created day", "2026-01-02"],
      ["devices 1 · keys", "3"],
      ["devices 2 · keys", "0"],
      ["tags", "a, b"],
      ["empty", "nothing"],
    ]);
    expect(rows[0]?.why).not.toBe("");
  });

  it("shows text that is no JSON as it is", () => {
    expect(holdingsRows("oops")).toEqual([{ what: "", value: "oops", why: "" }]);
  });
});
