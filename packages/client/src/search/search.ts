import type { SearchOptions, SearchPage } from "../api.ts";
import type { Conversations } from "../engine/conversations.ts";
import type { World } from "../engine/world.ts";
import type { IndexBuilding } from "./building.ts";
import type { Finder } from "./finder.ts";
import { indexDoneKey, indexVersion } from "./index-version.ts";

/** Finds messages: what reads the index is loaded with the first search, and what makes one of an earlier version's messages where there are such. */
export class Search {
  readonly #world: World;
  readonly #conversations: Conversations;
  #building: Promise<IndexBuilding | undefined> | undefined;
  #finder: Promise<Finder> | undefined;
  #closed = false;

  constructor(world: World, conversations: Conversations) {
    this.#world = world;
    this.#conversations = conversations;
  }

  /** Sees to it that everything is in the index. */
  start(): void {
    this.#build().catch(() => undefined);
  }

  /** @throws ClientError `unknown_conversation`, `invalid_cursor` */
  async page(query: string, options: SearchOptions): Promise<SearchPage> {
    const [building, finder] = [await this.#build(), await this.#find()];
    return { ...(await finder.page(query, options)), indexing: building?.progress };
  }

  async close(): Promise<void> {
    this.#closed = true;
    const building = await this.#building?.catch(() => undefined);
    await building?.close();
  }

  #build(): Promise<IndexBuilding | undefined> {
    this.#building ??= this.#begin().catch((error: unknown) => {
      // What could not be loaded is tried again with the next search.
      this.#building = undefined;
      throw error;
    });
    return this.#building;
  }

  async #begin(): Promise<IndexBuilding | undefined> {
    const { store, platform, segments } = this.#world;
    const done = await store.transact("read", (tx) => tx.get(indexDoneKey));
    if (done?.[0] === indexVersion || this.#closed) return undefined;
    const { IndexBuilding: Loaded } = await import("./building.ts");
    const building = new Loaded({ store, platform, onSegment: segments.changed });
    await building.start();
    return building;
  }

  #find(): Promise<Finder> {
    this.#finder ??= import("./finder.ts").then(
      ({ Finder: Loaded }) => new Loaded(this.#world, this.#conversations),
      (error: unknown) => {
        this.#finder = undefined;
        throw error;
      },
    );
    return this.#finder;
  }
}
