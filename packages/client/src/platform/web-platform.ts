import { webCrypto } from "@latchkey/mls/web";
import { deleteDB, openDB } from "idb";
import type { DBSchema, IDBPDatabase } from "idb";
import { ClientError } from "../errors.ts";
import { fileDatabase } from "../files/file-database.ts";
import type { FilePlace } from "../files/file-store.ts";
import { openEncryptedStore } from "../store/encrypted-store.ts";
import { openIndexedDbStore } from "../store/indexeddb-store.ts";
import type { Store } from "../store/store.ts";
import type { ValueCipher } from "../store/value-cipher.ts";
import type { Platform, SocketLike } from "./platform.ts";
import { takeProfileLock } from "./profile-lock.ts";
import type { ProfileLock } from "./profile-lock.ts";

/** Kept beside the profile's records, in a database of its own. */
interface SideSchema extends DBSchema {
  keys: { key: string; value: CryptoKey };
  numbers: { key: string; value: number };
}

const maxRandomBytes = 65_536;
const nonceBytes = 12;
/** Who has not taken the profile's lock before waits so long for it. */
const lockTimeoutMs = 3000;

/**
 * A browser's part of the world.
 * @param storagePersisted what `askToPersist` said
 * @param profile whose files it keeps; none without it
 */
export function createWebPlatform(storagePersisted?: boolean, profile?: string): Platform {
  const suite = webCrypto.suite(0x0001);
  return {
    crypto: webCrypto,
    signatures: {
      sign: (key, message) => suite.sign(key, message),
      verify: (key, message, signature) => suite.verify(key, message, signature),
    },
    random: randomBytes,
    sha256: (data) => suite.hash(data),
    nowMs: () => Date.now(),
    connect,
    // Called as a method of another object, the browser's own would throw.
    fetch: (input, init) => fetch(input, init),
    setTimer(delayMs, run) {
      const timer = setTimeout(run, delayMs);
      return () => clearTimeout(timer);
    },
    storagePersisted,
    ...(profile === undefined ? {} : { files: webFiles(profile) }),
  };
}

/**
 * Asks the browser not to evict this origin's storage. Browsers let only pages ask; a worker learns the answer given before.
 * `undefined` where the browser does not know the question.
 */
export async function askToPersist(): Promise<boolean | undefined> {
  const storage: Partial<StorageManager> | undefined = globalThis.navigator?.storage;
  try {
    return (await storage?.persist?.()) ?? (await storage?.persisted?.());
  } catch {
    return false;
  }
}

function randomBytes(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += maxRandomBytes) crypto.getRandomValues(bytes.subarray(at, at + maxRandomBytes));
  return bytes;
}

function connect(url: string, protocols: readonly string[]): SocketLike {
  const socket = new WebSocket(url, [...protocols]);
  socket.binaryType = "arraybuffer";
  return {
    listen(handlers) {
      socket.addEventListener("open", () => handlers.onOpen());
      socket.addEventListener("message", ({ data }: MessageEvent<unknown>) =>
        handlers.onMessage(data instanceof ArrayBuffer ? new Uint8Array(data) : undefined),
      );
      socket.addEventListener("close", ({ code }) => handlers.onClose(code));
    },
    send(frame) {
      // A copy over a plain ArrayBuffer, which is what a socket takes.
      if (socket.readyState === WebSocket.OPEN) socket.send(new Uint8Array(frame));
    },
    close(code) {
      // Browsers allow 1000 and 3000 to 4999.
      socket.close(code);
    },
  };
}

/**
 * The store of a profile in IndexedDB. Its device key is a CryptoKey that cannot be exported, in a second database, with the
 * count that tells an old copy.
 * @param lock the profile's, where it was taken before; it stays its holder's. Without it the store takes it, until it is closed
 * @throws ClientError `storage_in_use`, `storage_newer`, `storage_denied`, `profile_restored`
 */
export async function openWebStore(profile: string, lock?: ProfileLock): Promise<Store> {
  if (globalThis.indexedDB === undefined) throw new ClientError("storage_denied", "This browser has no storage for this app.");
  const own = lock === undefined ? await takeProfileLock({ profile, by: "store", signal: AbortSignal.timeout(lockTimeoutMs) }) : undefined;
  try {
    const store = await openHeldStore(profile);
    return {
      transact: (mode, run) => store.transact(mode, run),
      async close() {
        await store.close();
        await own?.release();
      },
    };
  } catch (error) {
    await own?.release();
    throw error;
  }
}

/** The store of a profile whose lock is held. */
async function openHeldStore(profile: string): Promise<Store> {
  const raw = await openIndexedDbStore({ name: `latchkey/${profile}` });
  let side: IDBPDatabase<SideSchema> | undefined;
  try {
    side = await openDB<SideSchema>(`latchkey-side/${profile}`, 1, {
      upgrade(database) {
        database.createObjectStore("keys");
        database.createObjectStore("numbers");
      },
    });
    const opened = side;
    const store = await openEncryptedStore({
      raw,
      cipher: webCipher(await loadKey(opened)),
      witness: {
        read: async () => opened.get("numbers", "generation"),
        async write(generation) {
          // Failing, it only weakens the detection of old copies.
          await opened.put("numbers", generation, "generation").catch(() => undefined);
        },
      },
      random: randomBytes,
    });
    return {
      transact: (mode, run) => store.transact(mode, run),
      async close() {
        await store.close();
        opened.close();
      },
    };
  } catch (error) {
    side?.close();
    await raw.close();
    throw error instanceof DOMException
      ? new ClientError("storage_denied", "The browser refused to store anything here.", { cause: error })
      : error;
  }
}

/** Where the files of a profile are kept: in a database of their own, which a service worker may have open too. */
function webFiles(profile: string): () => Promise<FilePlace> {
  return async () => {
    const { openWebFileStore, webRoom } = await import("../files/web-file-store.ts");
    const { sha256 } = await import("@noble/hashes/sha2.js");
    return { store: openWebFileStore(profile), hash: () => sha256.create(), ...webRoom };
  };
}

/** Erases what `openWebStore` keeps of a profile whose lock is held and that nobody has open, also where it cannot be opened any more. */
export async function eraseWebStore(profile: string): Promise<void> {
  await deleteDB(`latchkey/${profile}`);
  await deleteDB(`latchkey-side/${profile}`);
  await deleteDB(fileDatabase(profile));
}

async function loadKey(side: IDBPDatabase<SideSchema>): Promise<CryptoKey> {
  const known = await side.get("keys", "device");
  if (known !== undefined) return known;
  const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  const transaction = side.transaction("keys", "readwrite", { durability: "strict" });
  await Promise.all([transaction.store.put(key, "device"), transaction.done]);
  return key;
}

function webCipher(key: CryptoKey): ValueCipher {
  // Views over plain ArrayBuffers, which is what WebCrypto's types ask for.
  const plain = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes);
  return {
    async seal(aad, plaintext) {
      const nonce = randomBytes(nonceBytes);
      const body = await crypto.subtle.encrypt({ name: "AES-GCM", iv: plain(nonce), additionalData: plain(aad) }, key, plain(plaintext));
      const sealed = new Uint8Array(nonceBytes + body.byteLength);
      sealed.set(nonce);
      sealed.set(new Uint8Array(body), nonceBytes);
      return sealed;
    },
    async open(aad, sealed) {
      const iv = plain(sealed.subarray(0, nonceBytes));
      const params = { name: "AES-GCM", iv, additionalData: plain(aad) };
      return new Uint8Array(await crypto.subtle.decrypt(params, key, plain(sealed.subarray(nonceBytes))));
    },
  };
}
