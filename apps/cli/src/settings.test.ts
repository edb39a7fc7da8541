import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { runWith } from "./run.testing.ts";
import { checkVariables } from "./settings.ts";

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-settings-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("every command that works on a data folder finds it as the server does, whatever file or variable names it", async () => {
  const home = temporaryFolder();
  writeFileSync(join(home, "other.json"), JSON.stringify({ data: "elsewhere", port: 1 }));
  const sources = [
    { args: ["--config", "other.json"], variables: {} },
    { args: [], variables: { LATCHKEY_CONFIG: "other.json" } },
    { args: [], variables: { LATCHKEY_DATA: "elsewhere" } },
    { args: ["--data", "elsewhere"], variables: { LATCHKEY_DATA: "nowhere" } },
  ];
  const commands = [["backup", "copies", "--no-keys"], ["admin", "status"], ["doctor"]];
  for (const { args, variables } of sources) {
    for (const command of commands) {
      const { stdout, stderr } = await runWith(home, [...command, ...args], undefined, { variables });
      expect(stdout + stderr, [...command, ...args, ...Object.keys(variables)].join(" ")).toContain(join(home, "elsewhere"));
    }
  }
});

test("a file of settings that cannot be read is refused by every one of them", async () => {
  const home = temporaryFolder();
  writeFileSync(join(home, "latchkey.config.json"), "{");
  for (const command of [["backup", "copies", "--no-keys"], ["restore", "copies", "--without-journal"], ["admin", "status"], ["doctor"]])
    expect(await runWith(home, command)).toMatchObject({ status: 2, stderr: expect.stringContaining("is not JSON") });
});

test("no variable that the project reads keeps its own server from starting", () => {
  const root = fileURLToPath(new URL("../../../", import.meta.url));
  const read = ["apps", "attacks", "bench", "e2e", "packages", "sim", "tools"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => /^(?!.*(?:node_modules|dist)\/).*\.(?:js|ts|tsx)$/.test(name))
      .flatMap((name) =>
        [...readFileSync(join(root, folder, name), "utf8").matchAll(/\benv(?:\["|\.)(LATCHKEY_[A-Z_]+)/g)].map(
          ([, variable = ""]) => variable,
        ),
      ),
  );
  expect(read.length).toBeGreaterThan(5);
  expect(() => checkVariables(Object.fromEntries(read.map((variable) => [variable, ""])))).not.toThrow();
});
