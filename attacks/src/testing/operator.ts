import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { decode, encode } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { roleCodecs, roles, socketPath, subprotocol } from "@latchkey/protocol";
import type { Frame, Role, RoleFrames } from "@latchkey/protocol";
import type { TokenOperation } from "@latchkey/protocol/tokens";
import { StrangersPurse } from "@latchkey/server/testing";
import { WebSocket, WebSocketServer } from "ws";

/** What a client may ask, on whichever role. */
export type Request = RoleFrames[Role]["request"];
/** What it may be answered or told. */
export type Reply = RoleFrames[Role]["reply"];

/** Whose connection something goes over. */
export interface Line {
  /** By the name in the URL that the client was given. */
  readonly person: string;
  readonly role: Role;
}

/** What the operator does with a request: leaves it as it is, or passes something else on, answers by itself, or is silent. */
export type Verdict = "pass" | "drop" | { readonly pass: Request } | { readonly answer: Reply };

/** A way to be malicious: overrides of what the honest server does. Each may look, change or suppress. */
export interface Override {
  request?(line: Line, body: Request): Promise<Verdict> | Verdict;
  /** `request` is `undefined` for what the server tells by itself. `undefined` suppresses it. */
  reply?(line: Line, body: Reply, request: Request | undefined): Promise<Reply | undefined> | Reply | undefined;
  /** A `GET` of this path. */
  get?(person: string, path: string): Promise<Response | undefined> | Response | undefined;
}

/** A request that came in. */
export interface Seen extends Line {
  readonly kind: Request["kind"] | "blob";
  readonly body: Request | undefined;
}

const codecs: { readonly [R in Role]: { readonly request: Codec<Frame<Request>>; readonly reply: Codec<Frame<Reply>> } } = {
  // Each role's own codec refuses what is another's: the wide type is for the overrides only.
  device: { request: wide(roleCodecs.device.request), reply: wide(roleCodecs.device.reply) },
  log: { request: wide(roleCodecs.log.request), reply: wide(roleCodecs.log.reply) },
  lookup: { request: wide(roleCodecs.lookup.request), reply: wide(roleCodecs.lookup.reply) },
  post: { request: wide(roleCodecs.post.request), reply: wide(roleCodecs.post.reply) },
};

function wide<Body>(codec: Codec<Frame<unknown>> | Codec<Body>): Codec<Frame<Body extends Frame<infer B> ? B : never>> {
  return codec as never;
}

interface Bridge extends Line {
  close(): void;
  /** To the client, as if the server had said it. */
  tell(body: Reply): void;
  /** To the server, as if the client had asked it. */
  ask(body: Request): Promise<Reply>;
  /** Whether something that the client asked will be answered, and is not yet. */
  isAsked(): boolean;
}

/** Headers that decide what becomes of blobs, of requests and answers. */
const passedOn = [
  "content-type",
  "content-range",
  "location",
  "range",
  "tus-resumable",
  "upload-length",
  "upload-metadata",
  "upload-offset",
];

/** Ids of the operator's own requests: clients count from 1. */
const firstOwnId = 0x8000_0000;

/** Ciphertext leaves a client in these: what must not happen after an attack. */
const carriesCiphertext: ReadonlySet<Seen["kind"]> = new Set<Seen["kind"]>(["append", "commit", "post", "blob"]);

/**
 * A malicious operator: stands between its people and real servers, which it may have several of, reads every frame and changes what
 * it likes. People reach it as `url(name)`.
 */
export class Operator {
  readonly #http = createServer((request, response) => void this.#serve(request, response));
  readonly #sockets = new WebSocketServer({ noServer: true, handleProtocols: () => subprotocol });
  readonly #bridges = new Set<Bridge>();
  #overrides: readonly Override[] = [];
  readonly #routes: { readonly matches: (line: Line) => boolean; readonly url: string }[] = [];
  readonly #unreachable = new Set<string>();
  /** Of each person, how many files they are being given. */
  readonly #serving = new Map<string, number>();
  #defaultUrl: string;
  /** Every request in order of arrival. */
  readonly seen: Seen[] = [];
  /** What went wrong in an override: a fault of the case. */
  readonly faults: unknown[] = [];
  #port = 0;

