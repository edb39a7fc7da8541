import { readElement, readVint } from "./ebml.ts";

/** Elements of WebM (RFC 9559 §5.1). */
const ids = { header: 0x1a45dfa3, simpleBlock: 0xa3, block: 0xa1 };
/** Those that packets stand in: segment, cluster, block group. */
const parents: ReadonlySet<number> = new Set([0x18538067, 0x1f43b675, 0xa0]);
const lacing = 0x06;

/** What sizes the packets of a recording have. */
export type PacketSizes =
  /** All have one: nothing of what is said can be told from them. */
  | { readonly kind: "constant"; readonly packets: number; readonly packetBytes: number }
  | { readonly kind: "varying"; readonly packets: number; readonly sizes: number }
  /** It is no WebM with packets, or one that is cut off. */
  | { readonly kind: "unreadable" };

/** The sizes of the packets of a WebM with one track. */
export function packetSizes(bytes: Uint8Array): PacketSizes {
  const unreadable: PacketSizes = { kind: "unreadable" };
  const sizes = new Set<number>();
  let packets = 0;
  if (readElement(bytes, 0)?.id !== ids.header) return unreadable;
  for (let at = 0; at < bytes.length;) {
    const element = readElement(bytes, at);
    if (element === undefined) return unreadable;
    const { id, dataAt, end } = element;
    // Browsers write segments and clusters before they know how long they get: what is in them follows without end.
    if (parents.has(id)) at = dataAt;
    else if (end === undefined) return unreadable;
    else {
      if (id === ids.simpleBlock || id === ids.block) {
        // A track number, two bytes of time, a byte of flags.
        const packetAt = dataAt + (readVint(bytes, dataAt)?.length ?? end) + 3;
        if (packetAt > end || ((bytes[packetAt - 1] ?? 0) & lacing) !== 0) return unreadable;
        sizes.add(end - packetAt);
        packets++;
      }
      at = end;
    }
  }
  const [packetBytes] = sizes;
  if (packetBytes === undefined) return unreadable;
  return sizes.size === 1 ? { kind: "constant", packets, packetBytes } : { kind: "varying", packets, sizes: sizes.size };
}
