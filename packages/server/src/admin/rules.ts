import { isReservedUsername } from "@latchkey/protocol";
import type { Restriction } from "@latchkey/protocol/desk";
import { keyOf } from "../keys.ts";
import type { StoredRestriction } from "../store/accounts.ts";
import type { StoredRules } from "../store/admin-store.ts";
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
  /** Whether this is taken from an account now, by itself or because it is suspended. */
  isRestricted(accountId: Uint8Array, what: Restriction): boolean;
  /** Whether the account that has this name now is not to be found by it. */
  isNameHidden(username: string): Promise<boolean>;
  /** Whether an inbox is one of an account that gets no invitations. */
  isInboxClosed(inboxId: Uint8Array): boolean;
  /** A device of this account has another inbox: what is taken from the account holds for that one too. @throws StoreError */
  followInboxes(accountId: Uint8Array): Promise<void>;
  quota(name: QuotaName): number;
  /** What everybody is told; "" for nothing. */
  readonly announcement: string;
}

/** What is taken from one account, and its inboxes. */
interface Restricted {
  readonly accountId: Uint8Array;
  readonly restrictions: readonly StoredRestriction[];
  readonly inboxes: ReadonlySet<string>;
}

/** The operator's decisions, and the desk's about accounts: each is on disk before it counts. */
export class Rules implements OperatorRules {
  readonly #store: RulesStore;
  #names: ReadonlySet<string>;
  /** The accounts from which something is taken, and the inboxes of each. */
  readonly #restricted: Map<string, Restricted>;
  readonly #today: () => number;
  #settings: ReadonlyMap<string, string>;
  /** The account whose inboxes were looked at last though nothing said that they are others. */
  #lookedAt = 0;
  /** One after the other: what was read last counts. */
  #loading: Promise<void> = Promise.resolve();
  /** Told when something else is taken from somebody, or nothing any more. */
  onRestricted: () => void = () => undefined;
  /** Told when this process has changed something, which others have to read. */
  onChanged: () => void = () => undefined;

  private constructor(
    store: RulesStore,
    parts: { names: ReadonlySet<string>; restricted: Map<string, Restricted>; settings: ReadonlyMap<string, string>; today: () => number },
  ) {
    this.#store = store;
    this.#names = parts.names;
    this.#restricted = parts.restricted;
    this.#today = parts.today;
    this.#settings = parts.settings;
  }

  /** What is stored. `today` is of the guarded clock. @throws StoreError */
  static async load(store: RulesStore, today: () => number): Promise<Rules> {
    const { reservedNames, settings } = await store.admin.rules();
    const rules = new Rules(store, {
      names: new Set(reservedNames),
      restricted: new Map(),
      settings: new Map(Object.entries(settings)),
      today,
    });
    await rules.#loadRestricted();
    return rules;
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
    return this.#has(this.#restricted.get(keyOf(accountId)), "suspended");
  }

