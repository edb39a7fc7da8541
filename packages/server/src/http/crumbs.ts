import type { IncomingMessage, Server } from "node:http";

/** Pieces of a body that may be as short as they like. */
const freePieces = 256;
/** What a piece has after that, on average: the smallest packets of the slowest networks have several times as much. */
const leastPieceBytes = 64;

/**
 * Ends requests whose bodies come in crumbs, as chunks of a byte each: what the system holds of a piece that waits is hundreds of bytes, however
 * short it is, so that a hundred connections would fill the memory of a server with a few megabytes.
 */
export function endCrumbs(server: Server): void {
  server.on("request", (request: IncomingMessage) => {
    const push = request.push.bind(request);
    let [pieces, bytes] = [0, 0];
    request.push = (piece: unknown, encoding?: BufferEncoding): boolean => {
      if (piece instanceof Uint8Array) [pieces, bytes] = [pieces + 1, bytes + piece.length];
      if (pieces <= freePieces || bytes >= pieces * leastPieceBytes) return push(piece, encoding);
      request.destroy();
      return false;
    };
  });
}
