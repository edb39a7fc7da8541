// A client of one version as the bytes that it sends and expects. Nothing here uses the product's codecs: what is read and signed is
// written out, so that a later server is held against what an earlier client really does.
import { createHash, createPrivateKey, sign } from "node:crypto";
import { WebSocket } from "ws";

/** One step of a recorded session, in order. Bytes are hexadecimal; `on` names a connection. */
export type SessionStep =
  | { readonly open: string; readonly path: string }
  | { readonly on: string; readonly send: string }
  /** Request `id` of kind `connect`, signed over the nonce of this connection's hello. */
  | { readonly on: string; readonly connect: string; readonly accountId: string; readonly deviceId: string; readonly seed: string }
  /** The next frame is this, or, where its end is the server's own (proofs, what it holds), begins so. */
  | { readonly on: string; readonly receive: string; readonly isWhole: boolean }
  | { readonly close: string };

/** What a client of one version does with a server, recorded once and played to every later one. */
export interface RecordedSession {
  /** Of frames and requests, as the subprotocol. */
  readonly subprotocol: string;
  /** The server's clock meanwhile: cards and key packages are dated. */
  readonly nowMs: number;
  readonly host: string;
  readonly steps: readonly SessionStep[];
}

const frameTimeoutMs = 20_000;

/** One connection: frames in the order of arrival. */
class Peer {
  readonly #socket: WebSocket;
  readonly #frames: Uint8Array[] = [];
  #wake: () => void = () => undefined;
  #isClosed = false;
  nonce: Uint8Array = new Uint8Array(0);

  constructor(url: string, subprotocol: string) {
    this.#socket = new WebSocket(url, subprotocol, { perMessageDeflate: false });
    const changed = (): void => this.#wake();
    this.#socket.on("message", (data: Buffer) => {
      this.#frames.push(new Uint8Array(data));
      changed();
    });
    this.#socket.on("close", () => {
      this.#isClosed = true;
      changed();
    });
    this.#socket.on("error", () => undefined);
  }

  send(bytes: Uint8Array): void {
    this.#socket.send(bytes);
  }

  async next(): Promise<Uint8Array> {
    const untilMs = performance.now() + frameTimeoutMs;
    for (;;) {
      const frame = this.#frames.shift();
      if (frame !== undefined) return frame;
      if (this.#isClosed || performance.now() > untilMs) throw new Error(this.#isClosed ? "the server closed" : "no frame came");
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, 200).unref();
      });
    }
  }

  close(): void {
    this.#socket.close();
  }
}

/** Plays a session to the server at `url`. What comes is given to `receive` in place of being compared, to record it. @throws Error */
export async function playSession(
  url: string,
  session: RecordedSession,
  receive: (step: SessionStep & { receive: string }, frame: string) => void | Promise<void> = compare,
): Promise<void> {
  const peers = new Map<string, Peer>();
  const peerOf = (name: string): Peer => {
    const peer = peers.get(name);
    if (peer === undefined) throw new Error(`no connection ${name}`);
    return peer;
  };
  try {
    for (const step of session.steps) {
      if ("open" in step) {
        const peer = new Peer(url.replace(/^http/, "ws") + step.path, session.subprotocol);
        peers.set(step.open, peer);
        peer.nonce = readHello(await peer.next(), session);
      } else if ("close" in step) {
        peerOf(step.close).close();
      } else if ("send" in step) {
        peerOf(step.on).send(Buffer.from(step.send, "hex"));
      } else if ("connect" in step) {
        peerOf(step.on).send(connectFrame(step, session.host, peerOf(step.on).nonce));
      } else {
        await receive(step, Buffer.from(await peerOf(step.on).next()).toString("hex"));
      }
    }
  } finally {
    for (const peer of peers.values()) peer.close();
  }
}

/** @throws Error for another frame than the step's */
export function compare(step: SessionStep & { receive: string }, frame: string): void {
  const isRight = "isWhole" in step && step.isWhole ? frame === step.receive : frame.startsWith(step.receive);
  if (!isRight) throw new Error(`${"on" in step ? step.on : ""}: expected ${step.receive}, came ${frame.slice(0, 400)}`);
}

/** The nonce of a hello: `id 0, kind 0, format 2, min, max, host<V>, name<V>, nonce[32], ...`. */
function readHello(frame: Uint8Array, { subprotocol, host }: RecordedSession): Uint8Array {
  const view = new DataView(frame.buffer, frame.byteOffset);
  const version = Number(subprotocol.slice("latchkey.".length));
  if (view.getUint32(0) !== 0 || frame[4] !== 0 || view.getUint16(5) !== 2) throw new Error("no hello");
  if (version < view.getUint16(7) || version > view.getUint16(9)) throw new Error("not a version that the server states");
  const [hostEnd, hostBytes] = readBytes(frame, 11);
  if (Buffer.from(hostBytes).toString("utf8") !== host) throw new Error("another host");
  const [nameEnd] = readBytes(frame, hostEnd);
  return frame.slice(nameEnd, nameEnd + 32);
}

/** A vector of fewer than 16,384 bytes (RFC 9420 section 2.1.2). */
function readBytes(frame: Uint8Array, at: number): [end: number, bytes: Uint8Array] {
  const first = frame[at] ?? 0;
  const size = first < 0x40 ? first : ((first & 0x3f) << 8) | (frame[at + 1] ?? 0);
  const start = at + (first < 0x40 ? 1 : 2);
  return [start + size, frame.slice(start, start + size)];
}

function vector(bytes: Uint8Array): Uint8Array {
  const { length } = bytes;
  return Buffer.concat([length < 0x40 ? Buffer.from([length]) : Buffer.from([0x40 | (length >> 8), length & 0xff]), bytes]);
}

function connectFrame(step: SessionStep & { connect: string }, host: string, nonce: Uint8Array): Uint8Array {
  if (!("accountId" in step)) throw new Error("a connect names its account");
  const [accountId, deviceId] = [Buffer.from(step.accountId, "hex"), Buffer.from(step.deviceId, "hex")];
  // ConnectTbs: format 1, host<V>, account_id, device_id, nonce, role 1, ext<V>.
  const content = Buffer.concat([Buffer.from([0, 1]), vector(Buffer.from(host)), accountId, deviceId, nonce, Buffer.from([1, 0])]);
  const signed = Buffer.concat([vector(Buffer.from("Latchkey 1.0 Connect")), vector(content)]);
  const prefix = Buffer.from("302e020100300506032b657004220420", "hex");
  const key = createPrivateKey({ key: Buffer.concat([prefix, Buffer.from(step.seed, "hex")]), format: "der", type: "pkcs8" });
  const id = Buffer.alloc(4);
  id.writeUInt32BE(Number(step.connect));
  return Buffer.concat([id, Buffer.from([3]), accountId, deviceId, vector(sign(null, signed, key))]);
}

/** Bytes that are the same in every recording: the first of SHA-256 of `label`, repeated. */
export function fixedBytes(label: string, size: number): Uint8Array {
  const block = createHash("sha256").update(label).digest();
  return new Uint8Array(Buffer.concat(Array.from({ length: Math.ceil(size / 32) }, () => block)).subarray(0, size));
}
