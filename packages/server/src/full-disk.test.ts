// A data folder on a file system of its own that fills up: what a stop and a start say then, and that nothing acknowledged is lost.
import { spawnSync } from "node:child_process";
import { appendFileSync, mkdirSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { toBase64Url } from "@latchkey/codec";
import { blobPath } from "@latchkey/protocol";
import { expect, onTestFinished, test } from "vitest";
import { crashing, startProcess } from "./testing/crashing-process.ts";
import { createLog, createTestLog, entryBytes, random, temporaryDirectory } from "./testing/fixtures.ts";
import { TestClient } from "./testing/test-client.ts";
import { createUpload, holdsBlob, offsetOf, readBlob, sendPart } from "./testing/tus.ts";

const sizeMegabytes = 12;
const environment = { TEST_LIMITS: JSON.stringify({ minFreeBytes: 0 }) };

/** A small file system; the reason where the system gives none. */
function mountSmall(directory: string): { readonly reason: string } | undefined {
  mkdirSync(directory);
  const { error, status } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${sizeMegabytes}m`, "tmpfs", directory], { stdio: "ignore" });
  if (error !== undefined || status !== 0) return { reason: "mounting a small file system is refused" };
  onTestFinished(() => void spawnSync("umount", ["-l", directory]));
  return undefined;
}

/** Takes all the room that is left. */
function fill(directory: string): void {
  for (const size of [1_048_576, 65_536, 4096]) {
    try {
      for (;;) appendFileSync(join(directory, "filler"), Buffer.alloc(size));
    } catch {
      // Full, for pieces of this size.
    }
  }
}

test("a disk that fills up under an upload ends the part with storage_full; what came stays, and it goes on once there is room", async (context) => {
  const directory = join(temporaryDirectory(), "data");
  const refused = mountSmall(directory);
  if (refused !== undefined) {
    process.stdout.write(`skipped, a full disk: ${refused.reason}\n`);
    context.skip(refused.reason);
    return;
  }
  const server = await startProcess(directory, crashing, environment, "warn");
  const [blobId, bytes, put] = [random(32), random(6_000_000), random(32)];
  const { path } = await createUpload(server, blobId, bytes.length);
  expect((await sendPart(server, path, 0, bytes.subarray(0, 1_000_000))).status).toBe(204);
  fill(directory);
  rmSync(join(directory, "filler"));
  // About a megabyte is left.
  appendFileSync(join(directory, "filler"), Buffer.alloc(statfsSync(directory).bavail * statfsSync(directory).bsize - 1_200_000));
  expect(await sendPart(server, path, 1_000_000, bytes.subarray(1_000_000))).toMatchObject({ status: 507, code: "storage_full" });
  const reached = Number(await offsetOf(server, path));
  expect(reached).toBeGreaterThan(1_000_000);
  expect(reached).toBeLessThan(bytes.length);
  fill(directory);
  expect(await createUpload(server, random(32), 1000)).toMatchObject({ status: 507, code: "storage_full" });
  // Less than it says has room for: no part of it is taken for the whole.
  const half = await fetch(`${server.url}${blobPath(toBase64Url(put))}`, { method: "PUT", body: random(60_000).slice() });
  expect(half.status).toBe(507);
  expect(await offsetOf(server, path)).toBe(reached);
  rmSync(join(directory, "filler"));
  expect((await sendPart(server, path, reached, bytes.subarray(reached))).status).toBe(204);
  expect(await holdsBlob(server, blobId, bytes)).toBe(true);
  expect(await readBlob(server, put)).toBe(404);
  server.kill();
  expect((await server.ended).code).toBe(0);
});

test.each(["SIGTERM", "SIGKILL"] as const)(
  "a disk that is full at %s and at the start after it is named as such, and nothing is lost",
  async (signal) => {
    const directory = join(temporaryDirectory(), "data");
    const refused = mountSmall(directory);
    if (refused !== undefined) {
      process.stdout.write(`skipped, a full disk: ${refused.reason}\n`);
      return;
    }
    const start = () => startProcess(directory, crashing, environment, "warn");
    const log = createTestLog();
    const append = { kind: "append", logId: log.logId, epochId: 0, entryKind: "message", blob: entryBytes(4096) } as const;
    const server = await start();
    const client = await TestClient.connect(server.url, "log");
    await createLog(client, log);
    expect(await client.outcome(append)).toBe("accepted");
    fill(directory);
    const outcomes: string[] = [];
    for (let count = 0; count < 50; count++) outcomes.push(await client.outcome({ ...append, blob: entryBytes(4096) }));
    expect(outcomes.at(-1)).toBe("storage_full");
    const accepted = 1 + outcomes.filter((outcome) => outcome === "accepted").length;
    server.kill(signal);
    const { code, log: written } = await server.ended;
    if (signal === "SIGTERM") {
      expect(code).toBe(0);
      // Where what was left to be written still had room there is nothing to say.
      expect(written.trim()).toMatch(/^$|^[^\n]*closed on a full disk[^\n]*$/);
    }

    fill(directory);
    await expect(start()).rejects.toThrow(
      /The disk of \S+ is full.*make room there, and start again\. Nothing that was acknowledged is lost\./,
    );

    rmSync(join(directory, "filler"));
    const again = await start();
    const reader = await TestClient.connect(again.url, "log");
    expect(await reader.ask({ kind: "open", logId: log.logId, epochId: 0, access: log.access, afterSeq: 0, closed: [] })).toMatchObject({
      kind: "opened",
      lastSeq: accepted,
    });
    expect(await reader.outcome({ ...append, blob: entryBytes(4096) })).toBe("accepted");
    again.kill();
    expect(await again.ended).toEqual({ code: 0, log: "" });
  },
);
