import { Counter, Gauge, Registry } from "prom-client";
import type { Role } from "@latchkey/protocol";
import type { Counters } from "../metrics.ts";

/** The server's counters for Prometheus; values are read when it asks. Nothing about anybody. */
export function createRegistry(counters: Counters, connections: () => Map<Role, number>, watchedLogs: () => number): Registry {
  const registry = new Registry();
  const registers = [registry];
  const count = (name: string, help: string, read: () => number): void => {
    const counter = new Counter({
      name: `latchkey_${name}`,
      help,
      registers,
      collect() {
        counter.reset();
        counter.inc(read());
      },
    });
  };
  count("requests_total", "Requests received.", () => counters.requests);
  count("entries_stored_total", "Log entries stored.", () => counters.entriesStored);
  count("entries_delivered_total", "Log entries sent to readers.", () => counters.entriesDelivered);
  count("inbox_items_stored_total", "Inbox items stored.", () => counters.itemsStored);
  count("link_inboxes_opened_total", "Inboxes of join links opened.", () => counters.linkInboxesOpened);
  count("knocks_stored_total", "Knocks at join links stored.", () => counters.knocksStored);
  count("signals_total", "Signals received.", () => counters.signals);
  count("signals_dropped_total", "Signals dropped because there were too many.", () => counters.signalsDropped);
  count("protocol_errors_total", "Frames that broke the protocol.", () => counters.protocolErrors);
  count("slow_readers_total", "Connections closed because they did not read.", () => counters.slowReaders);
  count("evicted_connections_total", "Connections ended because the memory was needed.", () => counters.evictedConnections);
  count("bucket_failures_total", "What the bucket of the blobs failed at.", () => counters.bucketFailures);
  count("received_bytes_total", "Bytes of frames received.", () => counters.bytesReceived);
  count("sent_bytes_total", "Bytes of frames sent.", () => counters.bytesSent);
  const refusals = new Counter({
    name: "latchkey_refusals_total",
    help: "Requests refused, by code.",
    labelNames: ["code"],
    registers,
    collect() {
      refusals.reset();
      for (const [code, value] of counters.refusals) refusals.inc({ code }, value);
    },
  });
  const wakes = new Counter({
    name: "latchkey_wakes_total",
    help: "Wakes asked for, by what became of them.",
    labelNames: ["outcome"],
    registers,
    collect() {
      wakes.reset();
      for (const [outcome, value] of counters.wakes) wakes.inc({ outcome }, value);
    },
  });
  const open = new Gauge({
    name: "latchkey_connections",
    help: "Open connections, by role.",
    labelNames: ["role"],
    registers,
    collect() {
      for (const [role, value] of connections()) open.set({ role }, value);
    },
  });
  const logs = new Gauge({
    name: "latchkey_watched_logs",
    help: "Logs that somebody reads now.",
    registers,
    collect() {
      logs.set(watchedLogs());
    },
  });
  const memory = new Gauge({
    name: "latchkey_memory_bytes",
    help: "Resident memory of the process.",
    registers,
    collect() {
      memory.set(process.memoryUsage.rss());
    },
  });
  const cpu = new Counter({
    name: "latchkey_cpu_seconds_total",
    help: "Processor time of the process.",
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      cpu.reset();
      cpu.inc((user + system) / 1e6);
    },
  });
  return registry;
}
