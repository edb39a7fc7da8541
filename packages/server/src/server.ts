import { randomBytes } from "node:crypto";
import { pino } from "pino";
import type { Logger } from "pino";
import { Rules } from "./admin/rules.ts";
import { startAdmin } from "./admin/start-admin.ts";
import { effectiveLimits } from "./admission/limit-settings.ts";
import { openFilesAllowed, withinOpenFiles } from "./admission/open-files.ts";
import { clearOutgoing } from "./backup/s3-place.ts";
import { startBackups } from "./backup/schedule.ts";
import { followBus } from "./bus/follow.ts";
import { RemovedDevices } from "./bus/removed-devices.ts";
import { countUploads } from "./blobs/counted-blobs.ts";
import { keptFromDay } from "./clock/dated-back.ts";
import { describeAhead } from "./clock/held.ts";
import { openClocks } from "./clock/open-clock.ts";
import { defaultRetentionDays, publicUrlOf } from "./config.ts";
import type { ServerContext, ServerLimits, ServerOptions } from "./config.ts";
import { dayOf } from "./days.ts";
import type { Desk } from "./desk/desk.ts";
import { DeskSeat } from "./desk/desk-seat.ts";
import { startDirectory } from "./directory/start-directory.ts";
import { ServerError, StoreError, StoreFault } from "./errors.ts";
import { Health } from "./health.ts";
import { createApp } from "./http/app.ts";
import { endCrumbs } from "./http/crumbs.ts";
import { listenOn } from "./http/listening.ts";
import { serveMetrics } from "./http/metrics-server.ts";
import { createRegistry } from "./http/metrics-text.ts";
import { SocketLimits } from "./http/socket-limits.ts";
import { addStateMetrics, countResponses } from "./http/state-metrics.ts";
import { startJournal } from "./journal/start-journal.ts";
import { causeOf } from "./log-causes.ts";
import { createCounters } from "./metrics.ts";
import { openBlobBucket } from "./start/blob-place.ts";
import { Chores } from "./start/chores.ts";
import { prepareFolder } from "./start/folder.ts";
import { checkBesideDatabase, noteElsewhere } from "./start/elsewhere.ts";
import { chooseHost } from "./start/host.ts";
import { HouseTurn } from "./start/house-turn.ts";
import { openBus } from "./start/open-bus.ts";
import { openStoreOf } from "./start/open-store.ts";
import { checkOptions, proxiesOf } from "./start/options.ts";
import { processTimer } from "./start/parts.ts";
import type { ServerParts } from "./start/parts.ts";
import { createServices } from "./start/services.ts";
import { DiskRoom } from "./storage/disk-room.ts";
import { diskFull, isOutOfRoom } from "./storage/out-of-room.ts";
import { describeBreakage } from "./store/sqlite/breakage.ts";
import { adviceOf } from "./store/postgres/fault.ts";
import { takeLock } from "./store/sqlite/open-database.ts";
import { storeSizeOf } from "./store/sqlite/store-size.ts";
import { StoreFaults } from "./store/store-faults.ts";
import { StoreLoad } from "./store/store-load.ts";
import { Front } from "./tls/front.ts";
import { passphraseCryptoOnThread } from "./passphrases/passphrase-crypto.ts";
import { tokenCryptoOnThread } from "./tokens/token-crypto.ts";
import { knownPushServices, openPushDoor } from "./wakes/push-door.ts";
import { Gateway } from "./ws/gateway.ts";

/** WebSockets below which a bound by open files is a warning. */
const fewConnections = 4096;

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

/** Starts a server. @throws ServerError with one line that says what to do */
export function startServer(options: ServerOptions): Promise<RunningServer> {
  return startServerWith(options, {});
}

/** Starts a server with parts of one's own. @throws ServerError */
export async function startServerWith(options: ServerOptions, parts: ServerParts): Promise<RunningServer> {
  checkOptions(options);
  const limits = effectiveLimits(options);
  // Standard error: what a command prints for its user goes to standard output.
  const log = pino({ level: options.logLevel ?? "info", base: null }, pino.destination({ fd: 2, sync: true }));
  const opened = new AsyncDisposableStack();
  try {
    return await start({ options, limits, log, parts, opened });
  } catch (error) {
    // A start that fails holds nothing: no port, no lock, no thread.
    await opened.disposeAsync();
    if (!(error instanceof ServerError) && isOutOfRoom(error)) throw diskFull(options.dataDirectory, error);
    if (!(error instanceof StoreError)) throw error;
    if (error.code === "unavailable") {
      const message = adviceOf(error) ?? "The database went away while this server started: start it again.";
      throw new ServerError("database_failed", message, { cause: error });
    }
    const message = `The data in ${options.dataDirectory} cannot be read: the disk fails or the database is damaged. Restore it from a backup.`;
    throw new ServerError("data_unusable", message, { cause: error });
  }
}

