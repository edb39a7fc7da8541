import { CodecError, decode, encode } from "@latchkey/codec";
import { closeCodes, frameHead, maxFrameBytes, meaningOf, negotiate, roleCodecs, spokenVersions, subprotocolsOf } from "@latchkey/protocol";
import type { Frame, Hello, Role, RoleFrames, WireError } from "@latchkey/protocol";
import { ClientError, offlineError, refusal } from "../errors.ts";
import type { Platform } from "../platform/platform.ts";

/** What the server tells by itself, by role. */
interface EventKinds {
  device: "item";
  log: "entry" | "sealed" | "signal";
  post: never;
  lookup: never;
}

/** What may be asked on a role's connection. */
export type RequestOf<R extends Role> = RoleFrames[R]["request"];
/** What the server tells by itself on a role's connection. */
export type EventOf<R extends Role> = Extract<RoleFrames[R]["reply"], { kind: EventKinds[R] }>;
/** What the server answers: a result, or a refusal of kind `error`. */
export type AnswerOf<R extends Role> = Exclude<RoleFrames[R]["reply"], { kind: "hello" | EventKinds[R] }>;

/** A connection of one role, after its hello. */
export interface RoleConnection<R extends Role> {
  readonly role: R;
  readonly host: string;
  readonly hello: Hello;
  /** When the hello came, by this device's clock, milliseconds since 1970. */
  readonly helloAtMs: number;
  /** When the server last said anything, by this device's clock. */
  readonly heardAtMs: number;
  readonly closed: boolean;
  /**
   * Sends a request and waits for its answer. Requests are sent in the order of the calls.
   * @throws ClientError `offline` when the connection ends before the answer: whether the request was carried out is then unknown
   */
  request(body: RequestOf<R>, options?: { timeoutMs?: number }): Promise<AnswerOf<R>>;
  /** Closes; waiting requests fail as `offline`. */
  close(): void;
}

/** Why a connection ended. */
export type CloseReason =
  | "asked" // by `close`
  | "lost" // by the network, or no sign of life
  | "protocol" // a frame that one side does not understand
  | "too_slow" // this device did not read
  | "outdated" // the two sides have no version in common
  | "rate_limited"
  | "shutting_down"
  | "replaced" // another connection of the same device
  | "removed"; // this device is no longer one of its account

/** What `openConnection` needs. */
export interface OpenConnectionParams<R extends Role> {
  readonly platform: Pick<Platform, "connect" | "setTimer" | "nowMs">;
  /** Of the WebSocket. */
  readonly url: string;
  readonly role: R;
  /** Which host this must be. */
  readonly host: string;
  /** Events in order of arrival. What it throws ends the connection. */
  readonly onEvent: (event: EventOf<R>) => void;
  /** Once, when the connection ended after its hello. */
  readonly onClose: (reason: CloseReason) => void;
  /** Has what closes it, also before its hello, until it ended. */
  readonly closers?: Set<() => void>;
}

const helloTimeoutMs = 15_000;
const requestTimeoutMs = 30_000;
/** A ping after so long without a frame from the server; it must be answered in a shorter time. */
const idleMs = 30_000;
const pingTimeoutMs = 10_000;
/** The longest that a server makes this device wait before it asks again: its word is nobody's proof (spec E-72). */
export const maxAdviceMs = 600_000;

const eventKinds: ReadonlySet<string> = new Set<EventOf<"device" | "log">["kind"]>(["item", "entry", "sealed", "signal"]);

interface Waiting<R extends Role> {
  resolve(answer: AnswerOf<R>): void;
  reject(error: ClientError): void;
  cancelTimer(): void;
}

/**
 * Connects and waits for the hello.
 * @throws ClientError `offline` when there is no connection, `server_lied` when the server is another host
 */
