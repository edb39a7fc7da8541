// What a server does to its disk for one file, step by step: ended at each of them, or without room from each of them on, real processes with a library between
// them and the system. The file is there byte for byte in the end, and nothing that was told to be there is lost.
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sha256 } from "./hash.ts";
import { startProcess } from "./testing/crashing-process.ts";
import type { CrashingProcess } from "./testing/crashing-process.ts";
import { buildStepShim, stepDisk } from "./testing/disk-steps.ts";
import type { StepDisk } from "./testing/disk-steps.ts";
import { createLog, createTestLog, entryBytes, openLog, random, temporaryDirectory } from "./testing/fixtures.ts";
import type { TestLog } from "./testing/fixtures.ts";
import { TestClient } from "./testing/test-client.ts";
import { createUpload, offsetOf, readBlob, sendPart } from "./testing/tus.ts";

const environment = { TEST_LIMITS: JSON.stringify({ minFreeBytes: 0 }) };
const partBytes = 100_000;
/** Every step is looked at in the night; else three or four of them, others each day. */
const stride = process.env["LATCHKEY_NIGHTLY"] !== undefined ? 1 : 31;
const firstStep = 1 + (stride === 1 ? 0 : Math.floor(Date.now() / 86_400_000) % stride);

/** Somebody who brings a file in three parts, and then says something that names it. */
class Sender {
  readonly blobId = random(32);
  readonly bytes = random(250_000);
  readonly log: TestLog;
  readonly #entry: Uint8Array;
  #path: string | undefined;
  /** So much was said to be on disk. */
  #told = 0;
  isAccepted = false;

  constructor(log: TestLog) {
    this.log = log;
    this.#entry = entryBytes(512, [{ blobId: this.blobId, hash: sha256(this.bytes), sizeBytes: this.bytes.length }]);
  }

  /** Goes on where it is, as far as the server lets it. Answers what kept it from going on; rejects where nobody is there. */
  async go(server: CrashingProcess): Promise<string> {
    for (let refused = 0; !this.isAccepted;) {
      const answer = await this.#step(server);
      if (answer === "storage_full" || answer === "internal") return answer;
      refused = answer === "on" ? 0 : refused + 1;
      if (refused > 3) return answer;
    }
    return "accepted";
  }

