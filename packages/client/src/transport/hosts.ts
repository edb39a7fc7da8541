import { socketPath } from "@latchkey/protocol";
import type { Role } from "@latchkey/protocol";
import { ClientError } from "../errors.ts";

/** Where a host's HTTP and WebSocket are. */
export interface HostUrls {
  /** Base of HTTP paths, without a slash at its end. */
  http(host: string): string;
  socket(host: string, role: Role): string;
}

/** The host that a server's URL names, as spec C-3 writes it. */
export function hostOfUrl(serverUrl: string): string {
  // `host` of a URL leaves the scheme's own port out, as the spec does.
  return new URL(serverUrl).host;
}

/**
 * The one rule of whom this client connects to: its account's host, by the URL that the person gave. Every other host, whoever names
 * it (an address, a leaf, an inbox item, a Welcome), is refused before anything leaves this device; so no name from the network leads
 * to a connection, into a private network least of all.
 * @returns URLs of one's own host; for every other they throw ClientError `other_server`
 */
export function createHostUrls(serverUrl: string, isOwnHost: (host: string) => boolean): HostUrls {
  const own = serverUrl.replace(/\/+$/, "");
  const http = (host: string): string => {
    if (isOwnHost(host)) return own;
    throw new ClientError("other_server", "This is on another server. People on other servers cannot be reached yet.");
  };
  return { http, socket: (host, role) => `${http(host).replace(/^http/, "ws")}${socketPath(role)}` };
}
