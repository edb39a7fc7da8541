import { encode } from "@latchkey/codec";
import {
  closeCodes,
  maxFrameBytes,
  negotiate,
  offeredVersions,
  roleCodecs,
  roles,
  socketPath,
  spokenVersions,
  subprotocolOf,
} from "@latchkey/protocol";
import type { Hello, Role } from "@latchkey/protocol";
import { randomBytes } from "node:crypto";
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type { RawData, WebSocket } from "ws";
import { networksOf, peerOf } from "../addresses.ts";
import type { TrustedProxies } from "../addresses.ts";
import { registrationNumbers } from "../config.ts";
import { Connection, mostAfterGoodbye } from "./connection.ts";
import type { Session, SharedByConnections } from "./connection.ts";
import { DeviceSession } from "./device-session.ts";
import { IntakeGate } from "./intake-gate.ts";
import { LogSession } from "./log-session.ts";
import { isOwnOrigin } from "./origin.ts";
import { LookupSession } from "./lookup-session.ts";
import { MemoryBudget } from "./memory-budget.ts";
import { PostSession } from "./post-session.ts";
import { createOutbox } from "./outbox.ts";
import type { Services } from "./services.ts";

/** Largest message that is read at all; between this and the limit of a frame the peer is told why it is closed. */
const maxMessageBytes = maxFrameBytes + 4096;
/** Parts in which a message may come: browsers send large ones in a few. */
const maxFragments = 256;
/** How long a peer that was refused may take to read why. */
const refusedMs = 1000;
const drainGraceMs = 2000;

/** Takes WebSocket connections, gives each its role's session, and watches over them. */
export class Gateway {
  readonly #services: Services;
  readonly #proxies: TrustedProxies;
  readonly #connections = new Map<WebSocket, Connection>();
  readonly #perAddress = new Map<string, number>();
  readonly #shared: SharedByConnections;
  readonly #sockets: WebSocketServer;
  #sweep: NodeJS.Timeout | undefined;
  #isClosing = false;
  #onAccepted: (stream: Duplex) => void = () => undefined;

