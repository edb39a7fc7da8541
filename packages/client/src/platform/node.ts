import type { Client, Transcribe } from "../api.ts";
import { createClient } from "../create-client.ts";
import { createNodePlatform, nodeFiles, openNodeStore } from "./node-platform.ts";

export { archiveAt, fileAt } from "../files/node-files.ts";
export { createNodePlatform, nodeFiles, openNodeStore } from "./node-platform.ts";

/** How a profile is opened. */
export interface OpenOptions {
  /** Its folder, made if it is missing. */
  readonly home: string;
  /** The server, `http:` or `https:`. */
  readonly serverUrl: string;
  /** As in `ClientOptions`. */
  readonly requests?: "ask" | "accept";
  /** As in `ClientOptions`. */
  readonly transcribe?: Transcribe;
  /** Whether other processes may use the profile through this one while it has it open (default: yes). */
  readonly share?: boolean;
  /**
   * Where another process has the profile open and shares it: goes through that one, whose `serverUrl` and `requests` hold, instead of
   * failing as `storage_in_use`. Not for a bot: two of them would both answer. `onLost` is called when that process lets go of the
   * profile: this client is to be closed then, and the profile opened again.
   */
  readonly join?: { onLost?(): void };
}

/**
 * Opens a profile.
 * @throws ClientError `storage_in_use`, `storage_newer`, `storage_denied`, `profile_restored`
 */
export async function openNodeClient(options: OpenOptions): Promise<Client> {
  const { home, serverUrl, requests, transcribe, share = true, join } = options;
  if (join !== undefined) {
    const { joinProfile } = await import("../shared/join-profile.ts");
    const joined = await joinProfile(home, () => join.onLost?.());
    if (joined !== undefined) return joined;
  }
  const store = await openNodeStore(home);
  let client: Client;
  try {
    client = await createClient({ store, platform: { ...createNodePlatform(), files: nodeFiles(home) }, serverUrl, requests, transcribe });
  } catch (error) {
    await store.close();
    throw error;
  }
  if (!share) return client;
  const { shareProfile } = await import("../shared/share-profile.ts");
  const shared = await shareProfile(client, home);
  return {
    ...client,
    async close() {
      await shared?.close();
      await client.close();
    },
  };
}
