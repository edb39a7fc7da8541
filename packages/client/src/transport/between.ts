import { httpPaths } from "@latchkey/protocol";
import { ClientError, offlineError } from "../errors.ts";
import type { Platform } from "../platform/platform.ts";
import { fetchWithin, readBody } from "./fetch-within.ts";
import { whyOffline } from "./why-offline.ts";

/*
 * Between a device and its server others answer in the server's name: proxies, firewalls, the sign-in page of a network. What
 * they say is not the server's word (spec E-79): it ends nothing, is waited out, and is named.
 */

const maxAnswerBytes = 4096;
const probeTimeoutMs = 10_000;
/** A limit of something in between is not lifted within seconds, and each try sends the whole again. */
const blockedRetryMs = 60_000;

/**
 * The code in an answer that the server itself gave; `undefined` for one of something in between, which writes pages. Reads the body to
 * its end, or to the length of a code.
 */
export async function ownCode(response: Response): Promise<string | undefined> {
  try {
    const bytes = await readBody(response, maxAnswerBytes);
    const value: unknown = bytes === undefined ? undefined : JSON.parse(new TextDecoder().decode(bytes));
    if (typeof value !== "object" || value === null) return undefined;
    const { code, status } = value as Readonly<Record<string, unknown>>;
    return [code, status].find((word) => typeof word === "string");
  } catch {
    return undefined;
  }
}

/** What an answer with this status means that is not the server's own. */
export function betweenFailure(status: number): ClientError {
  if (status >= 500) {
    return new ClientError("server_down", "What stands before the server answers, and the server does not. It is tried again.");
  }
  const what = status === 413 ? "refuses files of this size" : "refuses this";
  return new ClientError(
    "way_blocked",
    `Something between here and the server ${what}. Nothing is lost; it is tried again. Who runs the server can find out what.`,
    { retryAfterMs: blockedRetryMs },
  );
}

/**
 * Asks over HTTP why there is no WebSocket; `undefined` where HTTP brings no answer either and the platform does not say
 * why: it is the network.
 * @param baseUrl of the host's HTTP, without a slash at its end
 */
export async function whyNoSocket(platform: Pick<Platform, "fetch" | "setTimer">, baseUrl: string): Promise<ClientError | undefined> {
  const init: RequestInit = { credentials: "omit", cache: "no-store", redirect: "error" };
  try {
    return await fetchWithin(
      platform,
      `${baseUrl}${httpPaths.health}`,
      init,
      async (response) => {
        const code = await ownCode(response);
        if (code === undefined) return betweenFailure(response.ok ? 400 : response.status);
        if (!response.ok) return new ClientError("server_down", "The server answers that it does not work now. It is tried again.");
        return new ClientError(
          "way_blocked",
          "The server answers, and no WebSocket comes about: it has too many, or something in between lets none through. It is tried again.",
        );
      },
      probeTimeoutMs,
    );
  } catch (cause) {
    const sentence = whyOffline(cause, baseUrl);
    return sentence === undefined ? undefined : offlineError(cause, sentence);
  }
}
