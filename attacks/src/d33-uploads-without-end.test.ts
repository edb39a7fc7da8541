// D33 | strangers begin uploads without end and finish none, to fill the server's disk, its files and its table of uploads, and keep others from sending | P
// Source: docs/decisions/0018; slow and unfinished requests (Slowloris, 2009) with what tus keeps between them
// Counter-measure: bounds of uploads, parts and bytes by address and in all, the longest untouched of who has most goes first, nothing stays longer than two days (E-140)
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultLimits, startServer } from "@latchkey/server";
import { createUpload, offsetOf, readBlob, sendPart, tus } from "@latchkey/server/testing";
import type { TusPeer } from "@latchkey/server/testing";
import { describe, expect, test } from "vitest";

const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes));

describe("D33 a flood of uploads that nobody finishes", () => {
  test("[E-140] takes what one address may and no more, from however many addresses; who sends a file meanwhile is not kept from it", async ({
    onTestFinished,
  }) => {
    const dataDirectory = mkdtempSync(join(tmpdir(), "latchkey-attack-"));
    const limits = { maxUploads: 600, maxUploadsPerAddress: 100 };
    const server = await startServer({ port: 0, dataDirectory, host: "chat.example", logLevel: "silent", trustProxy: "loopback", limits });
    onTestFinished(async () => {
      await server.close();
      rmSync(dataDirectory, { recursive: true });
    });
    const stranger = (number: number): TusPeer => ({
      url: server.url,
      visitor: `198.51.${String(number >> 8)}.${String(number & 255)}`,
    });
    const ben: TusPeer = { url: server.url, visitor: "203.0.113.7" };
    const [blobId, bytes] = [random(32), random(200_000)];
    const { path } = await createUpload(ben, blobId, bytes.length);
    expect((await sendPart(ben, path, 0, bytes.subarray(0, 50_000))).status).toBe(204);

    // One address, thousands of times.
    const statuses = new Map<number, number>();
    for (let round = 0; round < 30; round++) {
      const answers = await Promise.all(Array.from({ length: 100 }, () => createUpload(stranger(1), random(32), 2_000_000_000)));
      for (const { status } of answers) statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    expect([...statuses]).toEqual([
      [201, 100],
      [429, 2900],
    ]);
    // A line of IPv6 has 256 networks, and twice as many uploads as one of them.
    let ofLine = 0;
    for (let network = 0; network < 256; network++) {
      const { status } = await createUpload({ url: server.url, visitor: `2001:db8:7:${network.toString(16)}::1` }, random(32), 1000);
      if (status === 201) ofLine += 1;
    }
    expect(ofLine).toBe(200);
    // A hundred addresses with ten each, all of which hold a little.
    for (let number = 2; number < 102; number++) {
      const made = await Promise.all(Array.from({ length: 10 }, () => createUpload(stranger(number), random(32), 1000)));
      expect(made.every(({ status }) => status === 201)).toBe(true);
      await Promise.all(made.map((each) => sendPart(stranger(number), each.path, 0, random(1))));
    }
    const uploads = join(dataDirectory, "blobs", "uploads");
    const names = readdirSync(uploads);
    expect(names).toHaveLength(2 * limits.maxUploads);
    expect(names.reduce((sum, name) => sum + statSync(join(uploads, name)).size, 0)).toBeLessThan(300_000);

    expect(await offsetOf(ben, path)).toBe(50_000);
    expect((await sendPart(ben, path, 50_000, bytes.subarray(50_000))).status).toBe(204);
    const another = random(32);
    const next = await createUpload(ben, another, bytes.length);
    expect((await sendPart(ben, next.path, 0, bytes)).status).toBe(204);
    expect([await readBlob(ben, blobId), await readBlob(ben, another)]).toEqual([bytes, bytes]);
  }, 120_000);

  test("[E-140] neither is who asks without end how far uploads are, his own or some that are not there, or ends them: he pays as for parts", async ({
    onTestFinished,
  }) => {
    const dataDirectory = mkdtempSync(join(tmpdir(), "latchkey-attack-"));
    const rates = { ...defaultLimits.rates, patchUpload: { burst: 200, perSecond: 0.01 } };
    const limits = { rates };
    const server = await startServer({ port: 0, dataDirectory, host: "chat.example", logLevel: "silent", trustProxy: "loopback", limits });
    onTestFinished(async () => {
      await server.close();
      rmSync(dataDirectory, { recursive: true });
    });
    const [mal, ben]: TusPeer[] = [
      { url: server.url, visitor: "198.51.100.1" },
      { url: server.url, visitor: "203.0.113.7" },
    ] as const;
    if (mal === undefined || ben === undefined) throw new Error("nobody is there");
    const own = await createUpload(mal, random(32), 1_000_000);
    const [blobId, bytes] = [random(32), random(200_000)];
    const { path } = await createUpload(ben, blobId, bytes.length);
    expect((await sendPart(ben, path, 0, bytes.subarray(0, 100_000))).status).toBe(204);
    const counts = new Map<string, number>();
    const flood = async (): Promise<void> => {
      for (let round = 0; round < 40; round++) {
        const missing = `/v1/uploads/${random(32).toBase64({ alphabet: "base64url", omitPadding: true })}`;
        const answers = await Promise.all([
          ...Array.from({ length: 10 }, () => tus(mal, { method: "HEAD", path: own.path })),
          ...Array.from({ length: 10 }, () => tus(mal, { method: "HEAD", path: missing })),
          ...Array.from({ length: 5 }, () => tus(mal, { method: "DELETE", path: missing })),
        ]);
        for (const { status } of answers) {
          const kind = status === 429 ? "refused" : "looked at";
          counts.set(kind, (counts.get(kind) ?? 0) + 1);
        }
      }
    };
    const flooding = flood();
    for (let offset = 100_000; offset < bytes.length; offset += 10_000) {
      expect(await offsetOf(ben, path)).toBe(offset);
      expect((await sendPart(ben, path, offset, bytes.subarray(offset, offset + 10_000))).status).toBe(204);
    }
    await flooding;
    expect(await readBlob(ben, blobId)).toEqual(bytes);
    expect(counts.get("looked at")).toBe(200);
    expect(counts.get("refused")).toBe(800);
  }, 120_000);
});