export function openConnection<R extends Role>(params: OpenConnectionParams<R>): Promise<RoleConnection<R>> {
  const { platform, role, host } = params;
  return new Promise((resolve, reject) => {
    const codec = roleCodecs[role];
    const socket = platform.connect(params.url, subprotocolsOf(spokenVersions));
    const waiting = new Map<number, Waiting<R>>();
    let nextId = 1;
    let connection: RoleConnection<R> | undefined;
    let ended = false;
    let heardAtMs = platform.nowMs();
    let cancelTimer = platform.setTimer(helloTimeoutMs, () => end("lost", offlineError()));

    function end(reason: CloseReason, failure: ClientError, code?: number): void {
      if (ended) return;
      ended = true;
      cancelTimer();
      params.closers?.delete(close);
      socket.close(code);
      for (const request of waiting.values()) {
        request.cancelTimer();
        request.reject(failure);
      }
      waiting.clear();
      if (connection === undefined) reject(failure);
      else params.onClose(reason);
    }

    function close(): void {
      end("asked", offlineError(), 1000);
    }

    function breach(): void {
      end("protocol", offlineError(), closeCodes.protocolError);
    }

    function watchIdle(): void {
      heardAtMs = platform.nowMs();
      cancelTimer();
      cancelTimer = platform.setTimer(idleMs, () => {
        // A request that times out ends the connection.
        void request({ kind: "ping" }, pingTimeoutMs).catch(() => undefined);
      });
    }

    function request(body: RequestOf<R>, timeoutMs: number): Promise<AnswerOf<R>> {
      return new Promise((resolveAnswer, rejectAnswer) => {
        if (ended) {
          rejectAnswer(offlineError());
          return;
        }
        const id = nextId;
        const frame = encode(codec.request, { id, body });
        if (frame.length > Math.min(connection?.hello.maxFrameBytes ?? maxFrameBytes, maxFrameBytes)) {
          rejectAnswer(new ClientError("message_too_large", "This is larger than the server takes."));
          return;
        }
        // 0 is for events; an id is free again long before it comes back.
        nextId = nextId === 0xffff_ffff ? 1 : nextId + 1;
        const cancel = platform.setTimer(timeoutMs, () => end("lost", offlineError()));
        waiting.set(id, { resolve: resolveAnswer, reject: rejectAnswer, cancelTimer: cancel });
        socket.send(frame);
      });
    }

    function start(hello: Hello): void {
      if (hello.host !== host) {
        end("protocol", new ClientError("server_lied", "This server says that it is another one."), closeCodes.protocolError);
        return;
      }
      const agreed = negotiate(spokenVersions, hello.versions);
      if (agreed.kind !== "version") {
        end("outdated", refusal({ code: agreed.kind, retryAfterMs: 0 }), closeCodes.outdated);
        return;
      }
      connection = {
        role,
        host,
        hello,
        helloAtMs: platform.nowMs(),
        get heardAtMs() {
          return heardAtMs;
        },
        get closed() {
          return ended;
        },
        request: (body, options = {}) => request(body, options.timeoutMs ?? requestTimeoutMs),
        close,
      };
      watchIdle();
      resolve(connection);
    }

    function receive(frame: Frame<RoleFrames[R]["reply"]>): void {
      const { id, body } = frame;
      if (connection === undefined) {
        // A refusal instead of a hello: too many connections, shutting down.
        if (id === 0 && body.kind === "error") end(meaningOf(body) === "outdated" ? "outdated" : "rate_limited", refusal(bounded(body)));
        else if (id === 0 && body.kind === "hello") start(body);
        else breach();
        return;
      }
      watchIdle();
      if (body.kind === "hello") {
        breach();
      } else if (eventKinds.has(body.kind)) {
        if (id !== 0) breach();
        // `eventKinds` holds exactly the kinds of EventOf, and each role's codec yields its own only.
        else params.onEvent(body as unknown as EventOf<R>);
      } else if (id === 0) {
        // A refusal of the connection as a whole comes just before its end, which says why.
        if (body.kind !== "error") breach();
      } else {
        // Neither hello nor event, as was just seen.
        answer(id, (body.kind === "error" ? bounded(body) : body) as unknown as AnswerOf<R>);
      }
    }

    function answer(id: number, body: AnswerOf<R>): void {
      const request = waiting.get(id);
      if (request === undefined) {
        breach();
        return;
      }
      waiting.delete(id);
      request.cancelTimer();
      request.resolve(body);
    }

    /** A frame of a kind that this version does not know: an event is skipped, an answer is no answer (spec E-71). */
    function receiveUnknown(id: number, number: number): void {
      watchIdle();
      if (id === 0) return;
      const unknown: WireError = { code: "unknown", number, retryAfterMs: 0 };
      // Every role's answers include a refusal.
      answer(id, { kind: "error", ...unknown } as unknown as AnswerOf<R>);
    }

    params.closers?.add(close);
    socket.listen({
      onOpen: () => undefined,
      onMessage(bytes) {
        if (ended) return;
        if (bytes === undefined || bytes.length > maxFrameBytes) {
          breach();
          return;
        }
        const head = frameHead(bytes);
        if (connection !== undefined && head !== undefined && !codec.reply.kinds.has(head.kind)) {
          receiveUnknown(head.id, head.kind);
          return;
        }
        let frame: Frame<RoleFrames[R]["reply"]>;
        try {
          frame = decode(codec.reply, bytes);
        } catch (error) {
          if (!(error instanceof CodecError)) throw error;
          breach();
          return;
        }
        receive(frame);
      },
      onClose(code) {
        const reason = reasonOf(code);
        end(
          reason,
          reason === "rate_limited" ? new ClientError("rate_limited", "Too much at once. Try again in a moment.") : offlineError(),
        );
      },
    });
  });
}

/**
 * The answer, known to be of `kind`.
 * @throws ClientError for a refusal in the words of the client, `server_refused` for an answer to some other question
 */
export function expectAnswer<A extends { readonly kind: string }, K extends A["kind"]>(answer: A, kind: K): Extract<A, { kind: K }> {
  // Narrowed by the comparison, which the compiler does not follow for a generic kind.
  if (answer.kind === kind) return answer as Extract<A, { kind: K }>;
  if (isRefusal(answer)) throw refusal(answer);
  throw new ClientError("server_refused", "The server answered something else than was asked.");
}

/** A refusal whose time to wait is bearable. */
function bounded(error: WireError): WireError {
  return { ...error, retryAfterMs: Math.min(error.retryAfterMs, maxAdviceMs) };
}

function isRefusal(answer: { readonly kind: string }): answer is { readonly kind: "error" } & WireError {
  return answer.kind === "error";
}

function reasonOf(code: number): CloseReason {
  switch (code) {
    case closeCodes.protocolError:
    case closeCodes.tooLarge:
      return "protocol";
    case closeCodes.outdated:
      return "outdated";
    case closeCodes.rateLimited:
      return "rate_limited";
    case closeCodes.tooSlow:
      return "too_slow";
    case closeCodes.shuttingDown:
      return "shutting_down";
    case closeCodes.replaced:
      return "replaced";
    case closeCodes.deviceRemoved:
      return "removed";
    default:
      return "lost";
  }
}
