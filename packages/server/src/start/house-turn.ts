import type { LeaseStore } from "../store/lease-store.ts";

/**
 * How long a node keeps house for all nodes: until shortly before it asks again, each hour. Another one does it once this one has ended, an
 * hour later at most, or at once where it has given it back.
 */
const houseMs = 3_000_000;

/** Which of the nodes of a store removes from it what has expired. A process alone always does. */
export class HouseTurn {
  readonly #leases: LeaseStore;
  readonly #holder: string;
  #term: number | undefined;

  constructor(leases: LeaseStore, holder: string) {
    this.#leases = leases;
    this.#holder = holder;
  }

  /** Whether it is this node's now. @throws StoreError */
  async take(): Promise<boolean> {
    const lease = await this.#leases.takeLease({ name: "house", holder: this.#holder, forMs: houseMs });
    this.#term = lease.kind === "taken" ? lease.term : undefined;
    return this.#term !== undefined;
  }

  /** Leaves it to another node. @throws StoreError */
  async giveBack(): Promise<void> {
    if (this.#term === undefined) return;
    await this.#leases.giveBackLease({ name: "house", term: this.#term });
    this.#term = undefined;
  }
}
