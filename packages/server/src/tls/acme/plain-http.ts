import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { noProxies } from "../../addresses.ts";
import { listening } from "../../http/listening.ts";
import { endCrumbs } from "../../http/crumbs.ts";
import { SocketLimits } from "../../http/socket-limits.ts";
import type { SocketBounds } from "../../http/socket-limits.ts";

const challengePath = "/.well-known/acme-challenge/";
/** Nobody has business here for longer: one line is asked, one is answered. */
const timeoutMs = 10_000;
/** Bounds of its sockets: when all are taken the oldest of the network that has most goes, so that challenges get through. */
export const plainBounds: SocketBounds = { maxSockets: 256, maxSocketsPerAddress: 16, idleMs: timeoutMs };

/**
 * Port 80: answers the challenges of ACME, and sends everything else to HTTPS. It reads no bodies, keeps no connection, and names
 * no host but the server's own.
 */
export class PlainHttp {
  readonly #challenges = new Map<string, string>();
  readonly #server: Server;
  readonly #host: string;
  readonly #limits = new SocketLimits(plainBounds, noProxies);

  /** @param host the server's public name */
  constructor(host: string) {
    this.#host = host;
    this.#server = createServer({ requestTimeout: timeoutMs, headersTimeout: timeoutMs, maxHeaderSize: 8192 }, (request, response) =>
      this.#answer(request, response),
    );
    this.#limits.attach(this.#server);
    endCrumbs(this.#server);
    this.#server.timeout = timeoutMs;
    // Too many sockets, or none left: port 80 is dispensable, the server is not.
    this.#server.on("error", () => undefined);
  }

  /** @throws ServerError `port_in_use`, `address_not_allowed` */
  async listen(params: { address: string; port: number }): Promise<void> {
    const { address, port } = params;
    await listening(this.#server, { host: address, port, option: "--http-port" });
  }

  /** Shows the answer to a challenge until the result is called. */
  show(token: string, answer: string): () => void {
    this.#challenges.set(token, answer);
    return () => this.#challenges.delete(token);
  }

  async close(): Promise<void> {
    this.#limits.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? "/";
    response.setHeader("connection", "close");
    response.setHeader("content-type", "text/plain; charset=utf-8");
    response.setHeader("x-content-type-options", "nosniff");
    if (path.startsWith(challengePath)) {
      const answer = this.#challenges.get(path.slice(challengePath.length));
      response.writeHead(answer === undefined ? 404 : 200).end(answer ?? "");
    } else if (request.method !== "GET" && request.method !== "HEAD") {
      // What was sent in the clear stays unanswered, so that nobody takes it for a way.
      response.writeHead(403).end("Use https.\n");
    } else {
      response.writeHead(308, { location: `https://${this.#host}${/^\/[\x21-\x7e]*$/.test(path) ? path : "/"}` }).end();
    }
  }
}
