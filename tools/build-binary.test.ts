import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { threads } from "./build-binary.js";
import { root } from "./node.js";

test("the threads of the server are found, each once", () => {
  const found = threads();
  expect(found.map(({ name }) => name)).toEqual(expect.arrayContaining(["latchkey-store", "latchkey-vrf"]));
  expect(new Set(found.map(({ name }) => name)).size).toBe(found.length);
  for (const { path } of found) expect(existsSync(path), path).toBe(true);
});

test("what the single executable carries asks for no file beside its source but through startThread", () => {
  const shipped = [
    "packages/server/src",
    "packages/client/src",
    "packages/witness/src",
    "packages/transparency/src",
    "packages/mls/src",
    "apps/cli/src",
  ];
  const isTest = /(?:\.test|\.testing)\.ts$|(?:^|\/)testing\//;
  const problems = shipped.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts") && !isTest.test(name))
      .flatMap((name) => {
        const text = readFileSync(join(root, folder, name), "utf8").replaceAll(
          /startThread\(\s*"[a-z-]+",\s*new URL\("[^"]+", import\.meta\.url\)/g,
          "",
        );
        const path = `${folder}/${name}`;
        if (path === "packages/server/src/threads.ts") return [];
        // The web app of a checkout; the executable has its own (apps/cli/src/packaged.ts).
        // And fonts, which `bundled-fonts.js` puts into every bundle.
        const ofCheckouts = ["apps/cli/src/commands/serve.ts", "packages/server/src/desk/office/requests/letters/letter-fonts.ts"];
        if (ofCheckouts.includes(path)) return text.split("import.meta.").length === 2 ? [] : [path];
        return /import\.meta\.(?:url|dirname|filename|resolve)|new Worker\(/.test(text) ? [path] : [];
      }),
  );
  expect(problems).toEqual([]);
});
