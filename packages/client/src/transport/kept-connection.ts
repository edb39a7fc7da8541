import type { Role } from "@latchkey/protocol";
import type { Platform } from "../platform/platform.ts";
import { backoffMs } from "./backoff.ts";
import { whyNoSocket } from "./between.ts";
import { openConnection } from "./connection.ts";
import type { CloseReason, EventOf, RoleConnection } from "./connection.ts";
import { ClientError } from "../errors.ts";

/** What is done with a connection that is kept. */
export interface Session<R extends Role> {
  /**
   * Called with every new connection; while it runs the connection does not count as up. If it fails the connection is closed
   * and tried again later.
   */
  onOpen(connection: RoleConnection<R>): Promise<void> | void;
  /** Events in order of arrival; they may come while `onOpen` runs. What it throws ends the connection. */
  onEvent(event: EventOf<R>, connection: RoleConnection<R>): void;
  /** After every connection that `onOpen` was called with. */
  onClose(reason: CloseReason): void;
}

/** A connection that is made again whenever it is lost. */
export interface Kept<R extends Role> {
  /** While it is up. */
  readonly connection: RoleConnection<R> | undefined;
  /** Closes the connection, if there is one, and makes a new one at once. */
  reconnect(): void;
  /** Ends it for good; `onClose` follows if it was open. */
  release(): void;
}

/** Where a kept connection is. */
export type KeptStatus =
  | { readonly kind: "connecting" }
  | { readonly kind: "up" }
  /** The last try failed; the next is at `nextTryMs` (now, while it runs). */
  | { readonly kind: "down"; readonly sinceMs: number; readonly nextTryMs: number; readonly cause?: ClientError };

/** A kept connection as its manager sees it. */
export interface ManagedConnection<R extends Role> extends Kept<R> {
  readonly status: KeptStatus;
  /** Tries now, if it waits; else makes sure that the connection is alive. */
  wake(): void;
}

/** Up for so long, a connection counts as good, and the next failure starts the waiting times again. */
const stableMs = 10_000;
const aliveTimeoutMs = 5000;

/**
 * Connects, and connects again after each loss.
 *
 * ```
 *   connecting --hello, onOpen--> up --lost--> connecting
 *       |  ^                                       |
 *  failed  `--waited, or wake-- waiting <--failed--'
 *       `------------------------^
 * ```
 */
export function keepConnection<R extends Role>(params: {
  platform: Platform;
  url: () => string;
  /** Base of the host's HTTP, without a slash at its end. */
  httpUrl: () => string;
  role: R;
  host: string;
  session: Session<R>;
  /** The status changed. */
  onStatus: () => void;
}): ManagedConnection<R> {
  const { platform, role, host, session } = params;
  let status: KeptStatus = { kind: "connecting" };
  /** The connection that onOpen was called with. */
  let open: RoleConnection<R> | undefined;
  let upSinceMs = 0;
  let attempt = 0;
  let trying = false;
  /** Why `onOpen` closes the connection of now, while it does. */
  let refusedBy: unknown;
  let released = false;
  let cancelTimer: () => void = () => undefined;

  function setStatus(next: KeptStatus): void {
    status = next;
    if (!released) params.onStatus();
  }

  async function connect(): Promise<void> {
    if (released || trying) return;
    cancelTimer();
    trying = true;
    if (status.kind === "down") setStatus({ ...status, nextTryMs: platform.nowMs() });
    let current: RoleConnection<R> | undefined;
    try {
      current = await openConnection<R>({
        platform,
        url: params.url(),
        role,
        host,
        onEvent(event) {
          if (current !== undefined && !released) deliver(event, current);
        },
        onClose(reason) {
          if (current !== undefined && open === current) ended(reason);
        },
      });
      if (released) {
        current.close();
        return;
      }
      open = current;
      await session.onOpen(current);
      trying = false;
      // It may have been lost while onOpen ran, without onOpen noticing.
      if (open !== current) return;
      upSinceMs = platform.nowMs();
      setStatus({ kind: "up" });
    } catch (error) {
      trying = false;
      // What was wrong with it is the cause of being offline: the connection itself says only that it was closed.
      if (current !== undefined && open === current) {
        refusedBy = error;
        current.close();
        refusedBy = undefined;
      } else if (current === undefined) failed(reasonOf(error), error);
    }
  }

  function deliver(event: EventOf<R>, connection: RoleConnection<R>): void {
    try {
      session.onEvent(event, connection);
    } catch {
      // Thrown on, it would end the process inside the socket's own callback; the session knows its error.
      connection.close();
    }
  }

  function ended(reason: CloseReason): void {
    const wasUp = status.kind === "up";
    open = undefined;
    trying = false;
    session.onClose(reason);
    if (released) return;
    if (wasUp && platform.nowMs() - upSinceMs >= stableMs) attempt = 0;
    if (wasUp && attempt === 0 && (reason === "lost" || reason === "asked" || reason === "too_slow")) {
      // A single loss is mended without a word; `attempt` keeps a connection that dies at once from spinning.
      attempt = 1;
      setStatus({ kind: "connecting" });
      void connect();
      return;
    }
    failed(reason, refusedBy);
  }

  /** Whoever cannot connect, twice in a row, wants to know why; it is found out beside the next tries. */
  async function findCause(): Promise<void> {
    const cause = await whyNoSocket(platform, params.httpUrl());
    if (cause !== undefined && status.kind === "down" && status.cause === undefined && !released) setStatus({ ...status, cause });
  }

  function failed(reason: CloseReason, error?: unknown): void {
    if (released) return;
    attempt += 1;
    const nowMs = platform.nowMs();
    const cause = error instanceof ClientError && error.code !== "offline" ? error : undefined;
    const delayMs = Math.max(cause?.retryAfterMs ?? 0, backoffMs({ attempt, reason, random: platform.random }));
    cancelTimer();
    cancelTimer = platform.setTimer(delayMs, () => void connect());
    setStatus({
      kind: "down",
      sinceMs: status.kind === "down" ? status.sinceMs : nowMs,
      nextTryMs: nowMs + delayMs,
      ...(cause && { cause }),
    });
    if (attempt > 1 && error !== undefined && cause === undefined) void findCause();
  }

  void connect();
  return {
    get connection() {
      return status.kind === "up" ? open : undefined;
    },
    get status() {
      return status;
    },
    reconnect() {
      if (released) return;
      attempt = 0;
      if (open === undefined) void connect();
      else open.close();
    },
    wake() {
      if (released) return;
      attempt = 0;
      const current = open;
      if (current === undefined) void connect();
      // A request that gets no answer in time ends the connection, and that makes a new one.
      else void current.request({ kind: "ping" }, { timeoutMs: aliveTimeoutMs }).catch(() => undefined);
    },
    release() {
      if (released) return;
      released = true;
      cancelTimer();
      open?.close();
    },
  };
}

/** Why no connection came about. */
function reasonOf(error: unknown): CloseReason {
  if (!(error instanceof ClientError)) return "lost";
  if (error.code === "app_outdated" || error.code === "server_outdated") return "outdated";
  if (error.code === "server_lied") return "protocol";
  return error.code === "rate_limited" ? "rate_limited" : "lost";
}
