// Several servers on one database with one bucket.
import { toBase64Url } from "@latchkey/codec";
import { blobPath } from "@latchkey/protocol";
import { cpSync, existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RunningServer } from "../server.ts";
import { startProcess } from "../testing/crashing-process.ts";
import type { CrashingProcess } from "../testing/crashing-process.ts";
import { random, temporaryDirectory } from "../testing/fixtures.ts";
import { runNodes } from "../testing/nodes.ts";
import { findPostgres, keptSettings, startPostgres } from "../testing/postgres.ts";
import type { TestPostgres } from "../testing/postgres.ts";
import { createUpload, holdsBlob, offsetOf, sendPart } from "../testing/tus.ts";
import { quick, startTestBucket } from "./bucket.testing.ts";

describe.skipIf(findPostgres() === undefined)("servers on one database with one bucket", () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres(keptSettings);
  });
  afterAll(() => postgres.stop());

  const reasonsOf = async ({ url }: RunningServer): Promise<string> => await (await fetch(`${url}/healthz`)).text();

  test("[E-144] are one run of it: what one puts the others read, and none takes another for a copy; one with a copy of their data is told", async () => {
    const bucket = await startTestBucket();
    const parts = { bucketPatience: quick };
    const runOf = (): string => new TextDecoder().decode(bucket.fake.objects.get("chat/run"));
    const nodes = await runNodes(postgres, 3, { blobs: bucket.blobs }, parts);
    const servers = nodes.map(({ server }) => server);
    for (const from of servers) {
      const [blobId, bytes] = [random(32), random(3000)];
      const path = blobPath(toBase64Url(blobId));
      expect((await fetch(from.url + path, { method: "PUT", body: bytes })).status).toBe(201);
      for (const { url } of servers) expect(new Uint8Array(await (await fetch(url + path)).arrayBuffer())).toEqual(bytes);
    }
    // Each looks several times more, and finds the name of the last that started.
    const run = runOf();
    let looks = 0;
    bucket.fake.respond = ({ key, method }) => {
      if (key === "chat/run" && method === "GET") looks += 1;
      return false;
    };
    await expect.poll(() => looks).toBeGreaterThan(12);
    expect(runOf()).toBe(run);
    for (const server of servers) expect(await reasonsOf(server)).not.toContain("blobs");

    bucket.fake.objects.set("chat/run", new TextEncoder().encode("a copy of their data"));
    for (const server of servers) {
      await expect.poll(() => reasonsOf(server)).toContain("with a copy of this server's data");
    }
    await expect.poll(runOf).toBe(run);
  });

  test("[C-4] [E-140] an upload that was begun at a server which is killed while it takes some of it is finished at another one, and is what was sent", async () => {
    const bucket = await startTestBucket();
    const keys = temporaryDirectory();
    const place = { at: postgres.url, acceptLoss: true, schema: `k${String(process.hrtime.bigint())}` };
    const environment = { ...bucket.blobs.environment, TEST_BLOBS: bucket.at, TEST_DATABASE: JSON.stringify(place) };
    const start = async (): Promise<CrashingProcess> => {
      const directory = temporaryDirectory();
      if (existsSync(join(keys, "directory"))) cpSync(join(keys, "directory"), join(directory, "directory"), { recursive: true });
      const node = await startProcess(directory, undefined, environment);
      if (!existsSync(join(keys, "directory"))) cpSync(join(directory, "directory"), join(keys, "directory"), { recursive: true });
      return node;
    };
    let [here, there] = [await start(), await start()];
    const [blobId, bytes] = [random(32), random(40_000_000)];
    const { path } = await createUpload(here, blobId, bytes.length);
    let [acknowledged, kills] = [0, 0];
    for (const kind of ["a part", "a piece", "begin", "a part", "any", "join"] as const) {
      // The bucket has done what it was asked for, or has not, when the server that asks is killed.
      const asked = new Promise<void>((resolve) => {
        bucket.fake.respond = ({ method, query, key }) => {
          const isIt = {
            "a part": query.has("partNumber"),
            "a piece": method === "PUT" && /uploads\/.*\/\d+$/.test(key) && !query.has("partNumber"),
            begin: method === "POST" && query.has("uploads"),
            any: method === "PUT",
            join: method === "POST" && query.has("uploadId"),
          }[kind];
          if (isIt) resolve();
          return isIt && kills % 2 === 0;
        };
      });
      const length = kind === "join" ? bytes.length - acknowledged : kind === "a piece" ? 1_000_000 : 9_000_000;
      const sent = sendPart(here, path, acknowledged, bytes.subarray(acknowledged, acknowledged + length)).catch(() => undefined);
      await Promise.race([asked, sent]);
      here.kill("SIGKILL");
      kills += 1;
      const answer = await sent;
      if (answer?.status === 204) acknowledged += length;
      bucket.fake.respond = undefined;
      [here, there] = [there, await start()];
      const offset = Number(await offsetOf(here, path));
      expect(offset, kind).toBeGreaterThanOrEqual(acknowledged);
      acknowledged = offset;
    }
    for (; acknowledged < bytes.length; acknowledged += 5_000_000) {
      expect((await sendPart(here, path, acknowledged, bytes.subarray(acknowledged, acknowledged + 5_000_000))).status).toBe(204);
      [here, there] = [there, here];
    }
    for (const node of [here, there]) {
      expect(await offsetOf(node, path)).toBe(bytes.length);
      expect(await holdsBlob(node, blobId, bytes)).toBe(true);
    }
    expect(kills).toBe(6);
    await expect.poll(() => [...bucket.fake.objects.keys()].filter((key) => key.startsWith("chat/uploads/"))).toEqual([]);
  }, 120_000);
});
