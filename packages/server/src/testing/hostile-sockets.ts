import { connect } from "node:net";
import type { Socket } from "node:net";
import { randomBytes } from "node:crypto";
import { socketPath } from "@latchkey/protocol";
import type { Role } from "@latchkey/protocol";

/** A WebSocket of which every byte is the test's. */
export interface RawSocket {
  readonly socket: Socket;
  /** Settles when it has ended. */
  readonly ended: Promise<void>;
}

/** Opens a connection as far as the server's answer to the upgrade, from one of this machine's addresses. */
export function openRaw(port: number, role: Role, localAddress: string = "127.0.0.1"): Promise<RawSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", localAddress });
    const ended = new Promise<void>((settle) => {
      socket.once("close", () => settle());
    });
    socket.once("error", reject);
    socket.once("data", (data: Buffer) => {
      socket.off("error", reject);
      socket.on("error", () => undefined);
      if (data.toString("latin1").startsWith("HTTP/1.1 101")) resolve({ socket, ended });
      else reject(new Error(data.toString("latin1").split("\r\n")[0]));
    });
    socket.write(upgradeRequest(socketPath(role)));
  });
}

/** The request that asks for a WebSocket. */
export function upgradeRequest(path: string, protocol: string = "latchkey.1"): string {
  return (
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
    `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}\r\nSec-WebSocket-Protocol: ${protocol}\r\n\r\n`
  );
}

/** A frame with its payload as it is (a mask of zeros), or with less of it than it says. */
export function rawFrame(payload: Uint8Array, params: { opcode?: number; isFinal?: boolean; saysBytes?: number } = {}): Uint8Array {
  const { opcode = 2, isFinal = true, saysBytes = payload.length } = params;
  // What controls a connection has its length in seven bits (RFC 6455 section 5.5).
  const isControl = opcode >= 8;
  const header = Buffer.alloc(isControl ? 6 : 14);
  header[0] = (isFinal ? 0x80 : 0) | opcode;
  header[1] = 0x80 | (isControl ? saysBytes : 127);
  if (!isControl) header.writeBigUInt64BE(BigInt(saysBytes), 2);
  return Buffer.concat([header, payload]);
}
