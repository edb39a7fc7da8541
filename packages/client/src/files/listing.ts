import type { FilePart } from "@latchkey/protocol";
import type { ListedFile } from "../api.ts";
import type { ConversationRunner } from "../engine/conversation-runner.ts";
import type { World } from "../engine/world.ts";
import { loadStanding } from "../timeline/history.ts";
import type { Line } from "../timeline/line.ts";
import { loadAllFiles, loadFiles } from "./file-index.ts";
import type { FilePlaceInLine } from "./file-index.ts";
import type { FilePlace } from "./file-store.ts";

/** What the lists need of the engine. */
export interface ListingAccess {
  /** @throws ClientError `unknown_conversation` */
  runner(id: string): ConversationRunner;
  runners(): readonly ConversationRunner[];
  place(): Promise<FilePlace>;
}

/** Lists of files with their messages. */
export class Listing {
  readonly #world: Pick<World, "store" | "clock" | "platform">;
  readonly #access: ListingAccess;

  constructor(world: Pick<World, "store" | "clock" | "platform">, access: ListingAccess) {
    this.#world = world;
    this.#access = access;
  }

  /** The files of a conversation, the newest first; without one those that are kept here, the largest first. */
  async list(
    conversationId: string | undefined,
    { kinds, beforeOrder, limit }: { kinds?: readonly FilePart["kind"][] | undefined; beforeOrder?: number | undefined; limit: number },
  ): Promise<readonly ListedFile[]> {
    const isWanted = ({ kind }: FilePlaceInLine): boolean => kinds === undefined || kinds.includes(kind);
    if (conversationId === undefined) return await this.#largest(isWanted, limit);
    const runner = this.#access.runner(conversationId);
    const listed: ListedFile[] = [];
    for (let before = beforeOrder; listed.length < limit;) {
      const places = await this.#world.store.transact("read", (tx) => loadFiles(tx, conversationId, { beforeOrder: before, limit }));
      listed.push(
        ...(await this.#listed(
          runner,
          places.filter((place) => isWanted(place)),
        )),
      );
      before = places.at(-1)?.order;
      if (before === undefined) break;
    }
    return listed.slice(0, limit);
  }

  async #listed(runner: ConversationRunner, places: readonly FilePlaceInLine[]): Promise<readonly ListedFile[]> {
    const { store } = await this.#access.place();
    const { clock, platform } = this.#world;
    const nowMs = clock.latest(platform.nowMs());
    const lines = new Map<number, Line | undefined>();
    for (const { order } of places)
      if (!lines.has(order)) lines.set(order, await this.#world.store.transact("read", (tx) => loadStanding(tx, runner.id, order, nowMs)));
    const listed: ListedFile[] = [];
    for (const { order, fileId } of places) {
      const line = lines.get(order);
      const [message] = line === undefined ? [] : await runner.history.shown([{ line, quoted: undefined }]);
      const file = message?.files?.find(({ id }) => id === fileId);
      if (message === undefined || file === undefined) continue;
      listed.push({ message, file, storedBytes: (await store.get(fileId))?.hereBytes ?? 0 });
    }
    return listed;
  }

  async #largest(isWanted: (place: FilePlaceInLine) => boolean, limit: number): Promise<readonly ListedFile[]> {
    const stored = (await (await this.#access.place()).store.list()).toSorted((a, b) => b.hereBytes - a.hereBytes);
    const places = new Map((await this.#world.store.transact("read", (tx) => loadAllFiles(tx))).map((place) => [place.fileId, place]));
    const listed: ListedFile[] = [];
    for (const { id, hereBytes } of stored) {
      const place = places.get(id);
      if (listed.length >= limit || hereBytes === 0) break;
      if (place === undefined || !isWanted(place)) continue;
      const runner = this.#access.runners().find((one) => one.id === place.conversationId);
      if (runner !== undefined) listed.push(...(await this.#listed(runner, [place])));
    }
    return listed;
  }
}
