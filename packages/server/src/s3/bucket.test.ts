import { closeSync, ftruncateSync, openSync } from "node:fs";
import { join } from "node:path";
import { collectGarbage, heldBufferBytes } from "@latchkey/testkit";
import { expect, onTestFinished, test } from "vitest";
import { random, temporaryDirectory } from "../testing/fixtures.ts";
import { readS3Address } from "./address.ts";
import { Bucket } from "./bucket.ts";
import type { BucketPatience } from "./bucket.ts";
import { bucketName, startFakeS3 } from "./fake-s3.testing.ts";
import type { FakeS3 } from "./fake-s3.testing.ts";

async function open(patience: BucketPatience = {}): Promise<{ readonly fake: FakeS3; readonly bucket: Bucket }> {
  const fake = await startFakeS3();
  onTestFinished(() => fake.close());
  const address = readS3Address(`s3://${bucketName}/a`, fake.environment);
  return { fake, bucket: new Bucket(address, { waitMs: 1, silenceMs: 500, ...patience }) };
}

test("what is read of an object is a part of it, of an object of that length; everything else is none of its bytes", async () => {
  const { fake, bucket } = await open();
  const bytes = random(1000);
  await bucket.put("x", bytes);
  const read = async (range: { first: number; last: number; size: number }, key = "x"): Promise<Uint8Array | undefined> => {
    const pieces = await bucket.readRange(key, range);
    return pieces === undefined ? undefined : new Uint8Array(Buffer.concat(await Array.fromAsync(pieces)));
  };
  expect(await read({ first: 0, last: 999, size: 1000 })).toEqual(bytes);
  expect(await read({ first: 10, last: 19, size: 1000 })).toEqual(bytes.slice(10, 20));
  for (const [range, key] of [
    [{ first: 0, last: 999, size: 1000 }, "y"],
    [{ first: 0, last: 1000, size: 1001 }, "x"],
    [{ first: 0, last: 998, size: 999 }, "x"],
    [{ first: 1000, last: 1000, size: 1001 }, "x"],
  ] as const) {
    expect(await read(range, key)).toBeUndefined();
  }
  expect([await bucket.size("x"), await bucket.size("y")]).toEqual([1000, undefined]);
  fake.respond = (_, response) => {
    response.writeHead(404).end("<Error><Code>NoSuchBucket</Code></Error>");
    return true;
  };
  await expect(read({ first: 0, last: 999, size: 1000 })).rejects.toMatchObject({ code: "bucket_failed" });
});

test("who reads slowly is not taken for a bucket that is slow", async () => {
  const { bucket } = await open({ silenceMs: 100 });
  const bytes = random(2_000_000);
  await bucket.put("x", bytes);
  let size = 0;
  for await (const piece of (await bucket.readRange("x", { first: 0, last: 1_999_999, size: 2_000_000 })) ?? []) {
    if (size === 0) await new Promise((resolve) => setTimeout(resolve, 400));
    size += piece.length;
  }
  expect(size).toBe(2_000_000);
});

test("what is sent gets time by its length: a slow line is no bucket that does not answer", async () => {
  const { fake, bucket } = await open({ silenceMs: 300, tries: 1 });
  fake.respond = (_, response) => {
    setTimeout(() => response.end(), 1000);
    return true;
  };
  await bucket.put("x", new Uint8Array(500_000));
  await expect(bucket.put("x", new Uint8Array(500))).rejects.toThrow(/no answer in time/);
});

test("a bucket that says nothing is given up on, also by a process that collects its garbage meanwhile", async () => {
  const { fake, bucket } = await open({ tries: 1 });
  fake.fault = () => "silence";
  const timer = setInterval(collectGarbage, 50);
  onTestFinished(() => clearInterval(timer));
  await expect(bucket.put("x", random(10))).rejects.toThrow(/no answer in time/);
  await expect(bucket.size("x")).rejects.toThrow(/no answer in time/);
});

/** Has every listing answered so. */
function answerLists(fake: FakeS3, text: string): void {
  fake.respond = ({ query }, response) => {
    if (!query.has("list-type") && !query.has("uploads")) return false;
    response.end(text);
    return true;
  };
}

test("what a bucket says instead of a listing costs no more time than it is long", async () => {
  const { fake, bucket } = await open({ silenceMs: 20_000 });
  for (const name of ["Contents", "CommonPrefixes", "Upload"]) {
    answerLists(fake, `<IsTruncated>false</IsTruncated>${`<${name}>`.repeat(80_000)}`);
    const beganMs = performance.now();
    if (name === "Upload") expect(await bucket.breakOffUploads("")).toBe(0);
    else expect(await bucket.list("")).toEqual({ objects: [], folders: [] });
    expect(performance.now() - beganMs).toBeLessThan(2000);
  }
}, 120_000);

test("a listing that says no end, or no way to go on, is none: nobody takes a part for the whole", async () => {
  const { fake, bucket } = await open();
  const item = "<Contents><Key>a/x</Key><Size>1</Size></Contents>";
  for (const text of ["", "<html>Please log in</html>", item, `<IsTruncated>true</IsTruncated>${item}`]) {
    answerLists(fake, text);
    await expect(bucket.list("")).rejects.toMatchObject({ code: "bucket_failed" });
  }
  answerLists(fake, `<IsTruncated>false</IsTruncated>${item}`);
  expect(await bucket.list("")).toEqual({ objects: [{ key: "x", size: 1 }], folders: [] });
});

