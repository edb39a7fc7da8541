import type { Client, Transcribe } from "../api.ts";
import { createClient } from "../create-client.ts";
import { askToPersist, createWebPlatform, openWebStore } from "./web-platform.ts";

export { askToPersist, createWebPlatform, eraseWebStore, openWebStore } from "./web-platform.ts";

/**
 * Opens a profile of this browser, in a worker, with the server at `serverUrl` (such as `location.origin`).
 * @throws ClientError `storage_in_use` when another tab has it, `storage_newer`, `storage_denied`, `profile_restored`
 */
export async function openWebClient(params: { serverUrl: string; profile?: string; transcribe?: Transcribe | undefined }): Promise<Client> {
  const { serverUrl, profile = "default", transcribe } = params;
  const persisted = await askToPersist();
  const store = await openWebStore(profile);
  try {
    const client = await createClient({ store, platform: createWebPlatform(persisted, profile), serverUrl, transcribe });
    globalThis.addEventListener("online", () => client.wake());
    return client;
  } catch (error) {
    await store.close();
    throw error;
  }
}
