import { entryHead, joinEntry, meaningOf, splitEntry } from "@latchkey/protocol";
import type { WireError } from "@latchkey/protocol";
import { ClientError, refusal } from "../errors.ts";
import type { Platform } from "../platform/platform.ts";
import type { Connections } from "../transport/connection-manager.ts";
import type { RoleConnection } from "../transport/connection.ts";
import type { LinkPlace } from "./link-code.ts";
import { createSingleFlight } from "../single-flight.ts";

/** The log in which the two devices of a linking meet. */
export interface Rendezvous {
  /** Whether the log can be read and written now. */
  readonly isOpen: boolean;
  /** Appends an entry of these sealed bytes; sent again, the same, until the server has it. */
  append(blob: Uint8Array): void;
  /** Resolves when everything appended is on the server, to true; to false when the time is over. */
  drained(timeoutMs: number): Promise<boolean>;
  close(): void;
}

const retryMs = 3000;

/**
 * Opens the log of a linking (spec A-7): an ordinary log of the server, to which it is one like any other. Connects again after
 * each loss; entries are given in their order, each once.
 */
export function openRendezvous(params: {
  platform: Platform;
  connections: Connections;
  host: string;
  place: LinkPlace;
  /** The new device creates it. */
  creates: boolean;
  onEntry: (blob: Uint8Array) => void;
  /** The server has no such log, or refuses: the linking is over. */
  onRefused: (failure: ClientError) => void;
  /** What is to be said cannot be sent at all: the linking is over, too. */
  onFailed: (error: unknown) => void;
}): Rendezvous {
  const { platform, connections, host, place } = params;
  const waiting: Uint8Array[] = [];
  const drained: (() => void)[] = [];
  let connection: RoleConnection<"log"> | undefined;
  let lastSeq = 0;
  /** The log is to be made: whoever waits for that is told what the server has against it. */
  let isNew = params.creates;
  let closed = false;

  async function open(opening: RoleConnection<"log">): Promise<void> {
    const { logId, access } = place;
    const answer = await opening.request(
      isNew
        ? { kind: "create", logId, accessHash: platform.sha256(access), token: new Uint8Array(0) }
        : { kind: "open", logId, epochId: 0, access, afterSeq: lastSeq, closed: [] },
    );
    if (answer.kind === "error") {
      if (!isNew && meaningOf(answer) === "passing") throw refusal(answer);
      params.onRefused(isNew ? notMade(answer) : notThere());
      return;
    }
    isNew = false;
    connection = opening;
    void sending.wake();
  }

  const sending = createSingleFlight(async () => {
    try {
      for (;;) {
        const [blob] = waiting;
        const current = connection;
        if (blob === undefined || current === undefined || closed) return;
        const request = { kind: "append" as const, logId: place.logId, epochId: 0, entryKind: "message" as const, blob };
        const answer = await current.request(request);
        if (answer.kind === "error" && meaningOf(answer) === "passing") {
          platform.setTimer(Math.max(retryMs, answer.retryAfterMs), () => void sending.wake());
          return;
        }
        if (answer.kind === "error") params.onRefused(notThere());
        waiting.shift();
        if (waiting.length === 0) for (const resolve of drained.splice(0)) resolve();
      }
    } catch (error) {
      // With its connection lost it is sent again by the next one.
      if (error instanceof ClientError) return;
      waiting.length = 0;
      params.onFailed(error);
    }
  });

  const kept = connections.keep("log", host, {
    onOpen: (opened) => open(opened),
    onEvent(event) {
      if (event.kind !== "entry" || event.seq <= lastSeq || closed) return;
      lastSeq = event.seq;
      const sealed = splitEntry(event.blob)?.sealed;
      if (sealed !== undefined) params.onEntry(sealed.slice());
    },
    onClose() {
      connection = undefined;
    },
  });

  return {
    get isOpen() {
      return connection !== undefined;
    },
    append(blob) {
      waiting.push(joinEntry(entryHead([]), blob));
      void sending.wake();
    },
    drained(timeoutMs) {
      if (waiting.length === 0) return Promise.resolve(true);
      return new Promise((resolve) => {
        const cancel = platform.setTimer(timeoutMs, () => resolve(false));
        drained.push(() => {
          cancel();
          resolve(true);
        });
      });
    },
    close() {
      if (closed) return;
      closed = true;
      kept.release();
    },
  };
}

/** Nobody waits there. */
function notThere(): ClientError {
  return new ClientError("invalid_code", "No device waits under this code.");
}

/** Why the server makes no log for a device that has no account, and so no tokens: few are without, for each address (spec T-1). */
function notMade(answer: WireError): ClientError {
  if (answer.code !== "token_required") return refusal(answer);
  const { retryAfterMs } = answer;
  const words = "Too many devices were linked from this network address lately. Wait a minute and start again.";
  return new ClientError("rate_limited", words, { retryAfterMs });
}
