import type { Client } from "../api.ts";
import { createClient } from "../create-client.ts";
import { createNodePlatform, openNodeStore } from "./node-platform.ts";

export { createNodePlatform, openNodeStore } from "./node-platform.ts";

/**
 * Opens the profile in the directory `home`, made if it is missing, with the server at `serverUrl` (http or https). `requests` as in `ClientOptions`.
 * @throws ClientError `storage_in_use`, `storage_newer`, `storage_denied`, `profile_restored`
 */
export async function openNodeClient(params: { home: string; serverUrl: string; requests?: "ask" | "accept" }): Promise<Client> {
  const { home, serverUrl, requests } = params;
  const store = await openNodeStore(home);
  try {
    return await createClient({ store, platform: createNodePlatform(), serverUrl, requests });
  } catch (error) {
    await store.close();
    throw error;
  }
}
