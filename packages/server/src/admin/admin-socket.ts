import { readAtMost } from "@latchkey/codec";
import { chmodSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { join } from "node:path";
import { causeOf } from "../log-causes.ts";
import type { AdminAnswer, AdminRequest } from "./router.ts";

/** The socket's name in the data folder. */
export const adminSocketFile = "admin.sock";

const maxRequestBytes = 16_384;
const maxConnections = 16;
/** What systems take for a socket's path: 104 bytes on macOS with the end of the text, 108 on Linux. */
const maxPathBytes = 103;

/** An open admin socket. */
export interface AdminSocket {
  readonly path: string;
  /** Ends its connections and removes it. */
  close(): Promise<void>;
}

/**
 * Listens on `DATA/admin.sock`, HTTP over a Unix socket that only the server's user may open: whoever can, is the operator. The caller
 * holds the lock of the data folder, so a socket that lies there is of a server that is gone. `undefined` where it cannot be: `warn` says why.
 */
export async function listenForAdmin(params: {
  dataDirectory: string;
  answer: (request: AdminRequest) => Promise<AdminAnswer>;
  warn: (message: string) => void;
}): Promise<AdminSocket | undefined> {
  const { dataDirectory, answer, warn } = params;
  const path = join(dataDirectory, adminSocketFile);
  if (process.platform === "win32") return undefined;
  if (Buffer.byteLength(path) > maxPathBytes) {
    warn("the path of the data folder is too long for a socket in it: latchkey admin does not work, choose a shorter one");
    return undefined;
  }
  const server = createServer((request, response) => void serve(request, response, answer));
  server.maxConnections = maxConnections;
  server.requestTimeout = 30_000;
  server.headersTimeout = 10_000;
  try {
    rmSync(path, { force: true });
    await listen(server, path);
    chmodSync(path, 0o600);
  } catch (error) {
    server.close();
    const { code = "no reason given" } = causeOf(error);
    warn(`the socket admin.sock in the data folder cannot be made (${code}): latchkey admin does not work, check the folder's permissions`);
    return undefined;
  }
  return {
    path,
    close: () =>
      new Promise((resolve) => {
        // Closing removes the socket's file.
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The data folder lets nobody else in, so nobody opens the socket in the moment before its mode is set. */
function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  answer: (request: AdminRequest) => Promise<AdminAnswer>,
): Promise<void> {
  // One that breaks off is answered as one that is too long: nobody is there to read it.
  const body = await readAtMost(request, maxRequestBytes).catch(() => undefined);
  const { status, body: value } =
    body === undefined
      ? { status: 413, body: { code: "usage", message: "The parameters are too long." } }
      : await answer({ method: request.method ?? "", path: request.url ?? "", body: new TextDecoder().decode(body) });
  response.writeHead(status, { "content-type": "application/json", connection: "close" });
  response.end(JSON.stringify(value));
}
