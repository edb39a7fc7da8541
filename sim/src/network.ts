import { request as httpRequest } from "node:http";
import type { SocketHandlers, SocketLike } from "@latchkey/client";
import { decode, encode } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { roleCodecs, roles, socketPath } from "@latchkey/protocol";
import type { Frame, Role, RoleFrames } from "@latchkey/protocol";
import type { InProcessServer } from "@latchkey/server/testing";
import { WebSocket } from "ws";
import type { Chance } from "./chance.ts";
import type { Timeline } from "./timeline.ts";

/** What the server says on any role. */
export type Reply = RoleFrames[Role]["reply"];
/** What it is asked on any role. */
export type Request = RoleFrames[Role]["request"];

/** What a lying server does with a frame on its way; `undefined` swallows it. */
export interface Liar {
  request?(who: string, role: Role, body: Request): Request | undefined;
  reply?(who: string, role: Role, body: Reply, request: Request | undefined): Reply | undefined;
}

/** A frame on its way, as the count of work knows it. */
export interface Sent {
  readonly who: string;
  readonly role: Role;
  readonly kind: Request["kind"];
  readonly bytes: number;
}

interface Connection {
  readonly who: string;
  drop(): void;
}

/** Everything between the people and their server: it takes time, loses connections, and may lie. */
export class Network {
  readonly #timeline: Timeline;
  readonly #chance: Chance;
  readonly #server: () => InProcessServer | undefined;
  readonly #connections = new Set<Connection>();
  readonly #offlineUntilMs = new Map<string, number>();
  /** Requests that reached the server. */
  readonly sent: Sent[] = [];
  liar: Liar | undefined;
  /** The longest that a frame takes. */
  latencyMs = 60;

  constructor(params: { timeline: Timeline; chance: Chance; server: () => InProcessServer | undefined }) {
    this.#timeline = params.timeline;
    this.#chance = params.chance;
    this.#server = params.server;
  }

  /** Somebody has no network for so long; their connections are lost without a word. */
  cut(who: string, durationMs: number): void {
    this.#offlineUntilMs.set(who, this.#timeline.nowMs + durationMs);
    this.drop((connection) => connection.who === who);
  }

  /** Every wire is whole from now on. */
  heal(): void {
    this.#offlineUntilMs.clear();
    this.liar = undefined;
  }

