// The hostile crowd, a process of its own: so many connections of one kind, each of which begins again when it is ended.
import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { setPriority } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { encode, toBase64Url } from "@latchkey/codec";
import { blobPath, logRequestCodec, maxFrameBytes } from "@latchkey/protocol";
import { issuedTokenCodec, voprfTokenType } from "@latchkey/protocol/tokens";
import type { LogRequest } from "@latchkey/protocol";
import { openRaw, rawFrame } from "@latchkey/server/testing";
import { sha256 } from "../wire.ts";
import { crowdAddress, hostileKinds } from "./kinds.ts";
import type { HostileKind } from "./kinds.ts";

/** Frames in one write. */
const burst = 200;
const partBytes = 4096;
const uploadBytes = 65_536;
const againMs = 100;

const [port = 0, count = 0] = process.argv.slice(2, 4).map(Number);
const kinds = hostileKinds.filter((kind) => process.argv[4]?.split(",").includes(kind));
// The honest one, on the same core, is not to wait for its turn there.
setPriority(19);

const log = { logId: randomBytes(32), access: randomBytes(32) };
const request = (id: number, body: LogRequest): Uint8Array => rawFrame(encode(logRequestCodec, { id, body }));
const create = request(1, { kind: "create", logId: log.logId, accessHash: sha256(log.access), token: new Uint8Array() });
const open = request(1, { kind: "open", logId: log.logId, epochId: 0, access: log.access, afterSeq: 0, closed: [] });

/** Writes as fast as the other side takes it, until it ends the connection. */
async function flood(socket: Socket, next: () => Uint8Array): Promise<void> {
  while (!socket.destroyed) {
    const isTaken = await Promise.race([
      new Promise<boolean>((resolve) => {
        if (socket.write(next())) setImmediate(resolve, true);
        else socket.once("drain", () => resolve(true));
      }),
      new Promise<boolean>((resolve) => {
        socket.once("close", () => resolve(false));
      }),
    ]);
    socket.removeAllListeners("close");
    if (!isTaken) return;
  }
}

let lastId = 1;
const many = (body: () => LogRequest): Uint8Array => Buffer.concat(Array.from({ length: burst }, () => request(++lastId, body())));
const appends = (): Uint8Array =>
  many(() => ({
    kind: "append",
    logId: log.logId,
    epochId: 0,
    entryKind: "message",
    blob: Buffer.concat([new Uint8Array(1), randomBytes(16)]),
  }));
/** What costs a token, with one that does not hold: all of it is right but the tag. */
const falseTokens = (): Uint8Array =>
  many(() => ({
    kind: "create",
    logId: randomBytes(32),
    accessHash: new Uint8Array(32),
    token: encode(issuedTokenCodec, {
      type: voprfTokenType,
      issuerHost: `localhost:${String(port)}`,
      keyId: process.argv[5] === undefined ? randomBytes(8) : Buffer.from(process.argv[5], "hex"),
      nonce: randomBytes(32),
      authenticator: randomBytes(32),
    }),
  }));
const proofs = (): Uint8Array => many(() => ({ kind: "head_proof", logId: log.logId, knownSize: 0 }));
const pings = Buffer.concat([
  many(() => ({ kind: "ping" })),
  ...Array.from({ length: burst }, () => rawFrame(randomBytes(125), { opcode: 9 })),
]);

const acts: Readonly<Record<HostileKind, (address: string) => Promise<void>>> = {
  async fragments(address) {
    const { socket, ended } = await openRaw(port, "log", address);
    socket.resume();
    socket.write(rawFrame(randomBytes(partBytes), { isFinal: false }));
    for (let part = 0; part < 200 && !socket.destroyed; part++) {
      socket.write(rawFrame(randomBytes(partBytes), { opcode: 0, isFinal: false, saysBytes: part === 199 ? maxFrameBytes : partBytes }));
      await delay(againMs);
    }
    await ended;
  },
  async slow(address) {
    const { socket } = await openRaw(port, "log", address);
    socket.pause();
    socket.write(open);
    await flood(socket, () => pings);
  },
  async breaches(address) {
    const { socket } = await openRaw(port, "log", address);
    socket.pause();
    socket.write(rawFrame(randomBytes(125), { opcode: 3 }));
    await flood(socket, () => pings);
  },
  async appends(address) {
    const { socket } = await openRaw(port, "log", address);
    socket.resume();
    socket.write(open);
    await flood(socket, appends);
  },
  async proofs(address) {
    const { socket } = await openRaw(port, "log", address);
    socket.resume();
    socket.write(open);
    await flood(socket, proofs);
  },
  async tokens(address) {
    const { socket } = await openRaw(port, "log", address);
    socket.resume();
    await flood(socket, falseTokens);
  },
  async uploads(address) {
    const socket = connect({ port, host: "127.0.0.1", localAddress: address });
    const ended = new Promise<void>((resolve) => {
      socket.once("close", () => resolve());
    });
    socket.on("error", () => undefined);
    socket.resume();
    const head = `PUT ${blobPath(toBase64Url(randomBytes(32)))} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${uploadBytes}\r\n\r\n`;
    socket.write(head);
    // Every other one breaks off in the middle.
    socket.write(randomBytes(lastId++ % 2 === 0 ? uploadBytes : uploadBytes / 2));
    await Promise.race([ended, delay(againMs)]);
    socket.destroy();
  },
};

async function live(kind: HostileKind, address: string): Promise<never> {
  for (;;) {
    await acts[kind](address).catch(() => undefined);
    await delay(againMs);
  }
}

const maker = await openRaw(port, "log", crowdAddress(0));
maker.socket.write(create);
await delay(againMs);
for (let at = 0; at < count; at++) {
  void live(kinds[at % kinds.length] ?? "appends", crowdAddress(at));
  if (at % 50 === 0) await delay(1);
}
await delay(1000);
process.send?.({ isReady: true });
