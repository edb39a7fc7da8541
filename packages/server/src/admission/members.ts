/** Which accounts are connected from which network address, while they are. */
export interface Members {
  /** Keys of the accounts that have a connection from there now. */
  at(address: string): Iterable<string>;
}

/** Counts the connections of each account by address. In memory only, and no longer than they are open. */
export class ConnectedMembers implements Members {
  readonly #accounts = new Map<string, Map<string, number>>();

  at(address: string): Iterable<string> {
    return this.#accounts.get(address)?.keys() ?? [];
  }

  add(address: string, accountKey: string): void {
    const accounts = this.#accounts.get(address) ?? new Map<string, number>();
    this.#accounts.set(address, accounts.set(accountKey, (accounts.get(accountKey) ?? 0) + 1));
  }

  remove(address: string, accountKey: string): void {
    const accounts = this.#accounts.get(address);
    const left = (accounts?.get(accountKey) ?? 0) - 1;
    if (left > 0) accounts?.set(accountKey, left);
    else accounts?.delete(accountKey);
    if (accounts?.size === 0) this.#accounts.delete(address);
  }
}
