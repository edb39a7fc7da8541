import { toBase64Url } from "@latchkey/codec";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { random, runServer, temporaryDirectory } from "../testing/fixtures.ts";

test("files that a crash left beside the index are removed after the next start, unfinished uploads at it; what has a row stays", async () => {
  const dataDirectory = temporaryDirectory();
  const host = "latchkey.example";
  const first = await runServer({ dataDirectory, host });
  const kept = random(32);
  const put = async (url: string, id: Uint8Array): Promise<number> => {
    const response = await fetch(`${url}/v1/blobs/${toBase64Url(id)}`, { method: "PUT", body: Buffer.from(random(1000)) });
    return response.status;
  };
  expect(await put(first.url, kept)).toBe(201);
  await first.close();
  const pathOf = (id: Uint8Array): string => join(dataDirectory, "blobs", (id[0] ?? 0).toString(16).padStart(2, "0"), toBase64Url(id));
  const orphans = Array.from({ length: 20 }, () => pathOf(random(32)));
  const upload = join(dataDirectory, "blobs", "uploads", "0123456789abcdef");
  const foreign = join(dataDirectory, "blobs", "00", "notes.txt");
  for (const path of [...orphans, upload, foreign]) {
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, "x");
  }
  const again = await runServer({ dataDirectory, host });
  expect(existsSync(upload)).toBe(false);
  await expect.poll(() => orphans.filter((path) => existsSync(path)), { timeout: 20_000 }).toEqual([]);
  expect(existsSync(pathOf(kept))).toBe(true);
  expect(existsSync(foreign)).toBe(true);
  expect((await fetch(`${again.url}/v1/blobs/${toBase64Url(kept)}`)).status).toBe(200);
});
