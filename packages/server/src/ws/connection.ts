import { maxFrameBytes } from "@latchkey/protocol";
import type { Role } from "@latchkey/protocol";
import type { Duplex } from "node:stream";
import type { RawData, WebSocket } from "ws";
import type { Source } from "../admission/admission.ts";
import type { ServerLimits } from "../config.ts";
import type { Counters } from "../metrics.ts";

/** What a connection's role does with its frames. */
export interface Session {
  /** One frame. A promise holds back the frames behind it until it settles; it never rejects. */
  receive(frame: Uint8Array): Promise<void> | undefined;
  /** A frame that is no request: says why, and closes. */
  refuse(frame: Uint8Array, code: "malformed" | "too_large"): void;
  /** The socket takes more again. */
  drained(): void;
  /** The connection has ended. */
  closed(): void;
}

/** What connections share: writes of one turn leave each socket together. */
export interface Outbox {
  /** Corks the connection's socket until the end of this turn. */
  cork(connection: Connection): void;
}

/** Collects the sockets written to in a turn of the event loop and flushes them at its end. */
export function createOutbox(): Outbox {
  let corked: Connection[] = [];
  return {
    cork(connection) {
      if (corked.length === 0) {
        setImmediate(() => {
          const flushing = corked;
          corked = [];
          for (const each of flushing) each.uncork();
        });
      }
      corked.push(connection);
    },
  };
}

/**
 * One WebSocket. Frames arrive in order, one after the other where the session asks for it; reading stops while too much
 * of this connection is under way, so that a fast writer waits by itself and holds no memory (back-pressure).
 */
export class Connection implements Source {
  readonly role: Role;
  readonly address: string;
  session: Session | undefined;
  /** Signs of life since the last ping. */
  isAlive = true;
  readonly #socket: WebSocket;
  readonly #stream: Duplex;
  readonly #outbox: Outbox;
  readonly #limits: ServerLimits;
  readonly #counters: Counters;
  #isCorked = false;
  #sentBytes = 0;
  /** What had left the socket at the last check, while some waited; -1 when none did. */
  #stuckAt = -1;
  #isReading = true;
  #isStopped = false;
  #inFlight = 0;
  #bytesInFlight = 0;
  #windowStart = 0;
  #windowCount = 0;
  /** Frames behind one that is handled alone; `undefined` while none is. */
  #held: Uint8Array[] | undefined;

  constructor(params: {
    socket: WebSocket;
    stream: Duplex;
    role: Role;
    address: string;
    outbox: Outbox;
    limits: ServerLimits;
    counters: Counters;
  }) {
    this.#socket = params.socket;
    this.#stream = params.stream;
    this.role = params.role;
    this.address = params.address;
    this.#outbox = params.outbox;
    this.#limits = params.limits;
    this.#counters = params.counters;
  }

  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  /** Whether little enough waits to be sent. */
  get isWritable(): boolean {
    return this.#stream.writableLength < this.#limits.maxBytesWaiting;
  }

  /** Whether nothing of what waits has left since the last call. */
  isStuck(): boolean {
    const waiting = this.#stream.writableLength;
    const left = this.#sentBytes - waiting;
    const isStuck = waiting > 0 && left === this.#stuckAt;
    this.#stuckAt = waiting > 0 ? left : -1;
    return isStuck;
  }

  /** Sends a frame of `encodeFrame`. */
  send(frame: Uint8Array): void {
    if (!this.isOpen) return;
    if (!this.#isCorked) {
      this.#isCorked = true;
      this.#stream.cork();
      this.#outbox.cork(this);
    }
    this.#counters.bytesSent += frame.length;
    this.#sentBytes += frame.length;
    this.#stream.write(frame);
  }

  uncork(): void {
    this.#isCorked = false;
    this.#stream.uncork();
  }

  /** Whether requests are under way. */
  get isBusy(): boolean {
    return this.#inFlight > 0;
  }

  /** Takes no more requests. */
  stopReading(): void {
    this.#isStopped = true;
    this.#pause();
  }

  /** Closes with a code of `closeCodes`, what was sent before included. */
  close(code: number): void {
    if (!this.isOpen) return;
    this.#held = undefined;
    this.#socket.close(code);
    // The peer's own goodbye must be read.
    this.#resume();
  }

  /** Ends the connection at once. */
  terminate(): void {
    this.#socket.terminate();
  }

  ping(): void {
    if (this.isOpen) this.#socket.ping();
  }

  /** A message arrived. */
  receive(data: RawData, isBinary: boolean): void {
    this.isAlive = true;
    if (!this.isOpen) return;
    // The socket's binaryType gives a Buffer for every message.
    const frame = data as Buffer;
    this.#counters.bytesReceived += frame.length;
    if (!isBinary || frame.length > maxFrameBytes) {
      this.session?.refuse(frame, isBinary ? "too_large" : "malformed");
      return;
    }
    this.#inFlight += 1;
    this.#bytesInFlight += frame.length;
    this.#limitRate();
    if (this.#held === undefined) this.#handle(frame);
    else this.#held.push(frame);
    if (this.#inFlight >= this.#limits.maxRequestsInFlight || this.#bytesInFlight >= this.#limits.maxBytesInFlight) this.#pause();
  }

  /** A request of this size was answered. */
  done(sizeBytes: number): void {
    this.#inFlight -= 1;
    this.#bytesInFlight -= sizeBytes;
    if (this.#isReading || this.#isStopped) return;
    const isLow = this.#inFlight <= this.#limits.maxRequestsInFlight / 2 && this.#bytesInFlight <= this.#limits.maxBytesInFlight / 2;
    if (isLow && this.#windowCount <= this.#limits.maxRequestsPerSecond) this.#resume();
  }

  #handle(frame: Uint8Array): void {
    const alone = this.session?.receive(frame);
    if (alone === undefined) return;
    this.#held ??= [];
    void alone.then(() => this.#releaseHeld());
  }

  #releaseHeld(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined) return;
    for (const [index, frame] of held.entries()) {
      if (!this.isOpen) return;
      const alone = this.session?.receive(frame);
      if (alone !== undefined) {
        this.#held = held.slice(index + 1);
        void alone.then(() => this.#releaseHeld());
        return;
      }
    }
  }

  #limitRate(): void {
    const now = performance.now();
    if (now - this.#windowStart > 1000) {
      this.#windowStart = now;
      this.#windowCount = 0;
    }
    this.#windowCount += 1;
    if (this.#windowCount === this.#limits.maxRequestsPerSecond + 1) {
      this.#pause();
      setTimeout(
        () => {
          this.#windowCount = 0;
          if (!this.#isReading && !this.#isStopped && this.#inFlight < this.#limits.maxRequestsInFlight) this.#resume();
        },
        1000 - (now - this.#windowStart),
      ).unref();
    }
  }

  #pause(): void {
    if (!this.#isReading) return;
    this.#isReading = false;
    this.#socket.pause();
  }

  #resume(): void {
    this.#isReading = true;
    this.#socket.resume();
  }
}