async function start(params: {
  options: ServerOptions;
  limits: ServerLimits;
  log: Logger;
  parts: ServerParts;
  /** What has to be closed again when the server stops or its start fails: the last that was opened first. */
  opened: AsyncDisposableStack;
}): Promise<RunningServer> {
  const { options, log, parts, opened } = params;
  const { dataDirectory, address = "127.0.0.1" } = options;
  const setTimer = parts.setTimer ?? processTimer;
  const warn = (message: string): void => log.warn(message);
  const reportBug = (error: unknown): void => {
    // Told once: when the server stops for it, or once a minute.
    if (error instanceof StoreError && (error.cause instanceof ServerError || error.cause instanceof StoreFault)) return;
    log.error(causeOf(error), "unexpected error");
  };
  const proxies = proxiesOf(options);
  const counters = createCounters();
  checkBesideDatabase(options, params.limits);
  const isElsewhere = options.database !== undefined;
  prepareFolder(dataDirectory, { isElsewhere });
  const front = await Front.open(options, { nowMs: parts.nowMs ?? Date.now, setTimer, warn });
  const { certificates } = front;
  const limits = withinOpenFiles(params.limits, {
    // In somebody else's process nothing is a socket of its own.
    allowed: parts.serve === undefined ? openFilesAllowed() : Infinity,
    reserved: front.maxSockets,
  });
  if (limits !== params.limits) {
    const { maxConnections, maxHttpSockets } = limits;
    const told = `the system lets this process have ${openFilesAllowed()} files open: at most ${maxConnections} WebSockets and ${maxHttpSockets} other connections are taken; raise it (LimitNOFILE in systemd, ulimit -n)`;
    // Thousands are enough for most: then it is worth a line to whoever asks for all of them.
    if (maxConnections < fewConnections) warn(told);
    else log.info(told);
  }

  const load = new StoreLoad();
  const faults = new StoreFaults({
    nowMs: parts.nowMs ?? Date.now,
    tell: (cause, operation) => log.error({ ...cause, operation }, "the store failed"),
  });
  faults.watch(load);
  load.size = () => storeSizeOf(dataDirectory);
  load.onAway = (why) => warn(why ?? "The database does what it is asked for again.");
  load.onClosedFull = () =>
    warn("closed on a full disk: what was acknowledged last stays in the write-ahead logs until the next start, which needs some room");
  if (isElsewhere) {
    // A store in the folder holds it by itself.
    const lock = takeLock(dataDirectory);
    opened.defer(() => lock.close());
  }
  const store = await (parts.openStore?.(dataDirectory, limits, load) ?? openStoreOf(options, limits, load));
  opened.defer(() => store.close());
  if (isElsewhere) noteElsewhere(dataDirectory);
  await clearOutgoing(dataDirectory);
  // Names this process beside the other nodes of its store.
  const holder = randomBytes(16).toString("base64url");
  const late: { chores?: Chores; desk?: Desk } = {};
  const clocks = await openClocks({
    store,
    dataDirectory,
    isKnown: options.iKnow?.includes("clock") ?? false,
    clocks: parts,
    log,
    onBelieved: () => late.chores?.tidy(),
  });
  const { clock, wallMs } = clocks;
  const nowMs = (): number => clock.nowMs();
  const elapsedMs = parts.passedMs ?? parts.nowMs ?? ((): number => performance.now());
  const rules = await Rules.load(store, () => dayOf(nowMs()));
  // Without a port of its own a server is part of somebody else's process, and of their clock.
  const isListening = parts.serve === undefined;
  const { host, held } = await chooseHost({ options, store, address, isListening });
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
    latestMs: () => Math.max(nowMs(), wallMs()),
    elapsedMs,
    dayBefore: (days) => keptFromDay(dayOf(nowMs()) - days, clocks.clockFile.datedBack),
  };
  const journal = await startJournal({ store, options, host, log });
  opened.defer(() => journal.close());
  const publicLog = journal.store;
  const directory = await startDirectory({
    options,
    context,
    store: publicLog,
    leases: store,
    holder,
    log,
    reportBug,
    setTimer,
    prove: parts.prove,
    clocks,
  });
  const { publisher } = directory;
  const blobBucket = await openBlobBucket({ options, store, holder, counters, setTimer, elapsedMs, log, patience: parts.bucketPatience });
  const health = new Health({
    elapsedMs,
    clock,
    counters,
    dataDirectory,
    minFreeBytes: limits.minFreeBytes,
    recordAhead: () => describeAhead({ newestMs: publisher.newestMs, believedMs: nowMs(), wallMs: wallMs() }),
    publicationsFailSinceMs: () => publisher.failedSinceMs,
    quorumLostSinceMs: () => publisher.quorumLostSinceMs,
    journal: () => journal.reasons(),
    isStoreFailing: () => faults.isRepeating,
    ...(isElsewhere ? { databaseFault: () => load.away() } : {}),
    bucketFault: () => blobBucket?.watch.reason ?? blobBucket?.run.reason,
    ...(certificates === undefined ? {} : { certificate: () => certificates.reasons() }),
  });
  // A disk that fails, under a file or under the store: nothing more is taken, and the process ends.
  const failing = Promise.withResolvers<Error>();
  const onDiskFailure = (): void => failing.resolve(new ServerError("store_failed", describeBreakage("disk")));
  const disk = new DiskRoom({ directory: dataDirectory, reserveBytes: limits.minFreeBytes });
  await disk.start();
  opened.defer(() => disk.stop());
  const pushServices = options.pushServices ?? knownPushServices;
  // Whom the operator names may be anywhere, on this machine too.
  const pushDoor = openPushDoor({ isPublicOnly: options.pushServices === undefined });
  opened.defer(() => pushDoor.close());
  const bus = openBus({ options, secret: directory.tokenSecret, patience: parts.busPatience, log, reportBug });
  opened.defer(() => bus.close());
  const turn = new HouseTurn(store, holder);
  const services = await createServices({
    dataDirectory,
    isShared: isElsewhere,
    // Housekeeping gives it back while the clock is doubted: nobody here takes it again meanwhile.
    turn: { take: async () => clock.doubt() === undefined && (await turn.take()) },
    context,
    rules,
    counters,
    store,
    bus,
    disk,
    directory,
    blobBucket,
    setTimer,
    tokenCrypto: parts.tokenCrypto ?? tokenCryptoOnThread,
    passphraseCrypto: parts.passphraseCrypto ?? passphraseCryptoOnThread,
    push: { services: pushServices, send: parts.push ?? pushDoor.send },
    reportBug,
    onDiskFailure,
  });
  const { logs, inboxes, linkInboxes, blobs, uploads } = services;
  const removedDevices = new RemovedDevices({ ...services, setTimer });
  followBus(bus, { ...services, removedDevices, rules, setTimer });
  rules.onChanged = () => bus.publish({ kind: "rules" });
  opened.defer(() => services.wakes.close());
  // Once nobody is answered any more.
  opened.defer(() => uploads.close());
  opened.defer(() => blobs.close());
  // Nothing that closes waits for a bucket.
  opened.defer(() => {
    blobBucket?.run.close();
    blobBucket?.watch.close();
  });

  const app = createApp(options, {
    context,
    blobs: countUploads(blobs, counters),
    uploads,
    admission: services.admission,
    directory: publicLog,
    tokens: services.tokens,
    disk,
    suspensions: () => services.suspensions.list,
    holdings: services.holdings,
    desk: () => late.desk,
    unhealthy: () => health.reasons(),
    certificates,
    proxies,
    reportBug,
  });
  opened.defer(async () => app.close());
  countResponses(app, counters);
  // Closed before the app: witnesses read there what they are asked to cosign.
  opened.defer(() => publisher.close());
  await publisher.start(await publicLog.directoryStatus());
  const sockets = new SocketLimits(
    { maxSockets: limits.maxHttpSockets, maxSocketsPerAddress: limits.maxHttpSocketsPerAddress, idleMs: limits.httpIdleMs },
    proxies,
  );
  sockets.attach(app.server);
  endCrumbs(app.server);
  opened.defer(() => sockets.close());
  const gateway = new Gateway(services, proxies);
  gateway.attach(app.server, (stream) => sockets.upgraded(stream));
  opened.defer(() => gateway.close());

  const { retentionDays } = context;
  const house = {
    store,
    turn,
    rules,
    logs,
    inboxes,
    linkInboxes,
    directory: services.directory,
    histories: services.histories,
    blobs,
    uploads,
    passphrases: services.passphrases,
    ...clocks,
    limits,
    retentionDays,
  };
  const tickDesk = async (): Promise<number> =>
    (await late.desk?.office.tick({ nowMs: nowMs(), passedMs: clock.passedMs(), isDoubted: clock.doubt() !== undefined })) ?? 0;
  const { tokens } = services;
  const chores = new Chores({
    house,
    journal,
    publisher,
    tokens,
    suspensions: services.suspensions,
    isShared: isElsewhere,
    health,
    log,
    setTimer,
    tickDesk,
    reportBug,
  });
  late.chores = chores;
  rules.onRestricted = () => chores.suspended();
  chores.tidy();
  const admin = !isListening
    ? undefined
    : await startAdmin({
        context,
        rules,
        store,
        inboxes,
        operatorLabels: services.operatorLabels,
        dataDirectory,
        publicUrl: publicUrlOf(host, certificates !== undefined),
        deskSeat: isElsewhere
          ? new DeskSeat({ dataDirectory, store, holder, isLost: options.iKnow?.includes("lost-desk") === true, elapsedMs })
          : undefined,
        startedAtMs: elapsedMs(),
        storeSize: () => load.size(),
        connections: () => gateway.count(),
        watchedLogs: () => logs.watchedLogs,
        unfinishedUploads: () => uploads.unfinished(),
        quorum: () => publisher.quorum,
        healthReasons: async () => (await health.reasons()).map(({ message }) => message),
        options,
        refusals: counters.refusals,
        warn,
        passedMs: () => clock.passedMs(),
        reportBug,
        rotateLogKey: directory.rotateLogKey,
        effectiveConfig: options.effectiveConfig ?? {},
      });
  opened.defer(() => admin?.close());
  if (admin !== undefined) late.desk = admin.desk;
  const registry = createRegistry(
    counters,
    () => gateway.count(),
    () => logs.watchedLogs,
  );
  addStateMetrics(registry, {
    counters,
    app,
    load,
    dataDirectory,
    minFreeBytes: limits.minFreeBytes,
    webSockets: () => gateway.size,
    unfinishedUploads: () => uploads.unfinished(),
    publisher: () => publisher.state,
    doubt: () => clock.doubt(),
    certificate: () => certificates?.pair?.cert,
    unhealthy: async () => (await health.reasons()).map(({ code }) => code),
  });
  const metrics = options.metricsPort === undefined ? undefined : await serveMetrics({ port: options.metricsPort, registry, reportBug });
  opened.defer(() => metrics?.close());

  opened.defer(() => front.close());
  await front.start(app.server);
  let { port } = options;
  if (parts.serve === undefined) port = await listenOn(app, { address, port, held });
  else {
    await app.ready();
    parts.serve(app.server);
  }
  // From here on nothing can fail any more.
  chores.start();
  opened.defer(() => chores.stop());
  opened.defer(startBackups(options, { journal, store, nowMs, log, reportBug, setTimer }));

  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= opened.disposeAsync().then(() => log.info("stopped")));
  const failed = Promise.race([store.failed, failing.promise]).then(async (error) => {
    // What another error says may hold anything.
    const reason = error instanceof ServerError ? error.message : "The store stopped by itself: start the server again.";
    health.stopped(reason);
    log.error({ name: error.name }, `the server stops: ${reason}`);
    await close();
    return error;
  });
  const reload = async (): Promise<void> => certificates?.reload();
  log.info({ port, day: dayOf(nowMs()) }, "listening");
  const url = `${certificates === undefined ? "http" : "https"}://${shownAddress(address)}:${port}`;
  return { url, host, port, metricsUrl: metrics?.url, failed, reload, close, [Symbol.asyncDispose]: close };
}

/** How this machine reaches a server that listens at an address. */
function shownAddress(address: string): string {
  if (address === "0.0.0.0" || address === "::" || address === "127.0.0.1") return "localhost";
  return address.includes(":") ? `[${address}]` : address;
}
