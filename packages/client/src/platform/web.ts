import type { Client, Transcribe } from "../api.ts";
import { createClient } from "../create-client.ts";
import type { ProfileLock } from "./profile-lock.ts";
import { askToPersist, createWebPlatform } from "./web-platform.ts";
import { openWebStore } from "./web-store.ts";

export { profileLockName, takeProfileLock, tryProfileLock } from "./profile-lock.ts";
export type { ProfileLock, ProfileLockParams, Wanted } from "./profile-lock.ts";
export { askToPersist, createWebPlatform } from "./web-platform.ts";
export { eraseWebStore, isWebProfileLocked, openWebStore } from "./web-store.ts";

/**
 * Opens a profile of this browser, in a worker, with the server at `serverUrl` (such as `location.origin`). `lock` is the profile's, where it
 * was taken before; without it the client has it until it is closed. `key` is what opened the profile's lock, where one is on.
 * @throws ClientError `profile_locked`, `storage_in_use` when another tab has it, `storage_newer`, `storage_denied`, `profile_restored`
 */
export async function openWebClient(params: {
  serverUrl: string;
  profile?: string;
  lock?: ProfileLock | undefined;
  key?: CryptoKey | undefined;
  transcribe?: Transcribe | undefined;
}): Promise<Client> {
  const { serverUrl, profile = "default", lock, key, transcribe } = params;
  const persisted = await askToPersist();
  const store = await openWebStore(profile, lock, key);
  try {
    const client = await createClient({ store, platform: createWebPlatform(persisted, profile), serverUrl, transcribe });
    globalThis.addEventListener("online", () => client.wake());
    return client;
  } catch (error) {
    await store.close();
    throw error;
  }
}
