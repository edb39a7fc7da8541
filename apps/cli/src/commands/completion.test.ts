import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { runWith } from "../run.testing.ts";

const folder = mkdtempSync(join(tmpdir(), "latchkey-completion-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function printed(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await runWith(folder, args);
  expect([status, stderr]).toEqual([0, ""]);
  return stdout;
}

const has = (program: string): boolean => spawnSync(program, ["--version"]).error === undefined;

test("bash completes commands, then what may follow each", async () => {
  const script = join(folder, "completion.bash");
  writeFileSync(script, await printed("completion", "bash"));
  const complete = (...words: string[]): string[] => {
    const line = words.map((word) => `"${word}"`).join(" ");
    const code = `source "${script}"; COMP_WORDS=(latchkey ${line}); COMP_CWORD=${String(words.length)}; _latchkey; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { status, stdout, stderr } = spawnSync("bash", ["--norc", "-c", code], { encoding: "utf8" });
    expect([status, stderr]).toEqual([0, ""]);
    return stdout.split("\n").filter((word) => word !== "");
  };
  const all = [
    "restore",
    "register",
    "read",
    "reply",
    "react",
    "report",
    "reports",
    "remind",
    "reminders",
    "requests",
    "recover",
    "recovery",
  ];
  expect(complete("re")).toEqual(all);
  expect(complete("--json", "whoa")).toEqual(["whoami"]);
  expect(complete("read", "--fol")).toEqual(["--follow"]);
  expect(complete("group", "re")).toEqual(["remove", "remove-unproven"]);
  expect(complete("group", "create", "--ho")).toEqual(["--home"]);
  // A name, a text, a file: nothing is put in its place.
  expect(complete("send", "ben", "h")).toEqual([]);
  expect(complete("nothing", "")).toEqual([]);
});

test("zsh and fish get a script that they can read, with every command", async () => {
  const [zsh, fish] = [await printed("completion", "zsh"), await printed("completion", "fish")];
  for (const name of ["send", "group", "backup", "completion"]) {
    expect(zsh).toContain(`'${name}:`);
    expect(fish).toContain(`-a ${name} -d '`);
  }
  for (const [program, text] of [
    ["zsh", zsh],
    ["fish", fish],
  ] as const) {
    if (!has(program)) {
      process.stdout.write(`The script for ${program} is not read by it: it is not installed here.\n`);
      continue;
    }
    const file = join(folder, `script.${program}`);
    writeFileSync(file, text);
    expect(spawnSync(program, ["-n", file], { encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
  }
  expect(await runWith(folder, ["completion", "cmd.exe"])).toMatchObject({
    status: 2,
    stderr: "latchkey: invalid_option: completion is for bash, zsh, fish\n",
  });
});

test("the manual page has every command as its help has it, and man takes it without a warning", async () => {
  const page = await printed("manual");
  const overview = await printed("help");
  for (const [, name = ""] of overview.matchAll(/^ {2}([a-z][a-z-]*) {2,}/gm))
    expect(page).toContain(`.SS "${name.replaceAll("-", "\\-")}`);
  expect(page).toContain("Exit status");
  if (!has("groff")) {
    process.stdout.write("The manual page is not set: groff is not installed here.\n");
    return;
  }
  const { status, stdout, stderr } = spawnSync("groff", ["-man", "-Tutf8", "-ww", "-rLL=200n"], { input: page, encoding: "utf8" });
  expect([status, stderr]).toEqual([0, ""]);
  expect(stdout).toContain("react");
});
