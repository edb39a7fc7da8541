import { deskApiPath } from "@latchkey/protocol/desk";
import { reportPaths } from "@latchkey/protocol/reports";
import { httpPaths, maxFrameBytes, productVersion } from "@latchkey/protocol";
import type { WireErrorCode } from "@latchkey/protocol";
import { fastify } from "fastify";
import type { FastifyError, FastifyInstance, FastifyReply } from "fastify";
import { peerOf } from "../addresses.ts";
import type { TrustedProxies } from "../addresses.ts";
import type { Admission } from "../admission/admission.ts";
import type { BlobService } from "../blobs/blob-service.ts";
import type { UploadService } from "../blobs/uploads.ts";
import type { ServerContext, ServerOptions } from "../config.ts";
import { Refusal, StoreError } from "../errors.ts";
import type { HealthReason } from "../health.ts";
import type { CertificateKeeper } from "../tls/keeper.ts";
import type { Desk } from "../desk/desk.ts";
import type { HoldingsDoor } from "../desk/holdings-door.ts";
import { DeskError, deskStatuses } from "../desk/office/desk-error.ts";
import type { DiskRoom } from "../storage/disk-room.ts";
import { storeRefusal } from "../store/store-refusal.ts";
import type { TokenService } from "../tokens/token-service.ts";
import { acceptStreams, addBlobRoutes } from "./blob-routes.ts";
import { addCountsRoutes } from "./counts-routes.ts";
import { addDeskApiRoutes } from "./desk-api-routes.ts";
import { addDeskReleaseRoutes } from "./desk-release-routes.ts";
import { addDeskRequestRoutes } from "./desk-request-routes.ts";
import { addDeskRoutes } from "./desk-routes.ts";
import { addDirectoryRoutes } from "./directory-routes.ts";
import type { DirectoryFiles } from "./directory-routes.ts";
import { addHoldingsRoutes } from "./holdings-routes.ts";
import { addReportRoutes } from "./report-routes.ts";
import { setSecurityHeaders } from "./security-headers.ts";
import { endUnfinished } from "./unfinished-requests.ts";
import { addUploadRoutes } from "./upload-routes.ts";
import { limitVisitors } from "./visitor-limits.ts";
import { addWebApp } from "./web-app.ts";

/** What the HTTP side needs. */
export interface HttpServices {
  readonly context: ServerContext;
  readonly blobs: Pick<BlobService, "put" | "find">;
  readonly uploads: Pick<UploadService, "create" | "look" | "append" | "remove">;
  readonly admission: Admission;
  readonly directory: DirectoryFiles;
  readonly tokens: Pick<TokenService, "redeem">;
  readonly disk: Pick<DiskRoom, "isLow">;
  /** The list of suspended accounts; `undefined` where there never were any. */
  readonly suspensions: () => Uint8Array | undefined;
  readonly holdings: Pick<HoldingsDoor, "open">;
  /** Absent in a server without an admin socket. */
  readonly desk: () => Desk | undefined;
  /** All that is wrong, empty where nothing is. */
  readonly unhealthy: () => Promise<readonly HealthReason[]>;
  /** With it the server speaks HTTPS. */
  readonly certificates: CertificateKeeper | undefined;
  readonly proxies: TrustedProxies;
  reportBug(error: unknown): void;
}

/** Status of a refusal over HTTP; 400 where none is named. */
const statuses: Partial<Record<WireErrorCode, number>> = {
  too_large: 413,
  not_found: 404,
  unknown_blob: 404,
  conflict: 409,
  unsupported: 412,
  rate_limited: 429,
  storage_full: 507,
  shutting_down: 503,
  unavailable: 503,
  internal: 500,
};

/** What the desk's own server answers: the proxies of several servers lead these there (docs/cluster.md). */
export const deskPaths: readonly string[] = [deskApiPath, reportPaths.reports, httpPaths.counts];
/** How soon whoever came to another one is to come again. */
const deskElsewhereMs = 30_000;

