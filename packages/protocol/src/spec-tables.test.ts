import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { refusalMeanings, roleCodecs, roles, wireErrorNumbers } from "./index.ts";
import type { RefusalMeaning } from "./index.ts";

const page = readFileSync(new URL("../../../spec/00-common.md", import.meta.url), "utf8");

/** What stands between a heading and the next one of its level or above. */
function section(heading: string): string {
  const from = page.indexOf(`\n${heading}\n`) + 1;
  expect(from, heading).toBeGreaterThan(0);
  const level = heading.indexOf(" ");
  const end = page.slice(from + heading.length).search(new RegExp(`\\n#{1,${level}} `, "u"));
  return end < 0 ? page.slice(from) : page.slice(from, from + heading.length + end);
}

/** First two columns of the rows of a table of kinds. */
function kindsIn(table: string): readonly (readonly [number, string])[] {
  return [...table.matchAll(/^\| (\d+) \| (\w+) \|/gmu)].map(([, number, name]) => [Number(number), name ?? ""]);
}

describe("the tables of spec/00-common.md", () => {
  test.each(roles)("[C-5] list every frame of /v1/%s with its number", (role) => {
    const [requests = "", replies = ""] = section(`### \`/v1/${role}\``)
      .split(/\n\| kind \| (?:request|answer)[^\n]*/u)
      .slice(1);
    const { request, reply } = roleCodecs[role];
    expect(kindsIn(requests)).toEqual([...request.kinds].toSorted(([a], [b]) => a - b));
    expect(kindsIn(replies)).toEqual([...reply.kinds].toSorted(([a], [b]) => a - b));
  });

  test("[E-70] list every refusal with its number and what it means", () => {
    const listed = [...section("## Error codes").matchAll(/^\| ([\d, ]+) \| ([\w, ]+) \| ([\w ]+) \|/gmu)].flatMap(
      ([, numbers = "", names = "", meaning = ""]) =>
        names.split(", ").map((name, at) => [name, Number(numbers.split(", ")[at]), meaning.replace(" ", "_")] as const),
    );
    const meant = (meaning: RefusalMeaning): string => (meaning === "unknown_thing" ? "unknown" : meaning);
    const { unknown, ...known } = refusalMeanings;
    expect(unknown).toBe("unknown");
    // The keys of both tables are the same codes.
    expect(listed).toEqual(
      Object.entries(wireErrorNumbers).map(([code, number]) => [code, number, meant(known[code as keyof typeof known])]),
    );
  });
});
