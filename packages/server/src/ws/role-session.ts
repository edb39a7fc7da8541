import { CodecError, decode } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { closeCodes, frameHead } from "@latchkey/protocol";
import type { Frame, FrameCodec, Hello, WireError } from "@latchkey/protocol";
import { Refusal, StoreError } from "../errors.ts";
import { countRefusal } from "../metrics.ts";
import { storeRefusal } from "../store/store-refusal.ts";
import type { Connection, Session } from "./connection.ts";
import { encodeFrame } from "./framing.ts";
import type { Services } from "./services.ts";

/** What every role answers besides its own replies. */
type CommonReply = ({ readonly kind: "error" } & WireError) | ({ readonly kind: "hello" } & Hello);

/** Units of a page of entries or items, as `costOf` counts. */
export const pageCost = 32;
/** Units of a proof of a log's head. */
export const proofCost = 8;

/** What a request's handler returns: nothing when it has answered or will; a promise when frames behind it wait for it. */
export type Handled = Promise<void> | undefined;

/** Decodes one role's requests, answers with its replies, and turns what is thrown into typed errors. */
export abstract class RoleSession<Request extends { readonly kind: string }, Reply extends { readonly kind: string }> implements Session {
  protected readonly services: Services;
  protected readonly connection: Connection;
  readonly #requests: FrameCodec<Request>;
  readonly #replies: Codec<Frame<Reply | CommonReply>>;
  protected isClosed = false;

  constructor(params: {
    services: Services;
    connection: Connection;
    requests: FrameCodec<Request>;
    replies: Codec<Frame<Reply | CommonReply>>;
  }) {
    this.services = params.services;
    this.connection = params.connection;
    this.#requests = params.requests;
    this.#replies = params.replies;
  }

  /** Handles a request; throws or rejects with Refusal or StoreError. Every path ends in `reply` or `fail`, once. */
  protected abstract handle(id: number, request: Request, sizeBytes: number): Handled;

  receive(frame: Uint8Array): Promise<void> | undefined {
    const { counters } = this.services;
    counters.requests += 1;
    const head = frameHead(frame);
    if (head !== undefined && head.id !== 0 && !this.#requests.kinds.has(head.kind)) {
      // Asked by a client of a later version, which then does without.
      this.fail(head.id, new Refusal("unsupported"), frame.length);
      return undefined;
    }
    let request: Frame<Request>;
    try {
      request = decode(this.#requests, frame);
      if (request.id === 0) throw new CodecError("invalid", "0 is the id of events");
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      this.refuse(frame, "malformed");
      this.connection.done(frame.length);
      return undefined;
    }
    try {
      return this.handle(request.id, request.body, frame.length)?.catch((error: unknown) => this.fail(request.id, error, frame.length));
    } catch (error) {
      this.fail(request.id, error, frame.length);
      return undefined;
    }
  }

  refuse(frame: Uint8Array, code: "malformed" | "too_large"): void {
    const { counters } = this.services;
    counters.protocolErrors += 1;
    countRefusal(counters, code);
    this.#error(frameHead(frame)?.id ?? 0, new Refusal(code));
    this.connection.close(code === "too_large" ? closeCodes.tooLarge : closeCodes.protocolError);
  }

  /** The first frame of the connection. */
  greet(hello: Hello): void {
    this.connection.send(encodeFrame(this.#replies, { id: 0, body: { kind: "hello", ...hello } }));
  }

  drained(): void {}

  closed(): void {
    this.isClosed = true;
  }

  /** Answers the request `id`, whose frame had `sizeBytes`. */
  protected reply(id: number, body: Reply, sizeBytes: number): void {
    this.connection.send(encodeFrame(this.#replies, { id, body }));
    this.connection.done(sizeBytes);
  }

  /** Answers the request `id` with what went wrong. */
  protected fail(id: number, error: unknown, sizeBytes: number): void {
    const refusal = refusalOf(error);
    countRefusal(this.services.counters, refusal.code);
    if (refusal.code === "internal") this.services.reportBug(error);
    this.#error(id, refusal);
    this.connection.done(sizeBytes);
  }

  protected encodeEvent(body: Reply, sizeHint?: number): Uint8Array {
    return encodeFrame(this.#replies, { id: 0, body }, sizeHint);
  }

  /** The connection cannot be served from where it is: it opens again and catches up. */
  protected endStream(error: unknown): void {
    const { counters } = this.services;
    if (error === undefined) counters.slowReaders += 1;
    else if (!(error instanceof StoreError)) this.services.reportBug(error);
    this.connection.close(error instanceof StoreError ? closeCodes.shuttingDown : closeCodes.tooSlow);
  }

  /** Asks in this connection's turn, and answers with what that gives or with what went wrong. */
  protected replyInTurn(id: number, cost: number, ask: () => Promise<Reply>, sizeBytes: number): void {
    this.inTurn(cost, ask)
      .then((reply) => this.reply(id, reply, sizeBytes))
      .catch((error: unknown) => this.fail(id, error, sizeBytes));
  }

  /** Does something with the store when it is this connection's turn. */
  protected inTurn<T>(cost: number, operation: () => Promise<T>): Promise<T> {
    return this.services.queue.turn(this.connection.lane, cost, operation);
  }

  #error(id: number, refusal: Refusal): void {
    const { code, retryAfterMs } = refusal;
    this.connection.send(encodeFrame(this.#replies, { id, body: { kind: "error", code, retryAfterMs } }));
  }
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  return error instanceof StoreError ? storeRefusal(error) : new Refusal("internal");
}
