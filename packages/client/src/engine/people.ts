import { decode, encode, equalBytes, struct, text, toBase64Url } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { formatAddress } from "@latchkey/protocol";
import { deviceOf } from "@latchkey/transparency";
import type { LogEvidence } from "@latchkey/transparency";
import type { Contact } from "../account/contacts.ts";
import { isProven } from "../account/contacts.ts";
import type { Directory } from "../account/directory.ts";
import type { OwnAccount } from "../account/own-account.ts";
import { encodeProofs } from "../account/proofs.ts";
import type { Person } from "../api.ts";
import { hasLeft } from "../core/departed.ts";
import type { RosterLeaf } from "../core/types.ts";
import { cleanName } from "../names/clean.ts";
import { ShownNames } from "../names/shown-names.ts";
import type { Store, StoreTransaction } from "../store/store.ts";
import type { Standings } from "./standings.ts";

const nameCodec: Codec<{ displayName: string }> = struct<{ displayName: string }>({ displayName: text(1024) });
const nameKey = (account: string): string => `display-name/${account}`;

/** The name that a person wants to be shown by, as it is stored. @param account id in base64url */
export async function storedName(tx: StoreTransaction, account: string): Promise<string | undefined> {
  const stored = await tx.get(nameKey(account));
  return stored === undefined ? undefined : decode(nameCodec, stored).displayName;
}

/**
 * The accounts that this profile has met, at hand without waiting: what a conversation needs while it takes a step, and what
 * the app shows of people. A cache of the store; ids are base64url of account ids.
 */
export class People {
  readonly #contacts = new Map<string, Contact>();
  /** Whose name was looked for in the store: a contact may be at hand before that. */
  readonly #read = new Set<string>();
  readonly #names = new ShownNames();
  /** How each person was shown last, so that whoever is shown otherwise now is told. */
  readonly #shown = new Map<string, Person>();
  readonly #listeners = new Set<(people: readonly Person[]) => void>();
  #isTelling = false;
  #hasServerName = false;
  readonly #store: Store;
  readonly #directory: Directory;
  readonly #world: { readonly own: OwnAccount };
  readonly #standings: Standings;
  readonly #ownId: string;

  /** @param params `own` is read each time: it changes with the account's states. */
  constructor(params: { store: Store; directory: Directory; own: OwnAccount; standings: Standings }) {
    this.#store = params.store;
    this.#directory = params.directory;
    this.#world = params;
    this.#standings = params.standings;
    this.#ownId = toBase64Url(params.own.accountId);
    const { host, username, displayName } = params.own;
    this.#names.setServerNames([host]);
    this.#names.setUsername(this.#ownId, username);
    this.#names.setName(this.#ownId, displayName);
  }

  /** Fetches what tells which names look alike; call before people are shown. */
  async prepare(): Promise<void> {
    await this.#names.prepare();
  }

