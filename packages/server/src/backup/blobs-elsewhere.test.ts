import { toBase64Url } from "@latchkey/codec";
import { blobPath } from "@latchkey/protocol";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startTestBucket } from "../blobs/bucket.testing.ts";
import { diagnose } from "../doctor/diagnose.ts";
import type { Finding } from "../doctor/finding.ts";
import { random, register, runServer, temporaryDirectory } from "../testing/fixtures.ts";
import { readBlob } from "../testing/tus.ts";
import { backupPlace } from "./open-place.ts";
import { restoreBackup } from "./restore.ts";

const passphrase = "correct horse battery";

test("a backup of a server whose blobs lie in a bucket says that they stay there; it is restored by whoever names the bucket, and finds them", async () => {
  const bucket = await startTestBucket();
  const { blobs, at } = bucket;
  const [dataDirectory, host] = [temporaryDirectory(), "latchkey.example"];
  const server = await runServer({ dataDirectory, host, blobs });
  await register(server, "alice");
  const [blobId, bytes] = [random(32), random(20_000)];
  await fetch(server.url + blobPath(toBase64Url(blobId)), { method: "PUT", body: new Uint8Array(bytes) });
  for (const name of [join(temporaryDirectory(), "copies"), "s3://copies/backups"]) {
    const place = backupPlace(name, blobs.environment);
    const made = await place.make({ dataDirectory, passphrase, nowMs: Date.now() });
    expect(made.manifest.blobs).toEqual({ count: 0, bytes: 0, missing: 0, bucket: at });
    const [found] = await place.find();
    expect(found?.manifest.blobs.bucket).toBe(at);
    await place.dropOld(made, 1);

    const restored = join(temporaryDirectory(), "data");
    const restoring = { from: place, dataDirectory: restored, passphrase: () => Promise.resolve(passphrase), keysFolder: undefined };
    const restore = (named: string | undefined) => restoreBackup({ ...restoring, blobs: named, nowMs: Date.now() });
    await expect(restore(undefined)).rejects.toMatchObject({ code: "restore_failed", message: expect.stringContaining(`--blobs ${at}`) });
    await expect(restore("s3://copies/other")).rejects.toMatchObject({ code: "restore_failed" });
    expect((await restore(at)).blobsLost).toBe(0);
    const again = await runServer({ dataDirectory: restored, host, blobs });
    expect(await readBlob(again, blobId)).toEqual(bytes);
    await again.close();
  }
  expect(bucket.keys()).toHaveLength(1);
});

test("a backup that holds the blobs is not restored by whoever thinks that they are in a bucket", async () => {
  const dataDirectory = temporaryDirectory();
  const server = await runServer({ dataDirectory });
  const place = backupPlace(join(temporaryDirectory(), "copies"), {});
  await place.make({ dataDirectory, passphrase, nowMs: Date.now() });
  await server.close();
  const target = join(temporaryDirectory(), "data");
  const restoring = { from: place, dataDirectory: target, passphrase: () => Promise.resolve(passphrase), keysFolder: undefined };
  await expect(restoreBackup({ ...restoring, blobs: "s3://copies/chat", nowMs: Date.now() })).rejects.toThrow(/without --blobs/);
  expect(readdirSync(join(target, ".."))).toEqual([]);
});

test("the doctor asks the bucket of the blobs, and says what it answers", async () => {
  const { fake, blobs, at } = await startTestBucket();
  const dataDirectory = temporaryDirectory();
  const look = async (): Promise<Finding | undefined> => {
    const findings = await diagnose({ port: 0, dataDirectory, host: "latchkey.example", blobs });
    return findings.find(({ topic }) => topic === "blobs");
  };
  expect(await look()).toMatchObject({ state: "todo", message: expect.stringContaining("holds no server's blobs") as string });
  await (await runServer({ dataDirectory, host: "latchkey.example", blobs })).close();
  expect(await look()).toMatchObject({ state: "ok", message: expect.stringContaining(at) as string });
  fake.fault = () => 403;
  expect(await look()).toMatchObject({ state: "todo", message: expect.stringContaining("cannot be used") as string });
  const unnamed = await diagnose({ port: 0, dataDirectory, blobs: { at } });
  expect(unnamed.find(({ topic }) => topic === "blobs")).toMatchObject({
    state: "todo",
    message: expect.stringContaining("AWS_") as string,
  });
});
