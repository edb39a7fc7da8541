import { forgetPlace, nextTimed, noteSeenThrough, undatedTimed } from "../timeline/timers.ts";
import type { TimedPlace } from "../timeline/timers.ts";
import type { ConversationRunner } from "./conversation-runner.ts";
import type { World } from "./world.ts";

/** So many are erased at once. */
const atOnce = 256;
/** Looked at again after so long at the latest: a device that slept missed its timer. */
const everyMs = 3_600_000;
/** And after so long at the soonest. */
const pauseMs = 50;

/** What timers need of the engine. */
export interface TimersAccess {
  runner(id: string): ConversationRunner | undefined;
  /** The other devices of one's own are told that the person saw what has a timer up to there. */
  looked(conversationId: string, throughOrder: number, atMs: number): void;
}

/**
 * Messages go when their time is over (spec X-7). What is over by the later of this device's clock and its server's is shown no more, at once;
 * it is erased when it is sure what time it is (E-142), so that a clock that is wrong loses nothing for good.
 */
export class Timers {
  readonly #world: World;
  readonly #access: TimersAccess;
  /** Told to be over, and not erased yet, by the keys of their places. */
  readonly #told = new Set<string>();
  #cancel: () => void = () => undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #isClosed = true;

  constructor(world: World, access: TimersAccess) {
    this.#world = world;
    this.#access = access;
  }

  /** Erases what went while nothing ran, and what goes from now on. */
  start(): void {
    this.#isClosed = false;
    this.#world.clock.onHeard(() => this.changed());
    this.changed();
  }

  /** Another message goes next, or it is known now what time it is. */
  changed(): void {
    if (this.#isClosed) return;
    if (this.#running !== undefined) {
      this.#again = true;
      return;
    }
    this.#cancel();
    this.#running = this.#run()
      // A store that cannot be written is tried again.
      .catch(() => everyMs)
      .then((waitMs) => {
        this.#running = undefined;
        if (this.#isClosed) return;
        if (this.#again) {
          this.#again = false;
          this.changed();
        } else this.#cancel = this.#world.platform.setTimer(waitMs, () => this.changed());
      });
  }

  /** The person sees all up to a place here: of what nobody had seen the time begins, on their other devices too. */
  async look(id: string, throughOrder: number): Promise<void> {
    const atMs = this.#world.platform.nowMs();
    await this.#access.runner(id)?.changeTimeline(async (timeline) => void (await timeline.look(throughOrder, atMs)), true);
    this.#access.looked(id, throughOrder, atMs);
  }

  /** They saw it on another device of theirs; what of it comes here later was seen then. */
  async lookedElsewhere(id: string, throughOrder: number, claimedMs: number): Promise<void> {
    const { store, platform } = this.#world;
    const atMs = Math.min(claimedMs, platform.nowMs());
    await store.transact("write", (tx) => noteSeenThrough(tx, id, throughOrder, atMs));
    await this.#access.runner(id)?.changeTimeline(async (timeline) => void (await timeline.look(throughOrder, atMs)), true);
  }

  /** Takes up nothing more; resolves when what was begun is stored. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel();
    await this.#running;
  }

  /** Does what is due; how long to wait then. */
  async #run(): Promise<number> {
    const { platform, clock, store } = this.#world;
    const nowMs = platform.nowMs();
    const isSure = clock.isSure(nowMs);
    const latestMs = clock.latest(nowMs);
    if (isSure) await this.#setRight();
    for (let after: string | undefined; ;) {
      const from = after;
      const next = await store.transact("read", (tx) => nextTimed(tx, { after: from, limit: atOnce }));
      const due = next.filter(({ atMs }) => atMs <= latestMs);
      if (isSure) await this.#erase(due);
      else await this.#tell(due);
      const left = next.find(({ atMs }) => atMs > latestMs);
      if (left !== undefined) return Math.min(Math.max(left.atMs - latestMs, pauseMs), everyMs);
      after = next.at(-1)?.key;
      if (next.length < atOnce || this.#isClosed) return everyMs;
    }
  }

  async #setRight(): Promise<void> {
    const places = await this.#world.store.transact("read", undatedTimed);
    for (const [id, orders] of byConversation(places)) {
      const runner = this.#access.runner(id);
      await runner?.changeTimeline((timeline) => timeline.setTimersRight(orders), true);
      if (runner === undefined) await this.#forget(places.filter(({ conversationId }) => conversationId === id));
    }
  }

  async #erase(due: readonly (TimedPlace & { readonly key: string })[]): Promise<void> {
    for (const [id, orders] of byConversation(due)) {
      const runner = this.#access.runner(id);
      let gone: readonly string[] = [];
      await runner?.changeTimeline(async (timeline) => {
        gone = await timeline.endTimers(orders);
      }, true);
      // Where nothing stands any more, as of a conversation that was deleted.
      await this.#forget(due.filter(({ conversationId }) => conversationId === id));
      if (runner !== undefined && gone.length > 0) await this.#gone(runner, gone, orders);
    }
    for (const { key } of due) this.#told.delete(key);
  }

  async #forget(places: readonly (TimedPlace & { readonly key?: string })[]): Promise<void> {
    await this.#world.store.transact("write", (tx) => {
      for (const place of places) forgetPlace(tx, place);
    });
  }

  /** It is shown no more, and counts as unread nowhere. */
  async #gone(runner: ConversationRunner, messageIds: readonly string[], orders: readonly number[]): Promise<void> {
    for (const messageId of messageIds) this.#world.emit({ kind: "hidden", conversationId: runner.id, messageId });
    await runner.reloadLastLine();
    const { readThrough, unread } = runner.state;
    if (unread > 0 && orders.some((order) => order > readThrough))
      await runner.input({ kind: "read", throughOrder: readThrough, unread: await runner.history.unreadAfter(readThrough) });
    runner.emitConversation();
  }

  /** It is over by a clock that nobody vouches for: it is shown no more. */
  async #tell(due: readonly (TimedPlace & { readonly key: string })[]): Promise<void> {
    const untold = due.filter(({ key }) => !this.#told.has(key));
    for (const { key } of untold) this.#told.add(key);
    for (const [id, orders] of byConversation(untold)) {
      const runner = this.#access.runner(id);
      if (runner !== undefined) await this.#gone(runner, await runner.history.idsAt(orders), []);
    }
  }
}

function byConversation(places: readonly TimedPlace[]): ReadonlyMap<string, readonly number[]> {
  const orders = new Map<string, number[]>();
  for (const { conversationId, order } of places) orders.set(conversationId, [...(orders.get(conversationId) ?? []), order]);
  return orders;
}
