import { decode, encode } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { roleCodecs, socketPath, subprotocol } from "@latchkey/protocol";
import type { Frame, Role } from "@latchkey/protocol";
import type { Network, Reply, Request } from "./network.ts";

/** Whoever speaks the protocol without the client: sends what it likes, and reads what comes. */
export class RawPeer {
  readonly replies: Reply[] = [];
  readonly #waiting = new Map<number, (reply: Reply | undefined) => void>();
  readonly #queue: Uint8Array[] = [];
  readonly #socket: ReturnType<Network["connect"]>;
  readonly #requests: Codec<Frame<Request>>;
  #isOpen = false;
  #isOver = false;
  #lastId = 0;

  constructor(network: Network, params: { who: string; role: Role }) {
    const { who, role } = params;
    // Of this role: the union is for whoever sends what the role does not have.
    this.#requests = roleCodecs[role].request;
    const codec = roleCodecs[role].reply as unknown as Codec<Frame<Reply>>;
    this.#socket = network.connect(who, `ws://sim${socketPath(role)}`, [subprotocol]);
    this.#socket.listen({
      onOpen: () => {
        this.#isOpen = true;
        for (const frame of this.#queue.splice(0)) this.#socket.send(frame);
      },
      onMessage: (frame) => {
        if (frame === undefined) return;
        const { id, body } = decode(codec, frame);
        this.replies.push(body);
        this.#waiting.get(id)?.(body);
        this.#waiting.delete(id);
      },
      onClose: () => {
        this.#isOver = true;
        for (const tell of this.#waiting.values()) tell(undefined);
        this.#waiting.clear();
      },
    });
  }

  /** Asks; `undefined` when the connection ended first. Needs a timeline that runs. */
  ask(body: Request): Promise<Reply | undefined> {
    if (this.#isOver) return Promise.resolve(undefined);
    const id = ++this.#lastId;
    const frame = encode(this.#requests, { id, body });
    if (this.#isOpen) this.#socket.send(frame);
    else this.#queue.push(frame);
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
    });
  }

  close(): void {
    this.#socket.close(1000);
  }
}
