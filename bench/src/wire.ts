import { randomFillSync, hash } from "node:crypto";
import { decode, encode } from "@latchkey/codec";
import { entryHead, joinEntry, logReplyCodec, logRequestCodec, socketPath, subprotocol } from "@latchkey/protocol";
import type { EntryEvent, LogReply, LogRequest, Role, Sha256 } from "@latchkey/protocol";
import { WebSocket } from "ws";

/** SHA-256 by node:crypto. */
export const sha256: Sha256 = (data) => hash("sha256", data, "buffer");

/** Bytes of a frame before its body: the request's id, then the body's kind. */
const kindOffset = 4;

/** Kinds of answers on the wire, to sort frames without decoding them while the clock runs. */
export const replyKinds = { hello: 0, error: 1, opened: 2, accepted: 3, entry: 4, sealed: 5, done: 6 } as const;

/** A connection that hands over raw frames: they are decoded and checked after the measured part. */
export interface Peer {
  /** Called with each frame. */
  onFrame: (frame: Buffer) => void;
  send(frame: Uint8Array): void;
  /** Sends a request and resolves to its answer; frames that are not it still go to `onFrame`. */
  ask(request: LogRequest): Promise<LogReply>;
  close(): Promise<void>;
}

/** The id in a frame, 0 for events. */
export function frameId(frame: Buffer): number {
  return frame.readUInt32BE(0);
}

/** The kind of a frame's body. */
export function frameKind(frame: Buffer): number {
  return frame[kindOffset] ?? -1;
}

/** Connects and resolves after the server's hello. */
export async function connectPeer(url: string, role: Role): Promise<Peer> {
  const socket = new WebSocket(`${url}${socketPath(role)}`, subprotocol, { perMessageDeflate: false, skipUTF8Validation: true });
  socket.binaryType = "nodebuffer";
  const waiting = new Map<number, (reply: LogReply) => void>();
  const hello = Promise.withResolvers<void>();
  let lastId = 1_000_000_000;
  const peer: Peer = {
    onFrame: () => undefined,
    send(frame) {
      socket.send(frame);
    },
    async ask(request) {
      const id = ++lastId;
      const { promise, resolve } = Promise.withResolvers<LogReply>();
      waiting.set(id, resolve);
      socket.send(encode(logRequestCodec, { id, body: request }));
      const reply = await promise;
      if (reply.kind === "error") throw new Error(`the server answered ${reply.code} to ${request.kind}`);
      return reply;
    },
    async close() {
      const { promise, resolve } = Promise.withResolvers<void>();
      socket.removeAllListeners("close");
      socket.once("close", () => {
        resolve();
      });
      socket.close();
      await promise;
    },
  };
  socket.on("message", (data: Buffer) => {
    const kind = frameKind(data);
    if (kind === replyKinds.hello) {
      hello.resolve();
      return;
    }
    const id = frameId(data);
    const resolve = id === 0 ? undefined : waiting.get(id);
    if (resolve === undefined) peer.onFrame(data);
    else {
      waiting.delete(id);
      resolve(decode(logReplyCodec, data).body);
    }
  });
  socket.once("error", hello.reject);
  socket.once("close", (code) => {
    const error = new Error(`the server closed a connection: ${String(code)}`);
    hello.reject(error);
    // A connection that is lost while it is measured spoils the figures: it must not pass unseen.
    process.exitCode = 1;
    process.stderr.write(`${error.message}\n`);
  });
  await hello.promise;
  return peer;
}

/** A log with its access key. */
export interface BenchLog {
  readonly logId: Uint8Array;
  readonly access: Uint8Array;
}

/** Creates a log through `peer`, which then streams it. */
export async function createLog(peer: Peer): Promise<BenchLog> {
  const log = { logId: randomBytes(32), access: randomBytes(32) };
  await peer.ask({ kind: "create", logId: log.logId, accessHash: sha256(log.access), token: new Uint8Array() });
  await openLog(peer, log);
  return log;
}

/** Opens epoch 0 of a log: its entries after `afterSeq` follow. */
export async function openLog(peer: Peer, log: BenchLog, afterSeq = 0): Promise<void> {
  await peer.ask({ kind: "open", logId: log.logId, epochId: 0, access: log.access, afterSeq, closed: [] });
}

/** The frame that appends a message. */
export function appendFrame(log: BenchLog, params: { id: number; blob: Uint8Array }): Uint8Array {
  return encode(logRequestCodec, {
    id: params.id,
    body: { kind: "append", logId: log.logId, epochId: 0, entryKind: "message", blob: params.blob },
  });
}

/** The entry in a frame. @throws Error when it is something else. */
export function entryOf(frame: Buffer): EntryEvent {
  const { body } = decode(logReplyCodec, frame);
  if (body.kind !== "entry") throw new Error(`an entry was expected, not ${body.kind}${body.kind === "error" ? ` ${body.code}` : ""}`);
  return body;
}

/** Bytes of an entry that names no blob. */
export function entryBytes(sizeBytes: number): Uint8Array {
  const head = entryHead([]);
  return joinEntry(head, randomBytes(sizeBytes - head.length));
}

/** Random bytes. */
export function randomBytes(sizeBytes: number): Uint8Array {
  return randomFillSync(new Uint8Array(sizeBytes));
}