  constructor(serverUrl: string) {
    this.#defaultUrl = serverUrl;
  }

  async start(): Promise<void> {
    this.#http.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      const line = lineOf(request.url ?? "");
      if (line === undefined || this.#unreachable.has(line.person)) socket.destroy();
      else this.#sockets.handleUpgrade(request, socket, head, (client) => this.#bridge(line, client));
    });
    this.#http.listen(0, "127.0.0.1");
    await once(this.#http, "listening");
    const address = this.#http.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    this.#port = address.port;
  }

  /** What a person's client takes for its server. */
  url(person: string): string {
    return `http://localhost:${this.#port}/${person}`;
  }

  /** Begins to be malicious; what began last is asked first. Returns how to stop. */
  override(override: Override): () => void {
    this.#overrides = [override, ...this.#overrides];
    return () => {
      this.#overrides = this.#overrides.filter((other) => other !== override);
    };
  }

  /** Serves these people, in these roles, from another server from now on: their connections are made anew. */
  route(params: { people: readonly string[]; roles?: readonly Role[]; url: string }): void {
    const matches = (line: Line): boolean =>
      params.people.includes(line.person) && (params.roles === undefined || params.roles.includes(line.role));
    this.#routes.unshift({ matches, url: params.url });
    this.cut(matches);
  }

  /** Serves everybody from another server, where `route` says nothing else. */
  routeAll(url: string): void {
    this.#defaultUrl = url;
    this.cut();
  }

