import { fromBase64Url } from "@latchkey/codec";
import type { AppendSecret } from "@latchkey/protocol";
import type { ContactRequest, ContactRequests, Person } from "../api.ts";
import { ClientError } from "../errors.ts";
import type { Shelved } from "./inbox-shelf.ts";
import type { InboxWork } from "./inbox-work.ts";
import type { World } from "./world.ts";

/** Tries after which an invitation of somebody accepted is shown as one that is being tried. */
const shownTries = 3;

/** What waits for the person to decide, by sender, and whom they blocked (spec I-4). */
export class Requests {
  readonly #world: World;
  readonly #items: InboxWork;

  constructor(world: World, items: InboxWork) {
    this.#world = world;
    this.#items = items;
  }

  async list(): Promise<ContactRequests> {
    const { people } = this.#world;
    const bySender = new Map<string, Shelved[]>();
    for (const item of this.#items.shelf.list()) {
      if (isShown(item)) bySender.set(item.account, [...(bySender.get(item.account) ?? []), item]);
    }
    await people.load([...bySender.keys()].map((account) => fromBase64Url(account)));
    const list = [...bySender].map(([account, items]): ContactRequest => {
      const waiting = items.filter(({ stage }) => stage !== "failed");
      const state = waiting.some(({ stage }) => stage === "request") ? "asks" : waiting.length > 0 ? "joining" : "failed";
      const receivedAtMs = Math.max(...items.map((item) => item.receivedAtMs));
      return { id: account, person: people.person(fromBase64Url(account)), receivedAtMs, count: items.length, state };
    });
    return { list: list.toSorted((a, b) => b.receivedAtMs - a.receivedAtMs), dropped: this.#items.shelf.dropped };
  }

  /** Ids of the conversations that were joined. @throws ClientError `unknown_request`, `invitation_expired` */
  async accept(id: string): Promise<readonly string[]> {
    this.#require(id);
    await this.#world.standings.accept([fromBase64Url(id)]);
    const { joined, isPending, hasFailed } = await this.#items.finish(id);
    if (joined.length === 0 && !isPending && hasFailed) {
      throw new ClientError("invitation_expired", "This invitation cannot be opened any more. Ask them to write again.");
    }
    return joined;
  }

  /** Deals with what waits of an account that was accepted in another way. */
  async finish(id: string): Promise<void> {
    if (this.#items.shelf.list().some((item) => item.account === id && item.stage !== "failed")) await this.#items.finish(id);
  }

  /** @throws ClientError `unknown_request` */
  async decline(id: string): Promise<void> {
    this.#require(id);
    await this.#world.standings.decline(fromBase64Url(id));
    await this.#items.finish(id);
  }

  async block(id: string): Promise<void> {
    const { standings, appendSecrets } = this.#world;
    const accountId = accountIdOf(id);
    // Whom the person had accepted may know the append secret: in one transaction it is another one (spec I-1). The other devices hear of it
    // before they hear of the block: else they would take it for one that the blocked person knows.
    let renewed: AppendSecret | undefined;
    const mayKnow = standings.of(accountId) === "accepted";
    await standings.setBlocked(accountId, true, {
      async write(tx) {
        if (mayKnow) renewed = await appendSecrets.renew(tx);
      },
      stored() {
        if (renewed !== undefined) appendSecrets.adopt(renewed);
      },
    });
    await this.#items.finish(id);
  }

  async unblock(id: string): Promise<void> {
    await this.#world.standings.setBlocked(accountIdOf(id), false);
  }

  async blocked(): Promise<readonly Person[]> {
    const { people, standings } = this.#world;
    const accounts = standings.blocked().map((account) => fromBase64Url(account));
    await people.load(accounts);
    return accounts.map((account) => people.person(account));
  }

  #require(id: string): void {
    if (!this.#items.shelf.list().some((item) => item.account === id && isShown(item))) {
      throw new ClientError("unknown_request", "There is no such request.");
    }
  }
}

function isShown({ stage, wasRequest, attempts, isStrangers }: Shelved): boolean {
  if (stage === "request" || stage === "failed") return true;
  return stage === "work" && !isStrangers && (wasRequest || attempts >= shownTries);
}

/** @throws ClientError `unknown_user` */
function accountIdOf(id: string): Uint8Array {
  try {
    const accountId = fromBase64Url(id);
    if (accountId.length === 32) return accountId;
  } catch {
    // Not base64url: the same answer.
  }
  throw new ClientError("unknown_user", "This is no account.");
}
