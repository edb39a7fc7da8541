import { isReservedUsername } from "@latchkey/protocol";
import { keyOf } from "../keys.ts";
import type { Store } from "../store/store.ts";
import { inboxesOf } from "./closed-inboxes.ts";

type RulesStore = Pick<Store, "admin" | "accountHead" | "inboxOf">;

/** Settings of the operator, with their bounds; 0 is no bound of theirs. */
export const settingBounds = {
  /** Accounts that this server has at most. */
  "max-accounts": { least: 0, most: 100_000_000 },
  /** Megabytes of files that it takes in a day, from everybody together. */
  "blob-megabytes-per-day": { least: 0, most: 100_000_000 },
} as const;

/** The name of a setting. */
export type QuotaName = keyof typeof settingBounds;

const announcementSetting = "announcement";

/** What the operator has decided, as the services ask for it: from memory, since it is asked on every request. */
export interface OperatorRules {
  /** Whether the operator keeps a name, or one that reads like it, for nobody. */
  isNameKept(username: string): boolean;
  isSuspended(accountId: Uint8Array): boolean;
  /** Whether an inbox is one of a suspended account's. */
  isInboxClosed(inboxId: Uint8Array): boolean;
  quota(name: QuotaName): number;
  /** What everybody is told; "" for nothing. */
  readonly announcement: string;
}

/** The operator's decisions: each is on disk before it counts. */
export class Rules implements OperatorRules {
  readonly #store: RulesStore;
  readonly #names: Set<string>;
  /** The suspended accounts, and the inboxes of each: while it is suspended it gets no others. */
  readonly #suspended: Map<string, ReadonlySet<string>>;
  readonly #settings: Map<string, string>;

  private constructor(
    store: RulesStore,
    parts: { names: Set<string>; suspended: Map<string, ReadonlySet<string>>; settings: Map<string, string> },
  ) {
    this.#store = store;
    this.#names = parts.names;
    this.#suspended = parts.suspended;
    this.#settings = parts.settings;
  }

  /** What is stored. @throws StoreError */
  static async load(store: RulesStore): Promise<Rules> {
    const { reservedNames, suspended, settings } = await store.admin.rules();
    const closed = new Map<string, ReadonlySet<string>>();
    for (const { accountId } of suspended) closed.set(keyOf(accountId), await closedInboxes(store, accountId));
    return new Rules(store, {
      names: new Set(reservedNames),
      suspended: closed,
      settings: new Map(Object.entries(settings)),
    });
  }

  get announcement(): string {
    return this.#settings.get(announcementSetting) ?? "";
  }

  get keptNames(): readonly string[] {
    return [...this.#names].sort();
  }

  isNameKept(username: string): boolean {
    return this.#names.size > 0 && isReservedUsername(username, [...this.#names]);
  }

  isSuspended(accountId: Uint8Array): boolean {
    return this.#suspended.has(keyOf(accountId));
  }

  isInboxClosed(inboxId: Uint8Array): boolean {
    if (this.#suspended.size === 0) return false;
    const key = keyOf(inboxId);
    return [...this.#suspended.values()].some((inboxes) => inboxes.has(key));
  }

  quota(name: QuotaName): number {
    return Number(this.#settings.get(name) ?? 0);
  }

  async keepName(name: string, isReserved: boolean): Promise<void> {
    await this.#store.admin.setNameReserved({ name, isReserved });
    if (isReserved) this.#names.add(name);
    else this.#names.delete(name);
  }

  /** Suspends the account that has this name, or ends that; answers which it is. */
  async suspend(params: { username: string; isSuspended: boolean; day: number }): Promise<Uint8Array | undefined> {
    const found = await this.#store.admin.setSuspended(params);
    if (found === undefined) return undefined;
    if (params.isSuspended) this.#suspended.set(keyOf(found.accountId), await closedInboxes(this.#store, found.accountId));
    else this.#suspended.delete(keyOf(found.accountId));
    return found.accountId;
  }

  setQuota(name: QuotaName, value: number): Promise<void> {
    return this.#set(name, value === 0 ? "" : String(value));
  }

  announce(text: string): Promise<void> {
    return this.#set(announcementSetting, text);
  }

  async #set(name: string, value: string): Promise<void> {
    await this.#store.admin.setSetting({ name, value });
    if (value === "") this.#settings.delete(name);
    else this.#settings.set(name, value);
  }
}

async function closedInboxes(store: RulesStore, accountId: Uint8Array): Promise<ReadonlySet<string>> {
  return new Set((await inboxesOf(store, accountId)).map(keyOf));
}
