import type { Store } from "../store/store.ts";
import { segmentsBefore } from "./search-index.ts";
import type { SegmentListener, StoredSegment } from "./search-index.ts";

/** Opened segments that stay at hand, in UTF-16 units: at most 16 MiB. */
const maxUnits = 8 * 1024 * 1024;
/** Segments that are read at once: of most conversations there is one, and nothing behind it. */
const newestAtOnce = 2;
const readAtOnce = 8;

interface Cached extends StoredSegment {
  /** Where the segment before it lies; `none` before the first one. */
  readonly older: number | "none" | undefined;
}

interface Conversation {
  newest: number | "none" | undefined;
  readonly segments: Map<number, Cached>;
}

/**
 * Segments of the index that were opened, so that they are opened once while somebody types what they look for. What the store has is told to
 * it as soon as it is durable: nothing that is gone from there stays here.
 */
export class SegmentCache {
  /** The one that was used last is last. */
  readonly #conversations = new Map<string, Conversation>();
  #units = 0;
  /** How often something changed: what was read meanwhile may be what was before. */
  #changes = 0;

  /** Follows the store. */
  readonly changed: SegmentListener = (conversationId, first, text) => {
    this.#changes += 1;
    const known = this.#conversations.get(conversationId);
    const segment = known?.segments.get(first);
    if (known === undefined) return;
    if (text === undefined || segment === undefined) {
      this.#drop(conversationId);
      return;
    }
    this.#units += text.length - segment.text.length;
    known.segments.set(first, { ...segment, text });
  };

  /** The segment before this place, which is that of a segment or none for the newest one; `undefined` where there is none. */
  async before(store: Store, conversationId: string, before?: number): Promise<StoredSegment | undefined> {
    const known = this.#conversations.get(conversationId);
    const at = before === undefined ? known?.newest : known?.segments.get(before)?.older;
    if (at === "none") return undefined;
    const segment = at === undefined ? undefined : known?.segments.get(at);
    if (known !== undefined && segment !== undefined) {
      this.#conversations.delete(conversationId);
      this.#conversations.set(conversationId, known);
      return segment;
    }
    const limit = before === undefined ? newestAtOnce : readAtOnce;
    return (await this.#read(store, [conversationId], before, limit))[0];
  }

  /** Opens the newest segments of these conversations in one go, where they are not at hand. */
  async open(store: Store, conversationIds: readonly string[]): Promise<void> {
    const missing = conversationIds.filter((id) => this.#conversations.get(id)?.newest === undefined);
    if (missing.length > 0) await this.#read(store, missing, undefined, newestAtOnce);
  }

  /** Of each the first that is found. */
  async #read(
    store: Store,
    conversationIds: readonly string[],
    before: number | undefined,
    limit: number,
  ): Promise<readonly (StoredSegment | undefined)[]> {
    const changes = this.#changes;
    const all = await store.transact("read", (tx) =>
      Promise.all(conversationIds.map(async (id) => ({ id, found: await segmentsBefore(tx, id, { before, limit }) }))),
    );
    if (changes === this.#changes) for (const { id, found } of all) this.#keep(id, before, found, found.length < limit);
    return all.map(({ found }) => found[0]);
  }

  /** @param isAll nothing lies before these */
  #keep(conversationId: string, before: number | undefined, found: readonly StoredSegment[], isAll: boolean): void {
    const known = this.#conversations.get(conversationId) ?? { newest: undefined, segments: new Map<number, Cached>() };
    this.#conversations.delete(conversationId);
    this.#conversations.set(conversationId, known);
    const [first] = found;
    if (before === undefined) known.newest = first?.first ?? "none";
    const newer = before === undefined ? undefined : known.segments.get(before);
    if (newer !== undefined) known.segments.set(newer.first, { ...newer, older: first?.first ?? "none" });
    for (const [at, segment] of found.entries()) {
      this.#units += segment.text.length - (known.segments.get(segment.first)?.text.length ?? 0);
      known.segments.set(segment.first, { ...segment, older: found[at + 1]?.first ?? (isAll ? "none" : undefined) });
    }
    for (const id of this.#conversations.keys()) {
      if (this.#units <= maxUnits) return;
      this.#drop(id);
    }
  }

  #drop(conversationId: string): void {
    for (const { text } of this.#conversations.get(conversationId)?.segments.values() ?? []) this.#units -= text.length;
    this.#conversations.delete(conversationId);
  }
}
