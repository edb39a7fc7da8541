import { deskApiPath } from "@latchkey/client/desk";
import type { DeskErrorCode, DeskInput, DeskOperation, DeskOutput } from "@latchkey/client/desk";

/** Why the desk did not do something: its own reason, or that it did not answer at all. */
export type DeskRefusal = DeskErrorCode | "no_answer";

/** What came of an operation. */
export type DeskResult<Value> =
  | { readonly kind: "done"; readonly value: Value }
  | { readonly kind: "refused"; readonly code: DeskRefusal; readonly waitMs: number };

/** Asks the desk for one of its operations. */
export type AskDesk = <Name extends DeskOperation>(name: Name, input: DeskInput<Name>) => Promise<DeskResult<DeskOutput<Name>>>;

const timeoutMs = 30_000;
const mostWaits = 20;
const longestWaitMs = 20_000;

/** The desk of the server that the page is from. The session is a cookie that no script reads. */
export function createAskDesk(fetch: typeof globalThis.fetch): AskDesk {
  return async (name, input) => {
    try {
      const response = await fetch(`${deskApiPath}/${name}`, {
        method: "POST",
        body: JSON.stringify(input),
        cache: "no-store",
        credentials: "same-origin",
        signal: AbortSignal.timeout(timeoutMs),
      });
      const body: unknown = await response.json();
      // The contract is the server's, which this page came from.
      if (response.ok) return { kind: "done", value: body as DeskOutput<typeof name> };
      const { code, retryAfterMs } = body as { readonly code?: DeskErrorCode; readonly retryAfterMs?: number };
      return { kind: "refused", code: code ?? "no_answer", waitMs: retryAfterMs ?? 0 };
    } catch {
      // Offline, too late, or no JSON: nothing that the person could tell apart.
      return { kind: "refused", code: "no_answer", waitMs: 0 };
    }
  };
}

/** The same for much that is read in a row: where it is too much at once it waits as long as the desk says, and goes on. */
export function patient(ask: AskDesk, pause: (ms: number) => Promise<void>): AskDesk {
  return async (name, input) => {
    for (let waits = 0; ; waits += 1) {
      const result = await ask(name, input);
      if (result.kind === "done" || result.code !== "rate_limited" || waits >= mostWaits) return result;
      await pause(Math.min(Math.max(result.waitMs, 250), longestWaitMs));
    }
  };
}
