import type { CatchUp } from "../api.ts";
import { hasEnded } from "../core/phase.ts";
import type { ConversationState } from "../core/types.ts";

/** Fewer entries are read before anybody could look. */
const leastTold = 100;
const betweenMs = 250;

/** What the conversations of a profile have read of what came while it was away, and what is left of it. */
export class CatchUpProgress {
  readonly #nowMs: () => number;
  readonly #tell: (progress: CatchUp | undefined) => void;
  /** By conversation: the last entry that was read, and how many the server says are left. */
  readonly #logs = new Map<string, { readonly seq: number; readonly left: number }>();
  #read = 0;
  #left = 0;
  #toldAtMs: number | undefined;

  constructor(params: { nowMs: () => number; tell: (progress: CatchUp | undefined) => void }) {
    this.#nowMs = params.nowMs;
    this.#tell = params.tell;
  }

  /** A conversation was read on, or its stream began or ended. */
  moved({ id, chain, link, phase }: ConversationState): void {
    const before = this.#logs.get(id);
    const isReading = link.kind === "following" && !hasEnded(phase);
    // By the server's word alone: it moves nothing but what is shown here.
    const left = isReading ? Math.max(0, link.readUpTo - chain.seq) : 0;
    if (before !== undefined && before.left > 0) this.#read += Math.min(before.left, Math.max(0, chain.seq - before.seq));
    this.#left += left - (before?.left ?? 0);
    this.#logs.set(id, { seq: chain.seq, left });
    if (this.#left === 0) this.#end();
    else this.#progress();
  }

  #progress(): void {
    const of = this.#read + this.#left;
    const nowMs = this.#nowMs();
    // A clock that was put back does not keep it silent.
    if (of < leastTold || (this.#toldAtMs !== undefined && Math.abs(nowMs - this.#toldAtMs) < betweenMs)) return;
    this.#toldAtMs = nowMs;
    this.#tell({ read: this.#read, of });
  }

  #end(): void {
    this.#read = 0;
    if (this.#toldAtMs === undefined) return;
    this.#toldAtMs = undefined;
    this.#tell(undefined);
  }
}
