// Several servers on one database with one bucket.
import { toBase64Url } from "@latchkey/codec";
import { blobPath } from "@latchkey/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RunningServer } from "../server.ts";
import { random } from "../testing/fixtures.ts";
import { runNodes } from "../testing/nodes.ts";
import { findPostgres, keptSettings, startPostgres } from "../testing/postgres.ts";
import type { TestPostgres } from "../testing/postgres.ts";
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
    expect(runOf()).toBe(run);
  });
});
