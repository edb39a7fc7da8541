import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { FastifyInstance } from "fastify";

/** The rest of a request that is answered before its end is let by if it is no longer than this. */
const letByBytes = 262_144;
/** Who sends more has so long to read the answer. */
const lingerMs = 1000;

/**
 * Reads no further what was answered before its end: Node would read it to its end and throw it away, as fast as it comes and for as long as
 * it comes. The answer says that the connection ends with it. A route that reads on by itself (`resume`) decides for itself (spec E-313).
 */
export function endUnfinished(app: FastifyInstance): void {
  app.addHook("onSend", async ({ raw }, reply) => {
    if (raw.complete || raw.readableFlowing === true || announcedBytes(raw) <= letByBytes) return;
    void reply.header("connection", "close");
    linger(raw.socket);
  });
}

/** As long as it says that its body is; without end where it says nothing, as one that comes in chunks. */
function announcedBytes({ headers }: IncomingMessage): number {
  if (headers["transfer-encoding"] !== undefined) return Infinity;
  return Number(headers["content-length"] ?? 0);
}

/** Has the socket end, after the last answer, without reading: at once it would be reset, and the answer with it. */
function linger(socket: Socket): void {
  socket.destroySoon = () => {
    socket.end();
    // In this turn the request is still read.
    setImmediate(() => socket.pause());
    setTimeout(() => socket.destroy(), lingerMs).unref();
  };
}