/** The HTTP side: health, blobs, the web app. Answers with errors hold a code and nothing else. */
export function createApp(options: ServerOptions, services: HttpServices): FastifyInstance {
  const { context, blobs, admission, certificates, proxies } = services;
  const { limits } = context;
  const base = {
    logger: false,
    // A slow upload takes its time; one that stands still is ended by SocketLimits.
    requestTimeout: 3_600_000,
    connectionTimeout: 0,
    keepAliveTimeout: 5000,
    forceCloseConnections: true,
    exposeHeadRoutes: true,
  } as const;
  // The certificate makes it an HTTPS server; every other part is the same.
  const app =
    certificates === undefined ? fastify(base) : (fastify({ ...base, https: certificates.secureOptions() }) as unknown as FastifyInstance);
  acceptStreams(app);
  endUnfinished(app);

  app.addHook("onRequest", async (request, reply) => {
    const isForwarded = proxies.has(request.socket.remoteAddress) && request.headers["x-forwarded-proto"] === "https";
    const isSecure = certificates !== undefined || isForwarded;
    const socketOrigin = `${isSecure ? "wss" : "ws"}://${safeHost(request.headers.host)}`;
    setSecurityHeaders(reply, { socketOrigin, isSecure });
  });
  // What only the server that has the desk can answer is not there anywhere else, and is not gone either: whoever asks comes again.
  app.addHook("onRequest", async ({ url }) => {
    const isOfDesk = deskPaths.some((path) => url.startsWith(path));
    if (isOfDesk && (await services.desk()?.office.isElsewhere()) === true) throw new Refusal("unavailable", deskElsewhereMs);
  });
  limitVisitors(app, proxies, limits.maxHttpSocketsPerAddress);
  app.setErrorHandler((error: FastifyError | Refusal | DeskError, _request, reply) => sendError(orRefusal(error), reply, services));

  app.get(httpPaths.health, async (_request, reply) => {
    const reasons = await services.unhealthy();
    const isHealthy = reasons.length === 0;
    return reply
      .code(isHealthy ? 200 : 503)
      .header("cache-control", "no-store")
      .send({ status: isHealthy ? "ok" : "failed", version: productVersion, reasons });
  });
  app.get(httpPaths.info, (_request, reply) => {
    const { host, serverName, registration, retentionDays, rules } = context;
    return reply.header("cache-control", "no-cache").send({
      host,
      name: serverName,
      registration,
      retentionDays,
      maxFrameBytes,
      maxBlobBytes: limits.maxBlobBytes,
      maxFileBytes: limits.maxFileBytes,
      protocol: "latchkey.1",
      announcement: rules.announcement,
      version: productVersion,
    });
  });
  addBlobRoutes(app, { blobs, admission, maxBlobBytes: limits.maxBlobBytes, proxies });
  addUploadRoutes(app, { uploads: services.uploads, admission, context, proxies });
  app.get(httpPaths.suspended, (request, reply) => {
    admission.admit("readDirectory", { address: peerOf(request.raw, proxies) });
    const list = services.suspensions();
    if (list === undefined) throw new Refusal("not_found");
    return reply.headers({ "content-type": "application/octet-stream", "cache-control": "no-cache" }).send(Buffer.from(list));
  });
  addHoldingsRoutes(app, { holdings: services.holdings, admission, proxies, reportBug: services.reportBug });
  addCountsRoutes(app, { office: () => services.desk()?.office, admission, proxies, passedMs: context.elapsedMs });
  addDirectoryRoutes(app, { files: services.directory, admission, proxies });
  addReportRoutes(app, {
    office: () => services.desk()?.office,
    admission,
    proxies,
    nowMs: context.nowMs,
    isLow: () => services.disk.isLow,
    redeem: ({ token, reportId, address }) => services.tokens.redeem({ token, operation: "report", target: reportId, source: { address } }),
  });
  addDeskApiRoutes(app, { office: () => services.desk()?.office, context, admission, proxies });
  addDeskReleaseRoutes(app, { office: () => services.desk()?.office, context, admission, proxies });
  addDeskRequestRoutes(app, {
    office: () => services.desk()?.office,
    context,
    admission,
    proxies,
    isLow: () => services.disk.isLow,
  });
  addDeskRoutes(app, { desk: services.desk, host: context.host, admission, proxies });
  addWebApp(app, options.webRoot);
  return app;
}

function sendError(error: FastifyError | Refusal | DeskError, reply: FastifyReply, services: HttpServices): FastifyReply {
  // What was said of an answer that did not come about: nobody keeps a failure for a year.
  for (const name of ["cache-control", "content-range", "accept-ranges", "content-length"]) void reply.removeHeader(name);
  if (error instanceof DeskError) {
    const { code, retryAfterMs } = error;
    return reply.code(deskStatuses[code]).header("cache-control", "no-store").send({ code, retryAfterMs });
  }
  if (error instanceof Refusal) {
    if (error.retryAfterMs > 0) void reply.header("retry-after", Math.ceil(error.retryAfterMs / 1000));
    return reply.code(statuses[error.code] ?? 400).send({ code: error.code, retryAfterMs: error.retryAfterMs });
  }
  const status = error.statusCode ?? 500;
  if (status < 500) return reply.code(status).send({ code: status === 413 ? "too_large" : status === 404 ? "not_found" : "malformed" });
  // Who sent it has gone before all of it was read: nobody is there to be answered, and nothing is wrong here.
  const { raw } = reply.request;
  if (raw.destroyed && (!raw.complete || error.code === "ECONNRESET")) return reply.code(400).send({ code: "malformed" });
  services.reportBug(error);
  return reply.code(status).send({ code: "internal" });
}

/** A store whose database is away is no bug of this server. */
function orRefusal(error: FastifyError | Refusal | DeskError): FastifyError | Refusal | DeskError {
  return error instanceof StoreError && error.code === "unavailable" ? storeRefusal(error) : error;
}

/** The Host header goes into a header of the answer: only what a host may hold. */
function safeHost(host: string | undefined): string {
  return host !== undefined && /^[A-Za-z0-9.:[\]-]{1,260}$/.test(host) ? host : "localhost";
}