  /** Those that are suspended now. */
  suspended(): readonly Uint8Array[] {
    return [...this.#restricted.values()].filter((one) => this.#has(one, "suspended")).map(({ accountId }) => accountId);
  }

  isRestricted(accountId: Uint8Array, what: Restriction): boolean {
    const restricted = this.#restricted.get(keyOf(accountId));
    // A suspended account is still found by its name (spec A-9).
    return this.#has(restricted, what) || (what !== "name-look-up" && this.#has(restricted, "suspended"));
  }

  async isNameHidden(username: string): Promise<boolean> {
    // Nobody is, but for few and for some time: only then is it asked who has the name.
    if (![...this.#restricted.values()].some((restricted) => this.#has(restricted, "name-look-up"))) return false;
    const { restricted } = await this.#store.admin.rules();
    return restricted.some((one) => one.username === username && one.what === "name-look-up" && this.#holds(one));
  }

  isInboxClosed(inboxId: Uint8Array): boolean {
    if (this.#restricted.size === 0) return false;
    const key = keyOf(inboxId);
    return [...this.#restricted.values()].some(
      (restricted) => restricted.inboxes.has(key) && (this.#has(restricted, "invitations") || this.#has(restricted, "suspended")),
    );
  }

  followInboxes(accountId: Uint8Array): Promise<void> {
    return this.#inTurn(async () => {
      if (await this.#readInboxes(keyOf(accountId))) this.onChanged();
    });
  }

  /**
   * Takes in what another process has stored. The inboxes of an account are read where something else is taken from it, or of all with
   * `isWhole`; else of one account more each time. @throws StoreError
   */
  reload({ isWhole }: { readonly isWhole: boolean }): Promise<void> {
    return this.#inTurn(async () => {
      const { reservedNames, settings, restricted } = await this.#store.admin.rules();
      [this.#names, this.#settings] = [new Set(reservedNames), new Map(Object.entries(settings))];
      await this.#takeIn(restricted, isWhole ? "all" : "changed");
      const keys = [...this.#restricted.keys()];
      const key = keys[this.#lookedAt++ % Math.max(1, keys.length)];
      if (!isWhole && key !== undefined) await this.#readInboxes(key);
    });
  }

  quota(name: QuotaName): number {
    return Number(this.#settings.get(name) ?? 0);
  }

  async keepName(name: string, isReserved: boolean): Promise<void> {
    await this.#inTurn(async () => {
      await this.#store.admin.setNameReserved({ name, isReserved });
      const others = [...this.#names].filter((kept) => kept !== name);
      this.#names = new Set(isReserved ? [...others, name] : others);
    });
    this.onChanged();
  }

  /** Suspends the account that has this name, or ends what the operator suspended; answers which it is. */
  async suspend(params: { username: string; isSuspended: boolean; day: number }): Promise<Uint8Array | undefined> {
    const found = await this.#store.admin.setSuspended(params);
    if (found === undefined) return undefined;
    await this.#loadRestricted();
    return found.accountId;
  }

  /** Sets what the desk takes from an account, all of it; its end is each one's day. */
  async restrict(params: { accountId: Uint8Array; restrictions: readonly Omit<StoredRestriction, "by">[] }): Promise<void> {
    await this.#store.admin.setRestrictions(params);
    await this.#loadRestricted();
  }

  /** Removes what is over. It has not held since its day came. */
  async expire(): Promise<void> {
    if ((await this.#store.admin.expireRestrictions({ day: this.#today() })) > 0) await this.#loadRestricted();
  }

  setQuota(name: QuotaName, value: number): Promise<void> {
    return this.#set(name, value === 0 ? "" : String(value));
  }

  announce(text: string): Promise<void> {
    return this.#set(announcementSetting, text);
  }

  /** Takes in all at once what is stored, so that nobody is let through meanwhile. */
  async #loadRestricted(): Promise<void> {
    await this.#inTurn(async () => this.#takeIn((await this.#store.admin.rules()).restricted, "all"));
    this.onRestricted();
    this.onChanged();
  }

  async #takeIn(stored: StoredRules["restricted"], inboxes: "all" | "changed"): Promise<void> {
    const loaded = new Map<string, Restricted>();
    for (const [key, restrictions] of Map.groupBy(stored, ({ accountId }) => keyOf(accountId))) {
      const [first] = restrictions;
      if (first === undefined) continue;
      const { accountId } = first;
      const before = this.#restricted.get(key);
      const isKnown = inboxes === "changed" && before !== undefined && isSame(before.restrictions, restrictions);
      loaded.set(key, { accountId, restrictions, inboxes: isKnown ? before.inboxes : await closedInboxes(this.#store, accountId) });
    }
    this.#restricted.clear();
    for (const [key, one] of loaded) this.#restricted.set(key, one);
  }

  /** Answers whether there is anything to keep from them. */
  async #readInboxes(key: string): Promise<boolean> {
    const restricted = this.#restricted.get(key);
    if (restricted === undefined) return false;
    this.#restricted.set(key, { ...restricted, inboxes: await closedInboxes(this.#store, restricted.accountId) });
    return true;
  }

  /** One that failed keeps none that follow it back. */
  #inTurn(load: () => Promise<void>): Promise<void> {
    this.#loading = this.#loading.then(load, load);
    return this.#loading;
  }

  #has(restricted: Restricted | undefined, what: StoredRestriction["what"]): boolean {
    if (restricted === undefined) return false;
    return restricted.restrictions.some((one) => one.what === what && this.#holds(one));
  }

  #holds({ untilDay }: StoredRestriction): boolean {
    return untilDay === undefined || this.#today() < untilDay;
  }

  async #set(name: string, value: string): Promise<void> {
    await this.#inTurn(async () => {
      await this.#store.admin.setSetting({ name, value });
      const settings = new Map(this.#settings);
      if (value === "") settings.delete(name);
      else settings.set(name, value);
      this.#settings = settings;
    });
    this.onChanged();
  }
}

function isSame(before: readonly StoredRestriction[], now: readonly StoredRestriction[]): boolean {
  const textOf = (all: readonly StoredRestriction[]): string =>
    all
      .map(({ what, by, sinceDay, untilDay }) => JSON.stringify([what, by, sinceDay, untilDay]))
      .toSorted()
      .join();
  return textOf(before) === textOf(now);
}

async function closedInboxes(store: RulesStore, accountId: Uint8Array): Promise<ReadonlySet<string>> {
  return new Set((await inboxesOf(store, accountId)).map(keyOf));
}
