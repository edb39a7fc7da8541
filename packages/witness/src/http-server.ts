import { readAtMost } from "@latchkey/codec";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { WitnessError } from "./errors.ts";

/** What a request is answered with. */
export interface Answer {
  readonly status: number;
  readonly type?: string;
  readonly body?: string | Uint8Array;
  readonly retryAfterSeconds?: number;
}

/** What the witness does with requests. */
export interface Handlers {
  addCheckpoint(body: Uint8Array): Promise<Answer>;
  /** `GET`; undefined where there is nothing. */
  read(path: string): Answer | undefined;
  reportBug(error: unknown): void;
}

/** A server that listens. */
export interface Listening {
  readonly url: string;
  close(): Promise<void>;
}

/** More than the proof of 63 hashes, and a checkpoint with as many signatures as any policy asks for. */
const maxBodyBytes = 32_768;
const maxConnections = 64;
const closeTimeoutMs = 2000;

/** Serves the handlers over HTTP at `listen`, such as `127.0.0.1:2025` or `[::1]:0`. @throws WitnessError `invalid_options` or `address_in_use` */
export async function listenHttp(params: { listen: string; requestTimeoutMs: number; handlers: Handlers }): Promise<Listening> {
  const { requestTimeoutMs } = params;
  const { host, port } = parseListen(params.listen);
  const server = createServer(
    {
      requestTimeout: requestTimeoutMs,
      headersTimeout: requestTimeoutMs,
      keepAliveTimeout: 60_000,
      connectionsCheckingInterval: 500,
      maxHeaderSize: 8192,
    },
    (request, response) => {
      respond(request, params.handlers).then(
        (answer) => send(request, response, answer),
        (error: unknown) => {
          params.handlers.reportBug(error);
          send(request, response, { status: 500 });
        },
      );
    },
  );
  server.maxConnections = maxConnections;
  await listening(server, host, port);
  // A TCP server's address is always AddressInfo.
  const address = server.address() as AddressInfo;
  const shown = address.family === "IPv6" ? `[${address.address}]` : address.address;
  return {
    url: `http://${shown}:${String(address.port)}`,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        // What is under way gets a moment; who still sends a request then is cut off.
        server.closeIdleConnections();
        setTimeout(() => server.closeAllConnections(), closeTimeoutMs).unref();
      }),
  };
}

async function respond(request: IncomingMessage, handlers: Handlers): Promise<Answer> {
  const path = request.url ?? "/";
  if (path === "/add-checkpoint") {
    if (request.method !== "POST") return { status: 405 };
    const body = await readBody(request);
    return body === undefined ? { status: 413 } : handlers.addCheckpoint(body);
  }
  if (request.method !== "GET" && request.method !== "HEAD") return { status: 405 };
  return handlers.read(path) ?? { status: 404 };
}

/** The body; undefined when it is too long: the rest is not read, and the connection ends with the answer. */
async function readBody(request: IncomingMessage): Promise<Uint8Array | undefined> {
  try {
    return await readAtMost(request, maxBodyBytes);
  } catch (error) {
    // The peer went away, or was too slow: nobody is there to be answered.
    if (request.destroyed) return undefined;
    throw error;
  }
}

/** The connection ends with the answer to what has not come to its end: else the rest would be read, and thrown away, for as long as it comes. */
function send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  if (response.headersSent || response.destroyed) return;
  const { status, type = "text/plain; charset=utf-8", retryAfterSeconds } = answer;
  const body = typeof answer.body === "string" ? Buffer.from(answer.body) : (answer.body ?? new Uint8Array(0));
  response.writeHead(status, {
    "content-type": type,
    "content-length": body.length,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...(retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) }),
    ...(isUnfinished(request) ? { connection: "close" } : {}),
  });
  response.end(body);
}

function isUnfinished({ complete, headers }: IncomingMessage): boolean {
  return !complete && (headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0);
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      const isTaken = "code" in cause && cause.code === "EADDRINUSE";
      reject(
        isTaken
          ? new WitnessError("address_in_use", `port ${String(port)} is in use: stop what uses it, or choose another one`, { cause })
          : new WitnessError("invalid_options", `cannot listen on ${host}, port ${String(port)}`, { cause }),
      );
    });
    server.listen(port, host, resolve);
  });
}

function parseListen(listen: string): { host: string; port: number } {
  const match = /^(?:(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):)?([0-9]{1,5})$/.exec(listen);
  const port = Number(match?.[2]);
  if (match === null || port > 65_535)
    throw new WitnessError("invalid_options", "an address to listen on is HOST:PORT, such as 127.0.0.1:2025");
  return { host: (match[1] ?? "127.0.0.1").replaceAll(/[[\]]/g, ""), port };
}
