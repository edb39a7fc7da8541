import { configNoticeMs, createVerifier, formatVkey, noteSignatureTypes, vrfPublicKey } from "@latchkey/transparency";
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { ServerError } from "../errors.ts";
import { errorCode, replaceFile, syncFolderSync } from "../files.ts";
import type { LogSigner } from "../store/directory-store.ts";
import { dayMs } from "../days.ts";

const seedBytes = 32;

/** One of the log's keys, with its C2SP verifier key. */
export interface LogKey {
  readonly name: string;
  readonly keyId: number;
  readonly secretKey: Uint8Array;
  readonly vkey: string;
}

/** The directory's secrets, files of 32 bytes that only the server's user may read. */
export interface DirectoryKeys {
  /** Signs every checkpoint. */
  readonly current: LogKey;
  /** Signs beside it once a rotation was asked for, and alone as soon as that has been in effect for a while (spec D-2). */
  readonly next: LogKey | undefined;
  readonly vrf: { readonly secretKey: Uint8Array; readonly publicKey: Uint8Array };
}

/** Log time from a new key in the log until it signs alone: the notice of spec D-2, and a day in which witnesses have cosigned its end. */
export const rotationNoticeMs: number = configNoticeMs + dayMs;

/**
 * Reads the keys. They are made where no log was begun with others; where `isLogKeyLost`, what follows a lost key takes its place.
 * @throws ServerError `data_unusable`
 */
export function loadDirectoryKeys(
  dataDirectory: string,
  origin: string,
  { isBegun, isLogKeyLost }: { isBegun: boolean; isLogKeyLost: boolean },
): DirectoryKeys {
  const folder = join(dataDirectory, "directory");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (isBegun && isLogKeyLost && readSeed(folder, "log.key") === undefined && readSeed(folder, "log-next.key") !== undefined) {
    renameSync(join(folder, "log-next.key"), join(folder, "log.key"));
    syncFolderSync(folder);
  }
  const seedOf = (name: string): Uint8Array => {
    const seed = readSeed(folder, name);
    if (seed === undefined && isBegun) throw missing(folder, name);
    return seed ?? makeSeed(folder, name);
  };
  const current = logKeyOf(origin, seedOf("log.key"));
  const nextSeed = readSeed(folder, "log-next.key");
  const vrf = seedOf("vrf.key");
  return {
    current,
    next: nextSeed === undefined ? undefined : logKeyOf(origin, nextSeed),
    vrf: { secretKey: vrf, publicKey: vrfPublicKey(vrf) },
  };
}

/** Makes the key that follows the current one, unless there is one. */
export function addNextKey(dataDirectory: string, origin: string, keys: DirectoryKeys): DirectoryKeys {
  if (keys.next !== undefined) return keys;
  return { ...keys, next: logKeyOf(origin, makeSeed(join(dataDirectory, "directory"), "log-next.key")) };
}

/** The next key takes the current one's place, which is gone with that: only once it is in effect. */
export function promoteNextKey(dataDirectory: string, keys: DirectoryKeys): DirectoryKeys {
  if (keys.next === undefined) return keys;
  const folder = join(dataDirectory, "directory");
  renameSync(join(folder, "log-next.key"), join(folder, "log.key"));
  syncFolderSync(folder);
  return { ...keys, current: keys.next, next: undefined };
}

/** What signs checkpoints: the current key, and beside it the next one. */
export function signerOf(keys: DirectoryKeys, origin: string): LogSigner {
  const all = keys.next === undefined ? [keys.current] : [keys.current, keys.next];
  return { origin, keys: all.map(({ name, keyId, secretKey }) => ({ name, keyId, secretKey })) };
}

/** The log's key that is made of this secret. */
export function logKeyOf(origin: string, secretKey: Uint8Array): LogKey {
  // The VRF's keys are made from seeds as Ed25519's are.
  const key = { name: origin, type: noteSignatureTypes.ed25519, publicKey: vrfPublicKey(secretKey) };
  return { name: origin, keyId: createVerifier(key).keyId, secretKey, vkey: formatVkey(key) };
}

function readSeed(folder: string, name: string): Uint8Array | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(join(folder, name));
  } catch (cause) {
    if (errorCode(cause) === "ENOENT") return undefined;
    throw unusable(name, cause);
  }
  if (bytes.length !== seedBytes) throw unusable(name);
  return new Uint8Array(bytes);
}

/** On disk under its name only when it is whole: a key that was used must not be another one after a crash. */
function makeSeed(folder: string, name: string): Uint8Array {
  const seed = new Uint8Array(randomBytes(seedBytes));
  try {
    replaceFile(join(folder, name), seed);
  } catch (cause) {
    throw unusable(name, cause);
  }
  return seed;
}

/** A log that was begun goes on with its keys, or not at all. */
function missing(folder: string, name: string): ServerError {
  const isPrepared = name === "log.key" && readSeed(folder, "log-next.key") !== undefined;
  const more = isPrepared ? " If there is no backup, --i-know lost-log-key goes on with the announced log-next.key alone." : "";
  const message = `The key directory/${name} is missing beside the log that was begun with it: put it back from a backup; with another key nobody would trust the directory.${more}`;
  return new ServerError("data_unusable", message);
}

function unusable(name: string, cause?: unknown): ServerError {
  const message = `The key directory/${name} in the data directory cannot be read or written: restore it from a backup; with another key nobody would trust the directory.`;
  return new ServerError("data_unusable", message, { cause });
}
