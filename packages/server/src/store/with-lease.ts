import { setTimeout } from "node:timers/promises";
import { StoreError } from "../errors.ts";
import type { LeaseName, LeaseStore } from "./lease-store.ts";

/** Longer than what is done at a start with a lease takes, and for how long a start waits for another one's. */
const forMs = 10_000;
const waitMs = 30_000;
const pollMs = 100;

/** Does what one node at a time does at its start, and gives the lease back. @throws StoreError `unavailable` where others take too long; what `work` throws */
export async function withLease<T>(
  leases: LeaseStore,
  { name, holder }: { readonly name: LeaseName; readonly holder: string },
  work: (term: number) => Promise<T>,
): Promise<T> {
  for (const untilMs = performance.now() + waitMs; ;) {
    const lease = await leases.takeLease({ name, holder, forMs });
    if (lease.kind === "taken") {
      try {
        return await work(lease.term);
      } finally {
        await leases.giveBackLease({ name, term: lease.term });
      }
    }
    if (performance.now() > untilMs) throw new StoreError("unavailable");
    await setTimeout(pollMs);
  }
}
