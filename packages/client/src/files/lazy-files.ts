import type { ConversationState } from "../core/types.ts";
import { background } from "../devices/told.ts";
import type { World } from "../engine/world.ts";
import { ClientError, offlineError } from "../errors.ts";
import type { FileNews } from "./file-news.ts";
import type { FilePlace } from "./file-store.ts";
import type { Files, FilesAccess } from "./files.ts";

/** There is something in the store of files, or was once. */
const usedKey = "files-used";

/** The part that has to do with files, loaded with the first of them: most of what is said has none. */
export class LazyFiles implements FileNews {
  readonly #world: World;
  readonly #access: Omit<FilesAccess, "place">;
  #loading: Promise<Files> | undefined;
  #loaded: Files | undefined;
  #place: Promise<FilePlace> | undefined;
  #isClosed = false;

  constructor(world: World, access: Omit<FilesAccess, "place">) {
    this.#world = world;
    this.#access = access;
  }

  get isIdle(): boolean {
    return this.#loaded?.isIdle ?? true;
  }

  /** Goes on with what was begun before. */
  async start(): Promise<void> {
    if (await this.#world.store.transact("read", async (tx) => (await tx.get(usedKey)) !== undefined)) this.#begin();
  }

  /** @throws ClientError `storage_denied` where this platform keeps no files, `offline` where the part cannot be fetched */
  load(): Promise<Files> {
    this.#loading ??= this.#load().catch((error: unknown) => {
      this.#loading = undefined;
      throw error;
    });
    return this.#loading;
  }

  gone(ids: readonly string[]): void {
    // Whoever decrypts elsewhere may have a key of one from a time before this start.
    if (this.#loading === undefined) this.#world.emit({ kind: "files_gone", fileIds: ids });
    else this.#whereUsed((files) => files.gone(ids));
  }

  waiting({ outgoing }: Pick<ConversationState, "outgoing">): void {
    if (this.#loaded !== undefined) this.#loaded.waiting();
    else if (outgoing.some(({ uploads }) => uploads.length > 0)) this.#begin();
  }

  missing(conversationId: string, entryId: Uint8Array): void {
    this.#whereUsed((files) => files.missing(conversationId, entryId));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const files = await this.#loading?.catch(() => undefined);
    await files?.close();
  }

  #begin(): void {
    background(this.load().then(() => undefined));
  }

  #whereUsed(tell: (files: Files) => void): void {
    if (this.#loading !== undefined) background(this.#loading.then(tell));
  }

  async #load(): Promise<Files> {
    if (this.#isClosed) throw new ClientError("closed", "The client is closed.");
    const { platform, store } = this.#world;
    if (platform.files === undefined) throw new ClientError("storage_denied", "No files can be kept here.");
    let part: typeof import("./files.ts");
    try {
      part = await import("./files.ts");
    } catch (cause) {
      throw offlineError(cause);
    }
    const open = platform.files;
    this.#place = undefined;
    const place = (): Promise<FilePlace> => (this.#place ??= open());
    await place();
    // Before anything is kept: a start looks for what nobody names.
    await store.transact("write", (tx) => tx.put(usedKey, new Uint8Array(1)));
    const files = new part.Files(this.#world, { ...this.#access, place });
    files.start();
    this.#loaded = files;
    return files;
  }
}
