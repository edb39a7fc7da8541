import { startFakeS3 } from "@latchkey/server/testing";
import type { FakeS3 } from "@latchkey/server/testing";
import { randomBytes } from "node:crypto";
import { afterAll, expect, test } from "vitest";
import { fileOf, messageOf, read } from "./files.testing.ts";
import { serverOfAllTests } from "./server.testing.ts";

/*
 * Files of people whose server keeps them in a bucket, with a real server and real profiles (spec C-4, X-23).
 */

let bucket: FakeS3 | undefined;
const server = serverOfAllTests(async () => {
  bucket = await startFakeS3();
  return { logLevel: "silent", blobs: { at: "s3://copies/chat", environment: bucket.environment } };
});
const { open } = server;

afterAll(() => bucket?.close());

/** What the bucket does with bytes of blobs. */
function failing(how: number | "hang up" | undefined): void {
  if (bucket === undefined) throw new Error("before the tests");
  bucket.fault = ({ key }) => (/^chat\/[0-9a-f]{2}\//.test(key) ? how : undefined);
}

test("[C-4] a file that is sent while the bucket fails arrives once it works, and so does one that is read meanwhile; what is said goes on", async () => {
  const [ann, bob] = [await open("ann"), await open("bob")];
  const { id } = await ann.startConversation({ to: ["bob"] });
  await ann.send(id, "hello");
  await ann.settle();
  const bytes = randomBytes(3_000_000);
  failing(500);
  const sent = await ann.send(id, "a file", { files: [fileOf("file.bin", bytes)] });
  await bob.send(id, "are you there?");
  await messageOf(ann, id, "are you there?");
  await expect.poll(async () => (await fetch(`${server.url}/healthz`)).status, { timeout: 30_000 }).toBe(503);
  expect((await ann.messages(id, { limit: 5 })).find((each) => each.id === sent.id)?.delivery).toEqual({ kind: "pending" });
  failing(undefined);
  await ann.settle({ timeoutMs: 120_000 });
  const got = await messageOf(bob, id, "a file");
  const [file] = got.files ?? [];
  if (file === undefined) throw new Error("a file");
  failing("hang up");
  const reading = read(bob, got, file);
  await new Promise((resolve) => setTimeout(resolve, 2000));
  failing(undefined);
  expect((await reading).equals(bytes)).toBe(true);
}, 180_000);
