import { toHex } from "@latchkey/codec";
import { httpPaths } from "@latchkey/protocol";
import { decodeDirectoryProof, parseCheckpoint, parseNote } from "@latchkey/transparency";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { ServerOptions } from "../config.ts";
import { logKeyOf } from "../directory/keys.ts";
import { FakeWitness } from "./fake-witness.ts";
import { createAccount, none, random, temporaryDirectory } from "./fixtures.ts";
import type { TestAccount } from "./fixtures.ts";
import { TestClient } from "./test-client.ts";

export const clusterHost = "latchkey.example";
const script = fileURLToPath(new URL("./cluster-node.ts", import.meta.url));
/** How long a client waits for a node, which may be one that is stopped, before it turns to another. */
const patienceMs = 4000;

/** A node in a process of its own, with the keys of its cluster in a folder of its own. */
export class ClusterNode {
  readonly name: string;
  readonly #options: ServerOptions;
  #child: ChildProcess | undefined;
  #url: string | undefined;
  /** What it has written about itself. */
  log: string = "";

  constructor(name: string, options: Omit<ServerOptions, "dataDirectory" | "port">, keys: ReadonlyMap<string, Uint8Array>) {
    const dataDirectory = temporaryDirectory();
    mkdirSync(join(dataDirectory, "directory"));
    for (const [file, key] of keys) writeFileSync(join(dataDirectory, "directory", file), key);
    this.name = name;
    this.#options = { ...options, dataDirectory, port: 0 };
  }

  /** Where it is reached; `undefined` while it does not run. */
  get url(): string | undefined {
    return this.#url;
  }

  /** Resolves when it listens. @throws Error with its log when it ends before */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [script, this.name, JSON.stringify(this.#options)], { stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    child.stderr.on("data", (data: Buffer) => {
      this.log += data.toString();
    });
    child.once("exit", () => {
      if (this.#child === child) this.#url = undefined;
    });
    const port = await new Promise<string>((resolve, reject) => {
      child.stdout.once("data", (data: Buffer) => resolve(data.toString().trim()));
      child.once("exit", () => reject(new Error(`${this.name} ended before it listened: ${this.log}`)));
    });
    this.#url = `http://127.0.0.1:${port}`;
  }

  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    this.#child?.kill(signal);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    this.#url = undefined;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }
}

/** Nodes on one database with one witness, and all that they ever showed of their log. */
export class Cluster {
  readonly nodes: readonly ClusterNode[];
  /** Called with the name of a node that has stored a head, before the witness answers and anybody is served it. */
  onAsked: (name: string, size: number) => Promise<void> = () => Promise.resolve();
  /** The roots that were shown of each size. */
  readonly roots: Map<number, Set<string>> = new Map();
  readonly #witness: FakeWitness;
  readonly #server: Server;

  private constructor(parts: { nodes: readonly ClusterNode[]; witness: FakeWitness; server: Server }) {
    this.nodes = parts.nodes;
    this.#witness = parts.witness;
    this.#server = parts.server;
  }

  /** Starts its nodes, all at once: one of them begins the log. */
  static async start(count: number, options: Pick<ServerOptions, "database" | "limits">): Promise<Cluster> {
    const keys = new Map(["log.key", "vrf.key"].map((file) => [file, random(32)]));
    const origin = `${clusterHost}/latchkey`;
    const witness = new FakeWitness("witness.example").trust(logKeyOf(origin, keys.get("log.key") ?? none).vkey);
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const nodeOptions = { host: clusterHost, logLevel: "warn", ...options, witnesses: [{ ...witness.option, url }] } as const;
    const nodes = Array.from({ length: count }, (_, at) => new ClusterNode(`node ${String(at)}`, nodeOptions, keys));
    const cluster = new Cluster({ nodes, witness, server });
    server.on("request", (request, response) => {
      void text(request).then(async (body) => {
        const answer = await cluster.answer(String(request.headers["x-node"]), body);
        response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "text/plain" });
        response.end(await answer.text());
      });
    });
    try {
      await Promise.all(nodes.map((node) => node.start()));
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill()));
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** What the witness says, which is also shown each head. */
  async answer(name: string, body: string): Promise<Response> {
    const note = body.slice(body.indexOf("\n\n") + 2);
    const { size } = this.see(note);
    await this.onAsked(name, size);
    this.#witness.timeSeconds = Math.floor(Date.now() / 1000);
    return await this.#witness.answer(body, AbortSignal.timeout(patienceMs));
  }

  /** Keeps what a checkpoint says. */
  see(note: string | Uint8Array): { readonly size: number; readonly root: string } {
    const checkpoint = parseCheckpoint(parseNote(note).text);
    const root = toHex(checkpoint.root);
    this.roots.set(checkpoint.size, (this.roots.get(checkpoint.size) ?? new Set()).add(root));
    return { size: checkpoint.size, root };
  }

  /** Sizes of which there was more than one tree. */
  get forks(): number[] {
    return [...this.roots].filter(([, roots]) => roots.size > 1).map(([size]) => size);
  }

  /** Reads what a node serves now; nothing where it does not answer. */
  async look(node: ClusterNode): Promise<number | undefined> {
    try {
      const response = await fetch(`${node.url ?? ""}${httpPaths.directory}/checkpoint`, { signal: AbortSignal.timeout(patienceMs) });
      return response.ok ? this.see(await response.text()).size : undefined;
    } catch {
      return undefined;
    }
  }

  /** Registers an account with one node after the other, beginning with this one, until one acknowledges it. */
  async register(username: string, firstNode: number): Promise<TestAccount> {
    const account = await createAccount(username, clusterHost);
    for (let at = firstNode; ; at++) {
      const { url } = this.nodes[at % this.nodes.length] ?? {};
      const proof = url === undefined ? undefined : await within(patienceMs * 2, publish(url, account));
      if (proof !== undefined) {
        this.see(decodeDirectoryProof(proof).head.checkpoint);
        return account;
      }
      // All of them may be away.
      await new Promise(setImmediate);
    }
  }

  /** The state that a node answers with for a name. */
  async find(node: ClusterNode, username: string): Promise<Uint8Array | undefined> {
    const client = await TestClient.connect(node.url ?? "", "lookup");
    const found = await client.ask({ kind: "lookup_username", username, fromVersion: 0, knownSize: 0 });
    await client.close();
    return found.kind === "account" ? found.states.at(-1) : undefined;
  }
}

/** The proof that a node gives for an account, published now or before; `undefined` where it does not. */
async function publish(url: string, account: TestAccount): Promise<Uint8Array | undefined> {
  const client = await TestClient.connect(url, "device");
  try {
    const ask = { kind: "publish", state: account.signedState, pops: account.pops, bindings: account.bindings } as const;
    let reply = await client.ask(ask);
    if (reply.kind === "error" && reply.code === "no_reservation") {
      await client.ask({ kind: "reserve", username: account.state.username, invitation: "", token: none });
      reply = await client.ask(ask);
    }
    return reply.kind === "published" ? reply.proof : undefined;
  } finally {
    client.socket.terminate();
  }
}

/** What comes of it in time; `undefined` for nothing, and for an error. */
async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  return await Promise.race([work.catch(() => undefined), late]).finally(() => clearTimeout(timer));
}
