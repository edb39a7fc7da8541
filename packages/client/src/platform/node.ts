import type { Client } from "../api.ts";
import { createClient } from "../create-client.ts";
import { createNodePlatform, openNodeStore } from "./node-platform.ts";

export { createNodePlatform, openNodeStore } from "./node-platform.ts";

/**
 * Opens the profile in the directory `home`, made if it is missing, with the server at `serverUrl` (http or https).
 * @throws ClientError `storage_in_use`, `storage_newer`, `storage_denied`, `profile_restored`
 */
export async function openNodeClient(params: { home: string; serverUrl: string }): Promise<Client> {
  const store = await openNodeStore(params.home);
  try {
    return await createClient({ store, platform: createNodePlatform(), serverUrl: params.serverUrl });
  } catch (error) {
    await store.close();
    throw error;
  }
}
