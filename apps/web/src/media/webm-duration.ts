import { joinParts } from "./bytes.ts";
import { floatElement, readElement } from "./ebml.ts";

const ids = { header: 0x1a45dfa3, segment: 0x18538067, info: 0x1549a966, duration: 0x4489, scale: 0x2ad7b1 };
/** Elements of the segment that are looked through for the one about it. */
const maxElements = 8;

/**
 * A WebM as a browser records it, which does not know its own length, with its length in it (RFC 9559 §5.1.2): so players show it and find places
 * in it. Anything else, one that says its length, and one that counts other than in milliseconds come back as they are.
 */
export function withDuration(bytes: Uint8Array<ArrayBuffer>, durationMs: number): Uint8Array<ArrayBuffer> {
  const header = readElement(bytes, 0);
  const segment = header?.id === ids.header && header.end !== undefined ? readElement(bytes, header.end) : undefined;
  // Of a segment whose size is known the size would have to grow with it.
  if (segment?.id !== ids.segment || segment.end !== undefined) return bytes;
  let at = segment.dataAt;
  for (let count = 0; count < maxElements; count++) {
    const element = readElement(bytes, at);
    if (element?.end === undefined) return bytes;
    if (element.id === ids.info) return withInfo(bytes, { infoAt: at, dataAt: element.dataAt, end: element.end, durationMs });
    at = element.end;
  }
  return bytes;
}

function withInfo(
  bytes: Uint8Array<ArrayBuffer>,
  { infoAt, dataAt, end, durationMs }: { infoAt: number; dataAt: number; end: number; durationMs: number },
): Uint8Array<ArrayBuffer> {
  for (let at = dataAt; at < end;) {
    const element = readElement(bytes, at);
    if (element?.end === undefined || element.end > end) return bytes;
    const { id, dataAt: valueAt, end: valueEnd } = element;
    if (id === ids.duration) return bytes;
    if (id === ids.scale && bytes.subarray(valueAt, valueEnd).reduce((sum, byte) => sum * 256 + byte, 0) !== 1_000_000) return bytes;
    at = valueEnd;
  }
  const duration = floatElement(ids.duration, durationMs);
  const size = end - dataAt + duration.length;
  // Four bytes of size: enough for 256 MiB, and a length that nothing else stands on.
  const sizeBytes = Uint8Array.of(0x10 | (size >> 24), (size >> 16) & 0xff, (size >> 8) & 0xff, size & 0xff);
  return joinParts([bytes.subarray(0, infoAt + 4), sizeBytes, bytes.subarray(dataAt, end), duration, bytes.subarray(end)]);
}
