import { equalBytes, toBase64Url } from "@latchkey/codec";
import { putArchivedLines, unjoinedState } from "../devices/archive.ts";
import type { ArchivedConversation } from "../devices/archive.ts";
import type { ImportAccess } from "../devices/import.ts";
import { storedName } from "../engine/people.ts";
import type { World } from "../engine/world.ts";
import { ClientError } from "../errors.ts";
import type { StoreTransaction } from "../store/store.ts";
import { linePrefix, loadLine } from "../timeline/history.ts";
import { Timeline } from "../timeline/timeline.ts";
import { openChunk } from "./format.ts";
import type { ChunkPlace, HistoryItem } from "./format.ts";
import { chainOf, chunkKeyOf } from "./keys.ts";
import { readChunk } from "./server.ts";
import type { Host, HostConnection } from "./server.ts";
import {
  doubtfulOf,
  forgetReading,
  goneOf,
  loadFound,
  loadFoundHashes,
  loadHead,
  loadHeads,
  loadMembers,
  putDoubtful,
  putFound,
  putGone,
  putHead,
  putMembers,
  settleDoubtful,
} from "./stored.ts";
import type { FoundBackup } from "./stored.ts";

/** What reading a backup needs of the engine. */
export interface ReadingAccess extends Omit<ImportAccess, "onSegment"> {
  readonly host: Host;
}

/** What a chunk has to be, and from what its key follows. */
interface ChunkProof {
  readonly hash: Uint8Array | undefined;
  readonly chainKey: Uint8Array | undefined;
}

/** What came of lines that were read. */
interface Put {
  readonly restored: number;
  readonly unreadable: number;
}

type Of<K extends HistoryItem["kind"]> = Extract<HistoryItem, { readonly kind: K }>;

/**
 * Reads a backup into this profile (spec B-6), the newest chunk first, so that the first word about a line is the last one: each chunk in one
 * transaction with how far it has come. What is here already stays as it is.
 */
export class Reading {
  readonly #world: World;
  readonly #access: ReadingAccess;
  readonly #changed: () => void;
  #isClosed = false;

  constructor(world: World, access: ReadingAccess, changed: () => void) {
    this.#world = world;
    this.#access = access;
    this.#changed = changed;
  }

  /** Takes up nothing more. */
  close(): void {
    this.#isClosed = true;
  }

