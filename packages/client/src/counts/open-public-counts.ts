import { createDirectoryLog } from "../directory/log.ts";
import type { Platform } from "../platform/platform.ts";
import { createMemoryStore } from "../store/memory-store.ts";
import { createConnections } from "../transport/connection-manager.ts";
import { createPublicCounts } from "./public-counts.ts";
import type { PublicCounts } from "./public-counts.ts";

/** What a server counts in public, for whoever has no account there: its record is met anew, and nothing is kept. */
export function openPublicCounts({ platform, serverUrl }: { platform: Platform; serverUrl: string }): PublicCounts & {
  /** The server's name. @throws ClientError `offline` */
  host(): Promise<string>;
} {
  const store = createMemoryStore();
  const connections = createConnections({ platform, serverUrl });
  const log = createDirectoryLog({
    store,
    platform,
    httpUrl: (host) => connections.httpUrl(host),
    heardAtMs: (host) => connections.heardAtMs(host),
  });
  return { ...createPublicCounts({ store, platform, connections, log }), host: () => connections.ownHost() };
}
