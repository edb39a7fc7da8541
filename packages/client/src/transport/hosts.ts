import { isHost, socketPath } from "@latchkey/protocol";
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

/** One's own host is reached by the URL that the client was given; every other by TLS, but for this machine. */
export function createHostUrls(serverUrl: string, isOwnHost: (host: string) => boolean): HostUrls {
  const own = serverUrl.replace(/\/+$/, "");
  const http = (host: string): string => {
    if (isOwnHost(host)) return own;
    if (!isHost(host)) throw new ClientError("invalid_address", "This is not the name of a server.");
    return `${isLoopback(host) ? "http" : "https"}://${host}`;
  };
  return { http, socket: (host, role) => `${http(host).replace(/^http/, "ws")}${socketPath(role)}` };
}

/** What browsers call potentially trustworthy without TLS. */
function isLoopback(host: string): boolean {
  const [name = ""] = host.split(":");
  return name === "localhost" || name.endsWith(".localhost") || /^127(?:\.\d{1,3}){3}$/.test(name);
}
