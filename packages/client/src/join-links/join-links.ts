import type { Store } from "../store/store.ts";
import { bookPrefix, heldPrefix, knockPrefix, withdrawnPrefix } from "./keys.ts";
import type { StoredLinks } from "./stored-links.ts";

/** The way to the join links of a profile. Most have none: what it takes to read them is loaded with the first. */
export class JoinLinks {
  readonly #store: Store;
  readonly #listeners = new Set<(conversationId: string) => void>();
  #opening: Promise<StoredLinks> | undefined;
  #stored: StoredLinks | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Brings what is stored to hand, where anything is. */
  async load(): Promise<void> {
    const isAny = await this.#store.transact("read", async (tx) => {
      for (const prefix of [bookPrefix, heldPrefix, knockPrefix, withdrawnPrefix]) if ((await tx.scan({ prefix })).length > 0) return true;
      return false;
    });
    if (isAny) await this.open();
  }

  /** All that is stored, at hand from now on. */
  open(): Promise<StoredLinks> {
    this.#opening ??= import("./stored-links.ts").then(async (module) => {
      const stored = new module.StoredLinks();
      await stored.load(this.#store);
      this.#stored = stored;
      return stored;
    });
    return this.#opening;
  }

  /** What is at hand; `undefined` where there is nothing. */
  get stored(): StoredLinks | undefined {
    return this.#stored;
  }

  /** Calls `listener` with every group of whose links something is another, or who may have them; returns how to stop. */
  onChange(listener: (conversationId: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells it, once it is stored. */
  changed(conversationId: string): void {
    for (const listener of this.#listeners) listener(conversationId);
  }
}
