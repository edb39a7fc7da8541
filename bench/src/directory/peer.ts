import { decode, encode } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { deviceReplyCodec, deviceRequestCodec, lookupReplyCodec, lookupRequestCodec, socketPath, subprotocol } from "@latchkey/protocol";
import type { DeviceReply, DeviceRequest, Frame, LookupReply, LookupRequest } from "@latchkey/protocol";
import { WebSocket } from "ws";

/** A connection of one role that asks and decodes answers. */
export interface Asker<Request, Reply> {
  /** @throws Error when the server refuses. */
  ask(request: Request): Promise<Reply>;
  close(): void;
}

export function connectDevice(url: string): Promise<Asker<DeviceRequest, DeviceReply>> {
  return connect(url, "device", deviceRequestCodec, deviceReplyCodec);
}

export function connectLookup(url: string): Promise<Asker<LookupRequest, LookupReply>> {
  return connect(url, "lookup", lookupRequestCodec, lookupReplyCodec);
}

async function connect<Request, Reply extends { readonly kind: string }>(
  url: string,
  role: "device" | "lookup",
  requests: Codec<Frame<Request>>,
  replies: Codec<Frame<Reply>>,
): Promise<Asker<Request, Reply>> {
  const socket = new WebSocket(`${url}${socketPath(role)}`, subprotocol, { perMessageDeflate: false });
  const waiting = new Map<number, { resolve: (reply: Reply) => void; reject: (error: Error) => void }>();
  const hello = Promise.withResolvers<void>();
  let lastId = 0;
  socket.on("message", (data: Buffer) => {
    const { id, body } = decode(replies, new Uint8Array(data));
    if (body.kind === "hello") hello.resolve();
    const asked = waiting.get(id);
    waiting.delete(id);
    if (body.kind === "error") asked?.reject(new Error(`the server refused: ${JSON.stringify(body)}`));
    else asked?.resolve(body);
  });
  socket.once("error", hello.reject);
  socket.once("close", () => {
    for (const { reject } of waiting.values()) reject(new Error("the server closed a connection"));
  });
  await hello.promise;
  return {
    ask(request) {
      const id = ++lastId;
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        socket.send(encode(requests, { id, body: request }));
      });
    },
    close: () => socket.close(),
  };
}