  /** Closes connections as the network would. */
  cut(matches: (line: Line) => boolean = () => true): void {
    for (const bridge of this.#bridges) if (matches(bridge)) bridge.close();
  }

  /** Lets nothing of a person through until `false` follows. */
  setUnreachable(person: string, isUnreachable: boolean): void {
    if (!isUnreachable) {
      this.#unreachable.delete(person);
      return;
    }
    this.#unreachable.add(person);
    this.cut((line) => line.person === person);
  }

  /** Tells a person's client something as if its server had. */
  tell(line: Line, body: Reply): void {
    this.#find(line).tell(body);
  }

  /** Asks the server something as if a person's client had, on its connection. */
  async ask(line: Line, body: Request): Promise<Reply> {
    return await this.#find(line).ask(body);
  }

  #find(line: Line): Bridge {
    const found = [...this.#bridges].findLast((bridge) => bridge.person === line.person && bridge.role === line.role);
    if (found === undefined) throw new Error("there is no such connection");
    return found;
  }

  /** Whether something that a person's client asked will be answered, and is not yet. */
  isAsked(person: string): boolean {
    return (this.#serving.get(person) ?? 0) > 0 || [...this.#bridges].some((bridge) => bridge.person === person && bridge.isAsked());
  }

  /** How many requests with ciphertext came from a person after the first `since` of all. */
  ciphertexts(person: string, since = 0): number {
    return this.seen.slice(since).filter((seen) => seen.person === person && carriesCiphertext.has(seen.kind)).length;
  }

  /** How many of those were items for inboxes. */
  posts(person: string, since = 0): number {
    return this.seen.slice(since).filter((seen) => seen.person === person && seen.kind === "post").length;
  }

  async close(): Promise<void> {
    this.cut();
    this.#sockets.close();
    this.#http.closeAllConnections();
    this.#http.close();
    await once(this.#http, "close");
  }

  #urlFor(line: Line): string {
    return this.#routes.find(({ matches }) => matches(line))?.url ?? this.#defaultUrl;
  }

  #bridge(line: Line, client: WebSocket): void {
    const { role } = line;
    const server = new WebSocket(this.#urlFor(line).replace(/^http/, "ws") + socketPath(role), subprotocol);
    const requests = new Map<number, Request>();
    const connected = Promise.withResolvers<void>();
    connected.promise.catch(() => undefined);
    let up: Promise<void> = connected.promise;
    let down: Promise<void> = Promise.resolve();
    const close = (): void => {
      client.terminate();
      server.terminate();
      this.#bridges.delete(bridge);
    };
    const own = new Map<number, (reply: Reply) => void>();
    const asked = new Set<number>();
    const bridge: Bridge = {
      ...line,
      close,
      isAsked: () => asked.size > 0,
      tell: (body) => tell(0, body),
      ask: (body) =>
        new Promise((resolve) => {
          const id = firstOwnId + own.size;
          own.set(id, resolve);
          server.send(encode(codecs[role].request, { id, body }));
        }),
    };
    this.#bridges.add(bridge);
    const fault = (error: unknown): void => {
      this.faults.push(error);
      close();
    };
    const tell = (id: number, body: Reply): void => {
      if (client.readyState === WebSocket.OPEN) client.send(encode(codecs[role].reply, { id, body }));
    };
    server.once("open", connected.resolve);
    client.on("message", (data: Buffer) => {
      const { id, body } = decode(codecs[role].request, new Uint8Array(data));
      this.seen.push({ ...line, kind: body.kind, body });
      asked.add(id);
      up = up
        .then(async () => {
          const verdict = await this.#judge(line, body);
          const isAnswered = typeof verdict === "object" && "answer" in verdict;
          if (isAnswered || verdict === "drop") asked.delete(id);
          if (isAnswered) tell(id, verdict.answer);
          if (isAnswered || verdict === "drop") return;
          const passed = verdict === "pass" ? body : verdict.pass;
          requests.set(id, passed);
          if (server.readyState === WebSocket.OPEN) server.send(encode(codecs[role].request, { id, body: passed }));
        })
        .catch(fault);
    });
    server.on("message", (data: Buffer) => {
      const { id, body } = decode(codecs[role].reply, new Uint8Array(data));
      const resolve = own.get(id);
      if (resolve !== undefined) {
        resolve(body);
        return;
      }
      const request = requests.get(id);
      requests.delete(id);
      down = down
        .then(async () => {
          let reply: Reply | undefined = body;
          for (const override of this.#overrides) {
            if (reply !== undefined && override.reply !== undefined) reply = await override.reply(line, reply, request);
          }
          asked.delete(id);
          if (reply !== undefined) tell(id, reply);
        })
        .catch(fault);
    });
    client.on("close", close);
    client.on("error", close);
    server.on("error", close);
    server.on("close", (code: number) => {
      void down.finally(() => {
        if (code >= 3000 && client.readyState === WebSocket.OPEN) client.close(code);
        else close();
      });
    });
  }

  async #judge(line: Line, body: Request): Promise<Verdict> {
    let verdict: Verdict = "pass";
    for (const override of this.#overrides) {
      if (override.request === undefined) continue;
      const judged: Verdict = await override.request(line, typeof verdict === "object" && "pass" in verdict ? verdict.pass : body);
      if (judged === "drop" || (typeof judged === "object" && "answer" in judged)) return judged;
      if (judged !== "pass") verdict = judged;
    }
    return verdict;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, person = "", ...rest] = (request.url ?? "").split("/");
    const path = `/${rest.join("/")}`;
    const count = (by: number): unknown => this.#serving.set(person, (this.#serving.get(person) ?? 0) + by);
    count(1);
    response.once("close", () => count(-1));
    try {
      if (this.#unreachable.has(person)) {
        response.destroy();
        return;
      }
      const chunks: Uint8Array[] = [];
      for await (const chunk of request) if (chunk instanceof Uint8Array) chunks.push(chunk);
      const { method = "GET" } = request;
      if (method !== "GET") this.seen.push({ person, role: "log", kind: "blob", body: undefined });
      const answer = await this.#answer({
        person,
        path,
        method,
        body: Buffer.concat(chunks),
        headers: passed((name) => request.headers[name]),
      });
      response.writeHead(answer.status, {
        "content-type": "application/octet-stream",
        ...passed((name) => answer.headers.get(name) ?? undefined),
      });
      response.end(new Uint8Array(await answer.arrayBuffer()));
    } catch (error) {
      // Who asked has gone: that is no fault.
      if (!request.destroyed || request.complete) this.faults.push(error);
      response.destroy();
    }
  }

  async #answer(request: {
    person: string;
    path: string;
    method: string;
    body: Buffer<ArrayBuffer>;
    headers: Readonly<Record<string, string>>;
  }): Promise<Response> {
    const { person, path, method, body, headers } = request;
    for (const override of method === "GET" ? this.#overrides : []) {
      const answer = await override.get?.(person, path);
      if (answer !== undefined) return answer;
    }
    // Files are asked for as the role is that needs them: messages' blobs by `log`, the public record by `lookup`.
    const role: Role = path.startsWith("/v1/blobs") || path.startsWith("/v1/uploads") ? "log" : "lookup";
    const asked = fetch(this.#urlFor({ person, role }) + path, {
      method,
      headers,
      ...(method === "GET" || method === "HEAD" ? {} : { body }),
    });
    // A server that is restarted just now.
    return await asked.catch(() => new Response(undefined, { status: 502 }));
  }
}

