import type { FastifyInstance } from "fastify";
import { monitorEventLoopDelay } from "node:perf_hooks";

import { X509Certificate } from "node:crypto";
import { Counter, Gauge, Histogram } from "prom-client";
import type { Registry } from "prom-client";
import { readLastBackup } from "../backup/last-backup.ts";
import type { ClockDoubt } from "../clock/clock-guard.ts";
import type { PublisherState } from "../directory/publisher-state.ts";
import type { Counters } from "../metrics.ts";
import { diskSpaceOf } from "../storage/disk-space.ts";
import type { StoreLoad } from "../store/store-load.ts";

/** Where the state of the server is read from, each time that somebody asks. What is not there yet is `undefined`. */
export interface StateSources {
  readonly counters: Counters;
  readonly app: FastifyInstance;
  readonly load: StoreLoad;
  readonly dataDirectory: string;
  /** What has to stay free on the data folder's disk, in bytes. */
  readonly minFreeBytes: number;
  /** Open WebSockets. */
  readonly webSockets: () => number;
  /** Uploads in parts that are not whole. */
  readonly unfinishedUploads: () => { readonly uploads: number; readonly bytes: number };
  readonly publisher: () => PublisherState;
  readonly doubt: () => ClockDoubt | undefined;
  /** The certificate that the server speaks TLS with itself, PEM. */
  readonly certificate: () => string | undefined;
  /** Codes of what is wrong now. */
  readonly unhealthy: () => Promise<readonly string[]>;
}

/** How fine the delay of the event loop is measured, in milliseconds. */
const delayResolutionMs = 20;

/** Adds what the server's state is: its store, disk, directory, clock, backups and certificate. Nothing about anybody. */
export function addStateMetrics(registry: Registry, sources: StateSources): void {
  const registers = [registry];
  const { counters } = sources;
  const gauge = (name: string, help: string, read: () => Promise<number | undefined> | number | undefined): void => {
    const made = new Gauge({
      name: `latchkey_${name}`,
      help,
      registers,
      async collect() {
        const value = await read();
        // What is not known is not there: 0 would be a value.
        if (value === undefined) made.remove();
        else made.set(value);
      },
    });
  };
  const labelled = (name: string, help: string, label: string, read: () => Promise<Iterable<readonly [string, number]>>): void => {
    const made = new Gauge({
      name: `latchkey_${name}`,
      help,
      labelNames: [label],
      registers,
      async collect() {
        made.reset();
        for (const [key, value] of await read()) made.set({ [label]: key }, value);
      },
    });
  };
  const counted = (name: string, help: string, label: string, read: () => ReadonlyMap<string, number>): void => {
    const made = new Counter({
      name: `latchkey_${name}`,
      help,
      labelNames: [label],
      registers,
      collect() {
        made.reset();
        for (const [key, value] of read()) made.inc({ [label]: key }, value);
      },
    });
  };

  labelled("unhealthy", "1 for each reason that /healthz gives.", "reason", async () =>
    (await sources.unhealthy()).map((code) => [code, 1] as const),
  );
  counted("http_responses_total", "Answers over HTTP, by their status.", "status", () => counters.httpResponses);
  gauge("http_connections", "Open connections that are no WebSockets.", () => openConnections(sources));
  counted("uploads_total", "Blobs uploaded, by what became of them.", "outcome", () => counters.uploads);
  gauge("uploads_unfinished", "Uploads in parts that are not whole.", () => sources.unfinishedUploads().uploads);
  gauge("uploads_unfinished_bytes", "What has come of them.", () => sources.unfinishedUploads().bytes);
  gauge("uploads_open", "Uploads under way.", () => counters.openUploads);

  const batches = new Histogram({
    name: "latchkey_store_batch_seconds",
    help: "How long the store took for a batch until it was on disk.",
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  });
  sources.load.onBatch = (seconds) => batches.observe(seconds);
  gauge("store_waiting", "Operations that wait for the store's next batch.", () => sources.load.waiting());
  labelled("store_bytes", "Size of the store's files: databases, and the logs of what is not yet in them.", "kind", async () => {
    const size = await sources.load.size();
    // What is not known is not there, either.
    if (size === undefined) return [];
    const { databaseBytes, journalBytes } = size;
    return [["database", databaseBytes], ...(journalBytes === undefined ? [] : [["wal", journalBytes] as const])] as const;
  });
  gauge("disk_free_bytes", "What the disk of the data folder has left for the server.", () =>
    diskSpaceOf(sources.dataDirectory).then(
      ({ freeBytes }) => freeBytes,
      () => undefined,
    ),
  );
  gauge("disk_reserve_bytes", "What has to be left there for blobs to be taken.", () => sources.minFreeBytes);
  gauge("backup_timestamp_seconds", "When the last backup was finished; absent where none was.", () =>
    seconds(readLastBackup(sources.dataDirectory)?.timeMs),
  );

  gauge("directory_size", "Entries in the public log of accounts.", () => sources.publisher().size);
  gauge("directory_published_timestamp_seconds", "When this process published an entry last; absent before.", () =>
    seconds(sources.publisher().publishedMs),
  );
  gauge("directory_quorum", "1 while enough witnesses have cosigned the head that is served, else 0.", () =>
    Number(sources.publisher().hasQuorum),
  );
  labelled("witness_cosigned_timestamp_seconds", "When a witness cosigned last, by its place in the policy.", "witness", async () =>
    sources
      .publisher()
      .witnesses.flatMap(({ cosignedMs }, at) => (cosignedMs === undefined ? [] : [[String(at), cosignedMs / 1000] as const])),
  );
  gauge("witnesses", "Witnesses that are asked.", () => sources.publisher().witnesses.length);

  gauge("clock_doubted", "1 while the machine's clock is not gone by, else 0.", () => Number(sources.doubt() !== undefined));
  gauge("clock_offset_seconds", "How far the machine's clock is ahead of the time that is gone by; 0 while it is believed.", () => {
    const doubt = sources.doubt();
    return doubt === undefined ? 0 : (doubt.wallMs - doubt.believedMs) / 1000;
  });
  gauge("certificate_expires_timestamp_seconds", "When the server's own TLS certificate expires; absent without one.", () =>
    expiryOf(sources.certificate()),
  );
  addEventLoopDelay(registry);
}