  /** Calls `listener` with those who are shown otherwise than before, because of a name that came; returns how to stop. */
  onRenamed(listener: (people: readonly Person[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** This person's own account, in both forms. */
  get self(): { readonly account: string; readonly accountId: Uint8Array } {
    return { account: this.#ownId, accountId: this.#own.accountId };
  }

  get hasServerName(): boolean {
    return this.#hasServerName;
  }

  /** What the server calls itself: nobody else is shown so. */
  setServerName(name: string): void {
    this.#hasServerName = true;
    this.#names.setServerNames([this.#own.host, name]);
    this.#tellRenamed();
  }

  /** Once for all names that come in one go. */
  #tellRenamed(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    queueMicrotask(() => {
      this.#isTelling = false;
      const renamed: Person[] = [];
      for (const [id, before] of this.#shown) {
        const now = this.#personOf(id);
        if (now.displayName !== before.displayName || now.besideName !== before.besideName) renamed.push(now);
      }
      if (renamed.length > 0) for (const listener of this.#listeners) listener(renamed);
    });
  }

  /** Brings these accounts to hand, as far as the store knows them. */
  async load(accountIds: Iterable<Uint8Array>): Promise<void> {
    const missing = new Map<string, Uint8Array>();
    for (const accountId of accountIds) {
      const id = toBase64Url(accountId);
      if (!this.#contacts.has(id) || !this.#read.has(id)) missing.set(id, accountId);
    }
    if (missing.size === 0) return;
    await this.#store.transact("read", async (tx) => {
      for (const [id, accountId] of missing) {
        const contact = await this.#directory.cached(tx, accountId);
        if (contact !== undefined) this.keep(contact);
        const stored = await tx.get(nameKey(id));
        // A name that came meanwhile is newer.
        if (stored !== undefined && !this.#read.has(id)) this.#names.setName(id, decode(nameCodec, stored).displayName);
        this.#read.add(id);
      }
    });
    this.#tellRenamed();
  }

  /** One's own name is another now. */
  showSelf(): void {
    this.#names.setName(this.#ownId, this.#own.displayName);
    this.#tellRenamed();
  }

  /** Takes in a verified account. */
  keep(contact: Contact): void {
    const id = toBase64Url(contact.accountId);
    const known = this.#contacts.get(id);
    const { version } = contact.account.state;
    const isNews = known === undefined || known.account.state.version < version;
    if (isNews || (known.account.state.version === version && known.checkedAtMs <= contact.checkedAtMs)) this.#contacts.set(id, contact);
    else if (known.nameLookedUpAtMs < contact.nameLookedUpAtMs)
      this.#contacts.set(id, { ...known, nameLookedUpAtMs: contact.nameLookedUpAtMs });
    this.#names.setUsername(id, this.#contacts.get(id)?.username ?? contact.username);
    this.#tellRenamed();
  }

  /** Remembers the name by which a person wants to be shown, in the caller's transaction. */
  setName(tx: StoreTransaction, accountId: Uint8Array, text: string): void {
    const id = toBase64Url(accountId);
    const displayName = cleanName(text);
    tx.put(nameKey(id), encode(nameCodec, { displayName }));
    tx.afterCommit(() => {
      this.#names.setName(id, displayName);
      this.#read.add(id);
      this.#tellRenamed();
    });
  }

  get #own(): OwnAccount {
    return this.#world.own;
  }

  /** Whether a verified account state holds this leaf's key for its device (spec A-5). */
  vouches(leaf: Omit<RosterLeaf, "leafIndex">): boolean {
    if (leaf.account === this.#ownId) {
      const device = deviceOf(this.#own.account, leaf.deviceId);
      return device !== undefined && leaf.host === this.#own.host && equalBytes(device.signatureKey, leaf.signaturePublicKey);
    }
    const contact = this.#contacts.get(leaf.account);
    // What the public record has not proven may be shown to this device alone (spec D-1).
    if (contact === undefined || contact.host !== leaf.host || !isProven(contact)) return false;
    const device = deviceOf(contact.account, leaf.deviceId);
    return device !== undefined && equalBytes(device.signatureKey, leaf.signaturePublicKey);
  }

  /** Whether the leaf's device was in its account and is not any more (spec M-3). */
  departed(leaf: Omit<RosterLeaf, "leafIndex">): boolean {
    if (leaf.account === this.#ownId) return hasLeft(this.#own.account, this.#own.record.states, leaf);
    const contact = this.#contacts.get(leaf.account);
    return (
      contact !== undefined && contact.host === leaf.host && isProven(contact) && hasLeft(contact.account, contact.record.states, leaf)
    );
  }

  /** A verified account that was met; `undefined` for others and for one's own. */
  contact(accountId: Uint8Array): Contact | undefined {
    return this.#contacts.get(toBase64Url(accountId));
  }

  /** The records of these accounts, for other members; with the log that they stand in, where those must judge by them alike (spec M-2). */
  recordsOf(accountIds: readonly Uint8Array[], log?: LogEvidence): Uint8Array {
    const ids = new Set(accountIds.map((accountId) => toBase64Url(accountId)));
    const records = [...ids].flatMap((id) =>
      id === this.#ownId ? this.#directory.ownRecord(this.#own.record) : (this.#contacts.get(id)?.record ?? []),
    );
    return records.length === 0 ? new Uint8Array(0) : encodeProofs(records, log);
  }

  isBlocked(accountId: Uint8Array): boolean {
    return this.#standings.of(accountId) === "blocked";
  }

  /** The person behind an account; an account not met yet is shown by the beginning of its id. */
  person(accountId: Uint8Array): Person {
    return this.#personOf(toBase64Url(accountId));
  }

  #personOf(id: string): Person {
    const person = this.#describe(id);
    this.#shown.set(id, person);
    return person;
  }

  #describe(id: string): Person {
    const own = this.#own;
    if (id === this.#ownId) {
      const { username, host, displayName } = own;
      return { accountId: id, username, host, address: username, displayName, besideName: undefined, isSelf: true, isNameLookedUp: true };
    }
    const contact = this.#contacts.get(id);
    const username = contact?.username ?? id.slice(0, 8);
    const host = contact?.host ?? own.host;
    const address = formatAddress({ username, host }, own.host);
    const isNameLookedUp = contact !== undefined && contact.nameLookedUpAtMs > 0;
    const { displayName, isShared } = this.#names.shown(id, username);
    const besideName = (isShared || !isNameLookedUp) && address !== displayName ? address : undefined;
    return { accountId: id, username, host, address, displayName, besideName, isSelf: false, isNameLookedUp };
  }
}
