import { concatBytes, toBase64Url } from "@latchkey/codec";
import { blobPath } from "@latchkey/protocol";
import type { FilePart } from "@latchkey/protocol";
import type { FileAccess, FileRange, FileState, FileStorage, ListedFile, NewFile } from "../api.ts";
import type { Transcribe } from "../api/transcripts.ts";
import type { ConversationRunner } from "../engine/conversation-runner.ts";
import { unknownMessage } from "../engine/shown-history.ts";
import type { World } from "../engine/world.ts";
import { ClientError } from "../errors.ts";
import { loadImportedFileIds } from "../imports/stored.ts";
import { loadLine } from "../timeline/history.ts";
import { isSeen, isToBeSeenOnce } from "../timeline/once.ts";
import { Downloads } from "./downloads.ts";
import type { Wanted } from "./downloads.ts";
import { Eviction, spareBytes, withRoom } from "./eviction.ts";
import { isOwnFile, loadAllFiles } from "./file-index.ts";
import type { FilePlaceInLine } from "./file-index.ts";
import { safeFileName } from "./file-name.ts";
import type { FileNews } from "./file-news.ts";
import { dayOf } from "./file-store.ts";
import type { FilePlace, StoredFile } from "./file-store.ts";
import { fileAmong, filesOfLine, filesOfOutgoing } from "./files-of.ts";
import { Listing } from "./listing.ts";
import { readKept } from "./read-kept.ts";
import { sealedBytesOf } from "./reading.ts";
import { Staging } from "./staging.ts";
import type { Kept, Staged } from "./staging.ts";
import { Transcribing } from "./transcribing.ts";
import { Uploads } from "./uploads.ts";

/** How often it is told how far a file is. */
const tellEveryMs = 200;

/** What files need of the engine. */
export interface FilesAccess {
  /** @throws ClientError `unknown_conversation` */
  runner(id: string): ConversationRunner;
  runners(): readonly ConversationRunner[];
  place(): Promise<FilePlace>;
  /** Lets go of a message that waits. */
  discard(conversationId: string, messageId: string): Promise<void>;
  /** One's other devices are told that this is being seen, which is to be seen once. */
  tellSeen(conversationId: string, messageId: string): Promise<void>;
}

/** A file, by the message that it came with. */
export interface FileAt {
  readonly conversationId: string;
  readonly messageId: string;
  readonly fileId: string;
}

interface Found {
  readonly runner: ConversationRunner;
  readonly file: FilePart;
  readonly author: Uint8Array | undefined;
  /** It is in the log, and somebody else's to be seen once. */
  readonly isOnce: boolean;
  readonly isSeen: boolean;
  /** Another message named its blob before. */
  readonly isOthers: boolean;
  /** What is known of fetching it goes by this: its blob, and for who names another's the message too. */
  readonly key: string;
}

