import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { licencesOf } from "../apps/web/licences.ts";

const { dependencies } = JSON.parse(readFileSync(new URL("../apps/web/package.json", import.meta.url), "utf8")) as {
  readonly dependencies: Readonly<Record<string, string>>;
};

describe("licences", () => {
  const found = licencesOf(fileURLToPath(new URL("../apps/web", import.meta.url)));

  test("name everything that the app is made of, and what that is made of, once", () => {
    const names = found.flatMap(({ packages }) => packages);
    for (const [name, version] of Object.entries(dependencies))
      if (!name.startsWith("@latchkey/")) expect(names).toContain(`${name} ${version}`);
    // Of the client, of React, and of what data is taken from.
    for (const name of ["@noble/hashes", "scheduler", "emojibase-data"])
      expect(
        names.filter((one) => one.startsWith(`${name} `)),
        name,
      ).toHaveLength(1);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => /^(?:ws|vite|@babel|jest|@latchkey\/)/u.test(name))).toEqual([]);
  });

  test("have their texts, and are all free", () => {
    for (const { licence, text, packages } of found) {
      expect(licence, packages.join()).toMatch(
        /^(?:MIT|ISC|0BSD|Apache-2\.0|CC0-1\.0|BSD-[23]-Clause|Unicode-3\.0|\(MIT OR Apache-2\.0\))$/u,
      );
      expect(text.length, packages.join()).toBeGreaterThan(packages[0] === "client-only 0.0.1" ? 2 : 20);
    }
  });
});
