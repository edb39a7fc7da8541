import type { HistoryManifest } from "@latchkey/protocol";
import { ClientError, offlineError, refusal } from "../errors.ts";
import type { Platform } from "../platform/platform.ts";
import { expectAnswer } from "../transport/connection.ts";
import type { RoleConnection } from "../transport/connection.ts";

/** Asks this account's host as this device. @throws ClientError `offline` where there is no connection, and none comes soon */
export type Host = <T>(use: (connection: RoleConnection<"device">) => Promise<T>) => Promise<T>;

const pollMs = 100;
const waitMs = 15_000;

/**
 * By the connection that this device has: of two that say they are the same device a server ends the one.
 * @param connection that of now, once it is authenticated
 * @param isClosed nobody waits any more
 */
export function hostOf(
  platform: Pick<Platform, "setTimer">,
  connection: () => RoleConnection<"device"> | undefined,
  isClosed: () => boolean,
): Host {
  return async (use) => {
    for (let waitedMs = 0; ; waitedMs += pollMs) {
      const open = connection();
      if (open !== undefined) return await use(open);
      if (isClosed() || waitedMs >= waitMs) throw offlineError();
      await new Promise<void>((resolve) => void platform.setTimer(pollMs, resolve));
    }
  };
}

/** What the server has now. @throws ClientError `server_refused` where it keeps none for anybody, being of an earlier version */
export async function readManifest(connection: RoleConnection<"device">): Promise<HistoryManifest> {
  const { kind: _kind, ...found } = expectAnswer(await connection.request({ kind: "read_history_manifest" }), "history_manifest");
  return found;
}

/** A chunk; `undefined` where the server says that it has none there. @throws ClientError */
export async function readChunk(
  connection: RoleConnection<"device">,
  place: { readonly generation: Uint8Array; readonly number: number },
): Promise<Uint8Array | undefined> {
  const answer = await connection.request({ kind: "read_history_chunk", ...place });
  if (answer.kind === "error" && answer.code === "not_found") return undefined;
  return expectAnswer(answer, "history_chunk").chunk;
}

/** What became of a chunk or a manifest: `lost` where what it needs is not there, or is another. @throws ClientError `backup_full` and what passes */
export async function put(
  connection: RoleConnection<"device">,
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
