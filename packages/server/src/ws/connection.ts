import { maxFrameBytes } from "@latchkey/protocol";
import type { Role } from "@latchkey/protocol";
import type { Duplex } from "node:stream";
import type { RawData, WebSocket } from "ws";
import { networksOf } from "../addresses.ts";
import type { Network } from "../addresses.ts";
import type { Source } from "../admission/admission.ts";
import type { FairQueue, Lane } from "../admission/fair-queue.ts";
import type { ServerLimits } from "../config.ts";
import type { Counters } from "../metrics.ts";
import { FrameWalk } from "./frame-walk.ts";
import type { IntakeGate, Neighbours, Waiting } from "./intake-gate.ts";
import type { Holder, MemoryBudget } from "./memory-budget.ts";
import type { Outbox, Sender } from "./outbox.ts";

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

/** What connections of one server share. */
export interface SharedByConnections {
  readonly outbox: Outbox;
  readonly limits: ServerLimits;
  readonly counters: Counters;
  readonly gate: IntakeGate;
  readonly memory: MemoryBudget;
  readonly queue: FairQueue;
}

/** Less than this that waits to be sent is not counted: it is on its way. */
const onItsWayBytes = 16_384;
/** Of a peer so much is read after a goodbye, its own or the server's: more than is under way when an honest one hears of it. */
export const mostAfterGoodbye = 262_144;
/** Of one that goes on nothing is read any more; it has so long to read the goodbye. */
const lingerMs = 1000;
/** A message that has not ended after so many looks is not waited for any longer. */
const unfinishedLooks = 2;

/**
 * One WebSocket. Its bytes are looked at when the gate lets them in, frames are handled in order, one after the other where the session
 * asks for it; reading stops while too much of this connection is under way or waits to be taken, so that a fast writer and a slow
 * reader wait by themselves and hold no memory (back-pressure).
 */
export class Connection implements Source, Holder, Waiting, Sender {
  readonly role: Role;
  readonly address: string;
  readonly networks: readonly Network[];
  readonly neighbours: Neighbours;
  /** Its turns at the store. */
  readonly lane: Lane;
  session: Session | undefined;
  /** Signs of life since the last ping. */
  isAlive = true;
  readonly #socket: WebSocket;
  readonly #stream: Duplex;
  readonly #shared: SharedByConnections;
  readonly #walk = new FrameWalk();
  /** What was read but not looked at. */
  readonly #pending: Uint8Array[] = [];
  /** What leaves at the end of this turn: mostly one frame. */
  #first: Uint8Array | undefined;
  #several: Uint8Array[] | undefined;
  #outgoingBytes = 0;
  #sentBytes = 0;
  /** What had left the socket at the last check, while some waited; -1 when none did. */
  #stuckAt = -1;
  /** The message that was not finished at the last check, and how often it was not. */
  #unfinished = { message: -1, looks: 0 };
  #isReading = true;
  #isStopped = false;
  #isOver = false;
  #inFlight = 0;
  #bytesInFlight = 0;
  #heldBytes = 0;
  /** Frames behind one that is handled alone; `undefined` while none is. */
  #held: Uint8Array[] | undefined;
  #bytesAfterGoodbye = 0;
  #cutOff: NodeJS.Timeout | undefined;
  /** Hands bytes to the WebSocket's receiver. */
  #receive: (chunk: Uint8Array) => void = () => undefined;

