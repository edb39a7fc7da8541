import { maxFrameBytes } from "@latchkey/protocol";
import type { Connection as ConnectionState, ServerInfo } from "../api.ts";
import { ClientError, failureOf, offlineError } from "../errors.ts";
import type { Platform } from "../platform/platform.ts";
import { randomFraction } from "./backoff.ts";
import { openConnection } from "./connection.ts";
import type { RoleConnection } from "./connection.ts";
import { betweenFailure, ownCode, whyNoSocket } from "./between.ts";
import { fetchWithin, readBody } from "./fetch-within.ts";
import { createHostUrls, hostOfUrl } from "./hosts.ts";
import { keepConnection } from "./kept-connection.ts";
import type { Kept, ManagedConnection, Session } from "./kept-connection.ts";
import { parseServerInfo } from "./server-info.ts";
import { whyOffline } from "./why-offline.ts";

/** All connections of one client. */
export interface Connections {
  /** What one's own server says of itself: its last answer when it cannot be reached now. @throws ClientError `offline` */
  serverInfo(): Promise<ServerInfo>;
  /** The name of one's own host. @throws ClientError `offline` while it was never known */
  ownHost(): Promise<string>;
  /** Base of a host's HTTP paths. @throws ClientError `other_server` for every host but one's own, as all that connects */
  httpUrl(host: string): string;
  /** A connection that lasts. */
  keep<R extends "device" | "log">(role: R, host: string, session: Session<R>): Kept<R>;
  /**
   * A connection for `use` alone. Unless somebody waits for it, it starts after a random time up to 5 s (spec C-5).
   * @throws ClientError `offline`, `closed`, or what `use` throws
   */
  once<R extends "device" | "post" | "lookup", T>(
    role: R,
    host: string,
    use: (connection: RoleConnection<R>) => Promise<T>,
    options?: { waiting: boolean },
  ): Promise<T>;
  /** When a host last said anything on any connection, by this device's clock; 0 for never. */
  heardAtMs(host: string): number;
  state(): ConnectionState;
  /** Calls `listener` at every change; returns how to stop. */
  onState(listener: (state: ConnectionState) => void): () => void;
  /** How many messages wait for the server, for `state`. */
  setWaiting(count: number): void;
  /** The network may be back, or the machine woke up: try now. */
  wake(): void;
  /** Once each lasting connection that is open has an answer, or is lost: what its server had for this device before that has come. */
  heardAll(): Promise<void>;
  close(): Promise<void>;
}

const maxPostDelayMs = 5000;

/**
 * Makes and keeps the connections of a client. `device` and `log` last; `post` and `lookup` are made for each use, so that nothing
 * joins one use to another (spec C-5).
 * @param ownHost the account's host, once there is one; else the server is asked
 */
