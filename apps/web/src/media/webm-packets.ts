import { readElement, readVint } from "./ebml.ts";

/** Elements of WebM (RFC 9559 §5.1). */
const ids = { header: 0x1a45dfa3, simpleBlock: 0xa3, block: 0xa1 };
/** Those that packets stand in: segment, cluster, block group. */
const parents: ReadonlySet<number> = new Set([0x18538067, 0x1f43b675, 0xa0]);
const lacing = 0x06;

/** The sizes of the packets of a WebM, in bytes; `undefined` where it is none, is cut off, or puts several into one block. */
export function webmPackets(bytes: Uint8Array): readonly number[] | undefined {
  const sizes: number[] = [];
  if (readElement(bytes, 0)?.id !== ids.header) return undefined;
  for (let at = 0; at < bytes.length;) {
    const element = readElement(bytes, at);
    if (element === undefined) return undefined;
    const { id, dataAt, end } = element;
    // Browsers write segments and clusters before they know how long they get: what is in them follows without end.
    if (parents.has(id)) at = dataAt;
    else if (end === undefined) return undefined;
    else {
      if (id === ids.simpleBlock || id === ids.block) {
        // A track number, two bytes of time, a byte of flags.
        const packetAt = dataAt + (readVint(bytes, dataAt)?.length ?? end) + 3;
        if (packetAt > end || ((bytes[packetAt - 1] ?? 0) & lacing) !== 0) return undefined;
        sizes.push(end - packetAt);
      }
      at = end;
    }
  }
  return sizes;
}
