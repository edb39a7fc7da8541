import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { limitedAddress, networksOf } from "../addresses.ts";
import type { Network, TrustedProxies } from "../addresses.ts";

/** Bounds of sockets that are no WebSockets. */
export interface SocketBounds {
  readonly maxSockets: number;
  readonly maxSocketsPerAddress: number;
  /** In each span of so many milliseconds a socket moves some bytes, or is ended. */
  readonly idleMs: number;
}

/** The least that a socket moves in a span. */
const leastBytes = 4096;

interface Counted {
  readonly socket: Socket;
  readonly id: string;
  readonly networks: readonly Held[];
  /** Bytes that it had read, and got rid of, when it was looked at last. */
  movedBytes: number;
  requestsUnderWay: number;
  /** Bytes that it had read when its last answer was out. */
  idleBytesRead: number;
}

/** The sockets of one network. */
interface Held {
  readonly key: string;
  /** The oldest first. */
  readonly all: Set<Counted>;
  /** Those kept alive with no request under way, the longest idle first. */
  readonly idle: Set<Counted>;
}

/** Of all sockets, one site has at most this part. */
const siteShare = 1 / 4;

/**
 * Counts the sockets of an HTTP server from the moment that they open: downloads that nobody reads, uploads that come byte by byte,
 * requests that do not end, upgrades that were refused. What does not move is ended. At a limit a newcomer is let in and a socket that
 * is idle between requests is ended for it; where all are full, else the oldest of the network that has most, so that nobody who holds
 * sockets keeps others out. A WebSocket is counted elsewhere.
 */
export class SocketLimits {
  readonly #bounds: SocketBounds;
  readonly #proxies: TrustedProxies;
  readonly #sockets = new Map<string, Counted>();
  /** By each network that a socket lies in. */
  readonly #byNetwork = new Map<string, Held>();
  #sweep: NodeJS.Timeout | undefined;

  constructor(bounds: SocketBounds, proxies: TrustedProxies) {
    this.#bounds = bounds;
    this.#proxies = proxies;
  }

  /** Sockets that are counted now. */
  get size(): number {
    return this.#sockets.size;
  }

  /** Watches over the sockets of `server` until `close`. */
  attach(server: Server): void {
    server.on("connection", (socket: Socket) => this.#open(socket));
    server.on("request", (request: IncomingMessage, response: ServerResponse) => this.#request(request, response));
    this.#sweep = setInterval(() => this.#endIdle(), this.#bounds.idleMs);
    this.#sweep.unref();
  }

  close(): void {
    clearInterval(this.#sweep);
  }

  /** A socket has become a WebSocket. */
  upgraded(socket: object): void {
    // By TLS it is another object, of the same connection.
    const id = "remotePort" in socket ? idOf(socket) : undefined;
    const counted = id === undefined ? undefined : this.#sockets.get(id);
    if (counted !== undefined) this.#forget(counted);
  }

  #open(socket: Socket): void {
    const id = idOf(socket);
    // Of this process itself, without a network.
    if (id === undefined || socket.remoteAddress === undefined) return;
    // All visitors of a proxy are one address to this server's sockets: they share the total, and have no limit of their own.
    const isProxy = this.#proxies.has(socket.remoteAddress);
    const networks = isProxy ? [{ key: "proxy", factor: Infinity }] : networksOf(limitedAddress(socket.remoteAddress));
    if (!this.#makeRoom(networks)) {
      socket.destroy();
      return;
    }
    const held = networks.map(({ key }) => this.#held(key));
    const counted: Counted = { socket, id, networks: held, movedBytes: 0, requestsUnderWay: 0, idleBytesRead: 0 };
    this.#sockets.set(id, counted);
    for (const { all } of held) all.add(counted);
    socket.once("close", () => this.#forget(counted));
  }

  /** Ends what stands in the way of a newcomer of these networks; false where it has to go itself. */
  #makeRoom(networks: readonly Network[]): boolean {
    const { maxSockets, maxSocketsPerAddress } = this.#bounds;
    const ofSite = Math.max(maxSocketsPerAddress, Math.floor(maxSockets * siteShare));
    for (const { key, factor } of networks) {
      const most = factor === 1 || factor === Infinity ? factor * maxSocketsPerAddress : Math.min(factor * maxSocketsPerAddress, ofSite);
      const held = this.#byNetwork.get(key);
      if (held === undefined || held.all.size < most) continue;
      const idle = longestIdle(held);
      if (idle === undefined) return false;
      this.#end(idle);
    }
    if (this.#sockets.size < maxSockets) return true;
    const fullest = this.#fullest();
    const given = fullest === undefined ? undefined : (longestIdle(fullest) ?? fullest.all.values().next().value);
    if (given === undefined) return false;
    this.#end(given);
    return true;
  }

  /** The network that has most; a wide one has what those in it have. */
  #fullest(): Held | undefined {
    let fullest: Held | undefined;
    for (const held of this.#byNetwork.values()) if (held.all.size > (fullest?.all.size ?? 0)) fullest = held;
    return fullest;
  }

  /** A socket is idle from the end of its last answer to its next request. */
  #request(request: IncomingMessage, response: ServerResponse): void {
    // By TLS the request has another object, of the same connection.
    const counted = this.#sockets.get(idOf(request.socket) ?? "");
    if (counted === undefined) return;
    counted.requestsUnderWay += 1;
    for (const { idle } of counted.networks) idle.delete(counted);
    response.once("close", () => {
      counted.requestsUnderWay -= 1;
      if (counted.requestsUnderWay > 0 || this.#sockets.get(counted.id) !== counted) return;
      counted.idleBytesRead = counted.socket.bytesRead;
      for (const { idle } of counted.networks) idle.add(counted);
    });
  }

  #end(counted: Counted): void {
    // Its place is free at once, not when the system has closed it.
    this.#forget(counted);
    counted.socket.destroy();
  }

  #endIdle(): void {
    for (const counted of this.#sockets.values()) {
      const { socket, movedBytes } = counted;
      counted.movedBytes = movedBytesOf(socket);
      // A new one is looked at once before it is judged.
      if (movedBytes > 0 && counted.movedBytes - movedBytes < leastBytes) socket.destroy();
      else if (movedBytes === 0) counted.movedBytes = Math.max(1, counted.movedBytes);
    }
  }

  #held(key: string): Held {
    const held = this.#byNetwork.get(key) ?? { key, all: new Set(), idle: new Set() };
    this.#byNetwork.set(key, held);
    return held;
  }

  #forget(counted: Counted): void {
    if (this.#sockets.get(counted.id) !== counted) return;
    this.#sockets.delete(counted.id);
    for (const { key, all, idle } of counted.networks) {
      all.delete(counted);
      idle.delete(counted);
      if (all.size === 0) this.#byNetwork.delete(key);
    }
  }
}

/** One on which the next request has not begun to come. */
function longestIdle({ idle }: Held): Counted | undefined {
  for (const counted of idle) if (counted.socket.bytesRead === counted.idleBytesRead) return counted;
  return undefined;
}

/** What has passed through a socket; not what waits in it. */
function movedBytesOf(socket: Socket): number {
  return socket.bytesRead + Math.max(0, (socket.bytesWritten ?? 0) - socket.writableLength);
}

function idOf(socket: object): string | undefined {
  // Sockets have both; the streams of tests have neither.
  const { remoteAddress, remotePort } = socket as Partial<Socket>;
  return remoteAddress === undefined || remotePort === undefined ? undefined : `${remoteAddress} ${remotePort}`;
}
