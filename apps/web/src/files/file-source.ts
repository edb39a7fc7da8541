import type { AttachedFile, FileAccess } from "@latchkey/client";
import { FileBroken, readSealedFile, sealedBytesOf } from "@latchkey/client/files";
import { lookAtParts } from "../media-worker/look.ts";
import { mediaPath, shownAsHeader } from "../media-worker/messages.ts";
import type { AccessAnswer, ShownAs } from "../media-worker/messages.ts";
import { openPieceStore } from "../media-worker/piece-store.ts";
import { browsersFetch, FileGone, piecesOf, storeFor } from "../media-worker/pieces.ts";
import { failureOf } from "../worker/protocol.ts";
import type { ClientHost } from "../worker/remote-client.ts";
import type { FileHolder } from "./holder.ts";
import { keepWorkerGoing, registerMediaWorker, tellMediaWorker } from "./media-registration.ts";

/** What a page can have in memory of a file, where no worker answers for it. */
export const mostInMemoryBytes: number = 64 * 1_048_576;
/** Files that the page has in memory are let go of above this. */
const mostHeldBytes = 2 * mostInMemoryBytes;
/** A save that a browser has begun needs no page after so long. */
const longestSaveMs = 600_000;
/** Where the client of this profile keeps ciphertext. */
const storeName = "latchkey-files-default";

/** Why a file cannot be shown, or saved. */
export type ShowFailure =
  /** It is no picture, video or sound, whatever is said of it. */
  | "not_shown"
  /** A picture of more pixels, or bytes, than are decoded. */
  | "large"
  /** Larger than what is shown in a browser without workers that answer requests. */
  | "too_large_here"
  | "gone"
  /** It is not what its author sent. */
  | "broken"
  /** Of somebody who is not accepted. */
  | "not_accepted"
  /** What is to be seen once is fetched whole before it is opened. */
  | "storage_full"
  | "seen_once"
  /** It may be had later. */
  | "failed";

/** A file cannot be shown, or saved. */
export class ShowError extends Error {
  override readonly name = "ShowError";
  readonly why: ShowFailure;

  constructor(why: ShowFailure, options?: ErrorOptions) {
    super(why, options);
    this.why = why;
  }
}

/** Why a file cannot be shown, by what the client says. */
function whyOf(error: unknown): ShowFailure {
  const { code } = failureOf(error);
  switch (code) {
    case "file_gone":
      return "gone";
    case "server_lied":
      return "broken";
    case "other_host":
      return "not_accepted";
    case "not_accepted":
    case "storage_full":
    case "seen_once":
      return code;
    default:
      return "failed";
  }
}

/** One file of one message, or of one imported line. */
export interface FilePlace {
  readonly message: Pick<FileHolder, "conversationId" | "id" | "isOnce" | "imported">;
  readonly file: Pick<AttachedFile, "id" | "name" | "sizeBytes">;
}

type FileClient = Pick<ClientHost["client"], "fileAccess" | "fetchFile" | "importedFile" | "removeFile">;

/** Where a page shows files from. */
export class FileSource {
  readonly #client: FileClient;
  readonly #places = new Map<string, FilePlace>();
  readonly #tokens = new Map<string, string>();
  readonly #held = new Map<string, { readonly place: FilePlace; readonly address: string; readonly sizeBytes: number }>();
  /** Of what is to be seen once: the client gives it out once, and has no key any more (spec X-8). */
  readonly #onceOpened = new Map<string, Promise<FileAccess>>();
  /** Of these something was shown. */
  readonly #onceShown = new Set<string>();
  /** What is forgotten in a moment. */
  readonly #leaving = new Map<string, ReturnType<typeof setTimeout>>();
  #worker: Promise<boolean> | undefined;

  constructor(client: FileClient) {
    this.#client = client;
  }

  /** Whether a worker answers for files here; asked for with the first one. */
  hasWorker(): Promise<boolean> {
    this.#worker ??= registerMediaWorker((token) => this.#accessOf(token));
    return this.#worker;
  }

