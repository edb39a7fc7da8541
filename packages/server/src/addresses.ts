import type { IncomingMessage } from "node:http";
import { isIPv6 } from "node:net";

/**
 * Whom limits count a request to. Behind a trusted proxy that is the last entry of X-Forwarded-For, the proxy's own; what
 * stands left of it anybody may have written.
 */
export function peerOf(request: IncomingMessage, trustProxy: boolean): string {
  const forwarded = trustProxy ? request.headers["x-forwarded-for"] : undefined;
  const list = Array.isArray(forwarded) ? forwarded.join(",") : forwarded;
  return limitedAddress(list?.split(",").at(-1)?.trim() ?? request.socket.remoteAddress ?? "");
}

/**
 * The part of a peer's address that limits count by: an IPv4 address, or the first 64 bits of an IPv6 one, since one
 * customer commonly has all addresses behind them. Kept in memory only.
 */
export function limitedAddress(address: string): string {
  const plain = address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
  if (!isIPv6(plain)) return plain;
  const [head = "", tail = ""] = (plain.split("%")[0] ?? "").split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === "" ? [] : tail.split(":");
  const isShort = plain.includes("::");
  const zeros = isShort ? Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => "0") : [];
  const groups = [...before, ...zeros, ...after].map((group) => group.replace(/^0+(?=.)/, "").toLowerCase());
  return `${groups.slice(0, 4).join(":")}::/64`;
}

/** Whether an address is this machine's own. */
export function isLoopback(address: string | undefined): boolean {
  return address === "::1" || address?.startsWith("127.") === true || address?.startsWith("::ffff:127.") === true;
}