/** Counts the answers of an HTTP server from here on, by their status. */
export function countResponses(app: FastifyInstance, counters: Counters): void {
  app.addHook("onResponse", async (_request, reply) => {
    const status = String(reply.statusCode);
    counters.httpResponses.set(status, (counters.httpResponses.get(status) ?? 0) + 1);
  });
}

/** Measured from the first time that somebody asks, and between one time and the next. */
function addEventLoopDelay(registry: Registry): void {
  let delays: ReturnType<typeof monitorEventLoopDelay> | undefined;
  const made = new Gauge({
    name: "latchkey_event_loop_delay_seconds",
    help: "How long the server's main thread was late since it was last asked: the middle, 99 of 100, and the worst.",
    labelNames: ["part"],
    registers: [registry],
    collect() {
      if (delays === undefined) {
        delays = monitorEventLoopDelay({ resolution: delayResolutionMs });
        delays.enable();
        return;
      }
      // What is measured includes the pause between two measurements.
      const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - delayResolutionMs / 1000);
      if (delays.count > 0) {
        made.set({ part: "middle" }, late(delays.percentile(50)));
        made.set({ part: "p99" }, late(delays.percentile(99)));
        made.set({ part: "worst" }, late(delays.max));
      }
      delays.reset();
    },
  });
}

function openConnections({ app, webSockets }: StateSources): Promise<number | undefined> {
  return new Promise((resolve) => {
    app.server.getConnections((error, count) => resolve(error === null ? Math.max(0, count - webSockets()) : undefined));
  });
}

function expiryOf(certificate: string | undefined): number | undefined {
  return certificate === undefined ? undefined : Date.parse(new X509Certificate(certificate).validTo) / 1000;
}

function seconds(timeMs: number | undefined): number | undefined {
  return timeMs === undefined ? undefined : timeMs / 1000;
}
