import { decode, encode, toHex } from "@latchkey/codec";
import { roleCodecs, socketPath, subprotocol } from "@latchkey/protocol";
import type { Hello, Role, RoleFrames } from "@latchkey/protocol";
import { WebSocket } from "ws";

type Request<R extends Role> = RoleFrames[R]["request"];
type Reply<R extends Role> = RoleFrames[R]["reply"];

/** A plain peer for tests: sends what it is told and keeps what it gets. */
export class TestClient<R extends Role> {
  readonly hello: Hello;
  /** Events not yet taken. */
  readonly events: Reply<R>[] = [];
  /** The close code, once closed. */
  readonly closed: Promise<number>;
  readonly socket: WebSocket;
  readonly #role: R;
  readonly #answers = new Map<number, (reply: Reply<R>) => void>();
  #waiting: { isEnough: () => boolean; resolve: () => void } | undefined;
  #nextId = 1;

  private constructor(socket: WebSocket, role: R, hello: Hello, closed: Promise<number>) {
    this.socket = socket;
    this.#role = role;
    this.hello = hello;
    this.closed = closed;
    socket.on("message", (data: Buffer) => this.#receive(data));
  }

  static connect<R extends Role>(
    url: string,
    role: R,
    options: { ca?: string; headers?: Record<string, string> } = {},
  ): Promise<TestClient<R>> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(url.replace(/^http/, "ws") + socketPath(role), subprotocol, { perMessageDeflate: false, ...options });
      const closed = new Promise<number>((settle) => {
        socket.once("close", settle);
      });
      socket.once("error", reject);
      socket.once("message", (data: Buffer) => {
        const frame = decode(roleCodecs[role].reply, plain(data));
        if (frame.id !== 0 || frame.body.kind !== "hello") reject(new Error("no hello"));
        else resolve(new TestClient(socket, role, frame.body, closed));
      });
    });
  }

  /** Sends a request and gives its answer. */
  ask(body: Request<R>): Promise<Reply<R>> {
    const id = this.#nextId++;
    return this.sendBytes(encode(roleCodecs[this.#role].request, { id, body }), id);
  }

  /** Sends bytes as they are and gives the answer to `id`. */
  sendBytes(bytes: Uint8Array, id: number): Promise<Reply<R>> {
    return new Promise((resolve, reject) => {
      this.#answers.set(id, resolve);
      void this.closed.then((code) => reject(new Error(`closed with ${code} before the answer`)));
      this.socket.send(bytes);
    });
  }

  /** The answer's error code, or its kind where it is none. */
  async outcome(body: Request<R>): Promise<string> {
    const reply = await this.ask(body);
    return reply.kind === "error" ? reply.code : reply.kind;
  }

  /** Waits until at least `count` events have come, and takes them all. */
  async take(count: number): Promise<Reply<R>[]> {
    if (this.events.length < count) {
      await new Promise<void>((resolve, reject) => {
        this.#waiting = { isEnough: () => this.events.length >= count, resolve };
        void this.closed.then((code) => reject(new Error(`closed with ${code} after ${this.events.length} of ${count} events`)));
      });
    }
    return this.events.splice(0);
  }

  /** Everything that the server sent before now has arrived when this resolves. */
  async settle(): Promise<void> {
    await this.ask({ kind: "ping" });
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.closed;
  }

  #receive(data: Buffer): void {
    const frame = decode(roleCodecs[this.#role].reply, plain(data));
    if (frame.id === 0) {
      this.events.push(frame.body);
      if (this.#waiting?.isEnough() === true) {
        this.#waiting.resolve();
        this.#waiting = undefined;
      }
      return;
    }
    const answer = this.#answers.get(frame.id);
    if (answer === undefined) throw new Error(`an answer to nothing: ${frame.id} ${toHex(data.subarray(0, 8))}`);
    this.#answers.delete(frame.id);
    answer(frame.body);
  }
}

/** The same bytes as a plain array, which tests can compare. */
function plain(data: Buffer): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.length);
}
