import { equalBytes } from "@latchkey/codec";
import { maxHistoryChunks } from "@latchkey/protocol";
import type { HistoryManifest } from "@latchkey/protocol";
import { deviceOf } from "@latchkey/transparency";
import type { OwnAccount } from "../account/own-account.ts";
import type { ClientFailure } from "../api.ts";
import type { ConversationRunner } from "../engine/conversation-runner.ts";
import type { World } from "../engine/world.ts";
import { ClientError } from "../errors.ts";
import type { StoreTransaction } from "../store/store.ts";
import { expectAnswer } from "../transport/connection.ts";
import { loadDue, settleDue } from "./due.ts";
import { sealChunk } from "./format.ts";
import { gather } from "./gather.ts";
import { gatherHeads } from "./heads.ts";
import type { Heads } from "./heads.ts";
import { chunkKeyOf, nextChainKey, sealGenerationKey } from "./keys.ts";
import { verifyManifest, writeManifest } from "./manifest.ts";
import type { VerifiedManifest } from "./manifest.ts";
import { put, readManifest } from "./server.ts";
import type { Host, HostConnection } from "./server.ts";
import {
  beginAnew,
  forgetKeeping,
  isCounterInReach,
  loadForcedAtMs,
  loadHashes,
  loadKeeping,
  loadManifestOut,
  loadSeen,
  loadTouched,
  mustErase,
  nextOut,
  putChunk,
  putKeeping,
  putManifestOut,
  putMustErase,
  putSeen,
  putTold,
  putTouched,
  settleTouched,
} from "./stored.ts";
import type { Keeping, SeenBackup } from "./stored.ts";

/** What keeping a backup needs of the engine. */
export interface KeeperAccess {
  readonly host: Host;
  runners(): readonly ConversationRunner[];
  runner(id: string): ConversationRunner | undefined;
  /** The other devices are told how the backup stands. */
  shareSeen(): void;
  /** Something of it changed. */
  changed(): void;
}

/** Chunks of changes, beside those of the first writing, after which it is written anew: as many as those, and so many at least. */
const leastChanges = 60;
/** Conversations, and people, whose heads go in one chunk. */
const headsAtOnce = 50;

const dayMs = 86_400_000;

const noHeads: Heads = { items: [], settled: { conversations: [], authors: [] }, told: new Map() };

const rolledBack: ClientFailure = {
  code: "backup_rolled_back",
  message: "The server shows an older backup of this account's messages than was written, or none: what came since is missing there.",
  canRetry: false,
};

const keptElsewhere: ClientFailure = {
  code: "backup_taken_over",
  message: "This device keeps the backup of this account's messages no more: another device took over, or turned it off.",
  canRetry: false,
};

const changedMeanwhile = (): ClientError => new ClientError("conflict", "The backup was changed at the same moment.");

/** So long a generation lasts at least, though it has what changed or was deleted since; more where that would be more bytes a day. */
const leastLifeMs = 7 * dayMs;
const rewrittenBytesADay = 4_194_304;

/** Whether all is written anew: for what it has of lines as they were, or since so much was changed since it was begun. */
function isWorn({ walk, chunks, baseChunks, sizeBytes, begunAtMs, isSuperseded }: Keeping, nowMs: number): boolean {
  if (walk !== undefined) return false;
  const lifeMs = Math.max(leastLifeMs, (sizeBytes / rewrittenBytesADay) * dayMs);
  const isOver = nowMs < begunAtMs || nowMs - begunAtMs >= lifeMs;
  const changes = chunks - baseChunks;
  const isNearlyFull = chunks > maxHistoryChunks - 100 && changes > baseChunks / 4;
  return (isSuperseded && isOver) || changes > Math.max(leastChanges, baseChunks) || isNearlyFull;
}

/** Whether a day passed, by a clock that may have been ahead: what was done on a day to come is done again. */
export function isDayOver(sinceMs: number): boolean {
  return sinceMs < 0 || sinceMs >= dayMs;
}

function isCurrent({ account }: OwnAccount, deviceId: Uint8Array): boolean {
  return deviceOf(account, deviceId) !== undefined;
}

/** Writes the backup that this device keeps (spec B-4): everything that is sent was stored before, and is the same when it is sent again. */
export class Keeper {
  readonly #world: World;
  readonly #access: KeeperAccess;
  #isClosed = false;

