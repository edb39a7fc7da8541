import { mp4Packets } from "./mp4-packets.ts";
import { webmPackets } from "./webm-packets.ts";

/** What sizes the packets of a recording have. */
export type PacketSizes =
  /** All have one: nothing of what is said can be told from them. */
  | { readonly kind: "constant"; readonly packets: number; readonly packetBytes: number }
  | { readonly kind: "varying"; readonly packets: number; readonly sizes: number }
  /** It is no recording with packets that are known here, or one that is cut off. */
  | { readonly kind: "unreadable" };

/** The sizes of the packets of a WebM or MP4 with one track. */
export function packetSizes(bytes: Uint8Array): PacketSizes {
  const found = webmPackets(bytes) ?? mp4Packets(bytes);
  const sizes = new Set(found);
  const [packetBytes] = sizes;
  if (found === undefined || packetBytes === undefined) return { kind: "unreadable" };
  return sizes.size === 1
    ? { kind: "constant", packets: found.length, packetBytes }
    : { kind: "varying", packets: found.length, sizes: sizes.size };
}
