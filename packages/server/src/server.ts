import { isHost } from "@latchkey/protocol";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Server as TlsServer } from "node:tls";
import type { FastifyInstance } from "fastify";
import { pino } from "pino";
import type { Logger } from "pino";
import { Rules } from "./admin/rules.ts";
import { startAdmin } from "./admin/start-admin.ts";
import { createRateAdmission } from "./admission/admission.ts";
import { startBackups } from "./backup/schedule.ts";
import { BlobService, prepareBlobDirectory } from "./blobs/blob-service.ts";
import { ClockFile } from "./clock/clock-file.ts";
import type { ClockGuard } from "./clock/clock-guard.ts";
import { openClock } from "./clock/open-clock.ts";
import { dayOf, defaultLimits, defaultRetentionDays, publicUrlOf } from "./config.ts";
import type { ServerContext, ServerLimits, ServerOptions } from "./config.ts";
import { adoptAccounts, openDirectory } from "./directory/bootstrap.ts";
import { Directory } from "./directory/directory.ts";
import { signerOf } from "./directory/keys.ts";
import { Publisher } from "./directory/publisher.ts";
import { nodeSignatures } from "./directory/signatures.ts";
import { VrfService } from "./directory/vrf-service.ts";
import type { VrfProve } from "./directory/vrf-service.ts";
import { Witnesses } from "./directory/witnesses.ts";
import { ServerError, StoreError } from "./errors.ts";
import { keepHouse } from "./housekeeping.ts";
import { createApp } from "./http/app.ts";
import { createRegistry } from "./http/metrics-text.ts";
import { InboxService } from "./inboxes/inbox-service.ts";
import { LogService } from "./logs/log-service.ts";
import { createCounters } from "./metrics.ts";
import { openSqliteStore } from "./store/sqlite/sqlite-store.ts";
import type { Store } from "./store/store.ts";
import { CertificateKeeper } from "./tls/keeper.ts";
import { DeviceRegistry } from "./ws/device-registry.ts";
import { Gateway } from "./ws/gateway.ts";
import type { Services } from "./ws/services.ts";

