import { Writer } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";

const headerRoom = 10;

/**
 * A whole WebSocket frame, binary and unmasked (RFC 6455 section 5.2), around the encoding of `value`: written to the
 * socket as it is, and to any number of sockets.
 */
export function encodeFrame<T>(codec: Codec<T>, value: T, sizeHint: number = 118): Uint8Array {
  const writer = new Writer(headerRoom + sizeHint);
  for (let i = 0; i < headerRoom; i++) writer.uint8(0);
  codec.write(writer, value);
  const bytes = writer.finish();
  const size = bytes.length - headerRoom;
  if (size < 126) {
    bytes[8] = 0x82;
    bytes[9] = size;
    return bufferOf(bytes, 8);
  }
  if (size < 65_536) {
    bytes[6] = 0x82;
    bytes[7] = 126;
    bytes[8] = size >> 8;
    bytes[9] = size & 0xff;
    return bufferOf(bytes, 6);
  }
  bytes[0] = 0x82;
  bytes[1] = 127;
  new DataView(bytes.buffer, bytes.byteOffset).setBigUint64(2, BigInt(size));
  return bufferOf(bytes, 0);
}

/** A Buffer is made once here, not by each socket for itself. */
function bufferOf(bytes: Uint8Array<ArrayBuffer>, from: number): Uint8Array {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, bytes.length - from);
}
