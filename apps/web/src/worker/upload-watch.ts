import type { ClientEvent } from "@latchkey/client";

/** Returns what says of each event of a client whether an upload has come further by it than it ever was: one that stands, or begins again and again, has not. */
export function watchUploads(): (event: ClientEvent) => boolean {
  const farthest = new Map<string, number>();
  return (event) => {
    if (event.kind !== "file") return false;
    const { fileId, state } = event;
    if (state.kind !== "sending") {
      farthest.delete(fileId);
      return false;
    }
    const hasMoved = state.sentBytes > (farthest.get(fileId) ?? 0);
    if (hasMoved) farthest.set(fileId, state.sentBytes);
    return hasMoved;
  };
}
