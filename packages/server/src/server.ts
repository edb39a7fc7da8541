import { utf8Bytes } from "@latchkey/codec";
import { isHost } from "@latchkey/protocol";
import { join } from "node:path";
import type { Server } from "node:http";
import { pino } from "pino";
import type { Logger } from "pino";
import { noProxies, parseProxies } from "./addresses.ts";
import type { TrustedProxies } from "./addresses.ts";
import { Rules } from "./admin/rules.ts";
import { startAdmin } from "./admin/start-admin.ts";
import { createRateAdmission } from "./admission/admission.ts";
import { FairQueue } from "./admission/fair-queue.ts";
import { withSettings } from "./admission/limit-settings.ts";
import { TargetLimits } from "./admission/targets.ts";
import { startBackups } from "./backup/schedule.ts";
import { BlobService, prepareBlobDirectory } from "./blobs/blob-service.ts";
import { countUploads } from "./blobs/counted-blobs.ts";
import { ClockFile } from "./clock/clock-file.ts";
import type { ClockGuard } from "./clock/clock-guard.ts";
import { openClock } from "./clock/open-clock.ts";
import { dayOf, defaultRetentionDays, limitsFor, publicUrlOf } from "./config.ts";
import type { ServerContext, ServerLimits, ServerOptions } from "./config.ts";
import { adoptAccounts, hostOfDirectory, openDirectory } from "./directory/bootstrap.ts";
import { Directory } from "./directory/directory.ts";
import { Publisher } from "./directory/publisher.ts";
import { rememberSeen } from "./directory/seen.ts";
import { nodeSignatures } from "./directory/signatures.ts";
import { VrfService } from "./directory/vrf-service.ts";
import type { VrfProve } from "./directory/vrf-service.ts";
import { Witnesses } from "./directory/witnesses.ts";
import { ServerError, StoreError, StoreFault } from "./errors.ts";
import { keepHouse, recordClock } from "./housekeeping.ts";
import { Health } from "./health.ts";
import { createApp } from "./http/app.ts";
import { holdPort, listenOn } from "./http/listening.ts";
import type { HeldPort } from "./http/listening.ts";
import { SocketLimits } from "./http/socket-limits.ts";
import { serveMetrics } from "./http/metrics-server.ts";
import { createRegistry } from "./http/metrics-text.ts";
import { addStateMetrics, countResponses } from "./http/state-metrics.ts";
import { InboxService } from "./inboxes/inbox-service.ts";
import { causeOf } from "./log-causes.ts";
import { LogService } from "./logs/log-service.ts";
import { createCounters } from "./metrics.ts";
import { prepareFolder } from "./start/folder.ts";
import { databaseFiles } from "./store/sqlite/database-files.ts";
import { DiskRoom } from "./storage/disk-room.ts";
import { describeBreakage } from "./store/sqlite/breakage.ts";
import { openSqliteStore } from "./store/sqlite/sqlite-store.ts";
import { StoreFaults } from "./store/store-faults.ts";
import { StoreLoad } from "./store/store-load.ts";
import { openJournaled } from "./journal/open-journal.ts";
import type { DirectoryLogStore } from "./store/directory-store.ts";
import type { Store } from "./store/store.ts";
import { Front } from "./tls/front.ts";
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
  /** Where this machine reads its figures; absent where no port was given for them. */
  readonly metricsUrl: string | undefined;
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
  readonly openStore?: (directory: string, limits: ServerLimits, load: StoreLoad) => Promise<Store>;
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

/** Bytes of the server's name in the hello frame (spec C-5). */
const maxNameBytes = 256;
/** How long after its start a server looks for what a crash left: those who come back are served first. */
const sweepAfterMs = 1000;
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
  const limits = withSettings({ ...limitsFor(options.registration), ...options.limits }, options.limitSettings ?? []);
  // Standard error: what a command prints for its user goes to standard output.
  const log = pino({ level: options.logLevel ?? "info", base: null }, pino.destination({ fd: 2, sync: true }));
  const opened = new AsyncDisposableStack();
  try {
    prepareFolder(options.dataDirectory, databaseFiles);
    const world = {
      nowMs: parts.nowMs ?? Date.now,
      setTimer: parts.setTimer ?? processTimer,
      warn: (message: string) => log.warn(message),
    };
    const front = await Front.open(options, world);
    opened.defer(() => front.close());
    const load = new StoreLoad();
    const store = await (parts.openStore ?? openDefaultStore)(options.dataDirectory, limits, load);
    opened.defer(() => store.close());
    return await listen({ options, limits, log, store, load, parts, front, opened });
  } catch (error) {
    // A start that fails holds nothing: no port, no lock, no thread.
    await opened.disposeAsync();
    if (!(error instanceof StoreError)) throw error;
    const message = `The data in ${options.dataDirectory} cannot be read: the disk fails or the database is damaged. Restore it from a backup.`;
    throw new ServerError("data_unusable", message, { cause: error });
  }
}

