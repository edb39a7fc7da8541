import type { LeaseName, LeaseOutcome, LeaseStore } from "../lease-store.ts";
import type { Leases } from "../sql/leases.ts";
import type { Steps } from "../sql/steps.ts";

interface Lease {
  term: number;
  holder: string;
  /** By a clock that never jumps, in milliseconds. */
  untilMs: number;
  isWanted: boolean;
}

/* oxlint-disable require-yield -- nothing has to travel */
/** Leases of a store that one process has: they end with it, and so does whoever had one. */
export class MemoryLeases implements Leases {
  readonly #leases = new Map<LeaseName, Lease>();

  *take({ name, holder, forMs }: Parameters<LeaseStore["takeLease"]>[0]): Steps<LeaseOutcome> {
    const nowMs = performance.now();
    const lease = this.#leases.get(name);
    const isHeld = lease !== undefined && lease.untilMs > nowMs;
    if (isHeld && lease.holder !== holder) {
      lease.isWanted = true;
      return { kind: "held", leftMs: lease.untilMs - nowMs };
    }
    const term = (lease?.term ?? 0) + (isHeld ? 0 : 1);
    this.#leases.set(name, { term, holder, untilMs: nowMs + forMs, isWanted: false });
    return { kind: "taken", term };
  }

  *giveBack({ name, term }: Parameters<LeaseStore["giveBackLease"]>[0]): Steps<{ readonly isWanted: boolean }> {
    const lease = this.#leases.get(name);
    if (lease?.term !== term) return { isWanted: false };
    lease.untilMs = -Infinity;
    return { isWanted: lease.isWanted };
  }

  *isNewest(name: LeaseName, term: number): Steps<boolean> {
    return this.#leases.get(name)?.term === term;
  }
}