  async #step(server: CrashingProcess): Promise<string> {
    if (this.#path === undefined) {
      const { status, code, path } = await createUpload(server, this.blobId, this.bytes.length);
      if (status !== 201) return code ?? String(status);
      this.#path = path;
      return "on";
    }
    const offset = await offsetOf(server, this.#path);
    if (typeof offset === "string") return offset;
    if (offset < this.#told) throw new Error(`what was told to be there is not: ${String(offset)} of ${String(this.#told)}`);
    if (offset < this.bytes.length) {
      const { status, code, headers } = await sendPart(server, this.#path, offset, this.bytes.subarray(offset, offset + partBytes));
      if (status !== 204) return code ?? String(status);
      this.#told = Number(headers.get("upload-offset"));
      return "on";
    }
    return await this.#say(server);
  }

  async #say(server: CrashingProcess): Promise<string> {
    const client = await TestClient.connect(server.url, "log");
    try {
      await openLog(client, this.log);
      const { logId } = this.log;
      const outcome = await client.outcome({ kind: "append", logId, epochId: 0, entryKind: "message", blob: this.#entry });
      this.isAccepted = outcome === "accepted";
      return this.isAccepted ? "on" : outcome;
    } finally {
      await client.close();
    }
  }
}

async function readEntries(server: CrashingProcess, log: TestLog): Promise<number> {
  const client = await TestClient.connect(server.url, "log");
  const opened = await client.ask({ kind: "open", logId: log.logId, epochId: 0, access: log.access, afterSeq: 0, closed: [] });
  await client.close();
  return opened.kind === "opened" ? opened.lastSeq : -1;
}

/** How many bytes of half uploads lie on the disk: of one that was begun and never answered there is a name for a day, and nothing in it. */
function leftIn(directory: string): number {
  const uploads = join(directory, "blobs", "uploads");
  const names = readdirSync(uploads).filter((name) => !name.endsWith(".mark"));
  return names.reduce((sum, name) => sum + statSync(join(uploads, name)).size, 0);
}

interface Run {
  readonly directory: string;
  readonly sender: Sender;
  readonly disk: StepDisk;
  readonly server: CrashingProcess;
}

async function begin(shim: string, choice: { readonly at: number; readonly how: "kill" | "full" }): Promise<Run> {
  const directory = temporaryDirectory();
  const disk = stepDisk(temporaryDirectory(), shim, choice);
  const server = await startProcess(directory, undefined, { ...environment, ...disk.environment });
  const log = createTestLog();
  const client = await TestClient.connect(server.url, "log");
  await createLog(client, log);
  await client.close();
  return { directory, sender: new Sender(log), disk, server };
}

async function isWhole(server: CrashingProcess, { sender, directory }: Pick<Run, "sender" | "directory">): Promise<void> {
  expect(await readBlob(server, sender.blobId)).toEqual(sender.bytes);
  expect(await readEntries(server, sender.log)).toBe(1);
  expect(leftIn(directory)).toBe(0);
}

/** Runs with each of the chosen steps, until one is never reached. Answers how many there are. */
async function eachStep(run: (at: number) => Promise<boolean>): Promise<number> {
  for (let at = firstStep; ; at += stride) if (!(await run(at))) return at;
}

test("[E-141] a server that is killed at any step of its disk has the file byte for byte in the end, and what it acknowledged", async (context) => {
  const shim = buildStepShim(temporaryDirectory());
  if ("reason" in shim) {
    context.skip(shim.reason);
    return;
  }
  const reached = await eachStep(async (at) => {
    const { directory, sender, disk, server } = await begin(shim.path, { at, how: "kill" });
    disk.arm();
    const isDone = await sender.go(server).then(
      (answer) => answer === "accepted",
      () => false,
    );
    if (isDone) {
      server.kill("SIGKILL");
      await server.ended;
    } else expect((await server.ended).code).toBeNull();
    const again = await startProcess(directory, undefined, environment);
    expect(await sender.go(again)).toBe("accepted");
    await isWhole(again, { sender, directory });
    again.kill();
    expect((await again.ended).code).toBe(0);
    return !isDone;
  });
  expect(reached).toBeGreaterThan(20);
}, 600_000);

test("a disk that is full from any step on says so, the server goes on, and the file is there byte for byte once there is room", async (context) => {
  const shim = buildStepShim(temporaryDirectory());
  if ("reason" in shim) {
    context.skip(shim.reason);
    return;
  }
  const reached = await eachStep(async (at) => {
    const { directory, sender, disk, server } = await begin(shim.path, { at, how: "full" });
    disk.arm();
    const answer = await sender.go(server);
    disk.disarm();
    if (answer !== "accepted") expect(`${String(at)} ${answer}`).toBe(`${String(at)} storage_full`);
    expect(await sender.go(server)).toBe("accepted");
    await isWhole(server, { sender, directory });
    server.kill();
    expect((await server.ended).code).toBe(0);
    return answer !== "accepted";
  });
  expect(reached).toBeGreaterThan(10);
}, 600_000);

test("the folder of a blob is on disk before the blob is said to be there, and so is that it is there", async (context) => {
  const shim = buildStepShim(temporaryDirectory());
  if ("reason" in shim) {
    context.skip(shim.reason);
    return;
  }
  const { directory, sender, disk, server } = await begin(shim.path, { at: 1_000_000, how: "kill" });
  disk.arm();
  expect(await sender.go(server)).toBe("accepted");
  server.kill();
  await server.ended;
  const blobs = join(directory, "blobs");
  const folder = join(blobs, (sender.blobId[0] ?? 0).toString(16).padStart(2, "0"));
  const told = disk.told();
  expect(told).toContain(`mkdir ${folder}`);
  const after = told.slice(told.indexOf(`mkdir ${folder}`));
  expect([after.includes(`sync ${folder}`), after.includes(`sync ${blobs}`)]).toEqual([true, true]);
});
