import { utf8Bytes } from "@latchkey/codec";
import { encodeAddCheckpoint, parseNote } from "@latchkey/transparency";
import { createMemoryDirectory } from "@latchkey/transparency/testing";
import { seededRandom } from "@latchkey/testkit";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { startLogServer } from "./testing/log-server.ts";

interface Process {
  readonly url: string;
  readonly logKey: string;
  kill(): Promise<void>;
}

const main = fileURLToPath(new URL("./testing/witness-main.ts", import.meta.url));

async function startProcess(serverUrl: string, keyPath: string): Promise<Process> {
  const child = spawn(process.execPath, [main, serverUrl, keyPath], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exited;
  };
  onTestFinished(kill);
  const [line]: unknown[] = await Promise.race([once(createInterface({ input: child.stdout }), "line"), exited]);
  if (typeof line !== "string") throw new Error("the witness did not start");
  const { url, logKey } = JSON.parse(line) as { url: string; logKey: string };
  return { url, logKey, kill };
}

test("killed at any moment, a witness never cosigns a second tree of a size that it cosigned", { timeout: 60_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-witness-crash-"));
  const directory = await createMemoryDirectory({ witnesses: 0, nowMs: Date.now() - 3_600_000 });
  const log = await startLogServer(directory);
  const random = seededRandom("crash");
  const publish = (to: typeof directory): Promise<number> =>
    to.publish([{ type: "username", label: utf8Bytes(`name${String(to.size())}`), values: [random(8)] }]);
  const submit = async (url: string, from: typeof directory, oldSize: number): Promise<Response> => {
    const note = parseNote((await from.head()).checkpoint);
    const proof = oldSize === 0 ? [] : await from.consistency(oldSize);
    return await fetch(`${url}/add-checkpoint`, { method: "POST", body: encodeAddCheckpoint({ oldSize, proof, note }) });
  };
  /** What the witness says it cosigned last. */
  const sizeOf = async (url: string): Promise<number> => {
    const answer = await submit(url, directory, 0);
    return answer.status === 409 ? Number(await answer.text()) : 0;
  };
  const keys = new Set<string>();
  let cosigned = 0;
  try {
    for (let round = 0; round < 4; round++) {
      let witness = await startProcess(log.url, join(folder, "key"));
      keys.add(witness.logKey);
      let oldSize = round === 0 ? 0 : await sizeOf(witness.url);
      // Whatever was answered before the kill is known after it.
      expect(oldSize).toBeGreaterThanOrEqual(cosigned);
      const fork = directory.fork();
      let killed: Promise<void> | undefined;
      for (let isAlive = true; isAlive;) {
        await publish(directory);
        try {
          const answer = await submit(witness.url, directory, oldSize);
          expect(answer.status).toBe(200);
          oldSize = directory.size();
          cosigned = oldSize;
          killed ??= new Promise((done) => setTimeout(done, (random(1)[0] ?? 0) / 2)).then(() => witness.kill());
        } catch (error) {
          if (error instanceof TypeError) isAlive = false;
          else throw error;
        }
      }
      await killed;
      // The same size by another tree: refused, whether the last answer came through or not.
      witness = await startProcess(log.url, join(folder, "key"));
      const size = await sizeOf(witness.url);
      expect(size).toBeGreaterThanOrEqual(cosigned);
      expect(size).toBeGreaterThan(fork.size());
      while (fork.size() < size) await publish(fork);
      expect((await submit(witness.url, fork, size)).status).toBe(422);
      await witness.kill();
    }
  } finally {
    await log[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  }
  expect(keys.size).toBe(1);
  expect(cosigned).toBeGreaterThan(4);
});
