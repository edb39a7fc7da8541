import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Registry } from "prom-client";
import { listening } from "./listening.ts";

/** The server's figures on a port of their own. */
export interface MetricsServer {
  /** Where they are read. */
  readonly url: string;
  close(): Promise<void>;
}

/** Where the figures listen: who is not on this machine never reaches them, whatever stands in front of the server. */
const address = "127.0.0.1";
const path = "/metrics";
/** Hosts by which a program on this machine asks; a page in a browser that made its own name point here asks by another. */
const ownHost = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]+)?$/i;

/**
 * Shows the figures of `registry` as Prometheus text at `/metrics`, on `port` of the loopback address alone; 0 takes any free port.
 * @throws ServerError `port_in_use` or `address_not_allowed`
 */
export async function serveMetrics(params: {
  port: number;
  registry: Registry;
  reportBug: (error: unknown) => void;
}): Promise<MetricsServer> {
  const { port, registry, reportBug } = params;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const isAsked = (request.url ?? "").split("?")[0] === path && ownHost.test(request.headers.host ?? "");
    if (!isAsked || (request.method !== "GET" && request.method !== "HEAD")) {
      response.writeHead(404).end();
      return;
    }
    try {
      const text = await registry.metrics();
      response.writeHead(200, { "content-type": registry.contentType, "cache-control": "no-store" }).end(text);
    } catch (error) {
      reportBug(error);
      response.writeHead(500).end();
    }
  };
  const server = createServer((request, response) => void answer(request, response));
  await listening(server, { host: address, port });
  // A TCP server's address is always AddressInfo.
  const { port: taken } = server.address() as AddressInfo;
  return {
    url: `http://${address}:${taken}${path}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