  constructor(services: Services, proxies: TrustedProxies) {
    this.#services = services;
    this.#proxies = proxies;
    const { limits } = services.context;
    const gate = new IntakeGate(
      {
        maxRequests: limits.maxRequestsInFlightInAll,
        maxRequestsPerAddress: limits.maxRequestsInFlightPerAddress,
        maxBytes: limits.maxBytesInFlightInAll,
        maxBytesPerAddress: limits.maxBytesInFlightPerAddress,
        maxRequestsPerSecond: limits.maxRequestsPerSecond,
      },
      services.asking,
    );
    this.#shared = {
      outbox: createOutbox(gate),
      limits,
      counters: services.counters,
      queue: services.queue,
      memory: new MemoryBudget({ maxBytes: limits.maxBytesHeld, maxBytesPerAddress: limits.maxBytesHeldPerAddress }),
      gate,
    };
    this.#sockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: maxMessageBytes,
      maxFragments,
      skipUTF8Validation: true,
      // Of what it offered, what counts; where nothing does, anything, so that it can be told.
      handleProtocols: (offered) => {
        const range = offeredVersions([...offered]);
        const agreed = range === undefined ? undefined : negotiate(range, spokenVersions);
        const name = agreed?.kind === "version" ? subprotocolOf(agreed.version) : undefined;
        return name !== undefined && offered.has(name) ? name : ([...offered][0] ?? false);
      },
    });
  }

  /** Open connections. */
  get size(): number {
    return this.#connections.size;
  }

  /** Open connections by role. */
  count(): Map<Role, number> {
    const counts = new Map<Role, number>(roles.map((role) => [role, 0]));
    for (const { role } of this.#connections.values()) counts.set(role, (counts.get(role) ?? 0) + 1);
    return counts;
  }

  /** Serves the upgrades of an HTTP server; `onAccepted` is told of each socket that is a connection from now on. */
  attach(server: Server, onAccepted: (stream: Duplex) => void): void {
    this.#onAccepted = onAccepted;
    server.on("upgrade", (request: IncomingMessage, stream: Duplex, head: Buffer) => this.#upgrade(request, stream, head));
    this.#sweep = setInterval(() => this.#checkAll(), this.#services.context.limits.pingIntervalMs);
    this.#sweep.unref();
  }

  /** Answers what is under way, then closes every connection with a reason that says when to come back; those that linger are ended. */
  async close(): Promise<void> {
    this.#isClosing = true;
    clearInterval(this.#sweep);
    for (const connection of this.#connections.values()) connection.stopReading();
    await until(() => this.#connections.values().every((connection) => !connection.isOpen || !connection.isBusy), drainGraceMs);
    for (const connection of this.#connections.values()) connection.close(closeCodes.shuttingDown);
    await until(() => this.#connections.size === 0, drainGraceMs);
    for (const connection of this.#connections.values()) connection.terminate();
    this.#sockets.close();
  }

  #upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    stream.on("error", () => stream.destroy());
    const path = (request.url ?? "").split("?")[0];
    const role = roles.find((each) => socketPath(each) === path);
    const offered = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim());
    const versions = offeredVersions(offered);
    const address = peerOf(request, this.#proxies);
    const { maxConnections, maxConnectionsPerAddress } = this.#services.context.limits;
    if (role === undefined) refuseUpgrade(stream, "404 Not Found");
    else if (versions === undefined) refuseUpgrade(stream, "400 Bad Request");
    else if (!isOwnOrigin(request.headers, this.#services.context.host)) refuseUpgrade(stream, "403 Forbidden");
    else if (this.#isClosing || this.#connections.size >= maxConnections) refuseUpgrade(stream, "503 Service Unavailable");
    else if (networksOf(address).some(({ key, factor }) => (this.#perAddress.get(key) ?? 0) >= factor * maxConnectionsPerAddress))
      refuseUpgrade(stream, "429 Too Many Requests");
    else {
      const agreed = negotiate(versions, spokenVersions);
      this.#sockets.handleUpgrade(request, stream, head, (socket) => {
        if (agreed.kind === "version") this.#accept({ socket, stream, role, address });
        else refuseVersion({ socket, stream }, agreed.kind);
      });
    }
  }

  #accept(params: { socket: WebSocket; stream: Duplex; role: Role; address: string }): void {
    const { socket, stream, role, address } = params;
    const { counters } = this.#services;
    const connection = new Connection({ socket, stream, role, address, shared: this.#shared });
    this.#connections.set(socket, connection);
    this.#onAccepted(stream);
    for (const { key } of connection.networks) this.#perAddress.set(key, (this.#perAddress.get(key) ?? 0) + 1);
    const nonce = randomBytes(32);
    const session = this.#createSession(connection, nonce);
    connection.session = session;
    socket.on("message", (data: RawData, isBinary: boolean) => connection.receive(data, isBinary));
    socket.on("pong", () => {
      connection.isAlive = true;
    });
    // A peer that breaks the WebSocket protocol is closed by ws itself.
    socket.on("error", () => {
      counters.protocolErrors += 1;
    });
    socket.on("close", () => this.#remove(socket, connection));
    stream.on("drain", () => connection.drained());
    session.greet(this.#hello(nonce));
  }

  #createSession(connection: Connection, nonce: Uint8Array): Session & { greet(hello: Hello): void } {
    switch (connection.role) {
      case "device":
        return new DeviceSession(this.#services, connection, nonce);
      case "log":
        return new LogSession(this.#services, connection);
      case "post":
        return new PostSession(this.#services, connection);
      case "lookup":
        return new LookupSession(this.#services, connection);
    }
  }

  #hello(nonce: Uint8Array): Hello {
    const { host, serverName, registration, retentionDays, limits, latestMs } = this.#services.context;
    return {
      format: 2,
      versions: spokenVersions,
      host,
      serverName,
      nonce,
      timeMs: latestMs(),
      maxFrameBytes,
      maxBlobBytes: limits.maxBlobBytes,
      retentionDays,
      registration: registrationNumbers[registration],
      ext: this.#services.restored(),
    };
  }

  #remove(socket: WebSocket, connection: Connection): void {
    this.#connections.delete(socket);
    for (const { key } of connection.networks) {
      const left = (this.#perAddress.get(key) ?? 1) - 1;
      if (left === 0) this.#perAddress.delete(key);
      else this.#perAddress.set(key, left);
    }
    connection.ended();
  }

  /** Ends connections that gave no sign of life since the last ping, or read nothing of what waits for them. */
  #checkAll(): void {
    for (const connection of this.#connections.values()) {
      if (!connection.isAlive) {
        connection.terminate();
        continue;
      }
      if (connection.isStuck()) {
        this.#services.counters.slowReaders += 1;
        connection.close(closeCodes.tooSlow);
        continue;
      }
      if (connection.isUnfinished()) {
        this.#services.counters.protocolErrors += 1;
        connection.terminate();
        continue;
      }
      connection.recount();
      connection.isAlive = false;
      connection.ping();
    }
  }
}

/** Says which side is too old, in a frame that every version reads, and ends the connection (spec E-74). */
function refuseVersion({ socket, stream }: { socket: WebSocket; stream: Duplex }, code: "client_outdated" | "server_outdated"): void {
  socket.on("error", () => undefined);
  let bytes = 0;
  stream.on("data", (chunk: Uint8Array) => {
    bytes += chunk.length;
    if (bytes > mostAfterGoodbye) socket.terminate();
  });
  socket.send(encode(roleCodecs.log.reply, { id: 0, body: { kind: "error", code, retryAfterMs: 0 } }));
  socket.close(closeCodes.outdated);
  setTimeout(() => socket.terminate(), refusedMs).unref();
}

function refuseUpgrade(stream: Duplex, status: string): void {
  stream.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  // The peer's own end may never come.
  setTimeout(() => stream.destroy(), refusedMs).unref();
}

/** Waits until `isDone`, at most so long: it looks after 1 ms, then ever less often. */
async function until(isDone: () => boolean, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (let waitMs = 1; !isDone() && performance.now() < deadline; waitMs = Math.min(2 * waitMs, 10)) {
    await new Promise((resolve) => {
      setTimeout(resolve, waitMs);
    });
  }
}
