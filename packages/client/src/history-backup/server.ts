import type { HistoryManifest } from "@latchkey/protocol";
import { ClientError, offlineError, refusal } from "../errors.ts";
import type { Platform } from "../platform/platform.ts";
import { expectAnswer } from "../transport/connection.ts";
import type { RoleConnection } from "../transport/connection.ts";

/** What asks the host. */
export type HostConnection = Pick<RoleConnection<"device">, "request">;

/** Asks this account's host as this device. @throws ClientError `offline` where there is no connection, and none comes soon */
export type Host = <T>(use: (connection: HostConnection) => Promise<T>) => Promise<T>;

const pollMs = 100;
const waitMs = 15_000;

/**
 * By the connection that this device has: of two that say they are the same device a server ends the one.
 * @param connection that of now, once it is authenticated
 * @param closing nobody waits any more, nor for what was asked already: it is as if the connection had ended
 */
export function hostOf(
  platform: Pick<Platform, "setTimer">,
  connection: () => RoleConnection<"device"> | undefined,
  closing: AbortSignal,
): Host {
  return async (use) => {
    for (let waitedMs = 0; ; waitedMs += pollMs) {
      const open = connection();
      if (open !== undefined) return await use({ request: (...asked) => unlessClosed(open.request(...asked), closing) });
      if (closing.aborted || waitedMs >= waitMs) throw offlineError();
      await new Promise<void>((resolve) => void platform.setTimer(pollMs, resolve));
    }
  };
}

/** Holds on to nothing of an answer that came. */
async function unlessClosed<T>(answer: Promise<T>, closing: AbortSignal): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const end = (): void => reject(offlineError());
  if (closing.aborted) end();
  closing.addEventListener("abort", end);
  answer.then(resolve, reject);
  try {
    return await promise;
  } finally {
    closing.removeEventListener("abort", end);
  }
}

/** What the server has now. @throws ClientError `server_refused` where it keeps none for anybody, being of an earlier version */
export async function readManifest(connection: HostConnection): Promise<HistoryManifest> {
  const { kind: _kind, ...found } = expectAnswer(await connection.request({ kind: "read_history_manifest" }), "history_manifest");
  return found;
}

/** A chunk; `undefined` where the server says that it has none there. @throws ClientError */
export async function readChunk(
  connection: HostConnection,
  place: { readonly generation: Uint8Array; readonly number: number },
): Promise<Uint8Array | undefined> {
  const answer = await connection.request({ kind: "read_history_chunk", ...place });
  if (answer.kind === "error" && answer.code === "not_found") return undefined;
  return expectAnswer(answer, "history_chunk").chunk;
}

/** What became of a chunk or a manifest: `lost` where what it needs is not there, or is another. @throws ClientError `backup_full` and what passes */
export async function put(
  connection: HostConnection,
  request: Extract<Parameters<typeof connection.request>[0], { readonly kind: "put_history_chunk" | "put_history_manifest" }>,
): Promise<"done" | "conflict" | "lost"> {
  const answer = await connection.request(request);
  if (answer.kind === "done") return "done";
  if (answer.kind !== "error") throw new ClientError("server_refused", "The server answered something else than was asked.");
  if (answer.code === "conflict") return "conflict";
  if (answer.code === "not_found") return "lost";
  if (answer.code === "too_large") throw new ClientError("backup_full", "The server keeps no more of this account's backup.");
  throw refusal(answer);
}