  constructor(world: World, access: KeeperAccess) {
    this.#world = world;
    this.#access = access;
  }

  /** Takes up nothing more. */
  close(): void {
    this.#isClosed = true;
  }

  /**
   * This device keeps the backup from now on, and writes it from its beginning.
   * @param publicKey to which it seals the keys of its generations
   * @param along joins the transaction that says so @throws ClientError
   */
  async begin(publicKey: Uint8Array, along: (tx: StoreTransaction) => Promise<void> = () => Promise.resolve()): Promise<void> {
    const { store } = this.#world;
    const known = (await store.transact("read", loadSeen))?.counter ?? 0;
    const previous = await this.#access.host(async (connection) => await this.#standing(connection, await readManifest(connection), known));
    const nothing = await this.#nothing(publicKey);
    await store.transact("write", async (tx) => {
      const seen = await loadSeen(tx);
      await forgetKeeping(tx);
      putKeeping(tx, { ...nothing, previous, counter: Math.max(previous, seen?.counter ?? 0), writtenAtMs: 0 });
      await along(tx);
    });
    this.#access.changed();
  }

  /** Has all of it written once more, so that nothing is left of what was deleted since. */
  async writeAnew(): Promise<void> {
    const keeping = await this.#world.store.transact("read", loadKeeping);
    if (keeping !== undefined) await this.#anew(keeping);
  }

