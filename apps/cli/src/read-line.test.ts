import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";

const hasTerminals = process.platform === "linux" && spawnSync("script", ["--version"]).status === 0;
if (!hasTerminals) process.stdout.write("passphrases at a terminal are not tried: there is no script(1) of util-linux here\n");

/** Runs a line of JavaScript with a terminal of its own; `keys` are pressed once it asks. Answers all that the terminal showed. */
async function atTerminal(keys: string): Promise<{ shown: string; got: string | undefined }> {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-terminal-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const [main, got] = [join(folder, "main.js"), join(folder, "got")];
  const module = JSON.stringify(fileURLToPath(new URL("./read-line.ts", import.meta.url)));
  const lines = [
    `import { readSecret } from ${module};`,
    `import { writeFileSync } from "node:fs";`,
    `writeFileSync(${JSON.stringify(got)}, await readSecret("Passphrase: ", process.stdin, process.stderr));`,
    `process.stderr.write("done");`,
  ];
  writeFileSync(main, lines.join("\n"));
  writeFileSync(join(folder, "package.json"), '{"type":"module"}');
  const terminal = spawn("script", ["--quiet", "--return", "--command", `${process.execPath} ${main}`, "/dev/null"], { stdio: "pipe" });
  onTestFinished(() => void terminal.kill("SIGKILL"));
  let shown = "";
  terminal.stdout.on("data", (data: Buffer) => {
    if (shown === "") terminal.stdin.write(keys);
    shown += data.toString();
  });
  await new Promise((resolve) => {
    terminal.once("close", resolve);
  });
  return { shown, got: existsSync(got) ? readFileSync(got, "utf8") : undefined };
}

test.skipIf(!hasTerminals)("a terminal shows nothing of a passphrase, neither what is typed nor what is taken back", async () => {
  const { shown, got } = await atTerminal("correct horsse\u007F\u007Fe battery\r");
  expect(got).toBe("correct horse battery");
  expect(shown.replaceAll("\r", "")).toBe("Passphrase: \ndone");
});

test.skipIf(!hasTerminals)("Ctrl+C ends the question and the process", async () => {
  const { shown, got } = await atTerminal("correct horse\u0003");
  expect([got, shown]).toEqual([undefined, expect.not.stringContaining("done")]);
  expect(shown).not.toContain("horse");
});
