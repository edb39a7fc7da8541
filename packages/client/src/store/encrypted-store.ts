import { decode, encode, opaqueV, safeUint64, struct, text, toBase64Url, uint32, utf8Bytes } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { RandomBytes } from "@latchkey/mls";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { ClientError } from "../errors.ts";
import { checkFreshness } from "./freshness.ts";
import type { Freshness, GenerationWitness } from "./freshness.ts";
import { migrations as knownMigrations, oldestFormat, storeFormat } from "./migrations.ts";
import type { Migration } from "./migrations.ts";
import { checkKey, checkRange, Overlay } from "./overlay.ts";
import type { ScanRange, Store, StoreTransaction } from "./store.ts";
import type { ValueCipher } from "./value-cipher.ts";

/*
 * On disk a key keeps its "#" segments, which give the order, and its number of segments; every other segment becomes
 * HMAC-SHA256(name key, the key up to and including it), 12 bytes in base64url. Prefixes stay prefixes. A value is
 * seal(aad = disk key, { key, value }), so that no record can stand in for another and no name or id is readable.
 * Two records are outside this scheme: "!meta" {format, sealed name key} and "!generation" {sealed count}.
 */

interface Meta {
  readonly format: number;
  readonly sealedNameKey: Uint8Array;
}
const metaCodec: Codec<Meta> = struct<Meta>({ format: uint32, sealedNameKey: opaqueV(256) });

interface Plain {
  readonly key: string;
  readonly value: Uint8Array;
}
const plainCodec: Codec<Plain> = struct<Plain>({ key: text(2048), value: opaqueV(0x3fff_ffff) });

const metaKey = "!meta";
const generationKey = "!generation";
/** Those two are before it, all others behind. */
const behindOwn = "!~";
const tagBytes = 12;
const maxCachedTags = 4096;

/** What `openEncryptedStore` needs. */
export interface EncryptedStoreParams {
  /** Where the records lie; it is closed with the result. */
  readonly raw: Store;
  readonly cipher: ValueCipher;
  readonly witness: GenerationWitness;
  readonly random: RandomBytes;
  /** Other than the program's own in tests only. */
  readonly migrations?: readonly Migration[];
  readonly format?: number;
  readonly oldest?: number;
}

/**
 * A store whose values and names are encrypted under the device key. Brings older formats up to date.
 * @throws ClientError `storage_newer` for a newer format, `storage_older` for one that no version reads any more, `profile_restored` for an old copy, `storage_denied` for another
 * device's key; `raw` is then closed
 */
export async function openEncryptedStore(params: EncryptedStoreParams): Promise<Store> {
  const { raw, cipher } = params;
  try {
    const { nameKey, format } = await loadMeta(params);
    const generation = await raw.transact("read", async (tx) => {
      const sealed = await tx.get(generationKey);
      return sealed === undefined ? 0 : decode(safeUint64, await cipher.open(utf8Bytes(generationKey), sealed));
    });
    const freshness = await checkFreshness(generation, params.witness);
    const store = encryptedStore(raw, cipher, createKeyMapper(nameKey), freshness);
    await migrate(params, store, { nameKey, format });
    return store;
  } catch (error) {
    await raw.close();
    throw error;
  }
}

async function loadMeta({
  raw,
  cipher,
  random,
  format = storeFormat,
  oldest = oldestFormat,
}: EncryptedStoreParams): Promise<{ nameKey: Uint8Array; format: number }> {
  const stored = await raw.transact("read", (tx) => tx.get(metaKey));
  if (stored === undefined) {
    const nameKey = random(32);
    const sealedNameKey = await cipher.seal(utf8Bytes(metaKey), nameKey);
    await raw.transact("write", (tx) => tx.put(metaKey, encode(metaCodec, { format, sealedNameKey })));
    return { nameKey, format };
  }
  // Only the number is read of a format that may be laid out otherwise.
  const storedFormat = new DataView(stored.buffer, stored.byteOffset, stored.byteLength).getUint32(0);
  if (storedFormat > format) {
    throw new ClientError("storage_newer", "This profile was written by a newer version. Update this one.");
  }
  if (storedFormat < oldest) {
    throw new ClientError(
      "storage_older",
      "This profile was written by a test version that no version can read any more. Begin a new one.",
    );
  }
  try {
    return { nameKey: await cipher.open(utf8Bytes(metaKey), decode(metaCodec, stored).sealedNameKey), format: storedFormat };
  } catch (cause) {
    throw new ClientError("storage_denied", "This profile's key does not open it.", { cause });
  }
}

async function migrate(params: EncryptedStoreParams, store: EncryptedStore, meta: { nameKey: Uint8Array; format: number }): Promise<void> {
  const { cipher, migrations = knownMigrations, format = storeFormat } = params;
  const due = migrations.filter((migration) => migration.to > meta.format && migration.to <= format);
  if (meta.format === format) return;
  const sealedNameKey = await cipher.seal(utf8Bytes(metaKey), meta.nameKey);
  await store.transactRaw(async (tx, rawTx) => {
    for (const migration of due.toSorted((a, b) => a.to - b.to)) await migration.run(tx);
    rawTx.put(metaKey, encode(metaCodec, { format, sealedNameKey }));
  });
}