  /**
   * An address to show the file from. `isAgain`: the one before did not show it. What is to be seen once this page decrypts by itself then, if it
   * fits: whatever ails the worker, there is no second key.
   * @throws ShowError
   */
  async address(place: FilePlace, { isAgain = false }: { readonly isAgain?: boolean } = {}): Promise<string> {
    const { message, file } = place;
    const isOnce = message.isOnce === true;
    this.#stay(keyOf(message.id, file.id));
    // It is fetched as a whole, and one's other devices are told, before anything is shown.
    if (isOnce) await this.#reach(place);
    const isByPage = isOnce && isAgain && sealedBytesOf(file.sizeBytes) <= mostInMemoryBytes;
    return !isByPage && (await this.hasWorker()) ? `${mediaPath}${this.#tokenOf(place)}` : (await this.#inMemory(place)).address;
  }

  /** Why what should have been shown from that address was not. */
  async why(address: string): Promise<ShowFailure> {
    // What is in the page was looked at before, and the browser could not show it all the same.
    if (address.startsWith("blob:")) return "not_shown";
    try {
      const response = await fetch(address, { headers: { range: "bytes=0-0" } });
      await response.body?.cancel();
      if (response.status === 410) return "gone";
      if (response.status === 422) return "broken";
      // The worker does not have it of this page: the client says why, or gives it out the next time.
      if (response.status === 404) return await this.#whyNot(address);
      // Only our own worker sets it.
      const shownAs = response.headers.get(shownAsHeader) as ShownAs | null;
      return shownAs === "large" ? "large" : shownAs === null ? "failed" : "not_shown";
    } catch {
      return "failed";
    }
  }

  /** Saves the file under its name, where the browser saves files: it is brought here as a whole before. @throws ShowError, RemoteError */
  async save(place: FilePlace): Promise<void> {
    const { message, file } = place;
    const isKept = message.isOnce !== true;
    const hasWorker = await this.hasWorker();
    if (hasWorker && isKept && message.imported === undefined) {
      await this.#client.fetchFile(message.conversationId, message.id, file.id).catch((error: unknown) => {
        // Without room for it, it comes as it is saved.
        if (failureOf(error).code !== "storage_full") throw error;
      });
    }
    if (hasWorker && isKept) setTimeout(keepWorkerGoing(), longestSaveMs);
    const link = document.createElement("a");
    if (hasWorker) {
      link.href = `${mediaPath}${this.#tokenOf(place)}?save`;
      // The page goes nowhere: what is answered is saved. (A browser fetches a link with `download` past the worker.)
      const response = await fetch(link.href, { headers: { range: "bytes=0-0" } });
      await response.body?.cancel();
      if (!response.headers.has(shownAsHeader))
        throw new ShowError(response.status === 410 ? "gone" : response.status === 422 ? "broken" : "failed");
    } else {
      link.href = (await this.#inMemory(place)).address;
      link.download = file.name;
    }
    link.click();
  }