  /** Goes on until all of it is here; what it came to then, `undefined` where there is nothing to read, or it was stopped. @throws ClientError */
  async run(): Promise<FoundBackup | undefined> {
    const { store } = this.#world;
    const begun = await store.transact("read", loadFound);
    if (begun?.stage !== "running") return undefined;
    const hashes = await store.transact("read", loadFoundHashes);
    const chain = chainOf(begun.generationKey, begun.left);
    return await this.#access.host(async (connection) => {
      let found = begun;
      while (found.left > 0 && !this.#isClosed) {
        found = await this.#takeChunk(connection, found, { hash: hashes[found.left - 1], chainKey: chain[found.left - 1] });
        this.#changed();
      }
      if (found.left > 0) return undefined;
      if (hasGaps(found)) await this.#adoptAll();
      return found;
    });
  }

  /** All of it was read. */
  async finish(tx: StoreTransaction, found: FoundBackup): Promise<void> {
    await forgetReading(tx, !hasGaps(found));
    putFound(tx, { ...found, stage: "done", generationKey: new Uint8Array(32) });
  }

  async #takeChunk(connection: HostConnection, found: FoundBackup, proof: ChunkProof): Promise<FoundBackup> {
    const { store } = this.#world;
    const number = found.left - 1;
    const chunk = await this.#chunk(connection, { ...found, number }, proof.hash);
    const items = chunk === undefined ? undefined : this.#open(chunk, { ...found, number }, proof.chainKey);
    const [missing, unread] = [chunk === undefined ? 1 : 0, chunk !== undefined && items === undefined ? 1 : 0];
    // Before it counts as read: whatever ends this here, it is read once more, and what is there already stays.
    await this.#meet(items ?? []);
    const next = await store.transact("write", async (tx) => {
      const { restored, unreadable } = await this.#put(tx, items ?? [], hasGaps(found));
      const after = {
        ...found,
        left: number,
        missing: found.missing + missing,
        restored: found.restored + restored,
        unreadable: found.unreadable + unread + unreadable,
      };
      putFound(tx, after);
      return after;
    });
    await this.#show(items ?? []);
    return next;
  }

  /** A chunk; `undefined` where it is missing, or is not the one that was written. */
  async #chunk(
    connection: HostConnection,
    { generation, number }: Pick<ChunkPlace, "generation" | "number">,
    hash: Uint8Array | undefined,
  ): Promise<Uint8Array | undefined> {
    const chunk = await readChunk(connection, { generation, number });
    return chunk !== undefined && hash !== undefined && equalBytes(this.#world.platform.sha256(chunk), hash) ? chunk : undefined;
  }

  /** What is in it; `undefined` where it is of a form that is not known here. */
  #open(
    chunk: Uint8Array,
    { generation, number }: Pick<ChunkPlace, "generation" | "number">,
    chainKey: Uint8Array | undefined,
  ): readonly HistoryItem[] | undefined {
    const { accountId } = this.#world.own;
    return chainKey === undefined ? undefined : openChunk(chunk, chunkKeyOf(chainKey), { accountId, generation, number });
  }

  /** How many messages that were not here it brought, and how many lines nothing here reads. */
  async #put(tx: StoreTransaction, items: readonly HistoryItem[], isInDoubt: boolean): Promise<Put> {
    let [restored, unreadable] = [0, 0];
    // Within a chunk each line stands once, and what is gone is of earlier ones.
    for (const item of items) {
      if (item.kind !== "lines") continue;
      const put = await this.#putLines(tx, item, isInDoubt);
      restored += put.restored;
      unreadable += put.unreadable;
    }
    for (const item of items) {
      if (item.kind === "erased") await this.#takeOut(tx, item);
      if (item.kind === "conversation") await putHead(tx, headOf(item));
      if (item.kind === "members") await putMembers(tx, toBase64Url(item.logId), item.accounts);
      if (item.kind === "person") await this.#putName(tx, item);
    }
    return { restored, unreadable };
  }

  #timeline(tx: StoreTransaction, conversationId: string): Timeline {
    const { platform, segments, files } = this.#world;
    return new Timeline({
      tx,
      conversationId,
      self: this.#access.self,
      nowMs: platform.nowMs(),
      onSegment: segments.changed,
      isPast: true,
      onFilesGone: (ids) => files.gone(ids),
    });
  }

  /** No earlier word about these lines is taken; what an earlier reading brought that did not know of this one goes. */
  async #takeOut(tx: StoreTransaction, { logId, orders }: Of<"erased">): Promise<void> {
    const conversationId = toBase64Url(logId);
    for (const order of orders) putGone(tx, conversationId, order);
    const doubtful = await doubtfulOf(tx, conversationId);
    const timeline = this.#timeline(tx, conversationId);
    for (const order of orders.filter((one) => doubtful.has(one))) {
      const line = await loadLine(tx, conversationId, order);
      if (line?.message !== undefined) await timeline.hide([line.id]);
      else if (line !== undefined) timeline.erase(order, line);
      settleDoubtful(tx, conversationId, order);
    }
    await timeline.flush();
  }

  /** @param isInDoubt whether something newer was missing, which may have said that they are gone */
  async #putLines(tx: StoreTransaction, item: Of<"lines">, isInDoubt: boolean): Promise<Put> {
    const conversationId = toBase64Url(item.logId);
    const gone = await goneOf(tx, conversationId);
    const lines = item.lines.filter(({ order }) => !gone.has(order));
    const doubtful = await doubtfulOf(tx, conversationId);
    const timeline = this.#timeline(tx, conversationId);
    const unreadable = await putArchivedLines(timeline, { ...item, lines });
    const { lines: put, arrived } = await timeline.flush();
    const restored = put.filter(
      ({ order, message, body }) => arrived.has(order) && message !== undefined && body.kind !== "deleted",
    ).length;
    // By this word they are there, whatever older ones say.
    for (const { order } of lines)
      if (isInDoubt && (arrived.has(order) || doubtful.has(order))) putDoubtful(tx, conversationId, order);
      else if (doubtful.has(order)) settleDoubtful(tx, conversationId, order);
    // No earlier word about it takes its place.
    for (const order of unreadable) putGone(tx, conversationId, order);
    return { restored, unreadable: unreadable.length };
  }

  async #putName(tx: StoreTransaction, { accountId, displayName }: Of<"person">): Promise<void> {
    const isKnown = displayName === "" || (await storedName(tx, toBase64Url(accountId))) !== undefined;
    if (!isKnown) this.#world.people.setName(tx, accountId, displayName);
  }

  /** People that are known by it, and conversations that can be read. */
  async #meet(items: readonly HistoryItem[]): Promise<void> {
    const { directory, people } = this.#world;
    for (const item of items) {
      if (item.kind === "person" && item.proofs.length > 0)
        for (const contact of await directory.learn(item.proofs, [item.accountId]).catch(passing)) people.keep(contact);
    }
    const ids = new Set(items.flatMap((item) => (item.kind === "lines" || item.kind === "conversation" ? [toBase64Url(item.logId)] : [])));
    for (const id of ids) await this.#adoptRead(id, items);
  }

  async #show(items: readonly HistoryItem[]): Promise<void> {
    const touched = new Set(items.flatMap((item) => (item.kind === "lines" || item.kind === "erased" ? [toBase64Url(item.logId)] : [])));
    for (const id of touched) if (this.#access.joined(id) !== undefined) await this.#access.historyArrived(id, 0);
  }

  /** A conversation of which something is here, or comes with this chunk: of one that was deleted there is no line. */
  async #adoptRead(id: string, items: readonly HistoryItem[]): Promise<void> {
    if (this.#access.joined(id) !== undefined) return;
    const beside = items.filter((item) => "logId" in item && toBase64Url(item.logId) === id);
    const here = beside.find((item) => item.kind === "conversation");
    const { head, members, isRead } = await this.#world.store.transact("read", async (tx) => {
      const gone = await goneOf(tx, id);
      const isComing = beside.some((item) => item.kind === "lines" && item.lines.some(({ order }) => !gone.has(order)));
      return {
        head: (await loadHead(tx, id)) ?? (here === undefined ? undefined : headOf(here)),
        members: (await loadMembers(tx, id)) ?? beside.find((item) => item.kind === "members")?.accounts ?? [],
        isRead: isComing || (await tx.scan({ prefix: linePrefix(id), limit: 1 })).length > 0,
      };
    });
    if (head !== undefined && isRead) await this.#adopt(head, members);
  }

  /** What is missing may have had their lines. */
  async #adoptAll(): Promise<void> {
    const { store } = this.#world;
    for (const head of await store.transact("read", loadHeads)) {
      const members = await store.transact("read", (tx) => loadMembers(tx, toBase64Url(head.logId)));
      await this.#adopt(head, members ?? []);
    }
  }

  /** This device is a member of none of them: their people let it back in. */
  async #adopt(head: ArchivedConversation, formerMembers: readonly Uint8Array[]): Promise<void> {
    if (this.#access.joined(toBase64Url(head.logId)) !== undefined) return;
    const membership = head.membership === "left" ? "left" : "removed";
    const state = unjoinedState({ ...head, membership, unread: 0, readThrough: Math.max(head.readThrough, head.lastOrder) });
    await this.#access.adoptUnjoined({ ...state, formerMembers });
  }
}

function headOf({ kind: _kind, ...head }: Of<"conversation">): ArchivedConversation {
  return head;
}

/** Whether something that is newer than what is read next was not had, or not read. */
function hasGaps({ missing, unreadable }: FoundBackup): boolean {
  return missing + unreadable > 0;
}

/** Who cannot be verified now is known by name alone. */
function passing(error: unknown): readonly never[] {
  if (error instanceof ClientError) return [];
  throw error;
}