  async #anew({ publicKey }: Keeping, forcedAtMs?: number): Promise<void> {
    const nothing = await this.#nothing(publicKey);
    await this.#world.store.transact("write", async (tx) => {
      const keeping = await loadKeeping(tx);
      if (keeping !== undefined) await beginAnew(tx, { ...keeping, ...nothing }, forcedAtMs);
    });
  }

  /**
   * What the server says has all of it written anew, once a day, however often the program starts: again and again it would be without end.
   * @returns by when that is, for the transaction that begins it @throws ClientError `conflict`
   */
  async #force(): Promise<number> {
    const nowMs = this.#world.platform.nowMs();
    const forcedAtMs = await this.#world.store.transact("read", loadForcedAtMs);
    if (forcedAtMs !== undefined && !isDayOver(nowMs - forcedAtMs)) throw changedMeanwhile();
    return nowMs;
  }

  /** Brings everything to the server that is not there yet; nothing where no backup is kept here. @throws ClientError */
  async write(): Promise<void> {
    const { store } = this.#world;
    const keeping = await store.transact("read", loadKeeping);
    if (keeping === undefined || this.#isClosed) return;
    await this.#access.host(async (connection) => {
      const server = await readManifest(connection);
      const standing = await this.#agree(connection, server);
      if (standing === undefined) return;
      // What the server may have already is told to its end first.
      const isToldAll = (await store.transact("read", loadManifestOut)) === undefined;
      if (isToldAll && this.#isWorn(standing)) await this.#anew(standing);
      for (;;) {
        await this.#sendChunks(connection);
        if (this.#isClosed) return;
        if (!(await this.#make())) break;
        this.#access.changed();
      }
      // One that an earlier run began may count less than there is now.
      while (await this.#finish(connection));
    });
    this.#access.changed();
  }

  /** Whether there is anything to write, or somebody else says that they keep the backup, as far as this device knows. */
  async hasWork(): Promise<boolean> {
    return await this.#world.store.transact("read", async (tx) => {
      const keeping = await loadKeeping(tx);
      if (keeping === undefined) return false;
      const isWritten = keeping.walk === undefined && keeping.chunks === keeping.counted && (await loadManifestOut(tx)) === undefined;
      if (!isWritten || this.#isWorn(keeping)) return true;
      const { conversations, authors } = await loadTouched(tx, 1);
      if (conversations.length + authors.length + (await loadDue(tx, 1)).length > 0) return true;
      return ((await loadSeen(tx))?.counter ?? 0) > keeping.counter;
    });
  }

  #isWorn(keeping: Keeping): boolean {
    return isWorn(keeping, this.#world.platform.nowMs());
  }

  /**
   * Whether the server shows what it was given last, as far as the devices told each other; else an alarm.
   * @returns `false` where this device keeps the backup and is to write, as the server shows something else than it left there
   * @throws ClientError
   */
  async look(): Promise<boolean> {
    const { seen, keeping } = await this.#world.store.transact("read", async (tx) => ({
      seen: await loadSeen(tx),
      keeping: await loadKeeping(tx),
    }));
    if (seen?.isOn !== true) return true;
    // Of one that is none of the account any more, it is what the backup was left with.
    const server = await this.#access.host(readManifest);
    const shown = (await this.#verified(server, seen.deviceId))?.body.counter ?? 0;
    if (shown < seen.counter) await this.#alarm(seen.counter);
    return keeping === undefined || (shown === keeping.previous && shown >= seen.counter);
  }

  /** Has the server keep none any more, where that is still to be said; what a further device turned on again since stays. @throws ClientError */
  async eraseDue(): Promise<void> {
    const { store } = this.#world;
    const { isDue, seen } = await store.transact("read", async (tx) => ({ isDue: await mustErase(tx), seen: await loadSeen(tx) }));
    if (!isDue) return;
    if (seen?.isOn !== true)
      await this.#access.host(async (connection) => {
        const verified = await this.#verified(await readManifest(connection));
        if (!this.#isTaken(verified, seen?.counter ?? 0)) await this.#erase(connection);
      });
    await store.transact("write", (tx) => putMustErase(tx, false));
  }

  /** The server keeps none any more. @throws ClientError */
  async #erase(connection: HostConnection): Promise<void> {
    expectAnswer(await connection.request({ kind: "erase_history" }), "done");
  }

  /** Where a writing begins, under a key that nothing here has once its first chunk is made. */
  async #nothing(publicKey: Uint8Array): Promise<Omit<Keeping, "previous" | "counter" | "writtenAtMs">> {
    const { platform, own } = this.#world;
    const total = this.#ids().ids.length;
    const [generation, chainKey] = [platform.random(16), platform.random(32)];
    return {
      generation,
      publicKey,
      sealedKey: await sealGenerationKey(platform, chainKey, { publicKey, accountId: own.accountId, generation }),
      chainKey,
      begunAtMs: platform.nowMs(),
      isSuperseded: false,
      chunks: 0,
      counted: 0,
      baseChunks: 0,
      sizeBytes: 0,
      messages: 0,
      leftOut: 0,
      walk: { conversationId: "", afterOrder: -1, done: 0, total },
    };
  }

  #ids(): { readonly ids: readonly string[]; readonly except: ReadonlySet<string> } {
    const states = this.#access.runners().map(({ state }) => state);
    const ids = states.filter(({ kind }) => kind !== "devices").map(({ id }) => id);
    return { ids: ids.toSorted(), except: new Set(states.filter(({ kind }) => kind === "devices").map(({ id }) => id)) };
  }

  /**
   * The server's manifest, where a device signed it that is in the account now.
   * @param former one that may have signed it too, though it is in the account no more
   */
  async #verified(server: HistoryManifest, former?: Uint8Array): Promise<VerifiedManifest | undefined> {
    if (server.counter === 0) return undefined;
    const { platform } = this.#world;
    const verified = async (): Promise<VerifiedManifest | undefined> => {
      const { own } = this.#world;
      const found = await verifyManifest(server.manifest, own, platform);
      if (found === undefined) return undefined;
      const { deviceId } = found.body;
      return isCurrent(own, deviceId) || (former !== undefined && equalBytes(former, deviceId)) ? found : undefined;
    };
    const found = await verified();
    if (found !== undefined) return found;
    // Of a device that this one has not heard of yet.
    await this.#world.refreshOwn();
    return await verified();
  }

  /** The counter by which the server's manifest is replaced, whoever signed it; one that leaves none to go on with is erased first. */
  async #standing(connection: HostConnection, { counter }: HistoryManifest, known: number): Promise<number> {
    if (isCounterInReach(counter, known)) return counter;
    await this.#erase(connection);
    return 0;
  }

  #isOther(deviceId: Uint8Array): boolean {
    const { own } = this.#world;
    return !equalBytes(deviceId, own.deviceId) && isCurrent(own, deviceId);
  }

  /** Whether another device of the account wrote a manifest above this counter, and so keeps the backup. */
  #isTaken(verified: VerifiedManifest | undefined, counter: number): boolean {
    if (verified === undefined || !this.#isOther(verified.body.deviceId)) return false;
    return verified.body.counter > counter && isCounterInReach(verified.body.counter, counter);
  }

  async #alarm(counter: number): Promise<void> {
    await this.#world.alarms.raise({ failure: rolledBack, about: String(counter) });
  }

  /** What this device goes on with: whoever took over is followed, which the person is told, and an older copy is told and written over. */
  async #agree(connection: HostConnection, server: HistoryManifest): Promise<Keeping | undefined> {
    const { store } = this.#world;
    const { stored, out, seen } = await store.transact("read", async (tx) => ({
      stored: await loadKeeping(tx),
      out: await loadManifestOut(tx),
      seen: await loadSeen(tx),
    }));
    if (stored === undefined) return undefined;
    // Taken, though the answer was lost: the same again is taken too.
    if (out !== undefined && server.counter === out.counter && equalBytes(server.manifest, out.manifest)) return stored;
    const verified = await this.#verified(server);
    const told = seen !== undefined && seen.counter > stored.counter ? seen : undefined;
    const isOff = told?.isOn === false;
    if (isOff || this.#isTaken(verified, stored.counter) || (told !== undefined && this.#isOther(told.deviceId))) {
      await store.transact("write", async (tx) => {
        await forgetKeeping(tx);
        // What this device wrote before it heard of that came after the other one had all of it erased.
        if (isOff) putMustErase(tx, true);
      });
      await this.#world.alarms.raise({ failure: keptElsewhere, about: String(Math.max(seen?.counter ?? 0, verified?.body.counter ?? 0)) });
      this.#access.changed();
      return undefined;
    }
    // Whatever was said of this device: it goes on above that.
    const keeping = { ...stored, counter: Math.max(stored.counter, seen?.counter ?? 0) };
    // Before its first word it goes on from whatever was there, as who left it may be in the account no more.
    const isBegun = keeping.writtenAtMs > 0;
    const shown = verified?.body.counter ?? 0;
    if (server.counter === keeping.previous && (!isBegun || shown === keeping.previous)) {
      if (keeping.counter > stored.counter) await store.transact("write", (tx) => putKeeping(tx, keeping));
      return keeping;
    }
    if (isBegun && shown < keeping.previous) await this.#alarm(keeping.previous);
    const forcedAtMs = await this.#force();
    const previous = await this.#standing(connection, server, keeping.counter);
    const begun = { ...keeping, ...(await this.#nothing(keeping.publicKey)), previous, counter: Math.max(previous, keeping.counter) };
    await store.transact("write", (tx) => beginAnew(tx, begun, forcedAtMs));
    return begun;
  }

  /** Sends the chunks that were made; where the server has others, all of it begins anew. @throws ClientError */
  async #sendChunks(connection: HostConnection): Promise<void> {
    const { store } = this.#world;
    for (;;) {
      const { out, keeping } = await store.transact("read", async (tx) => ({ out: await nextOut(tx), keeping: await loadKeeping(tx) }));
      if (out === undefined || keeping === undefined || this.#isClosed) return;
      const { generation } = keeping;
      const request = { kind: "put_history_chunk", generation, number: out.number, chunk: out.chunk } as const;
      const became = await put(connection, request).catch(async (error: unknown) => await this.#noteFull(error));
      if (became !== "done") {
        await this.#anew(keeping, await this.#force());
        return;
      }
      await store.transact("write", (tx) => tx.delete(out.key));
    }
  }

  /** What no more fits into, for what it has of earlier lines, is written anew as if one of them had changed. @throws ClientError as it is given */
  async #noteFull(error: unknown): Promise<never> {
    if (error instanceof ClientError && error.code === "backup_full")
      await this.#world.store.transact("write", async (tx) => {
        const keeping = await loadKeeping(tx);
        if (keeping !== undefined && keeping.walk === undefined) putKeeping(tx, { ...keeping, isSuperseded: true });
      });
    throw error;
  }

  /** Makes the next chunk, and stores it with all that follows from it; whether there was anything to do. */
  async #make(): Promise<boolean> {
    const { store } = this.#world;
    const { ids, except } = this.#ids();
    const before = await store.transact("read", async (tx) => {
      const keeping = await loadKeeping(tx);
      if (keeping === undefined) return undefined;
      const gathered = await gather(tx, { walk: keeping.walk, ids, except });
      return { keeping, gathered, touched: await loadTouched(tx, headsAtOnce) };
    });
    if (before === undefined) return false;
    const { keeping, gathered } = before;
    const touched = {
      conversations: [...new Set([...before.touched.conversations, ...gathered.conversations])],
      authors: [...new Set([...before.touched.authors, ...gathered.authors])],
    };
    const isIdle =
      keeping.walk === undefined && gathered.settled.length === 0 && touched.conversations.length + touched.authors.length === 0;
    // What has nothing yet is a backup all the same.
    if (isIdle && keeping.chunks > 0) return false;
    // Beside the last lines there is room for whose they are; during the first writing that waits.
    const heads =
      gathered.walk === undefined
        ? await gatherHeads(this.#world, touched, { runner: (id) => this.#access.runner(id), leftBytes: gathered.leftBytes })
        : noHeads;
    const items = [...gathered.items, ...heads.items];
    const isOver = keeping.walk !== undefined && gathered.walk === undefined;
    const next: Keeping = {
      ...keeping,
      walk: gathered.walk,
      messages: Math.max(0, keeping.messages + gathered.messages),
      leftOut: keeping.leftOut + gathered.leftOut,
      isSuperseded: keeping.isSuperseded || gathered.isSuperseding,
      baseChunks: isOver ? keeping.chunks + 1 : keeping.baseChunks,
    };
    const chunk = items.length === 0 && keeping.chunks > 0 ? undefined : this.#seal(keeping, items);
    await store.transact("write", async (tx) => {
      if (chunk === undefined) putKeeping(tx, next);
      else this.#putChunk(tx, next, chunk);
      for (const due of gathered.settled) await settleDue(tx, due);
      putTouched(tx, touched);
      settleTouched(tx, heads.settled);
      for (const [account, mark] of heads.told) putTold(tx, account, mark);
    });
    return true;
  }

  #seal({ chainKey, generation, chunks }: Keeping, items: Parameters<typeof sealChunk>[0]): Uint8Array {
    const { own, platform } = this.#world;
    return sealChunk(items, chunkKeyOf(chainKey), { accountId: own.accountId, generation, number: chunks }, platform.random);
  }

  /** Stores a chunk; from then on nothing here opens it. */
  #putChunk(tx: StoreTransaction, keeping: Keeping, chunk: Uint8Array): void {
    putChunk(tx, keeping.chunks, chunk, this.#world.platform.sha256(chunk));
    tx.eraseTraces();
    const { chunks, chainKey, sizeBytes } = keeping;
    putKeeping(tx, { ...keeping, chunks: chunks + 1, chainKey: nextChainKey(chainKey), sizeBytes: sizeBytes + chunk.length });
  }

  /** Has the manifest count all chunks; whether it did not yet. */
  async #finish(connection: HostConnection): Promise<boolean> {
    const { store, own } = this.#world;
    const keeping = await store.transact("read", loadKeeping);
    if (keeping === undefined || this.#isClosed) return false;
    const out = (await store.transact("read", loadManifestOut)) ?? (await this.#makeManifest(keeping));
    if (out === undefined) return false;
    const { previous, generation, messages, sizeBytes } = keeping;
    const { counter, chunks, manifest, timeMs } = out;
    const became = await put(connection, { kind: "put_history_manifest", previous, counter, generation, chunks, manifest });
    if (became === "lost") await this.#anew(keeping, await this.#force());
    // Another came first, or something was lost: looked at with the next writing.
    if (became !== "done") throw changedMeanwhile();
    const seen: SeenBackup = { isOn: true, deviceId: own.deviceId, counter, writtenAtMs: timeMs, messages, sizeBytes };
    await store.transact("write", async (tx) => {
      putKeeping(tx, { ...keeping, previous: counter, counter, counted: chunks, writtenAtMs: timeMs });
      putManifestOut(tx, undefined);
      await putSeen(tx, seen);
    });
    this.#access.shareSeen();
    return true;
  }

  async #makeManifest(keeping: Keeping): Promise<Awaited<ReturnType<typeof loadManifestOut>>> {
    const { store, own, platform } = this.#world;
    const { chunks, counted, generation, sealedKey, chainKey, messages } = keeping;
    if (chunks === counted) return undefined;
    const hashes = await store.transact("read", loadHashes);
    const [counter, timeMs] = [keeping.counter + 1, platform.nowMs()];
    const body = { counter, generation, sealedKey };
    const manifest = await writeManifest({ own, platform, chainKey, body, content: { timeMs, messages, hashes } });
    const out = { counter, chunks, timeMs, manifest };
    await store.transact("write", (tx) => {
      putKeeping(tx, { ...keeping, counter });
      putManifestOut(tx, out);
    });
    return out;
  }
}
