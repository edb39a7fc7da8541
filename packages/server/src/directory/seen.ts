import { fromBase64Url, toBase64Url } from "@latchkey/codec";
import { TransparencyError, parseCheckpoint, parseNote, verifyConsistency } from "@latchkey/transparency";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ServerError } from "../errors.ts";
import { replaceFile } from "../files.ts";
import type { DirectoryLogStore, UnservedHead } from "../store/directory-store.ts";

/** A tree of the public log that was shown to somebody. */
export interface SeenTree {
  readonly size: number;
  readonly root: Uint8Array;
}

/** Beside the keys, outside of the databases and their journals: what those lose this file still knows. */
const seenFile = join("directory", "seen");
const form = /^([1-9]\d{0,15}) ([A-Za-z0-9_-]{43})\n$/;

/** The newest tree that this data folder has shown; `undefined` where that is not known. */
export function readSeen(dataDirectory: string): SeenTree | undefined {
  try {
    const [, size = "", root = ""] = form.exec(readFileSync(join(dataDirectory, seenFile), "utf8")) ?? [];
    return size === "" ? undefined : { size: Number(size), root: fromBase64Url(root) };
  } catch {
    return undefined;
  }
}

/** Remembers a head that is served. Where that fails a later start only knows less. */
export function rememberSeen(dataDirectory: string, head: UnservedHead): void {
  try {
    const { size, root } = parseCheckpoint(parseNote(head.note).text);
    replaceFile(join(dataDirectory, seenFile), `${String(size)} ${toBase64Url(root)}\n`);
  } catch {
    // The disk is full, or fails: whoever writes to the store is told.
  }
}

/**
 * Refuses a store that has lost what was acknowledged, as a damaged journal or an old copy does: its public log is not what was shown, or
 * its logs are behind the heads that were published of them.
 * @throws ServerError `data_unusable`
 */
export async function checkNothingLost(store: DirectoryLogStore, seen: SeenTree | undefined): Promise<void> {
  const newest = await store.newestCheckpoint();
  if (seen !== undefined && (newest === undefined || newest.size < seen.size)) {
    throw lost(`the public log has ${String(newest?.size ?? 0)} entries, and ${String(seen.size)} were shown`);
  }
  if (seen !== undefined && newest !== undefined && !(await isContinued(store, seen, newest.note))) {
    throw lost("the public log is another one than was shown");
  }
  if (await store.areLogsBehind()) throw lost("the conversations are older than what was published of them");
}

async function isContinued(store: DirectoryLogStore, seen: SeenTree, note: string): Promise<boolean> {
  const { size, root } = parseCheckpoint(parseNote(note).text);
  const proof = await store.proveConsistency({ from: seen.size, to: size });
  try {
    verifyConsistency({ from: seen.size, to: size, fromRoot: seen.root, toRoot: root, proof });
    return true;
  } catch (error) {
    if (error instanceof TransparencyError) return false;
    throw error;
  }
}

function lost(what: string): ServerError {
  return new ServerError(
    "data_unusable",
    `The data directory has lost something: ${what}. An old copy was put in its place, or the disk damaged a journal: restore the newest backup. With --i-know rolled-back it goes on from here, and whoever has seen more alarms.`,
  );
}
