import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";

/** A client of MQTT 3.1.1 over TCP, as far as a benchmark needs it: QoS 1 both ways. */
export interface MqttClient {
  subscribe(topic: string): Promise<void>;
  publish(topic: string, payload: Uint8Array): void;
  /** Called with each message; it has been acknowledged. */
  onMessage: () => void;
  /** Called when the server acknowledges a message of this client's. */
  onAcknowledged: () => void;
  close(): void;
}

const kinds = { connect: 1, connack: 2, publish: 3, puback: 4, subscribe: 8, suback: 9, disconnect: 14 } as const;

/** Connects, with a clean session. @throws Error when the server refuses */
export async function connectMqtt(port: number, clientId: string): Promise<MqttClient> {
  const socket: Socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  const acknowledged = Promise.withResolvers<void>();
  const subscribed = Promise.withResolvers<void>();
  let lastId = 0;
  const client: MqttClient = {
    async subscribe(topic) {
      // QoS 1 is asked for; the two bits of flags are of the protocol.
      send(socket, kinds.subscribe, 2, number16(1), text(topic), Buffer.from([1]));
      await subscribed.promise;
    },
    publish(topic, payload) {
      lastId = (lastId % 65_535) + 1;
      send(socket, kinds.publish, 2, text(topic), number16(lastId), payload);
    },
    onMessage: () => undefined,
    onAcknowledged: () => undefined,
    close() {
      send(socket, kinds.disconnect, 0);
      socket.destroy();
    },
  };
  let rest: Buffer = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let packet = take(rest); packet !== undefined; packet = take(rest)) {
      rest = packet.rest;
      const { kind, body } = packet;
      if (kind === kinds.publish) {
        const at = 2 + body.readUInt16BE(0);
        send(socket, kinds.puback, 0, body.subarray(at, at + 2));
        client.onMessage();
      } else if (kind === kinds.puback) client.onAcknowledged();
      else if (kind === kinds.suback) subscribed.resolve();
      else if (kind === kinds.connack && body[1] === 0) acknowledged.resolve();
      else acknowledged.reject(new Error(`the MQTT server answered packet ${String(kind)}`));
    }
  });
  socket.on("error", acknowledged.reject);
  // Version 4 is MQTT 3.1.1; 2 asks for a clean session; no keep-alive.
  send(socket, kinds.connect, 0, text("MQTT"), Buffer.from([4, 2, 0, 0]), text(clientId));
  await acknowledged.promise;
  return client;
}

function send(socket: Socket, kind: number, flags: number, ...parts: readonly Uint8Array[]): void {
  const body = Buffer.concat(parts);
  const size: number[] = [];
  let left = body.length;
  do {
    size.push((left % 128) + (left >= 128 ? 128 : 0));
    left = Math.floor(left / 128);
  } while (left > 0);
  socket.write(Buffer.concat([Buffer.from([kind * 16 + flags, ...size]), body]));
}

/** The first whole packet in `bytes`, and what follows it. */
function take(bytes: Buffer): { kind: number; body: Buffer; rest: Buffer } | undefined {
  let [size, at, shift] = [0, 1, 1];
  for (;;) {
    const byte = bytes[at++];
    if (byte === undefined) return undefined;
    size += (byte % 128) * shift;
    shift *= 128;
    if (byte < 128) break;
  }
  if (bytes.length < at + size) return undefined;
  return { kind: (bytes[0] ?? 0) >> 4, body: bytes.subarray(at, at + size), rest: bytes.subarray(at + size) };
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, "utf8");
  return Buffer.concat([number16(bytes.length), bytes]);
}

function number16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}