  /** The bytes of a file as they come, decrypted by this page. @throws ShowError */
  async *read(place: FilePlace): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
    const access = await this.#reach(place);
    const reader = piecesOf(access, hasStore(place, access) ? storeFor(access, store) : undefined, world).read();
    try {
      yield* readSealedFile(access, reader.take);
    } catch (error) {
      throw new ShowError(error instanceof FileGone ? "gone" : error instanceof FileBroken ? "broken" : "failed", { cause: error });
    } finally {
      reader.end();
    }
  }

  /** Something of what is to be seen once was shown: it is over with the next `forget`. */
  shown({ message, file }: FilePlace): void {
    this.#onceShown.add(keyOf(message.id, file.id));
  }

  /** Whether what is to be seen once was opened here and could not be shown yet: this page has its key, and nobody else. */
  isOpened({ message, file }: FilePlace): boolean {
    const key = keyOf(message.id, file.id);
    return this.#onceOpened.has(key) && !this.#onceShown.has(key);
  }

  /** What was shown once is forgotten, unless it is asked for again at once: what shows it may be taken off and put back (React does so in development). */
  forget(place: FilePlace): void {
    const key = keyOf(place.message.id, place.file.id);
    this.#stay(key);
    this.#leaving.set(
      key,
      setTimeout(() => this.#forget(place), 0),
    );
  }

  /** Nothing names these files any more: neither this page nor the worker gives them out again. What was opened to be seen once ends by itself (`forget`). */
  gone(fileIds: readonly string[]): void {
    const ids = new Set(fileIds);
    const places = [...this.#places.values(), ...[...this.#held.values()].map(({ place }) => place)];
    for (const place of places) if (ids.has(place.file.id) && place.message.isOnce !== true) this.#forget(place);
    // Also what other pages showed, which may be there no more.
    tellMediaWorker({ kind: "media_forget", fileIds });
  }

  #stay(key: string): void {
    clearTimeout(this.#leaving.get(key));
    this.#leaving.delete(key);
  }

  #forget({ message, file }: FilePlace): void {
    const key = keyOf(message.id, file.id);
    this.#leaving.delete(key);
    const token = this.#tokens.get(key);
    this.#tokens.delete(key);
    if (token !== undefined) {
      this.#places.delete(token);
      tellMediaWorker({ kind: "media_forget", token });
    }
    const held = this.#held.get(key);
    this.#held.delete(key);
    if (held !== undefined) URL.revokeObjectURL(held.address);
    // What was opened and not shown can be opened again, as long as this page is there.
    if (this.#onceShown.has(key) && this.#onceOpened.delete(key))
      void this.#client.removeFile(message.conversationId, message.id, file.id).catch(() => undefined);
  }

  #tokenOf(place: FilePlace): string {
    const key = keyOf(place.message.id, place.file.id);
    const token = this.#tokens.get(key) ?? randomToken();
    this.#tokens.set(key, token);
    this.#places.set(token, place);
    return token;
  }

  async #accessOf(token: string): Promise<AccessAnswer> {
    const place = this.#places.get(token);
    if (place === undefined) return { kind: "none" };
    try {
      const access = await this.#access(place);
      return { kind: "access", access, ...(hasStore(place, access) ? { storeName } : {}) };
    } catch {
      return { kind: "none" };
    }
  }

  async #access(place: FilePlace): Promise<FileAccess> {
    const { message, file } = place;
    const key = keyOf(message.id, file.id);
    const known = this.#onceOpened.get(key);
    if (known !== undefined) return await known;
    if (message.imported !== undefined) return await this.#client.importedFile(message.imported.importId, message.imported.order, file.id);
    const access = this.#client.fileAccess(message.conversationId, message.id, file.id);
    if (message.isOnce === true) {
      this.#onceOpened.set(key, access);
      // What could not be fetched was not opened.
      access.catch(() => this.#onceOpened.delete(key));
    }
    return await access;
  }

  /** As `#access`. @throws ShowError */
  async #reach(place: FilePlace): Promise<FileAccess> {
    return await this.#access(place).catch((cause: unknown) => {
      throw new ShowError(whyOf(cause), { cause });
    });
  }

  async #whyNot(address: string): Promise<ShowFailure> {
    const [token = ""] = address.slice(mediaPath.length).split("?");
    const place = this.#places.get(token);
    if (place === undefined) return "failed";
    return await this.#access(place).then(
      () => "failed",
      (error: unknown) => whyOf(error),
    );
  }

  async #inMemory(place: FilePlace): Promise<{ readonly address: string }> {
    const { file } = place;
    const key = keyOf(place.message.id, file.id);
    const known = this.#held.get(key);
    if (known !== undefined) return known;
    if (sealedBytesOf(file.sizeBytes) > mostInMemoryBytes) throw new ShowError("too_large_here");
    const { sizeBytes } = file;
    const parts: Uint8Array<ArrayBuffer>[] = [];
    for await (const part of this.read(place)) parts.push(part);
    // A type only where its bytes are of the closed list of what is shown.
    const blob = new Blob(parts, { type: (await lookAtParts(parts, sizeBytes)).mediaType });
    const held = { place, address: URL.createObjectURL(blob), sizeBytes: blob.size };
    this.#held.set(key, held);
    let total = [...this.#held.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    for (const [old, { address, sizeBytes }] of this.#held) {
      if (total <= mostHeldBytes || old === key) break;
      URL.revokeObjectURL(address);
      this.#held.delete(old);
      total -= sizeBytes;
    }
    return held;
  }
}

const store = openPieceStore(storeName, () => Date.now());
const world = browsersFetch();

/** Of what is to be seen once, and of what was imported, all is there; a blob that another message named first is not taken from there. */
function hasStore({ message }: FilePlace, { isKept }: FileAccess): boolean {
  return isKept || message.isOnce === true || message.imported !== undefined;
}

function keyOf(messageId: string, fileId: string): string {
  return `${messageId} ${fileId}`;
}

/** A token that nobody can guess. */
export function randomToken(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
