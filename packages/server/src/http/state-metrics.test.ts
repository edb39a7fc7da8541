import { fastify } from "fastify";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { createCounters } from "../metrics.ts";
import type { RunningServer } from "../server.ts";
import { storeSizeOf } from "../store/sqlite/store-size.ts";
import { StoreLoad } from "../store/store-load.ts";
import { createTestLog, createLog, random, readMetrics, runServer, temporaryDirectory } from "../testing/fixtures.ts";
import { issueCertificate } from "../testing/issue-certificate.ts";
import { TestClient } from "../testing/test-client.ts";
import { createUpload, sendPart } from "../testing/tus.ts";
import { toBase64Url } from "@latchkey/codec";
import { addStateMetrics } from "./state-metrics.ts";
import type { StateSources } from "./state-metrics.ts";

/** The values of a scrape by name with labels. */
function valuesOf(text: string): Map<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))]));
}

async function scrape(server: RunningServer): Promise<Map<string, number>> {
  return valuesOf(await readMetrics(server));
}

test("a running server tells its store, disk, directory, uploads, answers and connections", async () => {
  const server = await runServer();
  const client = await TestClient.connect(server.url, "log");
  await createLog(client, createTestLog());
  const half = await createUpload(server, random(32), 1000);
  expect((await sendPart(server, half.path, 0, random(300))).status).toBe(204);
  const whole = await createUpload(server, random(32), 10);
  expect((await sendPart(server, whole.path, 0, random(10))).status).toBe(204);
  const put = { method: "PUT", body: new Uint8Array(700) };
  const blob = `${server.url}/v1/blobs/${toBase64Url(random(32))}`;
  expect((await fetch(blob, put)).status).toBe(201);
  expect((await fetch(blob, put)).status).toBe(200);
  expect((await fetch(blob, { ...put, body: new Uint8Array(701) })).status).toBe(409);
  const first = await scrape(server);
  const value = (name: string): number => first.get(name) ?? Number.NaN;
  expect(value("latchkey_store_batch_seconds_count")).toBeGreaterThan(0);
  expect(value("latchkey_store_batch_seconds_sum")).toBeGreaterThan(0);
  expect(value("latchkey_store_waiting")).toBe(0);
  expect(value('latchkey_store_bytes{kind="database"}')).toBeGreaterThan(4096);
  expect(value('latchkey_store_bytes{kind="wal"}')).toBeGreaterThan(0);
  expect(value("latchkey_disk_free_bytes")).toBeGreaterThan(0);
  expect(value("latchkey_disk_reserve_bytes")).toBeGreaterThan(0);
  for (const outcome of ["same", "different"]) expect(value(`latchkey_uploads_total{outcome="${outcome}"}`)).toBe(1);
  expect(value('latchkey_uploads_total{outcome="created"}')).toBe(2);
  expect([value("latchkey_uploads_unfinished"), value("latchkey_uploads_unfinished_bytes")]).toEqual([1, 300]);
  expect(value("latchkey_uploads_open")).toBe(0);
  expect(value('latchkey_http_responses_total{status="201"}')).toBe(3);
  expect(value('latchkey_http_responses_total{status="409"}')).toBe(1);
  // What asks is one: a WebSocket is not.
  expect(value("latchkey_http_connections")).toBeGreaterThan(0);
  expect(value('latchkey_connections{role="log"}')).toBe(1);
  expect(value("latchkey_directory_size")).toBeGreaterThan(0);
  expect(value("latchkey_directory_quorum")).toBe(1);
  expect(value("latchkey_witnesses")).toBe(0);
  expect(value("latchkey_clock_doubted")).toBe(0);
  // Nothing is said of what is not there.
  for (const absent of ["latchkey_backup_timestamp_seconds", "latchkey_certificate_expires_timestamp_seconds", "latchkey_unhealthy"]) {
    expect([...first.keys()].filter((name) => name.startsWith(absent))).toEqual([]);
  }
  await expect.poll(async () => (await scrape(server)).get('latchkey_event_loop_delay_seconds{part="worst"}')).toBeGreaterThanOrEqual(0);
});

async function registryOf(sources: Partial<StateSources>): Promise<Map<string, number>> {
  const registry = new Registry();
  const app = fastify();
  addStateMetrics(registry, {
    counters: createCounters(),
    app,
    load: new StoreLoad(),
    dataDirectory: temporaryDirectory(),
    minFreeBytes: 0,
    webSockets: () => 0,
    unfinishedUploads: () => ({ uploads: 0, bytes: 0 }),
    publisher: () => ({ size: 0, publishedMs: undefined, hasQuorum: true, witnesses: [] }),
    doubt: () => undefined,
    certificate: () => undefined,
    unhealthy: async () => [],
    ...sources,
  });
  const values = valuesOf(await registry.metrics());
  await app.close();
  return values;
}

test("witnesses are told by their place, with what is known of each; a missing quorum, a doubted clock and other reasons are told", async () => {
  const values = await registryOf({
    publisher: () => ({
      size: 7,
      publishedMs: 5000,
      hasQuorum: false,
      witnesses: [
        { cosignedMs: 3000, failure: undefined },
        { cosignedMs: undefined, failure: "it cannot be reached" },
      ],
    }),
    doubt: () => ({ kind: "ahead", wallMs: 90_000, believedMs: 60_000 }),
    unhealthy: async () => ["clock", "quorum"],
  });
  expect(values.get("latchkey_directory_quorum")).toBe(0);
  expect(values.get("latchkey_directory_published_timestamp_seconds")).toBe(5);
  expect(values.get("latchkey_witnesses")).toBe(2);
  expect(values.get('latchkey_witness_cosigned_timestamp_seconds{witness="0"}')).toBe(3);
  expect(values.has('latchkey_witness_cosigned_timestamp_seconds{witness="1"}')).toBe(false);
  expect(values.get("latchkey_clock_doubted")).toBe(1);
  expect(values.get("latchkey_clock_offset_seconds")).toBe(30);
  expect(values.get('latchkey_unhealthy{reason="quorum"}')).toBe(1);
});

test("the end of the certificate and the time of the last backup; a damaged note of it is none", async () => {
  const untilMs = Date.now() + 9 * 86_400_000;
  const dataDirectory = temporaryDirectory();
  writeFileSync(join(dataDirectory, "last-backup.json"), '{"timeMs":1795879637326,"path":"/somewhere"}');
  writeFileSync(join(dataDirectory, "logs.sqlite"), new Uint8Array(10));
  writeFileSync(join(dataDirectory, "accounts.sqlite"), new Uint8Array(20));
  writeFileSync(join(dataDirectory, "accounts.sqlite-wal"), new Uint8Array(5));
  const load = new StoreLoad();
  load.size = () => storeSizeOf(dataDirectory);
  const values = await registryOf({ dataDirectory, load, certificate: () => issueCertificate(["a.example"], { untilMs }).cert });
  expect(values.get("latchkey_certificate_expires_timestamp_seconds")).toBe(Math.floor(untilMs / 1000));
  expect(values.get("latchkey_backup_timestamp_seconds")).toBe(1_795_879_637.326);
  expect(values.get('latchkey_store_bytes{kind="database"}')).toBe(30);
  expect(values.get('latchkey_store_bytes{kind="wal"}')).toBe(5);
  for (const damaged of ["", "null", "[]", '{"timeMs":"x"}', "{"]) {
    writeFileSync(join(dataDirectory, "last-backup.json"), damaged);
    expect((await registryOf({ dataDirectory })).has("latchkey_backup_timestamp_seconds")).toBe(false);
  }
});
