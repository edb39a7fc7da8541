import type { Server } from "node:http";
import type { Socket } from "node:net";
import { limitedAddress, networksOf } from "../addresses.ts";
import type { TrustedProxies } from "../addresses.ts";

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
  readonly keys: readonly string[];
  /** Bytes that it had read, and got rid of, when it was looked at last. */
  movedBytes: number;
}

/**
 * Counts the sockets of an HTTP server from the moment that they open: downloads that nobody reads, uploads that come byte by byte,
 * requests that do not end, upgrades that were refused. What is too much, or does not move, is ended. A WebSocket is counted elsewhere.
 */
export class SocketLimits {
  readonly #bounds: SocketBounds;
  readonly #proxies: TrustedProxies;
  readonly #sockets = new Map<string, Counted>();
  readonly #byNetwork = new Map<string, number>();
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
    if (id !== undefined) this.#forget(id);
  }

  #open(socket: Socket): void {
    const id = idOf(socket);
    // Of this process itself, without a network.
    if (id === undefined || socket.remoteAddress === undefined) return;
    // All visitors of a proxy are one address to this server's sockets.
    const networks = this.#proxies.has(socket.remoteAddress) ? [] : networksOf(limitedAddress(socket.remoteAddress));
    const { maxSockets, maxSocketsPerAddress } = this.#bounds;
    const isTooMany = networks.some(({ key, factor }) => (this.#byNetwork.get(key) ?? 0) >= factor * maxSocketsPerAddress);
    if (isTooMany || this.#sockets.size >= maxSockets) {
      socket.destroy();
      return;
    }
    const keys = networks.map(({ key }) => key);
    this.#sockets.set(id, { socket, keys, movedBytes: 0 });
    for (const key of keys) this.#byNetwork.set(key, (this.#byNetwork.get(key) ?? 0) + 1);
    socket.once("close", () => this.#forget(id));
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

  #forget(id: string): void {
    const counted = this.#sockets.get(id);
    if (counted === undefined) return;
    this.#sockets.delete(id);
    for (const key of counted.keys) {
      const left = (this.#byNetwork.get(key) ?? 1) - 1;
      if (left === 0) this.#byNetwork.delete(key);
      else this.#byNetwork.set(key, left);
    }
  }
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
