import type { FastifyInstance } from "fastify";
import { networksOf, peerOf } from "../addresses.ts";
import type { TrustedProxies } from "../addresses.ts";
import { Refusal } from "../errors.ts";

const retryAfterMs = 1000;

/**
 * Limits how many requests each visitor behind a trusted proxy has under way: their sockets are the proxy's, and say nothing of whose
 * they are. What is above is answered with `rate_limited`.
 */
export function limitVisitors(app: FastifyInstance, proxies: TrustedProxies, maxPerAddress: number): void {
  const underWay = new Map<string, number>();
  app.addHook("onRequest", async (request, reply) => {
    if (!proxies.has(request.socket.remoteAddress)) return;
    const networks = networksOf(peerOf(request.raw, proxies));
    if (networks.some(({ key, factor }) => (underWay.get(key) ?? 0) >= factor * maxPerAddress)) {
      throw new Refusal("rate_limited", retryAfterMs);
    }
    for (const { key } of networks) underWay.set(key, (underWay.get(key) ?? 0) + 1);
    // Comes for answers that break off as well, which the hook onResponse does not.
    reply.raw.once("close", () => {
      for (const { key } of networks) {
        const left = (underWay.get(key) ?? 1) - 1;
        if (left === 0) underWay.delete(key);
        else underWay.set(key, left);
      }
    });
  });
}
