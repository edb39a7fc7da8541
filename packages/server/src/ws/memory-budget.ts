import type { Network } from "../addresses.ts";

/** A connection that makes the server hold bytes: of messages that are not finished, not looked at yet, or not taken. */
export interface Holder {
  readonly networks: readonly Network[];
  /** What it was last counted with. */
  readonly heldBytes: number;
  /** Counts anew what it holds. */
  recount(): void;
  /** Ends it at once; what it held is given back. */
  evict(): void;
}

/**
 * The memory that all connections together hold, in all and by network. Above a limit the connection that holds most is ended: of the
 * network that is above its own, or of the network with the most. Others notice nothing.
 */
export class MemoryBudget {
  readonly #maxBytes: number;
  readonly #maxBytesPerAddress: number;
  readonly #byNetwork = new Map<string, number>();
  readonly #holders = new Set<Holder>();
  #total = 0;
  #isRelieving = false;

  constructor(params: { maxBytes: number; maxBytesPerAddress: number }) {
    this.#maxBytes = params.maxBytes;
    this.#maxBytesPerAddress = params.maxBytesPerAddress;
  }

  get totalBytes(): number {
    return this.#total;
  }

  /** A connection holds so many bytes more, or fewer; `heldBytes` says it already. */
  change(holder: Holder, byBytes: number): void {
    this.#total += byBytes;
    for (const { key } of holder.networks) {
      const left = (this.#byNetwork.get(key) ?? 0) + byBytes;
      if (left === 0) this.#byNetwork.delete(key);
      else this.#byNetwork.set(key, left);
    }
    if (holder.heldBytes === 0) this.#holders.delete(holder);
    else this.#holders.add(holder);
    if (byBytes > 0 && !this.#isRelieving) this.#relieve(holder);
  }

  /** Whether so much is held around a connection that it should wait before it holds more. */
  isTight(holder: Holder): boolean {
    if (this.#total > this.#maxBytes / 2) return true;
    return holder.networks.some(({ key, factor }) => (this.#byNetwork.get(key) ?? 0) > (factor * this.#maxBytesPerAddress) / 2);
  }

  #relieve(holder: Holder): void {
    if (this.#excess(holder) === undefined) return;
    this.#isRelieving = true;
    for (const each of this.#holders) each.recount();
    for (;;) {
      const network = this.#excess(holder);
      if (network === undefined) break;
      let most: Holder | undefined;
      for (const each of this.#holders) {
        const isIn = each.networks.some(({ key }) => key === network);
        if (isIn && each.heldBytes > (most?.heldBytes ?? 0)) most = each;
      }
      if (most === undefined) break;
      most.evict();
    }
    this.#isRelieving = false;
  }

  /** The network in which somebody has to go. */
  #excess(holder: Holder): string | undefined {
    for (const { key, factor } of holder.networks) {
      if ((this.#byNetwork.get(key) ?? 0) > factor * this.#maxBytesPerAddress) return key;
    }
    if (this.#total <= this.#maxBytes) return undefined;
    let fullest: string | undefined;
    let most = 0;
    for (const each of this.#holders) {
      // The widest network that each is in: whoever has many addresses is one.
      const key = each.networks.at(-1)?.key ?? "";
      const bytes = this.#byNetwork.get(key) ?? 0;
      if (bytes > most) [fullest, most] = [key, bytes];
    }
    return fullest;
  }
}
