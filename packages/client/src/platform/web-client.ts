import type { Client, ClientEvent, Transcribe } from "../api.ts";
import { createClient } from "../create-client.ts";
import type { ProfileLock } from "./profile-lock.ts";
import { askToPersist, createWebPlatform } from "./web-platform.ts";
import { markWebErased, openWebStore } from "./web-store.ts";

/**
 * Opens a profile of this browser, in a worker, with the server at `serverUrl` (such as `location.origin`). `lock` is the profile's, where it
 * was taken before; without it the client has it until it is closed. `key` is what opened the profile's lock, where one is on. `listener` is called
 * for every event, from the first that there is. `isVisit`: opened for moments, without a person.
 * @throws ClientError `profile_locked`, `storage_in_use` when another tab has it, `storage_newer`, `storage_denied`, `profile_restored`
 */
export async function openWebClient(params: {
  serverUrl: string;
  profile?: string;
  lock?: ProfileLock | undefined;
  key?: CryptoKey | undefined;
  transcribe?: Transcribe | undefined;
  listener?: ((event: ClientEvent) => void) | undefined;
  isVisit?: boolean | undefined;
}): Promise<Client> {
  const { serverUrl, profile = "default", lock, key, transcribe, listener, isVisit } = params;
  const persisted = await askToPersist();
  const store = await openWebStore(profile, lock, key);
  try {
    const platform = createWebPlatform(persisted, profile);
    const markErased = (): Promise<void> => markWebErased(profile);
    const client = await createClient({ store, platform, serverUrl, transcribe, listener, isVisit, markErased });
    const ended = new AbortController();
    globalThis.addEventListener("online", () => client.wake(), { signal: ended.signal });
    return {
      ...client,
      async close() {
        ended.abort();
        await client.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}