/** A server that listens. */
export interface RunningServer {
  /** Where it is reached from this machine, `http://` or `https://`. */
  readonly url: string;
  /** Its public name, as in addresses. */
  readonly host: string;
  readonly port: number;
  /** Settles with the error when the server stopped by itself; never after `close`. */
  readonly failed: Promise<Error>;
  /** Reads again what may change while it runs: the files of the certificate. Connections go on. */
  reload(): Promise<void>;
  /** Stops: takes no more, finishes what is under way, closes connections with a reason, and writes everything down. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Parts that tests replace. */
export interface ServerParts {
  readonly openStore?: (directory: string, limits: ServerLimits) => Promise<Store>;
  readonly nowMs?: () => number;
  /** Time that passed, in milliseconds, as a second clock that never jumps; with `nowMs` alone that is held against itself. */
  readonly passedMs?: () => number;
  /** Calls `run` after `delayMs`, in place of the process's timers; the result calls it off. */
  readonly setTimer?: (delayMs: number, run: () => void) => () => void;
  /** Takes the HTTP server, which then listens on no port. */
  readonly serve?: (server: Server) => void;
  /** Proves places in the map, in place of the VRF's thread. */
  readonly prove?: VrfProve;
}

/** Closing the server calls a timer off: no process waits for one. */
function processTimer(delayMs: number, run: () => void): () => void {
  const timer = setTimeout(run, delayMs);
  timer.unref();
  return () => clearTimeout(timer);
}

/** Runs something again and again until it is called off. */
function repeat(setTimer: NonNullable<ServerParts["setTimer"]>, intervalMs: number, run: () => void): () => void {
  let cancel = setTimer(intervalMs, next);
  function next(): void {
    cancel = setTimer(intervalMs, next);
    run();
  }
  return () => cancel();
}

const housekeepingMs = 3_600_000;
/** How often the directory looks what time has brought. */
const tickMs = 60_000;

/** Starts a server. @throws ServerError with one line that says what to do */
export function startServer(options: ServerOptions): Promise<RunningServer> {
  return startServerWith(options, {});
}

/** Starts a server with parts of one's own. @throws ServerError */
export async function startServerWith(options: ServerOptions, parts: ServerParts): Promise<RunningServer> {
  checkOptions(options);
  const limits: ServerLimits = { ...defaultLimits, ...options.limits };
  // Standard error: what a command prints for its user goes to standard output.
  const log = pino({ level: options.logLevel ?? "info", base: null }, pino.destination({ fd: 2, sync: true }));
  const certificates = await openCertificates({ options, nowMs: parts.nowMs ?? Date.now, log, parts });
  const store = await (parts.openStore ?? openDefaultStore)(options.dataDirectory, limits);
  try {
    return await listen({ options, limits, log, store, parts, certificates });
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function listen(params: {
  options: ServerOptions;
  limits: ServerLimits;
  log: Logger;
  store: Store;
  parts: ServerParts;
  certificates: CertificateKeeper | undefined;
}): Promise<RunningServer> {
  const { options, limits, log, store, parts, certificates } = params;
  const setTimer = parts.setTimer ?? processTimer;
  let isHealthy = true;
  // The public name may depend on the port, which is known once the server listens; requests come after that.
  const late: { services?: Services & { blobs: BlobService }; gateway?: Gateway; tidy?: () => void } = {};
  const ready = (): Services & { blobs: BlobService } => {
    if (late.services === undefined) throw new Error("a request before the server was ready");
    return late.services;
  };
  const reportBug = (error: unknown): void => {
    log.error({ name: error instanceof Error ? error.name : "unknown", stack: stackOf(error) }, "unexpected error");
  };
  const counters = createCounters();
  const registry = createRegistry(
    counters,
    () => late.gateway?.count() ?? new Map(),
    () => late.services?.logs.watchedLogs ?? 0,
  );
  const app = createApp(
    options,
    {
      context: () => ready().context,
      blobs: () => ready().blobs,
      admission: () => ready().admission,
      directory: () => ready().store,
      registry: () => registry,
      isHealthy: () => isHealthy,
      certificates,
      reportBug,
    },
    limits.maxBlobBytes,
  );
  const { dataDirectory } = options;
  const blobDirectory = join(dataDirectory, "blobs");
  await prepareBlobDirectory(blobDirectory);
  const isKnown = options.iKnow?.includes("clock") ?? false;
  const clock = await openClock({
    store,
    dataDirectory,
    isKnown,
    clocks: parts,
    warn: (message) => log.warn(message),
    onBelieved: () => late.tidy?.(),
  });
  const clockFile = new ClockFile(dataDirectory);
  const nowMs = (): number => clock.nowMs();
  const address = options.address ?? "127.0.0.1";
  const port = await listenOn({ app, address, port: options.port, serve: parts.serve });
  const host = options.host ?? `localhost:${port}`;
  const rules = await Rules.load(store.admin);
  const context: ServerContext = {
    host,
    serverName: options.serverName ?? host,
    registration: options.registration ?? "open",
    invitationCodes: options.invitationCodes ?? [],
    retentionDays: options.retentionDays ?? defaultRetentionDays,
    limits,
    rules,
    nowMs,
  };
  const { publisher, vrf } = await startDirectory({ options, context, store, log, reportBug, setTimer, prove: parts.prove, clock });
  const blobs = new BlobService({ directory: blobDirectory, index: store, context });
  const services = {
    context,
    counters,
    admission: createRateAdmission(limits.rates, nowMs),
    store,
    logs: new LogService({ store, context, counters, setTimer }),
    inboxes: new InboxService({ store, context, counters }),
    directory: new Directory({ store, publisher, vrf, context, signatures: nodeSignatures }),
    devices: new DeviceRegistry(),
    blobs,
    reportBug,
  };
  const gateway = new Gateway(services, { trustProxy: options.trustProxy ?? false });
  late.services = services;
  late.gateway = gateway;
  gateway.attach(app.server);
  if (app.server instanceof TlsServer) certificates?.attach(app.server);

  const { logs, inboxes, directory } = services;
  const house = { store, logs, inboxes, directory, blobs, clock, clockFile, limits };
  const tidy = async (): Promise<void> => {
    try {
      const removed = await keepHouse(house);
      if (Object.values(removed).some((count) => count > 0)) log.info(removed, "removed what had expired");
    } catch (error) {
      if (!(error instanceof StoreError)) reportBug(error);
    }
  };
  const stopHousekeeping = repeat(setTimer, housekeepingMs, () => void tidy());
  late.tidy = (): void => void tidy();
  late.tidy();
  const stopTicking = repeat(setTimer, tickMs, () => {
    publisher.tick().catch((error: unknown) => {
      if (!(error instanceof StoreError)) reportBug(error);
    });
  });

  const stopBackups = startBackups(options, { nowMs, log, reportBug, setTimer });

  let closing: Promise<void> | undefined;
  const scheme = options.tls === undefined ? "http" : "https";
  // Without a port of its own a server is part of somebody else's process, and of their clock.
  const admin =
    parts.serve !== undefined
      ? undefined
      : await startAdmin({
          context,
          rules,
          store,
          dataDirectory: options.dataDirectory,
          publicUrl: publicUrlOf(host, options.tls !== undefined),
          startedAtMs: nowMs(),
          connections: () => gateway.count(),
          watchedLogs: () => logs.watchedLogs,
          quorum: () => publisher.quorum,
          healthReasons: () => (isHealthy ? [] : ["the store has stopped"]),
          warn: (message) => log.warn(message),
          reportBug,
        });
  const stop = async (): Promise<void> => {
    await admin?.close();
    stopHousekeeping();
    stopTicking();
    certificates?.close();
    await stopBackups();
    if (clock.doubt() === undefined) clockFile.record(clock.nowMs());
    await gateway.close();
    await publisher.close();
    await app.close();
    await store.close();
    log.info("stopped");
  };
  const failed = store.failed.then(async (error) => {
    isHealthy = false;
    log.error({ name: error.name }, "the store stopped: the server stops too");
    await (closing ??= stop());
    return error;
  });
  const close = (): Promise<void> => (closing ??= stop());
  const reload = async (): Promise<void> => certificates?.reload();
  const shown =
    address === "0.0.0.0" || address === "::" || address === "127.0.0.1" ? "localhost" : address.includes(":") ? `[${address}]` : address;
  log.info({ port, day: dayOf(nowMs()) }, "listening");
  return { url: `${scheme}://${shown}:${port}`, host, port, failed, reload, close, [Symbol.asyncDispose]: close };
}

/** The certificate, where the server speaks TLS itself. @throws ServerError `tls_unusable` */
async function openCertificates(params: {
  options: ServerOptions;
  nowMs: () => number;
  log: Logger;
  parts: ServerParts;
}): Promise<CertificateKeeper | undefined> {
  const { options, nowMs, log, parts } = params;
  if (options.tls === undefined) return undefined;
  const world = { nowMs, setTimer: parts.setTimer ?? processTimer, warn: (message: string) => log.warn(message) };
  return CertificateKeeper.open({ source: options.tls, host: options.host ?? "localhost", world });
}

/** The port on which the app listens: a free one for 0, and 0 where `serve` takes the HTTP server. @throws ServerError */
async function listenOn(params: { app: FastifyInstance; address: string; port: number; serve: ServerParts["serve"] }): Promise<number> {
  const { app, address, port, serve } = params;
  if (serve !== undefined) {
    await app.ready();
    serve(app.server);
    return 0;
  }
  try {
    await app.listen({ host: address, port });
  } catch (cause) {
    await app.close();
    throw listenError(cause, address, port);
  }
  // A TCP server's address is always AddressInfo.
  return (app.server.address() as AddressInfo).port;
}

/** Opens the directory's log, or begins it, and starts publishing. */
async function startDirectory(params: {
  options: ServerOptions;
  context: ServerContext;
  store: Store;
  log: Logger;
  reportBug: (error: unknown) => void;
  setTimer: NonNullable<ServerParts["setTimer"]>;
  prove: VrfProve | undefined;
  clock: ClockGuard;
}): Promise<{ publisher: Publisher; vrf: VrfService }> {
  const { options, context, store, log, reportBug, setTimer } = params;
  const { dataDirectory } = options;
  const { nowMs, host, limits } = context;
  const warn = (message: string): void => log.warn(message);
  const opened = await openDirectory({ store, dataDirectory, host, options, nowMs: nowMs(), warn });
  const { keys, origin } = opened;
  const vrf = new VrfService(keys.vrf.secretKey, params.prove);
  const adopted = await adoptAccounts({ store, vrf, keys, origin, nowMs });
  if (adopted > 0) log.info({ accounts: adopted }, "listed the accounts in the new directory");
  const witnesses = new Witnesses({
    policies: opened.askedPolicies,
    signatures: nodeSignatures,
    proveConsistency: (from, to) => store.proveConsistency({ from, to }),
    onTimes: (times) => params.clock.hear(times),
  });
  const publisher = new Publisher({
    store,
    witnesses,
    signer: () => signerOf(keys, origin),
    configDue: opened.due,
    intervalMs: limits.publicationIntervalMs,
    headsIntervalMs: limits.headsIntervalMs,
    nowMs,
    schedule: (run, delayMs) => setTimer(delayMs, run),
    reportBug,
    onBehind: () => warn("a witness has seen more of the directory's log than there is: the data folder is an old copy"),
    onQuorum(isMet) {
      if (isMet) log.warn("enough witnesses answer again");
      else warn("too few witnesses answer: clients look nobody up until they do");
    },
  });
  await publisher.start(await store.directoryStatus());
  return { publisher, vrf };
}

function openDefaultStore(directory: string, limits: ServerLimits): Promise<Store> {
  mkdirOrThrow(directory);
  return openSqliteStore({ directory, ...(limits.maxDatabasePages > 0 ? { maxPages: limits.maxDatabasePages } : {}) });
}

function mkdirOrThrow(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new ServerError("data_unusable", `The data directory ${directory} cannot be made: check the path and its permissions.`, {
      cause,
    });
  }
}

function checkOptions(options: ServerOptions): void {
  if (options.host !== undefined && !isHost(options.host)) {
    throw new ServerError("invalid_options", `"${options.host}" is no host name: use a lower-case DNS name, with :port unless it is 443.`);
  }
  if (!Number.isInteger(options.port) || options.port < 0 || options.port > 65_535) {
    throw new ServerError("invalid_options", `${options.port} is no port: use a number from 0 to 65535.`);
  }
}

function listenError(cause: unknown, address: string, port: number): ServerError {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (code === "EADDRINUSE")
    return new ServerError("port_in_use", `Port ${port} is in use: stop what uses it, or choose another port.`, { cause });
  if (code === "EACCES") {
    return new ServerError("address_not_allowed", `Port ${port} is not allowed for this user: choose one above 1023.`, { cause });
  }
  return new ServerError("address_not_allowed", `Cannot listen on ${address}, port ${port}: choose an address of this machine.`, { cause });
}

/** Where it happened, without the message: that may hold what a peer sent. */
function stackOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  return (error.stack ?? "").split("\n").filter((line) => line.trimStart().startsWith("at "));
}