async function listen(params: {
  options: ServerOptions;
  limits: ServerLimits;
  log: Logger;
  store: Store;
  load: StoreLoad;
  parts: ServerParts;
  front: Front;
  /** What has to be closed again if the start fails from here on. */
  opened: AsyncDisposableStack;
}): Promise<RunningServer> {
  const { options, limits, log, store, load, parts, front, opened } = params;
  const { certificates } = front;
  const setTimer = parts.setTimer ?? processTimer;
  // Filled in before the server listens.
  const late: {
    publicLog?: DirectoryLogStore;
    services?: Services & { blobs: BlobService };
    gateway?: Gateway;
    publisher?: Publisher;
    tidy?: () => void;
  } = {};
  const ready = (): Services & { blobs: BlobService } => {
    if (late.services === undefined) throw new Error("a request before the server was ready");
    return late.services;
  };
  const reportBug = (error: unknown): void => {
    // Told once: when the server stops for it, or once a minute.
    if (error instanceof StoreError && (error.cause instanceof ServerError || error.cause instanceof StoreFault)) return;
    log.error(causeOf(error), "unexpected error");
  };
  const faults = new StoreFaults({
    nowMs: parts.nowMs ?? Date.now,
    tell: (cause, operation) => log.error({ ...cause, operation }, "the store failed"),
  });
  faults.watch(load);
  const counters = createCounters();
  const proxies = proxiesOf(options);
  const registry = createRegistry(
    counters,
    () => late.gateway?.count() ?? new Map(),
    () => late.services?.logs.watchedLogs ?? 0,
  );
  const app = createApp(
    options,
    {
      context: () => ready().context,
      blobs: () => countUploads(ready().blobs, counters),
      admission: () => ready().admission,
      directory: () => late.publicLog ?? ready().store,
      unhealthy: () => health.reasons(),
      certificates,
      proxies,
      reportBug,
    },
    limits.maxBlobBytes,
  );
  countResponses(app, counters);
  const { dataDirectory } = options;
  const blobDirectory = join(dataDirectory, "blobs");
  await prepareBlobDirectory(blobDirectory);
  const isKnown = options.iKnow?.includes("clock") ?? false;
  const clockFile = new ClockFile(dataDirectory);
  const clock = await openClock({
    store,
    dataDirectory,
    clockFile,
    isKnown,
    clocks: parts,
    warn: (message) => log.warn(message),
    onBelieved: () => late.tidy?.(),
  });
  let isJournalFailing = (): boolean => false;
  const health = new Health({
    nowMs: () => clock.nowMs(),
    clock,
    counters,
    dataDirectory,
    minFreeBytes: limits.minFreeBytes,
    publicationsFailSinceMs: () => late.publisher?.failedSinceMs,
    isJournalFailing: () => isJournalFailing(),
    isStoreFailing: () => faults.isRepeating,
    ...(certificates === undefined ? {} : { certificate: () => certificates.reasons() }),
  });
  const nowMs = (): number => clock.nowMs();
  const address = options.address ?? "127.0.0.1";
  const rules = await Rules.load(store);
  const { host, held } = await chooseHost({ options, store, address, isServed: parts.serve !== undefined });
  opened.defer(() => held?.release());
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
  const journaled = options.journal === undefined ? undefined : await openJournaled({ store, folder: options.journal, host, log });
  opened.defer(() => journaled?.journal.close());
  isJournalFailing = () => journaled?.store.isFailing ?? false;
  late.publicLog = journaled?.store ?? store;
  const { publisher, vrf, rotateLogKey } = await startDirectory({
    options,
    context,
    store: late.publicLog,
    log,
    reportBug,
    setTimer,
    prove: parts.prove,
    clock,
    health,
  });
  opened.defer(() => publisher.close());
  late.publisher = publisher;
  // A disk that fails, under a file or under the store: nothing more is taken, and the process ends.
  const failing = Promise.withResolvers<Error>();
  const onDiskFailure = (): void => failing.resolve(new ServerError("store_failed", describeBreakage("disk")));
  const disk = new DiskRoom({ directory: options.dataDirectory, reserveBytes: limits.minFreeBytes });
  await disk.start();
  opened.defer(() => disk.stop());
  const queue = new FairQueue({
    total: limits.maxStoreUnits,
    perAddress: limits.maxStoreUnitsPerAddress,
    alone: limits.maxStoreUnitsAlone,
  });
  const targets = new TargetLimits(limits.targets, nowMs);
  const blobs = new BlobService({ directory: blobDirectory, index: store, context, disk, onDiskFailure });
  const services = {
    context,
    counters,
    admission: createRateAdmission(limits.rates, nowMs),
    targets,
    queue,
    disk,
    store,
    logs: new LogService({ store, context, counters, queue, targets, disk, setTimer }),
    inboxes: new InboxService({ store, context, counters }),
    directory: new Directory({ store, publisher, vrf, context, signatures: nodeSignatures }),
    devices: new DeviceRegistry(),
    blobs,
    reportBug,
  };
  const gateway = new Gateway(services, proxies);
  opened.defer(() => gateway.close());
  addStateMetrics(registry, {
    counters,
    app,
    load,
    dataDirectory,
    minFreeBytes: limits.minFreeBytes,
    webSockets: () =>
      gateway
        .count()
        .values()
        .reduce((sum, count) => sum + count, 0),
    publisher: () => publisher.state,
    doubt: () => clock.doubt(),
    certificate: () => certificates?.pair?.cert,
    unhealthy: async () => (await health.reasons()).map(({ code }) => code),
  });
  late.services = services;
  late.gateway = gateway;
  const sockets = new SocketLimits(
    { maxSockets: limits.maxHttpSockets, maxSocketsPerAddress: limits.maxHttpSocketsPerAddress, idleMs: limits.httpIdleMs },
    proxies,
  );
  sockets.attach(app.server);
  opened.defer(() => sockets.close());
  gateway.attach(app.server, (stream) => sockets.upgraded(stream));

  const { logs, inboxes, directory } = services;
  const house = { store, logs, inboxes, directory, blobs, clock, clockFile, limits, retentionDays: context.retentionDays };
  const tidy = async (): Promise<void> => {
    try {
      const removed = await keepHouse(house);
      if (Object.values(removed).some((count) => count > 0)) log.info(removed, "removed what had expired");
    } catch (error) {
      if (!(error instanceof StoreError)) reportBug(error);
    }
  };
  late.tidy = (): void => void tidy();
  late.tidy();
  const scheme = certificates === undefined ? "http" : "https";
  // Without a port of its own a server is part of somebody else's process, and of their clock.
  const admin =
    parts.serve !== undefined
      ? undefined
      : await startAdmin({
          context,
          rules,
          store,
          dataDirectory: options.dataDirectory,
          publicUrl: publicUrlOf(host, certificates !== undefined),
          startedAtMs: nowMs(),
          connections: () => gateway.count(),
          watchedLogs: () => logs.watchedLogs,
          quorum: () => publisher.quorum,
          healthReasons: async () => (await health.reasons()).map(({ message }) => message),
          options,
          refusals: counters.refusals,
          warn: (message) => log.warn(message),
          reportBug,
          rotateLogKey,
          effectiveConfig: options.effectiveConfig ?? {},
        });
  opened.defer(() => admin?.close());
  const metrics = options.metricsPort === undefined ? undefined : await serveMetrics({ port: options.metricsPort, registry, reportBug });
  opened.defer(() => metrics?.close());
  // Last, when nothing can fail any more but this.
  opened.defer(async () => app.close());
  let { port } = options;
  await front.start(app.server);
  if (parts.serve === undefined) port = await listenOn(app, { address, port, held });
  else {
    await app.ready();
    parts.serve(app.server);
  }
  const stopHousekeeping = repeat(setTimer, housekeepingMs, () => void tidy());
  const stopTicking = repeat(setTimer, tickMs, () => {
    health.sample();
    publisher.tick().catch((error: unknown) => {
      if (!(error instanceof StoreError)) reportBug(error);
    });
  });

  const stopSweep = setTimer(sweepAfterMs, () => {
    blobs.removeOrphans().then(
      (files) => files > 0 && log.info({ files }, "removed files that a crash left"),
      (error: unknown) => error instanceof StoreError || reportBug(error),
    );
  });
  const stopBackups = startBackups(options, { journal: journaled?.journal, nowMs, log, reportBug, setTimer });

  let closing: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    await admin?.close();
    await metrics?.close();
    stopHousekeeping();
    stopTicking();
    stopSweep();
    await front.close();
    await stopBackups();
    recordClock(clock, clockFile);
    disk.stop();
    sockets.close();
    await gateway.close();
    await publisher.close();
    await journaled?.journal.close();
    await app.close();
    await store.close();
    log.info("stopped");
  };
  const failed = Promise.race([store.failed, failing.promise]).then(async (error) => {
    // What another error says may hold anything.
    const reason = error instanceof ServerError ? error.message : "The store stopped by itself: start the server again.";
    health.stopped(reason);
    log.error({ name: error.name }, `the server stops: ${reason}`);
    await (closing ??= stop());
    return error;
  });
  const close = (): Promise<void> => (closing ??= stop());
  const reload = async (): Promise<void> => certificates?.reload();
  const shown =
    address === "0.0.0.0" || address === "::" || address === "127.0.0.1" ? "localhost" : address.includes(":") ? `[${address}]` : address;
  log.info({ port, day: dayOf(nowMs()) }, "listening");
  return { url: `${scheme}://${shown}:${port}`, host, port, metricsUrl: metrics?.url, failed, reload, close, [Symbol.asyncDispose]: close };
}