interface EncryptedStore extends Store {
  transactRaw(run: (tx: StoreTransaction, raw: StoreTransaction) => Promise<void>): Promise<void>;
}

function encryptedStore(raw: Store, cipher: ValueCipher, mapKey: (key: string) => string, freshness: Freshness): EncryptedStore {
  const open = async (diskKey: string, sealed: Uint8Array): Promise<Plain> => {
    let plain: Plain;
    try {
      plain = decode(plainCodec, await cipher.open(utf8Bytes(diskKey), sealed));
    } catch (cause) {
      throw new ClientError("storage_denied", "A record of this profile is damaged.", { cause });
    }
    if (mapKey(plain.key) !== diskKey) throw new ClientError("storage_denied", "A record of this profile is damaged.");
    return plain;
  };
  const mapPrefix = (prefix: string): string => (prefix === "" ? "" : `${mapKey(prefix.slice(0, -1))}/`);

  const run = async <T>(
    mode: "read" | "write",
    rawTx: StoreTransaction,
    body: (tx: StoreTransaction) => Promise<T> | T,
  ): Promise<{ result: T; generation: number | undefined }> => {
    const overlay = new Overlay<Plain>();
    let active = true;
    const check = (writing: boolean): void => {
      if (!active) throw new TypeError("the transaction is over");
      if (writing && mode === "read") throw new TypeError("a read transaction writes nothing");
    };
    const read = async (range: ScanRange): Promise<[string, Plain][]> => {
      const entries = await rawTx.scan(range);
      return Promise.all(entries.map(async ([diskKey, sealed]): Promise<[string, Plain]> => [diskKey, await open(diskKey, sealed)]));
    };
    const write = (key: string, value: Uint8Array | undefined): void => {
      check(true);
      checkKey(key);
      overlay.writes.set(mapKey(key), value === undefined ? undefined : { key, value: value.slice() });
    };
    try {
      const result = await body({
        async get(key) {
          check(false);
          checkKey(key);
          const diskKey = mapKey(key);
          if (overlay.writes.has(diskKey)) return overlay.writes.get(diskKey)?.value.slice();
          const sealed = await rawTx.get(diskKey);
          return sealed === undefined ? undefined : (await open(diskKey, sealed)).value.slice();
        },
        put: (key, value) => write(key, value),
        delete: (key) => write(key, undefined),
        eraseTraces() {
          check(true);
          rawTx.eraseTraces();
        },
        async scan(range) {
          check(false);
          checkRange(range, mode);
          const { after, before, prefix, ...rest } = range;
          const first = prefix === "" ? { after: behindOwn } : {};
          const mapped: ScanRange = {
            ...rest,
            prefix: mapPrefix(prefix),
            ...(after === undefined ? first : { after: mapKey(after) }),
            ...(before === undefined ? {} : { before: mapKey(before) }),
          };
          const found = await overlay.scan(mapped, read);
          return found.map(([, plain]) => [plain.key, plain.value.slice()]);
        },
        afterCommit(follow) {
          check(false);
          // What lies below is durable then.
          rawTx.afterCommit(follow);
        },
      });
      active = false;
      const sealed = await Promise.all(
        [...overlay.writes].map(async ([diskKey, plain]): Promise<[string, Uint8Array | undefined]> => [
          diskKey,
          plain === undefined ? undefined : await cipher.seal(utf8Bytes(diskKey), encode(plainCodec, plain)),
        ]),
      );
      for (const [diskKey, value] of sealed) {
        if (value === undefined) rawTx.delete(diskKey);
        else rawTx.put(diskKey, value);
      }
      if (sealed.length === 0) return { result, generation: undefined };
      const generation = freshness.next();
      rawTx.put(generationKey, await cipher.seal(utf8Bytes(generationKey), encode(safeUint64, generation)));
      return { result, generation };
    } finally {
      active = false;
    }
  };

  return {
    async transact(mode, body) {
      const { result, generation } = await raw.transact(mode, (rawTx) => run(mode, rawTx, body));
      if (generation !== undefined) await freshness.committed(generation);
      return result;
    },
    async transactRaw(body) {
      const { generation } = await raw.transact("write", (rawTx) => run("write", rawTx, (tx) => body(tx, rawTx)));
      if (generation !== undefined) await freshness.committed(generation);
    },
    async close() {
      await raw.close();
      await freshness.close();
    },
  };
}

/** Maps keys to what stands on disk. */
function createKeyMapper(nameKey: Uint8Array): (key: string) => string {
  const tags = new Map<string, string>();
  // The key is taken in once: a copy of that goes on with each path.
  const keyed = hmac.create(sha256, nameKey);
  const tagOf = (path: string): string => {
    const known = tags.get(path);
    if (known !== undefined) return known;
    const tag = toBase64Url(keyed.clone().update(utf8Bytes(path)).digest().subarray(0, tagBytes));
    if (tags.size >= maxCachedTags) tags.clear();
    tags.set(path, tag);
    return tag;
  };
  return (key) => {
    let mapped = "";
    let at = 0;
    while (at < key.length) {
      const slash = key.indexOf("/", at);
      const end = slash === -1 ? key.length : slash;
      mapped += key[at] === "#" ? key.slice(at, end) : tagOf(key.slice(0, end));
      if (slash === -1) break;
      mapped += "/";
      at = slash + 1;
    }
    return mapped;
  };
}