  constructor(params: { socket: WebSocket; stream: Duplex; role: Role; address: string; shared: SharedByConnections }) {
    this.#socket = params.socket;
    this.#stream = params.stream;
    this.role = params.role;
    this.address = params.address;
    this.#shared = params.shared;
    this.networks = networksOf(params.address);
    this.neighbours = params.shared.gate.join(params.address);
    this.lane = params.shared.queue.join(params.address);
    this.#takeOver();
  }

  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  /** Whether little enough waits to be sent. */
  get isWritable(): boolean {
    const waiting = this.#stream.writableLength + this.#outgoingBytes;
    if (waiting >= this.#shared.limits.maxBytesWaiting) return false;
    // Up to its mark a stream does not tell when it has room again.
    return waiting < this.#stream.writableHighWaterMark || !this.#shared.memory.isTight(this);
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Whether nothing of what waits has left since the last call. */
  isStuck(): boolean {
    const waiting = this.#stream.writableLength;
    const left = this.#sentBytes - waiting;
    const isStuck = waiting > 0 && left === this.#stuckAt;
    this.#stuckAt = waiting > 0 ? left : -1;
    return isStuck;
  }

  /** Whether a message is on its way for longer than anybody needs. */
  isUnfinished(): boolean {
    const message = this.#walk.heldBytes > 0 ? this.#walk.messages : -1;
    const isSame = message >= 0 && message === this.#unfinished.message;
    this.#unfinished = { message, looks: isSame ? this.#unfinished.looks + 1 : 0 };
    return this.#unfinished.looks >= unfinishedLooks;
  }

  /** Sends a frame of `encodeFrame`, with all others of this turn. */
  send(frame: Uint8Array): void {
    if (!this.isOpen) return;
    if (this.#first === undefined) {
      this.#first = frame;
      this.#shared.outbox.add(this);
    } else if (this.#several === undefined) this.#several = [this.#first, frame];
    else this.#several.push(frame);
    this.#outgoingBytes += frame.length;
  }

  /** Sends what this turn has brought. */
  flush(): void {
    const first = this.#first;
    if (first === undefined) return;
    const several = this.#several;
    const bytes = this.#outgoingBytes;
    this.#first = undefined;
    this.#several = undefined;
    this.#outgoingBytes = 0;
    if (!this.isOpen) return;
    this.#shared.counters.bytesSent += bytes;
    this.#sentBytes += bytes;
    if (several === undefined) this.#stream.write(first);
    else this.#write(several, bytes);
    if (this.#heldBytes > 0 || this.#stream.writableLength > onItsWayBytes) this.recount();
    if (!this.#mayRead) this.#pause();
  }

  /** The socket took all that waited. */
  drained(): void {
    this.recount();
    this.proceed();
    this.session?.drained();
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
    this.#dropHeld();
    this.flush();
    this.#socket.close(code);
    // The peer's own goodbye must be read; what else comes is thrown away.
    this.#resume();
    while (this.#pending.length > 0) this.#pass(Infinity);
    this.recount();
  }

  /** Ends the connection at once. */
  terminate(): void {
    this.#socket.terminate();
  }

  /** Ends it, since the memory is needed. */
  evict(): void {
    this.#shared.counters.evictedConnections += 1;
    this.#isOver = true;
    this.#pending.length = 0;
    this.#count(0);
    this.terminate();
  }

  /** The socket has closed. */
  ended(): void {
    clearTimeout(this.#cutOff);
    this.#isOver = true;
    this.#pending.length = 0;
    this.#count(0);
    this.#dropHeld();
    this.#shared.gate.leave(this);
    this.#shared.queue.leave(this.lane);
    this.session?.closed();
    this.session = undefined;
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
    this.#shared.counters.bytesReceived += frame.length;
    if (!isBinary || frame.length > maxFrameBytes) {
      this.session?.refuse(frame, isBinary ? "too_large" : "malformed");
      return;
    }
    this.#inFlight += 1;
    this.#bytesInFlight += frame.length;
    this.#shared.gate.begin(this.neighbours, frame.length);
    if (this.#held === undefined) this.#handle(frame);
    // A copy: the buffer that it came in may be much larger.
    else this.#held.push(new Uint8Array(frame));
  }

  /** A request of this size was answered. */
  done(sizeBytes: number): void {
    this.#inFlight -= 1;
    this.#bytesInFlight -= sizeBytes;
    this.#shared.gate.end(this.neighbours, sizeBytes);
    if (this.#isReading || this.#isOver) return;
    const { maxRequestsInFlight, maxBytesInFlight } = this.#shared.limits;
    if (this.#inFlight <= maxRequestsInFlight / 2 && this.#bytesInFlight <= maxBytesInFlight / 2) this.proceed();
  }

  /** Looks at what waits, as far as it may. */
  proceed(): void {
    if (this.#isOver || !this.isOpen) return;
    while (this.#pending.length > 0 && this.#mayRead) {
      const portion = this.#shared.gate.portion(this.neighbours);
      if (portion === 0) break;
      this.#pass(portion);
      // Others first.
      if (this.neighbours.waiting.size > 0) break;
    }
    if (this.#pending.length > 0) {
      this.#pause();
      if (this.#mayRead) this.#shared.gate.wait(this);
    } else if (this.#mayRead) this.#resume();
    else this.#pause();
    this.recount();
  }

  recount(): void {
    if (this.#isOver) return;
    const waiting = this.#stream.writableLength;
    let bytes = this.#walk.heldBytes + (waiting > onItsWayBytes ? waiting : 0);
    for (const chunk of this.#pending) bytes += chunk.length;
    this.#count(bytes);
  }

  /** Puts itself between the socket and the WebSocket's receiver. */
  #takeOver(): void {
    const stream = this.#stream;
    const listeners = stream.listeners("data");
    this.#receive = (chunk) => {
      for (const listener of listeners) listener.call(stream, chunk);
    };
    for (const listener of listeners) {
      // Listeners are functions: the types of events do not say of what.
      stream.off("data", listener as (chunk: Uint8Array) => void);
    }
    stream.on("data", (chunk: Uint8Array) => this.#arrive(chunk));
    this.#socket.on("error", () => {
      this.#isOver = true;
      this.#pending.length = 0;
      this.#count(0);
    });
  }

  #arrive(chunk: Uint8Array): void {
    const isOver = this.#isOver || this.#walk.isClosed;
    if ((isOver || !this.isOpen) && this.#outlasts(chunk.length)) return;
    if (isOver) return;
    this.#pending.push(chunk);
    if (!this.isOpen) {
      while (this.#pending.length > 0) this.#pass(Infinity);
      return;
    }
    if (this.#pending.length === 1 && this.neighbours.waiting.size === 0 && this.#mayRead) {
      const portion = this.#shared.gate.portion(this.neighbours);
      if (portion > 0) this.#pass(portion);
    }
    if (this.#pending.length > 0) {
      this.#pause();
      if (this.#mayRead) this.#shared.gate.wait(this);
    } else if (!this.#mayRead) this.#pause();
    if (this.#heldBytes > 0 || this.#pending.length > 0 || this.#walk.heldBytes > 0) this.recount();
  }

  /** Counts what comes after a goodbye: whether that is too much. */
  #outlasts(bytes: number): boolean {
    this.#bytesAfterGoodbye += bytes;
    if (this.#bytesAfterGoodbye <= mostAfterGoodbye) return false;
    this.#stream.pause();
    this.#cutOff ??= setTimeout(() => this.terminate(), lingerMs).unref();
    return true;
  }

  /** Hands so many frames of what waits to the receiver. */
  #pass(maxFrames: number): void {
    const chunk = this.#pending.shift();
    if (chunk === undefined) return;
    const { bytes, frames } = this.#walk.walk(chunk, maxFrames);
    if (bytes < chunk.length && !this.#walk.isClosed) this.#pending.unshift(chunk.subarray(bytes));
    this.#shared.gate.pass(this.neighbours, Math.max(1, frames));
    this.#receive(bytes === chunk.length ? chunk : chunk.subarray(0, bytes));
  }

  /** Whether this connection itself may send more. */
  get #mayRead(): boolean {
    const { maxRequestsInFlight, maxBytesInFlight, maxBytesWaiting } = this.#shared.limits;
    if (this.#isStopped || this.#inFlight >= maxRequestsInFlight || this.#bytesInFlight >= maxBytesInFlight) return false;
    return this.#stream.writableLength < maxBytesWaiting;
  }

  #write(frames: readonly Uint8Array[], bytes: number): void {
    const joined = this.#shared.outbox.join(frames, bytes);
    if (joined !== undefined) this.#stream.write(joined);
    else {
      this.#stream.cork();
      for (const frame of frames) this.#stream.write(frame);
      this.#stream.uncork();
    }
  }

  #count(bytes: number): void {
    const by = bytes - this.#heldBytes;
    if (by === 0) return;
    this.#heldBytes = bytes;
    this.#shared.memory.change(this, by);
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
      if (!this.isOpen) {
        this.#drop(held.slice(index));
        return;
      }
      const alone = this.session?.receive(frame);
      if (alone !== undefined) {
        this.#held = held.slice(index + 1);
        void alone.then(() => this.#releaseHeld());
        return;
      }
    }
  }

  /** Nobody asks for their answers any more. */
  #dropHeld(): void {
    const held = this.#held;
    this.#held = undefined;
    this.#drop(held ?? []);
  }

  #drop(frames: readonly Uint8Array[]): void {
    for (const frame of frames) this.done(frame.length);
  }

  #pause(): void {
    if (!this.#isReading) return;
    this.#isReading = false;
    this.#socket.pause();
  }

  #resume(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    this.#socket.resume();
  }
}
