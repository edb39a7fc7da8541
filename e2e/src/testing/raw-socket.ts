import { createHash, randomBytes as nodeRandomBytes } from "node:crypto";
import { decode, encode } from "@latchkey/codec";
import { roleCodecs, socketPath, subprotocol } from "@latchkey/protocol";
import type { Role, RoleFrames } from "@latchkey/protocol";
import { WebSocket } from "ws";

/** SHA-256. */
export function sha256(data: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(data).digest());
}

/** Random bytes. */
export function randomBytes(sizeBytes: number): Uint8Array {
  return new Uint8Array(nodeRandomBytes(sizeBytes));
}

/** A connection that sends whatever it is told to. */
export interface RawSocket<R extends Role> {
  readonly role: R;
  /** Every frame that arrived, decoded strictly. */
  readonly frames: { readonly id: number; readonly body: RoleFrames[R]["reply"] }[];
  /** The close code, once the connection has ended. */
  readonly closed: Promise<number>;
  readonly isClosed: boolean;
  /** Sends bytes, or a text frame. */
  sendRaw(data: Uint8Array | string): void;
  /** Sends a well-formed request and resolves to its answer. Rejects if the connection ends instead. */
  ask(body: RoleFrames[R]["request"]): Promise<RoleFrames[R]["reply"]>;
  /** Resolves once `condition` holds for the frames so far; rejects if the connection ends first. */
  until(condition: (frames: readonly { readonly id: number; readonly body: RoleFrames[R]["reply"] }[]) => boolean): Promise<void>;
  close(): void;
}

/** The bytes of a request. */
export function requestBytes<R extends Role>(role: R, frame: { id: number; body: RoleFrames[R]["request"] }): Uint8Array {
  // The codec of the role takes the requests of the role: the compiler cannot follow an index over two tables.
  return encode(roleCodecs[role].request as never, frame as never);
}

/** Connects and waits for the server's hello. */
export async function openRawSocket<R extends Role>(url: string, role: R): Promise<RawSocket<R>> {
  const socket = new WebSocket(`${url.replace(/^http/, "ws")}${socketPath(role)}`, subprotocol, { perMessageDeflate: false });
  socket.binaryType = "nodebuffer";
  const frames: { id: number; body: RoleFrames[R]["reply"] }[] = [];
  const watchers = new Set<() => void>();
  const closed = Promise.withResolvers<number>();
  let isClosed = false;
  let lastId = 0;
  const notify = (): void => {
    for (const watcher of watchers) watcher();
  };
  socket.on("message", (data: Buffer) => {
    frames.push(decode(roleCodecs[role].reply as never, new Uint8Array(data)));
    notify();
  });
  socket.on("error", () => undefined);
  socket.on("close", (code) => {
    isClosed = true;
    closed.resolve(code);
    notify();
  });
  const raw: RawSocket<R> = {
    role,
    frames,
    closed: closed.promise,
    get isClosed() {
      return isClosed;
    },
    sendRaw(data) {
      socket.send(data);
    },
    async ask(body) {
      const id = ++lastId;
      socket.send(requestBytes(role, { id, body }));
      await raw.until((all) => all.some((frame) => frame.id === id));
      const answer = frames.find((frame) => frame.id === id);
      if (answer === undefined) throw new Error("no answer");
      return answer.body;
    },
    until(condition) {
      return new Promise((resolve, reject) => {
        const check = (): void => {
          if (condition(frames)) resolve();
          else if (isClosed) reject(new Error("the connection ended"));
          else return;
          watchers.delete(check);
        };
        watchers.add(check);
        check();
      });
    },
    close() {
      socket.close();
    },
  };
  await raw.until((all) => all[0]?.body.kind === "hello");
  return raw;
}