test("of a listing that is gone through, one page is in memory", async () => {
  const { fake, bucket } = await open();
  let pages = 0;
  fake.respond = (_, response) => {
    pages += 1;
    response.end(
      `<IsTruncated>true</IsTruncated><Contents><Key>a/${String(pages)}</Key><Size>1</Size></Contents><NextContinuationToken>${String(pages)}</NextContinuationToken>`,
    );
    return true;
  };
  const seen: string[] = [];
  for await (const { objects } of bucket.pages("")) {
    seen.push(...objects.map(({ key }) => key));
    if (seen.length === 3) break;
  }
  expect([seen, pages]).toEqual([["1", "2", "3"], 3]);
});

test("uploads in parts that a process left behind are broken off, those of other keys stay", async () => {
  const { fake, bucket } = await open();
  const leave = async (key: string): Promise<void> => {
    const stopped = new AbortController();
    fake.fault = ({ method }) => {
      if (method === "PUT") setTimeout(() => stopped.abort(), 1);
      return method === "PUT" || method === "DELETE" ? "hang up" : undefined;
    };
    const leaving = new Bucket(readS3Address(`s3://${bucketName}`, fake.environment), { waitMs: 1, partBytes: 10, signal: stopped.signal });
    await expect(leaving.putFile(key, import.meta.filename)).rejects.toThrow();
    fake.fault = undefined;
  };
  for (const key of ["a/00/x", "a/01/x", "b/00/x"]) await leave(key);
  expect(fake.uploads.size).toBe(3);
  expect([await bucket.breakOffUploads("00/"), fake.uploads.size]).toEqual([1, 2]);
  expect([await bucket.breakOffUploads(""), fake.uploads.size]).toEqual([1, 1]);
});

test("of uploads that nobody joins any more a hundred are broken off at once, however many a bucket names, and the next call goes on", async () => {
  const { fake, bucket } = await open();
  const named = Array.from({ length: 20_000 }, (_, at) => `<Upload><Key>a/${String(at)}</Key><UploadId>${String(at)}</UploadId></Upload>`);
  let asked = 0;
  fake.respond = ({ method }, response) => {
    if (method === "DELETE") {
      named.shift();
      asked += 1;
    }
    response.writeHead(method === "DELETE" ? 204 : 200).end(method === "DELETE" ? "" : named.join(""));
    return true;
  };
  const isUnderWay = (key: string): boolean => key === "0";
  expect([await bucket.breakOffUploads("", isUnderWay), asked]).toEqual([100, 100]);
  expect([await bucket.breakOffUploads("", isUnderWay), asked]).toEqual([100, 200]);
});

test("a bucket that calls an upload or a part what no store keeps, empty, long or unreadable, takes no parts", async () => {
  const { fake, bucket } = await open();
  let answer = { id: "", tag: "" };
  fake.respond = ({ method }, response) => {
    response.writeHead(200, { etag: answer.tag }).end(method === "POST" ? `<R><UploadId>${answer.id}</UploadId></R>` : "");
    return true;
  };
  const put = (): Promise<string | undefined> => bucket.putPart("x", { upload: "u", number: 1, bytes: Uint8Array.of(1) });
  for (const id of ["", "x".repeat(1025), "a\0b", "\u{1f511}"]) {
    answer = { id, tag: "" };
    await expect(bucket.beginParts("x")).rejects.toMatchObject({ code: "bucket_failed" });
  }
  for (const tag of ["", "x".repeat(129), "\u00e9".repeat(100)]) {
    answer = { id: "", tag };
    await expect(put()).rejects.toMatchObject({ code: "bucket_failed" });
  }
  answer = { id: "x".repeat(1024), tag: '"tag"' };
  expect([await bucket.beginParts("x"), await put()]).toEqual(["x".repeat(1024), '"tag"']);
});

test("a large file is put in parts, of which one is in memory", async () => {
  const { fake, bucket } = await open({ partBytes: 8_388_608, silenceMs: 20_000 });
  const path = join(temporaryDirectory(), "file");
  const file = openSync(path, "wx");
  // A hole: it takes no room.
  ftruncateSync(file, 268_435_456);
  closeSync(file);
  let [size, peak] = [0, 0];
  fake.respond = ({ method, query, body }, response) => {
    if (method === "POST" && query.has("uploadId")) {
      response.end("<CompleteMultipartUploadResult></CompleteMultipartUploadResult>");
      return true;
    }
    if (method !== "PUT" || !query.has("partNumber")) return false;
    size += body.length;
    void heldBufferBytes().then((bytes) => {
      peak = Math.max(peak, bytes);
      response.writeHead(200, { etag: '"x"' }).end();
    });
    return true;
  };
  await bucket.putFile("x", path);
  expect(size).toBe(268_435_456);
  // What the server of the test holds of a part is among it.
  expect(peak).toBeLessThan(128_000_000);
}, 120_000);