/** The public name: as given, else that of the data folder, else `localhost` with the port, which is then held until the server listens. */
async function chooseHost(params: {
  options: ServerOptions;
  store: Store;
  address: string;
  isServed: boolean;
}): Promise<{ host: string; held: HeldPort | undefined }> {
  const { options, store, address, isServed } = params;
  const named = options.host ?? (options.port === 0 ? await hostOfDirectory(store) : undefined);
  if (named !== undefined) return { host: named, held: undefined };
  const held = options.port === 0 && !isServed ? await holdPort(address) : undefined;
  return { host: `localhost:${held?.port ?? options.port}`, held };
}

/** Opens the directory's log, or begins it, and starts publishing. */
async function startDirectory(params: {
  options: ServerOptions;
  context: ServerContext;
  store: DirectoryLogStore;
  log: Logger;
  reportBug: (error: unknown) => void;
  setTimer: NonNullable<ServerParts["setTimer"]>;
  prove: VrfProve | undefined;
  clock: ClockGuard;
  health: Health;
}): Promise<{ publisher: Publisher; vrf: VrfService; rotateLogKey: () => Promise<{ isNew: boolean }> }> {
  const { options, context, store, log, reportBug, setTimer } = params;
  const { dataDirectory } = options;
  const { nowMs, host, limits } = context;
  const warn = (message: string): void => log.warn(message);
  const opened = await openDirectory({ store, dataDirectory, host, options, nowMs: nowMs(), iKnow: options.iKnow ?? [] });
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
    signer: opened.signer,
    configDue: opened.due,
    intervalMs: limits.publicationIntervalMs,
    headsIntervalMs: limits.headsIntervalMs,
    nowMs,
    schedule: (run, delayMs) => setTimer(delayMs, run),
    reportBug,
    onServed: (head) => rememberSeen(dataDirectory, head),
    onBehind: () => warn("a witness has seen more of the directory's log than there is: the data folder is an old copy"),
    onQuorum(isMet) {
      params.health.quorum(isMet);
      if (isMet) log.warn("enough witnesses answer again");
      // By their place in the policy: a name says who watches.
      else log.warn({ witnesses: witnesses.failures }, "too few witnesses answer: clients look nobody up until they do");
    },
  });
  await publisher.start(await store.directoryStatus());
  const rotateLogKey = async (): Promise<{ isNew: boolean }> => {
    const isNew = opened.rotate();
    await publisher.tick();
    return { isNew };
  };
  return { publisher, vrf, rotateLogKey };
}

