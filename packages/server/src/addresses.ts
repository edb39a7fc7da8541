import type { IncomingMessage } from "node:http";
import { BlockList, isIP, isIPv4, isIPv6 } from "node:net";

/** Proxies whose word about a visitor's address counts. */
export interface TrustedProxies {
  has(address: string | undefined): boolean;
}

/** None: every peer is who its socket says. */
export const noProxies: TrustedProxies = { has: () => false };

const privateRanges = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10"];
const loopbackRanges = ["127.0.0.0/8", "::1"];

/** Bits of the widest network that somebody's proxies have: 10.0.0.0/8 and fc00::/7. */
const leastBits = 7;

/**
 * Reads a list of addresses and networks with commas between them; `loopback` and `private` name those of this machine and those that
 * nobody has on the internet. Gives `undefined` where it is none.
 */
export function parseProxies(text: string): TrustedProxies | undefined {
  const list = new BlockList();
  const parts = text.split(",").map((part) => part.trim());
  const ranges = parts.flatMap((part) => (part === "loopback" ? loopbackRanges : part === "private" ? privateRanges : [part]));
  for (const range of ranges) {
    const [address = "", bits, ...rest] = range.split("/");
    const family = isIPv4(address) ? "ipv4" : "ipv6";
    const most = family === "ipv4" ? 32 : 128;
    // A wider one is nobody's own: everybody in it could write what address they like.
    const isBits = bits === undefined || (/^[0-9]{1,3}$/.test(bits) && Number(bits) <= most && Number(bits) >= leastBits);
    if (isIP(address) === 0 || !isBits || rest.length > 0) return undefined;
    list.addSubnet(address, bits === undefined ? most : Number(bits), family);
  }
  return {
    has(address) {
      const plain = plainAddress(address ?? "");
      return isIP(plain) !== 0 && list.check(plain, isIPv4(plain) ? "ipv4" : "ipv6");
    },
  };
}

/**
 * Whom limits count a request to. What comes from a trusted proxy is counted to the last address in X-Forwarded-For that is no trusted
 * proxy's: what stands left of it anybody may have written. From anybody else the header is not read.
 */
export function peerOf(request: IncomingMessage, proxies: TrustedProxies): string {
  const own = request.socket.remoteAddress ?? "";
  if (!proxies.has(own)) return limitedAddress(own);
  const header = request.headers["x-forwarded-for"];
  const named = (Array.isArray(header) ? header.join(",") : (header ?? "")).split(",").map((part) => withoutPort(part.trim()));
  for (const address of named.toReversed()) {
    // What is no address gives no budget of its own.
    if (isIP(address) === 0) break;
    if (!proxies.has(address)) return limitedAddress(address);
  }
  return limitedAddress(own);
}

/**
 * The part of a peer's address that limits count by: an IPv4 address, or the first 64 bits of an IPv6 one, since one
 * customer commonly has all addresses behind them. Kept in memory only.
 */
export function limitedAddress(address: string): string {
  const plain = plainAddress(address);
  if (!isIPv6(plain)) return plain;
  const [head = "", tail = ""] = (plain.split("%")[0] ?? "").split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === "" ? [] : tail.split(":");
  const isShort = plain.includes("::");
  const zeros = isShort ? Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => "0") : [];
  const groups = [...before, ...zeros, ...after].map((group) => group.replace(/^0+(?=.)/, "").toLowerCase());
  return `${groups.slice(0, 4).join(":")}::/64`;
}

const notPublic = new BlockList();
for (const range of [
  ...privateRanges,
  ...loopbackRanges,
  "0.0.0.0/8",
  "100.64.0.0/10",
  "192.0.0.0/24",
  "198.18.0.0/15",
  "224.0.0.0/3",
  "::",
  "64:ff9b::/96",
  "ff00::/8",
]) {
  const [address = "", bits] = range.split("/");
  const family = isIPv4(address) ? "ipv4" : "ipv6";
  notPublic.addSubnet(address, Number(bits ?? (family === "ipv4" ? 32 : 128)), family);
}

/** Whether an address is somebody's on the internet: not of this machine, a private network, a group, or another family's behind a gateway. */
export function isPublicAddress(address: string): boolean {
  const plain = plainAddress(address);
  return isIP(plain) !== 0 && !plain.startsWith("::ffff:") && !notPublic.check(plain, isIPv4(plain) ? "ipv4" : "ipv6");
}

/** A network that limits count by, and how many times the budget of one address it has. */
export interface Network {
  readonly key: string;
  readonly factor: number;
}

/**
 * The networks that an address of `limitedAddress` lies in, itself first. A line at home commonly has 256 or more networks of 64 bits
 * and a site 65,536: together they have twice and eight times the budget of one.
 */
export function networksOf(address: string): readonly Network[] {
  if (!address.endsWith("::/64")) return [{ key: address, factor: 1 }];
  const groups = address.slice(0, -5).split(":");
  const site = groups.slice(0, 3).join(":");
  const line = (Number.parseInt(groups[3] ?? "0", 16) >> 8).toString(16);
  return [
    { key: address, factor: 1 },
    { key: `${site}:${line}00::/56`, factor: 2 },
    { key: `${site}::/48`, factor: 8 },
  ];
}

/** Who takes turns with others: an IPv4 address, or all of one IPv6 line. */
export function turnKeyOf(address: string): string {
  return networksOf(address)[1]?.key ?? address;
}

function plainAddress(address: string): string {
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}

/** Some proxies write the port as well. */
function withoutPort(text: string): string {
  const bracketed = /^\[([^\]]+)\](?::[0-9]+)?$/.exec(text)?.[1];
  if (bracketed !== undefined) return bracketed;
  return /^[0-9.]+:[0-9]+$/.test(text) ? (text.split(":")[0] ?? "") : text;
}