  drop(which: (connection: { readonly who: string }) => boolean = () => true): void {
    for (const connection of this.#connections) if (which(connection)) connection.drop();
  }

  #isReachable(who: string): boolean {
    return (this.#offlineUntilMs.get(who) ?? 0) <= this.#timeline.nowMs && this.#server() !== undefined;
  }

  /** A WebSocket of a person. */
  connect(who: string, url: string, protocols: readonly string[]): SocketLike {
    const role = roles.find((each) => new URL(url).pathname === socketPath(each));
    if (role === undefined) throw new Error("the client connects to a path that is none");
    const wire = new Wire({ timeline: this.#timeline, delay: () => this.#chance.between(1, this.latencyMs) });
    const asked = new Map<number, Request>();
    let handlers: SocketHandlers | undefined;
    let socket: WebSocket | undefined;
    let isOver = false;
    const end = (code: number): void => {
      if (isOver) return;
      isOver = true;
      this.#connections.delete(connection);
      socket?.terminate();
      handlers?.onClose(code);
    };
    const connection: Connection = {
      who,
      drop: () => {
        socket?.terminate();
        this.#timeline.schedule(1, () => end(1006));
      },
    };
    this.#connections.add(connection);
    wire.up(() => {
      const server = this.#isReachable(who) ? this.#server() : undefined;
      if (server === undefined) {
        wire.down(() => end(1006));
        return;
      }
      socket = new WebSocket("ws://sim" + socketPath(role), [...protocols], {
        createConnection: () => server.connect(),
        perMessageDeflate: false,
        generateMask: () => undefined,
      });
      socket.on("error", () => undefined);
      socket.on("open", () => {
        this.#timeline.busy();
        wire.down(() => handlers?.onOpen());
      });
      socket.on("message", (data: Buffer) => {
        this.#timeline.busy();
        const frame = this.#reply({ who, role, frame: new Uint8Array(data), asked });
        if (frame !== undefined) wire.down(() => (isOver ? undefined : handlers?.onMessage(frame)));
      });
      socket.on("close", (code) => {
        this.#timeline.busy();
        wire.down(() => end(code));
      });
    });
    return {
      listen(given) {
        handlers = given;
      },
      send: (frame) => {
        if (isOver) return;
        wire.up(() => {
          const passed = this.#request({ who, role, frame, asked });
          if (passed !== undefined && socket?.readyState === WebSocket.OPEN) socket.send(passed);
        });
      },
      close: (code) => {
        wire.up(() => {
          if (socket?.readyState === WebSocket.OPEN) socket.close(code);
          else socket?.terminate();
          wire.down(() => end(code ?? 1000));
        });
      },
    };
  }

  #request(params: { who: string; role: Role; frame: Uint8Array; asked: Map<number, Request> }): Uint8Array | undefined {
    const { who, role, frame, asked } = params;
    // The role of a connection says which of the codecs it is: the union is for the liar alone.
    const codec = roleCodecs[role].request as unknown as Codec<Frame<Request>>;
    const { id, body } = decode(codec, frame);
    this.sent.push({ who, role, kind: body.kind, bytes: frame.length });
    asked.set(id, body);
    if (this.liar?.request === undefined) return frame;
    const passed = this.liar.request(who, role, body);
    return passed === undefined ? undefined : encode(codec, { id, body: passed });
  }

  #reply(params: { who: string; role: Role; frame: Uint8Array; asked: Map<number, Request> }): Uint8Array | undefined {
    const { who, role, frame, asked } = params;
    if (this.liar?.reply === undefined) return frame;
    const codec = roleCodecs[role].reply as unknown as Codec<Frame<Reply>>;
    const { id, body } = decode(codec, frame);
    const request = asked.get(id);
    asked.delete(id);
    const passed = this.liar.reply(who, role, body, request);
    return passed === undefined ? undefined : encode(codec, { id, body: passed });
  }

  /** HTTP of a person: blobs, the directory's files, what the server says of itself. */
  fetch(who: string): typeof fetch {
    return async (input, init) => {
      const timeline = this.#timeline;
      await timeline.wait(this.#chance.between(1, this.latencyMs));
      const server = this.#isReachable(who) ? this.#server() : undefined;
      if (server === undefined) throw new TypeError("fetch failed");
      const url = new URL(typeof input === "string" || input instanceof URL ? input : input.url);
      const answered = new Promise<Response>((resolve, reject) => {
        const sent = httpRequest(
          {
            createConnection: () => server.connect(),
            path: url.pathname + url.search,
            method: init?.method ?? "GET",
            headers: { ...Object.fromEntries(new Headers(init?.headers)), host: "sim" },
          },
          (answer) => {
            const parts: Buffer[] = [];
            answer.on("data", (part: Buffer) => parts.push(part));
            answer.on("error", reject);
            answer.on("end", () => {
              const status = answer.statusCode ?? 500;
              const headers = new Headers();
              for (const [name, value] of Object.entries(answer.headers)) if (typeof value === "string") headers.set(name, value);
              resolve(new Response(status === 204 || status === 304 ? null : Buffer.concat(parts), { status, headers }));
            });
          },
        );
        sent.on("error", () => reject(new TypeError("fetch failed")));
        sent.end(init?.body instanceof Uint8Array ? init.body : typeof init?.body === "string" ? init.body : undefined);
      });
      const response = await timeline.during(answered);
      await timeline.wait(this.#chance.between(1, this.latencyMs));
      return response;
    };
  }
}

/** Both directions of a connection: what goes in first comes out first, later. */
class Wire {
  readonly #timeline: Timeline;
  readonly #delay: () => number;
  #upMs = 0;
  #downMs = 0;

  constructor(params: { timeline: Timeline; delay: () => number }) {
    this.#timeline = params.timeline;
    this.#delay = params.delay;
  }

  up(run: () => void): void {
    this.#upMs = Math.max(this.#upMs, this.#timeline.nowMs + this.#delay());
    this.#timeline.schedule(this.#upMs - this.#timeline.nowMs, run);
  }

  down(run: () => void): void {
    this.#downMs = Math.max(this.#downMs, this.#timeline.nowMs + this.#delay());
    this.#timeline.schedule(this.#downMs - this.#timeline.nowMs, run);
  }
}
