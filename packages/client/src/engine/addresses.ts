import { equalBytes } from "@latchkey/codec";
import { parseAddress } from "@latchkey/protocol";
import type { Address } from "@latchkey/protocol";
import type { Contact } from "../account/contacts.ts";
import type { Person } from "../api.ts";
import { ClientError } from "../errors.ts";
import type { World } from "./world.ts";

/** Finds people by what a person types. */
export class Addresses {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** @throws ClientError `invalid_address`, `other_server`, or what the directory says */
  async resolve(address: string): Promise<Contact> {
    const { directory, people } = this.#world;
    const contact = await directory.resolve(this.#parse(address));
    people.keep(contact);
    return contact;
  }

  /** Each account once. @throws ClientError as `resolve` */
  async resolveAll(addresses: readonly string[]): Promise<Contact[]> {
    const contacts: Contact[] = [];
    for (const address of addresses) {
      const contact = await this.resolve(address);
      if (!contacts.some((other) => equalBytes(other.accountId, contact.accountId))) contacts.push(contact);
    }
    return contacts;
  }

  /** @throws ClientError as `resolve` */
  async person(address: string): Promise<Person> {
    return await this.#met(await this.resolve(address));
  }

  /** The person agreed that the name stands for another account now. @throws ClientError */
  async acceptName(address: string): Promise<Person> {
    const { directory, people } = this.#world;
    const contact = await directory.acceptName(this.#parse(address));
    people.keep(contact);
    return await this.#met(contact);
  }

  async #met({ accountId }: Contact): Promise<Person> {
    await this.#world.people.load([accountId]);
    return this.#world.people.person(accountId);
  }

  #parse(address: string): Address {
    const parsed = parseAddress(address, this.#world.own.host);
    if (parsed === undefined) throw new ClientError("invalid_address", "An address is a username, or username@host.");
    this.#world.connections.httpUrl(parsed.host);
    return parsed;
  }
}
