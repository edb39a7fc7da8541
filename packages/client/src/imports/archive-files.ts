import type { ArchivedFileFate, ImportCalls, ImportedFileCounts, ImportedLine } from "../api/imports.ts";
import { claimedType } from "../files/claimed-type.ts";
import type { ZipFile } from "../zip/read-zip.ts";
import { isDeleted } from "./deleted.ts";
import type { NamedFile } from "./parsed.ts";
import { maxFileNames } from "./stored.ts";

/** Lines that name one file that is kept, and all that name any. */
const [mostPlaces, mostNamed] = [1000, 200_000];
/** What all files of an archive have together, at most: pictures, films and sounds are packed already, and no two lie in one place. */
const [mostUnpackedRatio, leastJudgedBytes] = [4, 268_435_456];

/** Where files go: a client. */
export type FilesTarget = Pick<ImportCalls, "imports" | "keepImportedFile" | "stopImportedFiles">;

/** How far taking files over is: of those that lines name, by their number and by what the archive says of their sizes. */
export interface FilesProgress {
  readonly files: number;
  readonly ofFiles: number;
  readonly readBytes: number;
  readonly ofBytes: number;
}

interface Wanted {
  readonly importId: string;
  readonly entry: ZipFile;
  readonly name: string;
  readonly named: NamedFile;
  readonly places: { readonly order: number; readonly at: number }[];
}

/** The files of an archive beside its text: which of them lines name, and bringing those into the profile once the lines are there. */
export class ArchiveFiles {
  readonly #archive: Blob;
  readonly #byPath = new Map<string, ZipFile | "several">();
  readonly #wanted: Wanted[] = [];
  /** Of each file of each import the last of them. */
  readonly #last = new Map<string, Wanted>();
  #places = 0;

  /** @param files all that the archive has; `text` is the one with the lines */
  constructor(archive: Blob, files: readonly ZipFile[], text: ZipFile) {
    this.#archive = archive;
    const textPath = slashed(text.name);
    const folder = textPath.slice(0, textPath.lastIndexOf("/") + 1);
    for (const file of files) {
      const whole = slashed(file.name);
      const path = file !== text && whole.startsWith(folder) ? plainPath(whole.slice(folder.length)) : undefined;
      if (path === undefined) continue;
      // A backup has no endings in the names of files, or has them.
      for (const name of new Set([path, path.replace(/^(files\/[0-9a-f]{2}\/[0-9a-f]{64})\.[a-z0-9]+$/u, "$1")]))
        this.#byPath.set(name, this.#byPath.has(name) ? "several" : file);
    }
  }

  /** A line of this import names these: what of them the archive has, once, and a line has room for, is brought in later. */
  name(
    importId: string,
    order: number,
    { fileNames }: Pick<ImportedLine, "fileNames">,
    files: readonly (NamedFile | undefined)[] = [],
  ): void {
    for (const [at, name] of fileNames.slice(0, maxFileNames).entries()) {
      const named = files[at];
      const path = named === undefined ? undefined : plainPath(named.path);
      const entry = path === undefined ? undefined : this.#byPath.get(path);
      if (named === undefined || entry === undefined || entry === "several" || this.#places >= mostNamed) continue;
      const key = `${importId} ${entry.name}`;
      const last = this.#last.get(key);
      // What more lines name is kept once more.
      const wanted = last !== undefined && last.places.length < mostPlaces ? last : { importId, entry, name, named, places: [] };
      if (wanted !== last) this.#wanted.push(wanted);
      this.#last.set(key, wanted);
      wanted.places.push({ order, at });
      this.#places++;
    }
  }

  /**
   * Brings them in, one after the other. A file that cannot be read is passed over, and so is one for which there is no room: smaller ones may fit; and so are
   * those of an import that is deleted meanwhile.
   * @returns by import, why some of its files were not taken over that could have been
   */
  async keep(
    target: FilesTarget,
    params: {
      readonly signal: AbortSignal | undefined;
      readonly came: (progress: FilesProgress) => void;
      readonly breathe: () => Promise<void>;
    },
  ): Promise<ReadonlyMap<string, ImportedFileCounts["ended"]>> {
    const all = this.#wanted;
    const ofBytes = all.reduce((sum, { entry }) => sum + entry.sizeBytes, 0);
    const ended = new Map<string, ImportedFileCounts["ended"]>();
    const deleted = new Set<string>();
    let roomBytes = Number.POSITIVE_INFINITY;
    let [readBytes, unpackedBytes] = [0, 0];
    for (const [files, wanted] of all.entries()) {
      const { importId, entry } = wanted;
      params.came({ files, ofFiles: all.length, readBytes, ofBytes });
      await params.breathe();
      readBytes += entry.sizeBytes;
      if (deleted.has(importId)) continue;
      if (isStopped(params.signal)) ended.set(importId, "stopped");
      else if (entry.sizeBytes >= roomBytes) ended.set(importId, "full");
      else if (this.#mayUnpack(unpackedBytes + entry.sizeBytes)) {
        unpackedBytes += entry.sizeBytes;
        const fate = await this.#keepOne(target, wanted, params.signal);
        if (fate === "deleted") deleted.add(importId);
        if (fate === "full" || fate === "stopped") ended.set(importId, fate);
        if (fate === "full") roomBytes = Math.min(roomBytes, entry.sizeBytes);
      }
    }
    params.came({ files: all.length, ofFiles: all.length, readBytes, ofBytes });
    return ended;
  }

  async #keepOne(target: FilesTarget, wanted: Wanted, signal: AbortSignal | undefined): Promise<ArchivedFileFate | "deleted"> {
    const { importId, entry, name, named, places } = wanted;
    const { mediaType, kind } = claimedType(entry.name, named.mediaType);
    const stop = (): void => void target.stopImportedFiles(importId).catch(() => undefined);
    signal?.addEventListener("abort", stop);
    try {
      return await target.keepImportedFile(importId, {
        archive: this.#archive,
        entry,
        name,
        mediaType,
        kind: kind === "audio" && named.isVoice ? "voice" : kind,
        places,
      });
    } catch (error) {
      if (await isDeleted(target, importId)) return "deleted";
      throw error;
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  #mayUnpack(bytes: number): boolean {
    return bytes <= Math.max(leastJudgedBytes, mostUnpackedRatio * this.#archive.size);
  }
}

function isStopped(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

/** Some programs write names as Windows does, and some take letters apart. */
function slashed(path: string): string {
  return path.replaceAll("\\", "/").normalize("NFC");
}

/** A path below a folder; `undefined` for one that leads elsewhere, or nowhere. */
function plainPath(path: string): string | undefined {
  const plain = slashed(path);
  const parts = plain.split("/");
  return plain.length <= 1024 && parts.every((part) => part !== "" && part !== "." && part !== "..") ? plain : undefined;
}
