import { maxFileBytes } from "@latchkey/protocol";
import type { FilePart } from "@latchkey/protocol";
import type { NewFile } from "../api.ts";
import type { World } from "../engine/world.ts";
import { ClientError } from "../errors.ts";
import type { FilePlace } from "./file-store.ts";
import { filePieceBytes, sealedBytesOf } from "./reading.ts";
import { stageFile } from "./stage.ts";
import { mostFileBytes } from "./tus.ts";

/** Files of a message that are encrypted. */
export interface Staged {
  readonly parts: readonly FilePart[];
  /** Called once the message is written down, or is not to be: then nothing of them stays. */
  written(isKept: boolean): Promise<void>;
}

/** A file that is encrypted, and that nothing names yet. */
export interface Kept {
  readonly file: FilePart;
  /** Called once it is written down whose it is, or that it is nobody's: then nothing of it stays. */
  written(isKept: boolean): Promise<void>;
}

/** Encrypts files that are to be sent, and keeps them until their message is written down (decision 0017). */
export class Staging {
  readonly #world: Pick<World, "platform" | "connections">;
  readonly #place: () => Promise<FilePlace>;
  /** Encrypted, and in no message that is written down yet. */
  readonly #ids = new Set<string>();
  /** What is being encrypted, and how that is ended. */
  readonly #running = new Set<Promise<unknown>>();
  readonly #end = new AbortController();
  /** The store of files. */
  #isClosed = false;

  constructor(world: Pick<World, "platform" | "connections">, place: () => Promise<FilePlace>) {
    this.#world = world;
    this.#place = place;
  }

  /** Whether a blob is of a message that is not written down yet. */
  has(id: string): boolean {
    return this.#ids.has(id);
  }

  /** @throws ClientError as `stageFile`; then none of them stays */
  async stage(host: string, files: readonly NewFile[]): Promise<Staged> {
    await this.#requireTaken(host, files);
    return await this.#stage(await this.#place(), { host, signal: this.#end.signal }, files);
  }

  /** Encrypts one that no host is to have. @throws ClientError as `stageFile`, `closed` where `signal` ends it; then nothing of it stays */
  async keep(place: FilePlace, file: NewFile, signal: AbortSignal): Promise<Kept> {
    const { parts, written } = await this.#stage(place, { host: "", signal: AbortSignal.any([signal, this.#end.signal]) }, [file]);
    const [kept] = parts;
    // One was given.
    if (kept === undefined) throw new TypeError("nothing was kept");
    return { file: kept, written };
  }

  async #stage(
    place: FilePlace,
    { host, signal }: { readonly host: string; readonly signal: AbortSignal },
    files: readonly NewFile[],
  ): Promise<Staged> {
    const parts: FilePart[] = [];
    const begun: string[] = [];
    const onBegin = (id: string): void => {
      begun.push(id);
      this.#ids.add(id);
    };
    const written = async (isKept: boolean): Promise<void> => {
      for (const id of begun) {
        this.#ids.delete(id);
        // Of what is closed nothing is opened again: what stays goes with the next start.
        if (!isKept && !this.#isClosed) await place.store.remove(id);
      }
    };
    const stageAll = async (): Promise<void> => {
      try {
        for (const file of files) {
          if (signal.aborted) throw new ClientError("closed", "The client is closed.");
          parts.push(await stageFile(place, this.#world.platform, { host, onBegin, signal }, file));
        }
      } catch (error) {
        await written(false).catch(() => undefined);
        throw error;
      }
    };
    const running = stageAll();
    this.#running.add(running);
    try {
      await running;
    } finally {
      this.#running.delete(running);
    }
    return { parts, written };
  }

  /** Ends what is being encrypted; nothing of it stays. */
  async end(): Promise<void> {
    this.#end.abort();
    await Promise.allSettled(this.#running);
  }

  /** The store is about to be closed. */
  close(): void {
    this.#isClosed = true;
  }

  /** What the host takes no file of is not encrypted first; where it is not known, it says so when it is sent. */
  async #requireTaken(host: string, files: readonly NewFile[]): Promise<void> {
    const { platform, connections } = this.#world;
    const sizes = files.map(({ sizeBytes }) => sizeBytes).filter((size) => size > filePieceBytes && size <= maxFileBytes);
    if (sizes.length === 0) return;
    const mostBytes = await mostFileBytes({ platform, baseUrl: connections.httpUrl(host) });
    if (mostBytes !== undefined && sealedBytesOf(Math.max(...sizes)) > mostBytes)
      throw new ClientError("message_too_large", "A file is larger than the server takes.");
  }
}
