import { decode, encode } from "@latchkey/codec";
import { roleCodecs, socketPath, subprotocol } from "@latchkey/protocol";
import { WebSocket } from "ws";
import type { Reply, Request } from "./operator.ts";

/** A connection of the log role that nobody's client made. */
export class RawLog {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  readonly #ready: Promise<void>;
  #lastId = 0;

  constructor(url: string) {
    this.#socket = new WebSocket(url.replace(/^http/, "ws") + socketPath("log"), subprotocol);
    const ready = Promise.withResolvers<void>();
    this.#ready = ready.promise;
    this.#socket.on("error", ready.reject);
    this.#socket.on("message", (data: Buffer) => {
      const { id, body } = decode(roleCodecs.log.reply, new Uint8Array(data));
      if (body.kind === "hello") ready.resolve();
      this.#waiting.get(id)?.(body);
      this.#waiting.delete(id);
    });
  }

  /** Asks, and gives whatever the answer is. */
  async ask(body: Extract<Request, { kind: "open" | "commit" | "append" }>): Promise<Reply> {
    await this.#ready;
    const id = ++this.#lastId;
    const answer = new Promise<Reply>((resolve) => this.#waiting.set(id, resolve));
    this.#socket.send(encode(roleCodecs.log.request, { id, body }));
    return await answer;
  }

  close(): void {
    this.#socket.terminate();
  }
}