export function createConnections(params: { platform: Platform; serverUrl: string; ownHost?: string | undefined }): Connections {
  const { platform, serverUrl } = params;
  let ownHostName = params.ownHost;
  let info: ServerInfo | undefined;
  const urls = createHostUrls(serverUrl, (host) => host === (ownHostName ?? hostOfUrl(serverUrl)));
  const kept = new Set<ManagedConnection<"device"> | ManagedConnection<"log">>();
  /** What closes those that are for one use. */
  const closers = new Set<() => void>();
  const delays = new Set<() => void>();
  const listeners = new Set<(state: ConnectionState) => void>();
  const heard = new Map<string, number>();
  let waitingCount = 0;
  let closed = false;
  /** Without kept connections: how the last try of something else went. */
  let lastTry: { ok: boolean; sinceMs: number } | undefined;
  let told = "";

  function state(): ConnectionState {
    const statuses = [...kept].map((connection) => connection.status);
    const down = statuses.filter((status) => status.kind === "down");
    if (down.length > 0) {
      const sinceMs = Math.min(...down.map((status) => status.sinceMs));
      const cause = down.map((status) => status.cause).find((error) => error !== undefined);
      // The server is heard on another one: nobody is offline.
      if (cause === undefined && down.length < statuses.length && statuses.some(({ kind }) => kind === "up")) return { kind: "connecting" };
      const nextTryMs = Math.min(...down.map((status) => status.nextTryMs));
      return { kind: "offline", sinceMs, waitingCount, nextTryMs, ...(cause && { cause: failureOf(cause) }) };
    }
    if (statuses.some((status) => status.kind === "connecting")) return { kind: "connecting" };
    if (statuses.length > 0 || lastTry?.ok === true) return { kind: "online" };
    if (lastTry === undefined) return { kind: "connecting" };
    return { kind: "offline", sinceMs: lastTry.sinceMs, waitingCount, nextTryMs: lastTry.sinceMs };
  }

  function tell(): void {
    const now = state();
    const key = JSON.stringify(now);
    if (key === told) return;
    told = key;
    for (const listener of listeners) listener(now);
  }

  function tried(ok: boolean): void {
    if (lastTry?.ok !== ok) lastTry = { ok, sinceMs: platform.nowMs() };
    tell();
  }

  async function fetchInfo(): Promise<ServerInfo> {
    let text: string;
    try {
      const init: RequestInit = { credentials: "omit", cache: "no-store", redirect: "error" };
      text = await fetchWithin(platform, `${serverUrl.replace(/\/+$/, "")}/v1/info`, init, async (response) => {
        if (!response.ok) throw (await ownCode(response)) === undefined ? betweenFailure(response.status) : new Error("no answer");
        const bytes = await readBody(response, maxFrameBytes);
        if (bytes === undefined) throw new Error("no answer");
        return new TextDecoder().decode(bytes);
      });
    } catch (cause) {
      tried(false);
      if (cause instanceof ClientError) throw new ClientError("offline", cause.message, { cause });
      throw offlineError(cause, whyOffline(cause, serverUrl));
    }
    const parsed = parseServerInfo(text);
    if (parsed === undefined) throw new ClientError("server_refused", "There is no Latchkey server at this address.");
    if (ownHostName !== undefined && parsed.host !== ownHostName) {
      throw new ClientError("server_lied", "This server says that it is another one.");
    }
    info = parsed;
    ownHostName = parsed.host;
    tried(true);
    return parsed;
  }

  function pause(): Promise<void> {
    return new Promise((resolve) => {
      const finish = (): void => {
        delays.delete(finish);
        cancel();
        resolve();
      };
      const cancel = platform.setTimer(Math.floor(randomFraction(platform.random) * maxPostDelayMs), finish);
      delays.add(finish);
    });
  }

  return {
    async serverInfo() {
      try {
        return await fetchInfo();
      } catch (error) {
        if (info !== undefined && error instanceof ClientError && error.code === "offline") return info;
        throw error;
      }
    },
    async ownHost() {
      return ownHostName ?? (await fetchInfo()).host;
    },
    httpUrl: (host) => urls.http(host),
    keep(role, host, session) {
      if (closed) throw new ClientError("closed", "The client is closed.");
      urls.http(host);
      const connection = keepConnection({
        platform,
        url: () => urls.socket(host, role),
        httpUrl: () => urls.http(host),
        role,
        host,
        session,
        onStatus: tell,
      });
      // `role` is one of both, which the union of the set cannot say.
      const entry = connection as unknown as ManagedConnection<"device"> | ManagedConnection<"log">;
      kept.add(entry);
      tell();
      return {
        get connection() {
          return connection.connection;
        },
        reconnect: () => connection.reconnect(),
        release() {
          kept.delete(entry);
          connection.release();
          tell();
        },
      };
    },
    async once(role, host, use, options = { waiting: true }) {
      const url = urls.socket(host, role);
      if (!options.waiting) await pause();
      if (closed) throw new ClientError("closed", "The client is closed.");
      let connection;
      try {
        connection = await openConnection({
          platform,
          url,
          role,
          host,
          onEvent: () => undefined,
          onClose: () => undefined,
          closers,
        });
      } catch (error) {
        if (closed) throw new ClientError("closed", "The client is closed.");
        if (!(error instanceof ClientError) || error.code !== "offline") throw error;
        tried(false);
        const cause = await whyNoSocket(platform, urls.http(host));
        throw cause === undefined ? error : new ClientError("offline", cause.message, { cause });
      }
      tried(true);
      try {
        return await use(connection);
      } finally {
        heard.set(host, connection.heardAtMs);
        connection.close();
      }
    },
    heardAtMs(host) {
      const lasting = [...kept].map(({ connection }) => (connection?.host === host ? connection.heardAtMs : 0));
      return Math.max(heard.get(host) ?? 0, ...lasting);
    },
    state,
    onState(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    setWaiting(count) {
      waitingCount = count;
      tell();
    },
    wake() {
      for (const connection of kept) connection.wake();
    },
    async heardAll() {
      await Promise.allSettled([...kept].map(({ connection }) => connection?.request({ kind: "ping" })));
    },
    async close() {
      closed = true;
      listeners.clear();
      for (const connection of kept) connection.release();
      for (const end of closers) end();
      for (const finish of delays) finish();
      kept.clear();
    },
  };
}
