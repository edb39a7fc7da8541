import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Starts a server by npm, as `npm start` does without what is installed and built before. */
async function startByNpm(data: string) {
  const args = ["run", "--silent", "latchkey", "--", "serve", "--port", "0", "--data", data, "--web-root", ""];
  const npm = spawn("npm", args, { cwd: root, stdio: ["ignore", "pipe", "inherit"], detached: true });
  onTestFinished(() => {
    // All of its processes: they are a group of their own.
    if (npm.pid !== undefined && isRunning(-npm.pid)) process.kill(-npm.pid, "SIGKILL");
  });
  let output = "";
  npm.stdout.on("data", (data_: Buffer) => {
    output += data_.toString();
  });
  const over = new Promise<void>((resolve) => {
    npm.stdout.once("close", resolve);
  });
  await expect.poll(() => output, { timeout: 60_000, interval: 100 }).toContain("Latchkey is running");
  return { npm, over };
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test.skipIf(process.platform === "win32")(
  "a signal to npm stops the server that it started",
  async () => {
    const data = mkdtempSync(join(tmpdir(), "latchkey-signals-"));
    onTestFinished(() => rmSync(data, { recursive: true, force: true }));
    const { npm, over } = await startByNpm(data);
    npm.kill("SIGTERM");
    // Every process that could still write has ended.
    await over;
    const group = -(npm.pid ?? 0);
    await expect.poll(() => isRunning(group), { timeout: 20_000 }).toBe(false);
  },
  120_000,
);
