import { isCaughtUp } from "../core/turn.ts";
import type { ConversationState } from "../core/types.ts";
import { background } from "../devices/told.ts";
import type { World } from "../engine/world.ts";
import { createSingleFlight } from "../single-flight.ts";
import type { SingleFlight } from "../single-flight.ts";
import type { OwnFact } from "./facts.ts";
import type { OwnThings } from "./own-things.ts";
import { factOf } from "./view.ts";

/**
 * So long an entry may be on its way that another device of one's own has seen already: a connection on which nothing comes any more is
 * noticed sooner.
 */
export const settledMs = 120_000;

/** What setting bounds needs of the engine. */
interface Things {
  readonly ownThings: OwnThings;
  readonly platform: Pick<World["platform"], "setTimer">;
}

/** The conversations that there are. */
interface Access {
  runners(): readonly { readonly id: string; readonly state: ConversationState }[];
}

/**
 * Sets bounds to deletions of conversations that reach beyond what there is (spec X-18, E-110): nobody deletes what is not written yet, and
 * a stolen device that says so would have others' words erased unread long after it is out of the account. Whoever has read the conversation
 * to its end says, some time after they heard of it, that what there is was deleted, and no more: as the newest that counts on all devices,
 * those that were away then and those that come later.
 */
export class DeletionBounds {
  readonly #world: Things;
  readonly #access: Access;
  /** By conversation. What is said meanwhile puts nothing off. */
  readonly #timers = new Map<string, () => void>();
  readonly #due = new Set<string>();
  readonly #saying: SingleFlight = createSingleFlight(() => this.#say());
  #closed = false;

  constructor(world: Things, access: Access) {
    this.#world = world;
    this.#access = access;
  }

  /** A deletion, or a conversation, may have come. */
  look(): void {
    if (this.#closed) return;
    for (const { id, state } of this.#access.runners()) {
      if (this.#timers.has(id) || !isBeyond(this.#world.ownThings, state)) continue;
      const cancel = this.#world.platform.setTimer(settledMs, () => {
        this.#timers.delete(id);
        this.#due.add(id);
        background(this.#saying.wake());
      });
      this.#timers.set(id, cancel);
    }
  }

  close(): void {
    this.#closed = true;
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  settled(): Promise<void> {
    return this.#saying.settled();
  }

  async #say(): Promise<void> {
    const due = this.#access.runners().filter(({ id }) => this.#due.has(id));
    this.#due.clear();
    try {
      for (const { state } of due) {
        if (!isBeyond(this.#world.ownThings, state) || !isCaughtUp(state)) continue;
        const bounded: OwnFact = { kind: "deleted", logId: state.logId, throughSeq: state.chain.seq };
        await this.#world.ownThings.say([bounded]);
      }
    } finally {
      // What is not read to its end yet, or could not be stored, is looked at again.
      this.look();
    }
  }
}

/** Whether more of it counts as deleted than is there, and more may come. */
function isBeyond(things: OwnThings, { kind, phase, logId, chain }: ConversationState): boolean {
  if (kind === "devices" || phase.kind !== "active") return false;
  return (factOf(things, "deleted", logId)?.throughSeq ?? 0) > chain.seq;
}
