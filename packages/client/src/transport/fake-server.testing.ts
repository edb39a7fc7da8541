import { decode, encode } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { nodeCrypto } from "@latchkey/mls/node";
import { roleCodecs, roles, socketPath } from "@latchkey/protocol";
import type { Frame, Hello, Role } from "@latchkey/protocol";
import { createFakeClock, seededRandom } from "@latchkey/testkit";
import type { FakeClock } from "@latchkey/testkit";
import { nobleSignatures } from "@latchkey/transparency";
import { sha256 } from "@noble/hashes/sha2.js";
import type { Platform, SocketHandlers, SocketLike } from "../platform/platform.ts";

// The fake speaks every role; which frames are right on which is the test's to know.
type AnyFrame = Frame<{ readonly kind: string }>;

/** A frame's body as tests write it. */
export interface FakeBody {
  readonly kind: string;
  readonly [field: string]: unknown;
}

/** One connection as the fake server has it. */
export interface FakeConnection {
  readonly role: Role;
  readonly url: string;
  readonly protocols: readonly string[];
  readonly received: { readonly id: number; readonly body: FakeBody }[];
  /** The code that the client closed with; undefined while it is open. */
  closedByClient: number | "none" | undefined;
  hello(other?: Partial<Hello>): void;
  /** A frame; `id` 0 is an event. */
  send(id: number, body: FakeBody): void;
  raw(bytes: Uint8Array | undefined): void;
  /** Ends it as a network or server would. */
  end(code?: number): void;
}

/** A server without a network, and a platform that reaches it, by a clock of its own. */
export interface FakeServer {
  readonly platform: Platform;
  readonly clock: FakeClock;
  readonly connections: FakeConnection[];
  /** The newest connection. @throws Error when there is none */
  last(): FakeConnection;
  /** Says hello to every connection by itself. */
  autoHello: boolean;
  /** Refuses every connection. */
  unreachable: boolean;
  /** Answers requests; nothing when it returns `undefined`. */
  respond: (connection: FakeConnection, body: FakeBody) => FakeBody | undefined | Promise<FakeBody | undefined>;
  fetched: string[];
  respondHttp: (url: string) => Response | Error | Promise<Response>;
  readonly host: string;
}

/** Runs what waits in promises. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** @param seed of the client's randomness */
export function createFakeServer(seed: string, host: string = "chat.example"): FakeServer {
  const clock = createFakeClock();
  const connections: FakeConnection[] = [];

  function connect(url: string, protocols: readonly string[]): SocketLike {
    let handlers: SocketHandlers | undefined;
    let over = false;
    const role = roles.find((name) => url.endsWith(socketPath(name)));
    if (role === undefined) throw new Error(`no such role: ${url}`);
    const finish = (code: number): void => {
      if (over) return;
      over = true;
      setImmediate(() => handlers?.onClose(code));
    };
    const connection: FakeConnection = {
      role,
      url,
      protocols,
      received: [],
      closedByClient: undefined,
      hello: (other = {}) =>
        connection.send(0, {
          kind: "hello",
          format: 2,
          versions: { min: 1, max: 1 },
          host: server.host,
          serverName: "Fake",
          nonce: new Uint8Array(32).fill(connections.length),
          timeMs: clock.now(),
          maxFrameBytes: 262_144,
          maxBlobBytes: 1_000_000,
          retentionDays: 30,
          registration: 0,
          ext: new Uint8Array(0),
          ...other,
        }),
      // Each codec refuses what is not of its role.
      send: (id, body) => connection.raw(encode(roleCodecs[role].reply as unknown as Codec<AnyFrame>, { id, body })),
      raw(bytes) {
        if (!over) handlers?.onMessage(bytes);
      },
      end: (code = 1006) => finish(code),
    };
    connections.push(connection);
    setImmediate(() => {
      if (server.unreachable) finish(1006);
      else {
        handlers?.onOpen();
        if (server.autoHello) connection.hello();
      }
    });
    return {
      listen(given) {
        handlers = given;
      },
      send(bytes) {
        if (over) return;
        // As above.
        const { id, body } = decode(roleCodecs[role].request as unknown as Codec<Frame<FakeBody>>, bytes.slice());
        connection.received.push({ id, body });
        setImmediate(async () => {
          const answer = body.kind === "ping" && server.autoHello ? { kind: "done" } : await server.respond(connection, body);
          if (answer !== undefined && !over) connection.send(id, answer);
        });
      },
      close(code) {
        connection.closedByClient ??= code ?? "none";
        finish(code ?? 1005);
      },
    };
  }

  const server: FakeServer = {
    host,
    clock,
    connections,
    autoHello: true,
    unreachable: false,
    fetched: [],
    respond: () => undefined,
    respondHttp: () => Response.json({ host, name: "Fake", registration: "open", retentionDays: 30, more: 1 }),
    last() {
      const connection = connections.at(-1);
      if (connection === undefined) throw new Error("no connection");
      return connection;
    },
    platform: {
      crypto: nodeCrypto,
      signatures: nobleSignatures,
      random: seededRandom(seed),
      sha256,
      nowMs: () => clock.now(),
      connect,
      async fetch(input) {
        const url = input instanceof Request ? input.url : input.toString();
        server.fetched.push(url);
        const answer = await server.respondHttp(url);
        if (answer instanceof Error) throw answer;
        return answer;
      },
      setTimer: (delayMs, run) => clock.schedule(delayMs, run),
    },
  };
  return server;
}