function openDefaultStore(directory: string, limits: ServerLimits, load: StoreLoad): Promise<Store> {
  return openSqliteStore({ directory, ...(limits.maxDatabasePages > 0 ? { maxPages: limits.maxDatabasePages } : {}) }, load);
}

/** @throws ServerError */
function proxiesOf({ trustProxy }: ServerOptions): TrustedProxies {
  if (trustProxy === undefined || trustProxy === false) return noProxies;
  const proxies = parseProxies(trustProxy === true ? "loopback,private" : trustProxy);
  if (proxies === undefined) {
    throw new ServerError(
      "invalid_options",
      "The trusted proxies are no list of addresses or networks: write for example 127.0.0.1,10.0.0.0/8.",
    );
  }
  return proxies;
}

function checkOptions(options: ServerOptions): void {
  if (options.host !== undefined && !isHost(options.host)) {
    throw new ServerError("invalid_options", `"${options.host}" is no host name: use a lower-case DNS name, with :port unless it is 443.`);
  }
  const nameBytes = options.serverName === undefined ? 1 : utf8Bytes(options.serverName).length;
  if (nameBytes < 1 || nameBytes > maxNameBytes) {
    throw new ServerError("invalid_options", `The server's name has ${nameBytes} bytes: use 1 to ${maxNameBytes}.`);
  }
  if (!Number.isInteger(options.port) || options.port < 0 || options.port > 65_535) {
    throw new ServerError("invalid_options", `${options.port} is no port: use a number from 0 to 65535.`);
  }
}
