import { ClientError } from "../errors.ts";
import { openEncryptedStore } from "../store/encrypted-store.ts";
import type { GenerationWitness } from "../store/freshness.ts";
import { openIndexedDbStore } from "../store/indexeddb-store.ts";
import type { Store } from "../store/store.ts";
import type { ValueCipher } from "../store/value-cipher.ts";
import { takeProfileLock } from "./profile-lock.ts";
import type { ProfileLock } from "./profile-lock.ts";
import { webRandom } from "./web-random.ts";
import { deleteRecords, markErased, openSide, otherSlot, recordsName, removeDatabases } from "./web-side.ts";
import type { Side } from "./web-side.ts";

const nonceBytes = 12;
/** Who has not taken the profile's lock before waits so long for it. */
const lockTimeoutMs = 3000;

/**
 * The store of a profile in IndexedDB. Its key is a CryptoKey that cannot be exported: in a second database, with the count that tells an old
 * copy; or, where a lock is on, the one that `unlock` gives.
 * @param lock the profile's Web Lock, where it was taken before; it stays its holder's. Without it the store takes it, until it is closed
 * @param key what opened the lock that is on
 * @throws ClientError `profile_locked`, `storage_in_use`, `storage_newer`, `storage_denied`, `profile_restored`
 */
export async function openWebStore(profile: string, lock?: ProfileLock, key?: CryptoKey): Promise<Store> {
  if (globalThis.indexedDB === undefined) throw new ClientError("storage_denied", "This browser has no storage for this app.");
  const own = lock === undefined ? await takeProfileLock({ profile, by: "store", signal: AbortSignal.timeout(lockTimeoutMs) }) : undefined;
  try {
    const store = await openHeldStore(profile, key);
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

/** The store of a profile whose Web Lock is held. */
async function openHeldStore(profile: string, key: CryptoKey | undefined): Promise<Store> {
  let side: Side | undefined;
  try {
    side = await openHeldSide(profile);
    const opened = side;
    const slot = await slotOf(opened);
    const store = await openRecords({ profile, slot, key: await keyOf(opened, key), witness: sideWitness(opened) });
    return {
      transact: (mode, run) => store.transact(mode, run),
      async close() {
        await store.close();
        opened.close();
      },
    };
  } catch (error) {
    side?.close();
    throw storageError(error);
  }
}

function storageError(error: unknown): unknown {
  return error instanceof DOMException
    ? new ClientError("storage_denied", "The browser refused to store anything here.", { cause: error })
    : error;
}

/** Opens the database beside the records of a profile whose Web Lock is held; finishes what was begun and not ended there. */
export async function openHeldSide(profile: string): Promise<Side> {
  let side = await openSide(profile);
  if ((await side.get("numbers", "erasing")) === 1) {
    side.close();
    await removeDatabases(profile);
    side = await openSide(profile);
  }
  if ((await side.get("numbers", "beside")) === 1) await removeOther(profile, side);
  return side;
}

/** Which database has the records. */
export async function slotOf(side: Side): Promise<number> {
  return (await side.get("numbers", "records")) ?? 0;
}

/** Removes the database that does not count. */
export async function removeOther(profile: string, side: Side): Promise<void> {
  await deleteRecords(profile, otherSlot(await slotOf(side)));
  await side.delete("numbers", "beside");
}

/** One of the two databases of records, under this key. @throws ClientError as `openEncryptedStore` does */
export async function openRecords(params: { profile: string; slot: number; key: CryptoKey; witness: GenerationWitness }): Promise<Store> {
  const { profile, slot, key, witness } = params;
  const raw = await openIndexedDbStore({ name: recordsName(profile, slot) });
  return await openEncryptedStore({ raw, cipher: webCipher(key), witness, random: webRandom });
}

/** The count that tells an old copy, in the database beside the records. */
export function sideWitness(side: Side): GenerationWitness {
  return {
    read: async () => side.get("numbers", "generation"),
    async write(generation) {
      // Failing, it only weakens the detection of old copies.
      await side.put("numbers", generation, "generation").catch(() => undefined);
    },
  };
}

/** Whether a lock is on in this profile: nobody opens it then without its person, such as a service worker (spec O-9). */
export async function isWebProfileLocked(profile: string): Promise<boolean> {
  const side = await openSide(profile);
  try {
    return (await side.count("lock")) > 0;
  } finally {
    side.close();
  }
}

/**
 * From now on nothing of a profile opens, whoever has it open now: its key is gone, and all that is left is removed with the next opening.
 * @throws ClientError `storage_denied`
 */
export async function markWebErased(profile: string): Promise<void> {
  const side = await openSide(profile);
  try {
    await markErased(side);
  } catch (error) {
    throw storageError(error);
  } finally {
    side.close();
  }
}

/** Erases what `openWebStore` keeps of a profile whose lock is held and that nobody has open, also where it cannot be opened any more. */
export async function eraseWebStore(profile: string): Promise<void> {
  const side = await openSide(profile).catch(() => undefined);
  // What a newer build has written goes all the same, in one go.
  if (side !== undefined) await markErased(side);
  side?.close();
  await removeDatabases(profile);
}

async function keyOf(side: Side, key: CryptoKey | undefined): Promise<CryptoKey> {
  if ((await side.count("lock")) === 0) return await loadKey(side);
  if (key === undefined) throw new ClientError("profile_locked", "This profile is locked: its passphrase or passkey opens it.");
  return key;
}

async function loadKey(side: Side): Promise<CryptoKey> {
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
      const nonce = webRandom(nonceBytes);
      const body = await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce, additionalData: plain(aad) }, key, plain(plaintext));
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