function passed(valueOf: (name: string) => string | readonly string[] | undefined): Record<string, string> {
  return Object.fromEntries(
    passedOn.map((name) => [name, valueOf(name)]).filter((pair): pair is [string, string] => typeof pair[1] === "string"),
  );
}

/** Asks a server one thing, as anybody may who is not in its operator's way. */
export async function ask(url: string, role: "lookup" | "post", body: Request): Promise<Reply> {
  return await askAsIs(url, role, await paid(url, body));
}

/** By server: strangers who ask there share what one account is given. */
const purses = new Map<string, StrangersPurse>();

/** With a token, where it costs one: strangers have accounts too. */
async function paid(url: string, body: Request): Promise<Request> {
  const use = useOf(body);
  if (use === undefined) return body;
  const purse = purses.get(url) ?? new StrangersPurse(url);
  purses.set(url, purse);
  // What has a use has a token.
  return { ...body, token: await purse.token(use.operation, use.target) } as Request;
}

function useOf(body: Request): { operation: TokenOperation; target: Uint8Array } | undefined {
  switch (body.kind) {
    case "post":
      // Also one that shows a capability, which may be a wrong one.
      return { operation: "stranger_post", target: body.inboxId };
    case "knock":
      return { operation: "knock", target: body.linkId };
    case "open_link_inbox":
      return { operation: "link_inbox", target: body.linkId };
    case "take_key_package":
      return { operation: "key_package", target: body.deviceId };
    default:
      return undefined;
  }
}

/** Asks without any token but what is in it. */
export async function askAsIs(url: string, role: "lookup" | "post", body: Request): Promise<Reply> {
  const socket = new WebSocket(url.replace(/^http/, "ws") + socketPath(role), subprotocol);
  try {
    return await new Promise<Reply>((resolve, reject) => {
      socket.on("error", reject);
      socket.on("close", () => reject(new Error("no answer")));
      socket.on("message", (data: Buffer) => {
        const reply = decode(codecs[role].reply, new Uint8Array(data));
        if (reply.body.kind === "hello") socket.send(encode(codecs[role].request, { id: 1, body }));
        else resolve(reply.body);
      });
    });
  } finally {
    socket.terminate();
  }
}

function lineOf(url: string): Line | undefined {
  const [, person = "", ...rest] = url.split("/");
  const role = roles.find((candidate) => socketPath(candidate) === `/${rest.join("/")}`);
  return role === undefined ? undefined : { person, role };
}
