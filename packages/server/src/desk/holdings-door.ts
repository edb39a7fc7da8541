import { randomBytes } from "node:crypto";
import { costOf } from "../admission/fair-queue.ts";
import type { FairQueue } from "../admission/fair-queue.ts";
import type { ServerContext } from "../config.ts";
import { Refusal } from "../errors.ts";
import { sha256 } from "../hash.ts";
import { openHoldings, pageBytes } from "./holdings.ts";
import type { HoldingsSource } from "./holdings.ts";

const ticketBytes = 32;
/** How long a ticket counts: who asks for one fetches at once. */
export const holdingsTicketMs = 60_000;
/** Tickets that count at once, of all accounts together: each of them costs its account a connection that proved to be its own. */
const maxTickets = 10_000;
const busyRetryMs = 10_000;

interface Ticket {
  readonly accountId: Uint8Array;
  readonly untilMs: number;
}

/**
 * Where a person's own device fetches the package of its account. It asks for a ticket where it has proved who it is, and shows that over
 * HTTP, where nothing else says who asks: a random number that counts once and for a minute, in memory alone and as a hash. An account has
 * one ticket, the newest, and one package under way.
 */
export class HoldingsDoor {
  readonly #source: HoldingsSource;
  readonly #queue: FairQueue;
  readonly #elapsedMs: ServerContext["elapsedMs"];
  /** By the hash of the ticket, in hexadecimal, the oldest first. */
  readonly #tickets = new Map<string, Ticket>();
  /** The newest ticket of each account. */
  readonly #ofAccount = new Map<string, string>();
  readonly #underWay = new Set<string>();

  constructor(params: { source: HoldingsSource; queue: FairQueue; context: Pick<ServerContext, "elapsedMs"> }) {
    this.#source = params.source;
    this.#queue = params.queue;
    this.#elapsedMs = params.context.elapsedMs;
  }

  /** A ticket for an account, in place of the one that it has. @throws Refusal `rate_limited` */
  ticket(accountId: Uint8Array): Uint8Array {
    const account = nameOf(accountId);
    this.#forget(this.#ofAccount.get(account));
    for (const [name, { untilMs }] of this.#tickets) {
      if (untilMs > this.#elapsedMs()) break;
      this.#forget(name);
    }
    if (this.#tickets.size >= maxTickets) throw new Refusal("rate_limited", holdingsTicketMs);
    const ticket = new Uint8Array(randomBytes(ticketBytes));
    const name = nameOf(sha256(ticket));
    this.#tickets.set(name, { accountId, untilMs: this.#elapsedMs() + holdingsTicketMs });
    this.#ofAccount.set(account, name);
    return ticket;
  }

  /**
   * The package for a ticket, which is spent by that. Read at the turns of `address`; whoever stops reading ends it.
   * @throws Refusal `not_found` for a ticket that does not count, or an account that is gone; `rate_limited` while one is under way
   */
  async open(ticket: Uint8Array, address: string): Promise<AsyncIterable<Uint8Array>> {
    const name = nameOf(sha256(ticket));
    const found = this.#tickets.get(name);
    this.#forget(name);
    if (found === undefined || found.untilMs <= this.#elapsedMs()) throw new Refusal("not_found");
    const { accountId } = found;
    const account = nameOf(accountId);
    if (this.#underWay.has(account)) throw new Refusal("rate_limited", busyRetryMs);
    const lane = this.#queue.join(address);
    this.#underWay.add(account);
    const end = (): void => {
      if (!this.#underWay.delete(account)) return;
      this.#queue.leave(lane);
    };
    try {
      const inTurn = <T>(read: () => Promise<T>): Promise<T> => this.#queue.turn(lane, costOf(pageBytes), read);
      const pieces = await openHoldings({ ...this.#source, inTurn }, accountId);
      if (pieces === undefined) throw new Refusal("not_found");
      return ending(pieces, end);
    } catch (error) {
      end();
      throw error;
    }
  }

  #forget(name: string | undefined): void {
    const ticket = name === undefined ? undefined : this.#tickets.get(name);
    if (name === undefined || ticket === undefined) return;
    this.#tickets.delete(name);
    this.#ofAccount.delete(nameOf(ticket.accountId));
  }
}

/** Calls `end` when nothing more is read, also where reading never began: a generator would not be told of that. */
function ending(pieces: AsyncIterable<Uint8Array>, end: () => void): AsyncIterable<Uint8Array> {
  const reading = pieces[Symbol.asyncIterator]();
  const iterator: AsyncIterator<Uint8Array> = {
    async next() {
      try {
        const piece = await reading.next();
        if (piece.done === true) end();
        return piece;
      } catch (error) {
        end();
        throw error;
      }
    },
    async return() {
      end();
      await reading.return?.();
      return { done: true, value: undefined };
    },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}

function nameOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
