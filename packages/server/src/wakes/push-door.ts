import { lookup as resolve } from "node:dns";
import { Agent, request } from "node:https";
import type { LookupFunction } from "node:net";
import { isPublicAddress } from "../addresses.ts";

/** The push services of the browsers: what a server speaks to unless its operator says otherwise. */
export const knownPushServices: readonly string[] = [
  "fcm.googleapis.com",
  "updates.push.services.mozilla.com",
  "web.push.apple.com",
  "*.notify.windows.com",
];

const patienceMs = 10_000;
const maxHeaderBytes = 16_384;
const maxSockets = 64;
const maxSocketsPerService = 16;
/** A day: a device that is off so long looks by itself when it comes back. */
const keptForS = 86_400;

/** What a push service answered. */
export interface PushAnswer {
  readonly status: number;
  /** How long it asks to be left in peace, in milliseconds; 0 where it does not say. */
  readonly retryAfterMs: number;
}

/** Asks a push service to wake a device. @throws what the network throws */
export type PushSend = (endpoint: string, authorization: string) => Promise<PushAnswer>;

/** The way out to push services. */
export interface PushDoor {
  readonly send: PushSend;
  close(): void;
}

/**
 * Speaks RFC 8030: one message without content. A client named the address, so of what answers nothing but status and one header is read,
 * nothing is followed, and nothing waits longer than ten seconds.
 * @param params `isPublicOnly`: no name leads to an address of this machine or of a private network; `ca` in place of the system's
 */
export function openPushDoor({ isPublicOnly, ca }: { isPublicOnly: boolean; ca?: string }): PushDoor {
  const agent = new Agent({ keepAlive: true, maxSockets: maxSocketsPerService, maxTotalSockets: maxSockets, ca });
  const headersOf = (authorization: string): Record<string, string> => ({
    // Of several that wait for a device that is off, one is enough.
    topic: "latchkey",
    ttl: String(keptForS),
    urgency: "high",
    "content-length": "0",
    authorization,
  });
  return {
    send: (endpoint, authorization) =>
      new Promise((answer, fail) => {
        const options = {
          method: "POST",
          agent,
          headers: headersOf(authorization),
          maxHeaderSize: maxHeaderBytes,
          signal: AbortSignal.timeout(patienceMs),
          ...(isPublicOnly ? { lookup: publicLookup } : {}),
        };
        const asked = request(endpoint, options, (response) => {
          const { statusCode: status = 0, headers } = response;
          answer({ status, retryAfterMs: secondsOf(headers["retry-after"]) * 1000 });
          // An empty answer leaves the connection for the next one; whatever else comes is not waited for.
          response.on("data", () => response.destroy());
          response.on("error", () => undefined);
        });
        asked.on("error", fail);
        asked.end();
      }),
    close: () => agent.destroy(),
  };
}

/** The seconds of a `Retry-After` header; a date is not read. */
function secondsOf(header: string | undefined): number {
  return /^[0-9]{1,9}$/.test(header ?? "") ? Number(header) : 0;
}

const publicLookup: LookupFunction = (hostname, options, found) => {
  resolve(hostname, { ...options, all: true }, (error, addresses) => {
    const [first] = addresses ?? [];
    const isAllowed = first !== undefined && addresses.every(({ address }) => isPublicAddress(address));
    if (error !== null || !isAllowed) found(error ?? new Error("a push service has no public address"), "", 0);
    else if (options.all === true) found(null, addresses);
    else found(null, first.address, first.family);
  });
};