/** Files of messages: bringing them to their hosts and from there, keeping them, and forgetting those that no message names. */
export class Files implements Omit<FileNews, "waiting"> {
  readonly #world: World;
  readonly #access: FilesAccess;
  readonly #staging: Staging;
  readonly #uploads: Uploads;
  readonly #downloads: Downloads;
  readonly #listing: Listing;
  readonly #eviction: Eviction;
  readonly #transcribing = new Transcribing();
  /** Those that are being fetched, by key. */
  readonly #fetching = new Map<string, { readonly done: Promise<void>; readonly end: AbortController }>();
  /** How many read each just now. */
  readonly #reading = new Map<string, number>();
  /** Of which their hosts said that they do not have them, by key. */
  readonly #gone = new Set<string>();
  /** When it was told how far each is that comes. */
  readonly #toldAtMs = new Map<string, number>();
  /** Opened, to be seen once: their ciphertext is read just now. */
  readonly #opened = new Set<string>();
  /** Files of imported lines: read once, and followed. */
  #imported: Promise<Set<string>> | undefined;
  /** Those of messages that wait, and whose. */
  #waiting = new Map<string, { readonly runner: ConversationRunner; readonly messageId: string }>();
  #collecting: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(world: World, access: FilesAccess) {
    this.#world = world;
    this.#access = access;
    this.#eviction = new Eviction(world, {
      place: () => access.place(),
      imported: () => this.#importedIds(),
      isHeld: (id) => this.#isHeld(id),
      evicted: (place) => void this.#tellOf(place),
    });
    const roomy = async (): Promise<FilePlace> => {
      const place = await access.place();
      return { ...place, store: withRoom(place.store, (bytes) => this.#eviction.free(bytes)) };
    };
    this.#staging = new Staging(world, roomy);
    this.#downloads = new Downloads(world.platform, roomy);
    this.#listing = new Listing(world, access);
    this.#uploads = new Uploads(world, {
      runners: () => access.runners(),
      place: () => access.place(),
      moved: (at) => void this.#tell(at),
    });
    world.connections.onState(({ kind }) => {
      if (kind === "online") this.#uploads.wake(true);
    });
  }

  get isIdle(): boolean {
    return this.#uploads.isIdle;
  }

  /** Goes on with what waits, and forgets what no message names: what a crash left, for one. */
  start(): void {
    this.waiting();
    // Of a store that cannot be read now the next start looks again.
    this.#collecting = this.#collect()
      .catch(() => undefined)
      .then(() => this.#eviction.wakeSoon());
  }

  /** Encrypts files that are to be sent. @throws ClientError as `Staging.stage` */
  async stage(host: string, files: readonly NewFile[]): Promise<Staged> {
    const staged = await this.#staging.stage(host, files);
    for (const { blobId } of staged.parts) this.#eviction.used(toBase64Url(blobId));
    this.#eviction.wakeSoon();
    return staged;
  }

  /**
   * Keeps a file of this device alone, which no message names and no host has. Nothing else goes to make room for it, and nothing takes it off but
   * `forgetKept`.
   * @throws ClientError `storage_full` where little more would fit; as `Staging.keep`
   */
  async keep(file: NewFile, signal: AbortSignal): Promise<Kept> {
    // What looks for files that nobody names is not to find it.
    await this.#collecting;
    const place = await this.#access.place();
    const roomBytes = await place.roomBytes?.();
    if (roomBytes !== undefined && roomBytes < sealedBytesOf(file.sizeBytes) + spareBytes)
      throw new ClientError("storage_full", "There is no space left on this device.");
    const imported = await this.#importedIds();
    const kept = await this.#staging.keep(place, file, signal);
    imported.add(toBase64Url(kept.file.blobId));
    return kept;
  }

  /** The bytes of one that was kept so. @throws ClientError `file_gone` */
  async *readKept(access: FileAccess): AsyncGenerator<Uint8Array, void, undefined> {
    yield* readKept((await this.#access.place()).store, access);
  }

  /** Forgets files that were kept so. */
  async forgetKept(ids: readonly string[]): Promise<void> {
    await this.#forget(ids);
    const imported = await this.#importedIds();
    for (const id of ids) imported.delete(id);
  }

  #importedIds(): Promise<Set<string>> {
    this.#imported ??= this.#world.store.transact("read", (tx) => loadImportedFileIds(tx));
    this.#imported.catch(() => (this.#imported = undefined));
    return this.#imported;
  }

  async state({ conversationId, messageId, fileId }: FileAt): Promise<FileState> {
    return await this.#stateOf(await this.#find({ conversationId, messageId, fileId }));
  }

  /** Of what is to be seen once, that is once: all of it is here then. @throws ClientError `unknown_message`, `other_host`, `not_accepted`, `seen_once` */
  async reach(at: FileAt): Promise<FileAccess> {
    const { file, url, isOnce, isOthers } = await this.#wanted(at);
    if (isOnce) {
      await this.#open(at);
      // Its ciphertext stays until the next start, or until it is removed: whoever reads it has the key now, and nobody else.
      await this.#see(at).catch((error: unknown) => {
        this.#opened.delete(at.fileId);
        throw error;
      });
    } else await this.#use(at.fileId);
    const { key, prefix, sizeBytes, mediaType } = file;
    return { id: at.fileId, url, key, prefix, sizeBytes, mediaType, name: safeFileName(file.name), isKept: !isOnce && !isOthers };
  }

  /** Fetches a file whole. @throws ClientError as `reach`, and as `Downloads.fetch` */
  async fetch(at: FileAt): Promise<void> {
    const wanted = await this.#wanted(at);
    const { key } = wanted;
    const known = this.#fetching.get(key);
    if (known !== undefined) return await known.done;
    this.#eviction.used(at.fileId);
    const end = new AbortController();
    const done = this.#downloads
      .fetch(wanted, end.signal, () => this.#cameOn(at))
      .then(() => void this.#gone.delete(key))
      .catch((error: unknown) => {
        throw this.#failure(key, error, end.signal);
      })
      .finally(() => {
        this.#fetching.delete(key);
        this.#toldAtMs.delete(at.fileId);
        void this.#tell(at);
        this.#eviction.wakeSoon();
      });
    this.#fetching.set(key, { done, end });
    await done;
  }

  /** The bytes of a file, or of a part of it. @throws ClientError as `reach`, and as `Downloads.read` */
  async *read(at: FileAt, { from = 0, to = Number.POSITIVE_INFINITY }: FileRange = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const wanted = await this.#wanted(at);
    const { isOnce } = wanted;
    if (isOnce) await this.#open(at);
    const end = new AbortController();
    let isLookedAt = false;
    this.#eviction.used(at.fileId);
    this.#reading.set(at.fileId, (this.#reading.get(at.fileId) ?? 0) + 1);
    try {
      for await (const part of this.#downloads.read(wanted, { from, to }, end.signal, () => this.#cameOn(at))) {
        // Before anything of it is given out, whatever ends this program then.
        if (isOnce && !isLookedAt) await this.#see(at);
        isLookedAt = true;
        yield part;
      }
      if (isOnce && !isLookedAt) await this.#see(at);
      isLookedAt = true;
    } catch (error) {
      throw this.#failure(wanted.key, error, end.signal);
    } finally {
      end.abort();
      this.#toldAtMs.delete(at.fileId);
      const others = (this.#reading.get(at.fileId) ?? 1) - 1;
      if (others > 0) this.#reading.set(at.fileId, others);
      else this.#reading.delete(at.fileId);
      this.#eviction.wakeSoon();
      void this.#tell(at);
      if (isOnce) {
        this.#opened.delete(at.fileId);
        if (isLookedAt) await this.#forget([at.fileId]);
      }
    }
  }

  /**
   * A file's whole ciphertext, as its message names it: for a report, so also of somebody who is not accepted.
   * @throws ClientError as `reach`, and as `Downloads.fetch`
   */
  async ciphertext(at: FileAt): Promise<Uint8Array> {
    const wanted = await this.#wanted(at, "anybody");
    const pieces: Uint8Array[] = [];
    await this.#downloads.fetch(
      wanted,
      new AbortController().signal,
      () => undefined,
      (piece, index) => (pieces[index] = piece),
    );
    return concatBytes(...pieces);
  }

  /** What is said in a file, by that function (spec X-27). @throws ClientError as `reach`, `not_permitted`, and whatever the function throws */
  async transcribe(at: FileAt, transcribe: Transcribe | undefined): Promise<string> {
    if (transcribe === undefined) throw new ClientError("not_permitted", "No transcripts are made here.");
    const { file, isOnce } = await this.#wanted(at);
    if (isOnce) throw new ClientError("not_permitted", "This is to be seen once, and nothing of it is kept.");
    const { conversationId, messageId, fileId } = at;
    const runner = this.#access.runner(conversationId);
    return await this.#transcribing.run({ runner, messageId, fileId, file, content: this.read(at) }, transcribe);
  }

  /** It is looked at now, as far as it is here. */
  async #use(id: string): Promise<void> {
    this.#eviction.used(id);
    this.#eviction.wakeSoon();
    const { store } = await this.#access.place();
    const today = dayOf(this.#world.platform.nowMs());
    const stored = await store.get(id).catch(() => undefined);
    if (stored === undefined || stored.lastUsedDay === today) return;
    // Where that cannot be written down, it is only taken off this device earlier.
    await store.begin(id, stored.totalBytes, today).catch(() => undefined);
  }

  /** It waits, is on its way, or is being read. */
  #isHeld(id: string): boolean {
    return this.#isOnItsWay(id) || this.#staging.has(id) || this.#opened.has(id) || this.#fetching.has(id) || this.#reading.has(id);
  }

  /** Of what is to be seen once all is here before it is opened, and one's other devices are told before anything of it is given out. */
  async #open(at: FileAt): Promise<void> {
    if (this.#opened.has(at.fileId)) throw seenOnce();
    this.#opened.add(at.fileId);
    try {
      await this.fetch(at);
      await this.#access.tellSeen(at.conversationId, at.messageId);
    } catch (error) {
      this.#opened.delete(at.fileId);
      throw error;
    }
  }

  /** Nothing is left here that reads it. */
  async #see({ conversationId, messageId }: FileAt): Promise<void> {
    await this.#access.runner(conversationId).changeTimeline((timeline) => timeline.see([messageId]));
  }

  /** Files of a message as new ones: under other keys, so that nobody can tell by their ciphertext that they are the same (spec X-9). */
  again(at: Omit<FileAt, "fileId">, parts: readonly FilePart[]): readonly NewFile[] {
    return parts.map(({ blobId, host: _host, key: _key, prefix: _prefix, hash: _hash, ...told }) => ({
      ...told,
      content: this.read({ ...at, fileId: toBase64Url(blobId) }),
    }));
  }

  /** Ends a fetch; an upload's message is let go of. */
  async cancel(at: FileAt): Promise<void> {
    const { conversationId, messageId, fileId } = at;
    const { key } = await this.#find(at);
    if (this.#uploads.progress(fileId) !== undefined) await this.#access.discard(conversationId, messageId);
    this.#fetching.get(key)?.end.abort();
    this.#transcribing.end(messageId, fileId);
  }

  /** Takes a file off this device. @throws ClientError `not_permitted` while it is on its way to its host */
  async remove(at: FileAt): Promise<void> {
    const { isOthers } = await this.#find(at);
    // Nothing of it is kept for this message.
    if (isOthers) return;
    if (this.#isOnItsWay(at.fileId))
      throw new ClientError("not_permitted", "This file is on its way. Cancel its message, or wait until it is there.");
    this.#fetching.get(at.fileId)?.end.abort();
    await (await this.#access.place()).store.remove(at.fileId);
    await this.#tell(at);
  }

  /** As `Listing.list`. */
  async list(...params: Parameters<Listing["list"]>): Promise<readonly ListedFile[]> {
    return await this.#listing.list(...params);
  }

  storage(): Promise<FileStorage> {
    return this.#eviction.storage();
  }

  /** @throws ClientError `invalid_setting` */
  async setLimit(limitBytes: number | undefined): Promise<void> {
    await this.#eviction.setLimit(limitBytes);
  }

  gone(ids: readonly string[]): void {
    void this.#forget(ids.filter((id) => !this.#waiting.has(id) && !this.#staging.has(id) && !this.#opened.has(id))).catch(() => undefined);
  }

  /** Other messages than before wait in some conversation. */
  waiting(): void {
    const before = this.#waiting;
    const now: typeof before = new Map();
    for (const runner of this.#access.runners())
      for (const item of runner.state.outgoing)
        for (const { blobId } of filesOfOutgoing(item)) now.set(toBase64Url(blobId), { runner, messageId: item.id });
    this.#waiting = now;
    this.#uploads.wake();
    const left = [...before].filter(([id]) => !now.has(id));
    void this.#forgetDropped(left).catch(() => undefined);
  }

  missing(conversationId: string, entryId: Uint8Array): void {
    this.#uploads.missing(conversationId, entryId);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#transcribing.close();
    await this.#staging.end();
    for (const { end } of this.#fetching.values()) end.abort();
    await this.#eviction.close();
    await this.#uploads.close();
    await this.#collecting;
    await Promise.allSettled([...this.#fetching.values()].map(({ done }) => done));
    this.#staging.close();
    await (await this.#access.place()).store.close();
  }

  #isOnItsWay(id: string): boolean {
    return this.#waiting.has(id) || this.#uploads.progress(id) !== undefined;
  }

  async #find({ conversationId, messageId, fileId }: FileAt): Promise<Found> {
    const runner = this.#access.runner(conversationId);
    const line = await runner.history.line(messageId);
    const item = runner.state.outgoing.find(({ id }) => id === messageId);
    const inLine = line === undefined ? undefined : fileAmong(filesOfLine(line), fileId);
    const file = inLine ?? (item === undefined ? undefined : fileAmong(filesOfOutgoing(item), fileId));
    if (file === undefined) throw unknownMessage();
    const isOthers =
      inLine !== undefined &&
      line !== undefined &&
      !(await this.#world.store.transact("read", (tx) => isOwnFile(tx, runner.id, line.order, fileId)));
    const isOnce = inLine !== undefined && line !== undefined && isToBeSeenOnce(line.body);
    const key = isOthers ? `${messageId}/${fileId}` : fileId;
    const author = line === undefined ? this.#world.own.accountId : line.author;
    return { runner, file, author, isOnce, isSeen: isOnce && isSeen(line.body), isOthers, key };
  }

  /** What may be asked for: at its conversation's host alone, and of nobody who is not accepted. */
  async #wanted(at: FileAt, of: "accepted" | "anybody" = "accepted"): Promise<Wanted & Pick<Found, "isOnce" | "isOthers" | "key">> {
    const { runner, file, author, isOnce, isSeen: isOver, isOthers, key } = await this.#find(at);
    if (isOver) throw seenOnce();
    const { host, peer } = runner.state;
    if (file.host !== host)
      throw new ClientError("other_host", "Whoever sent this file says that another server has it. Nothing is asked for there.");
    const { standings } = this.#world;
    const isStrange = peer !== undefined && standings.of(peer) === "stranger";
    if (of === "accepted" && (isStrange || [peer, author].some((account) => account !== undefined && standings.of(account) === "blocked")))
      throw new ClientError("not_accepted", "This is of somebody whom you have not accepted.");
    return { file, isOnce, isOthers, key, url: `${this.#world.connections.httpUrl(host)}${blobPath(at.fileId)}` };
  }

  async #stateOf({ file: { blobId, sizeBytes }, isOthers, key }: Pick<Found, "file" | "isOthers" | "key">): Promise<FileState> {
    const id = toBase64Url(blobId);
    const totalBytes = sealedBytesOf(sizeBytes);
    const progress = this.#uploads.progress(id);
    if (progress !== undefined) return { kind: "sending", ...progress, totalBytes };
    const stored = await (await this.#access.place()).store.get(id);
    const hereBytes = stored?.totalBytes === totalBytes && !isOthers ? stored.hereBytes : 0;
    if (hereBytes === totalBytes) return { kind: "here" };
    return this.#gone.has(key) ? { kind: "gone" } : { kind: "remote", hereBytes, totalBytes };
  }

  /** More of it is here: told as often as somebody can see it, and with its last piece. */
  #cameOn(at: FileAt): void {
    const nowMs = this.#world.platform.nowMs();
    if (Math.abs(nowMs - (this.#toldAtMs.get(at.fileId) ?? 0)) < tellEveryMs) return;
    this.#toldAtMs.set(at.fileId, nowMs);
    void this.#tell(at);
  }

  async #tell(at: FileAt): Promise<void> {
    if (this.#isClosed) return;
    try {
      this.#world.emit({ kind: "file", ...at, state: await this.state(at) });
    } catch {
      // Its message is gone, or nothing can be read here now: there is nothing to tell.
    }
  }

  async #tellOf({ conversationId, order, fileId }: FilePlaceInLine): Promise<void> {
    const line = await this.#world.store.transact("read", (tx) => loadLine(tx, conversationId, order)).catch(() => undefined);
    if (line !== undefined) await this.#tell({ conversationId, messageId: line.id, fileId });
  }

  #failure(key: string, error: unknown, signal: AbortSignal): unknown {
    if (error instanceof ClientError && error.code === "file_gone") this.#gone.add(key);
    return signal.aborted ? new ClientError("closed", "The file is not fetched any more.", { canRetry: true }) : error;
  }

  /** Of messages that wait no more: those that are in the log keep their files. */
  async #forgetDropped(
    left: readonly (readonly [string, { readonly runner: ConversationRunner; readonly messageId: string }])[],
  ): Promise<void> {
    for (const [id, { runner, messageId }] of left) {
      const line = await runner.history.line(messageId);
      if (line === undefined && !this.#waiting.has(id)) await this.#uploads.abandon({ runner, blobId: id });
      if ((line === undefined || isSeen(line.body)) && !this.#waiting.has(id)) await this.#forget([id]);
    }
  }

  async #forget(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    if (!this.#isClosed) this.#world.emit({ kind: "files_gone", fileIds: ids });
    const { store } = await this.#access.place();
    for (const id of ids) {
      this.#fetching.get(id)?.end.abort();
      this.#gone.delete(id);
      await store.remove(id);
    }
  }

  async #collect(): Promise<void> {
    const { store } = await this.#access.place();
    const kept: readonly StoredFile[] = await store.list();
    const waiting = new Set(this.#waiting.keys());
    const named = new Set((await this.#world.store.transact("read", (tx) => loadAllFiles(tx))).map(({ fileId }) => fileId));
    const imported = await this.#importedIds();
    const isNamed = (id: string): boolean =>
      named.has(id) || imported.has(id) || waiting.has(id) || this.#waiting.has(id) || this.#staging.has(id);
    for (const { id } of kept) if (!this.#isClosed && !isNamed(id)) await store.remove(id);
  }
}

function seenOnce(): ClientError {
  return new ClientError("seen_once", "This was to be seen once, and it was, or its time is over.");
}
