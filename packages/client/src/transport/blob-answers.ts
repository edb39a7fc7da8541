import { ClientError, offlineError } from "../errors.ts";
import { betweenFailure } from "./between.ts";

/** No cookies, no referrer, no redirect to somewhere else. */
export const apart: RequestInit = { credentials: "omit", referrerPolicy: "no-referrer", redirect: "error", cache: "no-store" };

/** What the network says, by its name. @throws ClientError `offline` for whatever else `request` throws */
export async function orOffline<T>(request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (cause) {
    throw cause instanceof ClientError ? cause : offlineError(cause);
  }
}

/** Only that the server does not have it ends anything: every other refusal may pass (spec E-3), and something in between says it (E-79). */
export function refused(status: number, code: string | undefined, request: "put" | "get"): ClientError {
  if (code === "too_large") return new ClientError("message_too_large", "This is larger than the server takes.");
  if (status === 429) return new ClientError("rate_limited", "Too much at once. Try again in a moment.");
  if (status === 507) return new ClientError("server_full", "The server has no space left. Nothing is lost; it is tried again.");
  if (request === "get" && (status === 404 || status === 410))
    return new ClientError("server_refused", "The server does not have a part of this.");
  if (code === "shutting_down") return new ClientError("offline", "The server is restarting.");
  // A server's own failure has its code too.
  if (code === undefined) return betweenFailure(status);
  return new ClientError("server_refused", "The server refuses a part of this now.", { canRetry: true });
}

/** What was given is not what it should be, whoever did it. */
export function damaged(): ClientError {
  return new ClientError("server_lied", "A part of this arrived damaged.");
}
