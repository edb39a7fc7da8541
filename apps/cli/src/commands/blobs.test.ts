import { startServer } from "@latchkey/server";
import { startFakeS3 } from "@latchkey/server/testing";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { runWith } from "../run.testing.ts";
import type { Run } from "../run.testing.ts";

test("blobs move brings a server's blobs to a bucket and back, and says how many; what it does not know it does not do", async () => {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-blobs-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const bucket = await startFakeS3();
  onTestFinished(() => bucket.close());
  const run = (...words: string[]): Promise<Run> => runWith(folder, ["blobs", ...words], undefined, { variables: bucket.environment });
  expect((await run("move", "s3://copies/chat")).stderr).toMatch(/^latchkey: invalid_options: There is no data folder/);
  const dataDirectory = join(folder, "data");
  const server = await startServer({ port: 0, dataDirectory, logLevel: "silent" });
  const put = await fetch(`${server.url}/v1/blobs/${"A".repeat(43)}`, { method: "PUT", body: new Uint8Array(100) });
  expect(put.status).toBe(201);
  expect((await run("move", "s3://copies/chat")).stderr).toMatch(/data_locked/);
  await server.close();
  for (const words of [
    ["copy", "folder"],
    ["move", "elsewhere"],
    ["move", "s3://"],
  ])
    expect(await run(...words)).toMatchObject({
      stdout: "",
      stderr: expect.stringMatching(/^latchkey: invalid_option/) as string,
    });
  expect(await run("move", "s3://copies/chat")).toMatchObject({ status: 0, stdout: "Moved 1 blobs to s3://copies/chat\n", stderr: "" });
  expect([...bucket.objects.keys()].filter((key) => key.startsWith("chat/00/"))).toHaveLength(1);
  const back = await run("move", "folder", "--json");
  expect([back.status, JSON.parse(back.stdout)]).toEqual([0, { to: "folder", moved: 1, lost: 0 }]);
  expect(bucket.objects.size).toBe(0);
});
