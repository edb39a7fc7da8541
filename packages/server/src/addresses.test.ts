import type { IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import { limitedAddress, networksOf, noProxies, parseProxies, peerOf } from "./addresses.ts";

test("limits count IPv4 addresses and IPv6 networks", () => {
  expect(limitedAddress("203.0.113.7")).toBe("203.0.113.7");
  expect(limitedAddress("::ffff:203.0.113.7")).toBe("203.0.113.7");
  expect(limitedAddress("2001:db8:1:2:3:4:5:6")).toBe("2001:db8:1:2::/64");
  expect(limitedAddress("2001:0DB8:0001:2::9")).toBe("2001:db8:1:2::/64");
  expect(limitedAddress("2001:db8::1")).toBe("2001:db8:0:0::/64");
  expect(limitedAddress("fe80::1%eth0")).toBe("fe80:0:0:0::/64");
  expect(limitedAddress("::1")).toBe("0:0:0:0::/64");
  expect(limitedAddress("")).toBe("");
});

test("an IPv6 line and a site have a larger budget, but one", () => {
  expect(networksOf("203.0.113.7")).toEqual([{ key: "203.0.113.7", factor: 1 }]);
  expect(networksOf(limitedAddress("2001:db8:1:23ab::5"))).toEqual([
    { key: "2001:db8:1:23ab::/64", factor: 1 },
    { key: "2001:db8:1:2300::/56", factor: 2 },
    { key: "2001:db8:1::/48", factor: 8 },
  ]);
});

function request(remoteAddress: string, forwarded?: string | string[]): IncomingMessage {
  // The two members that are read.
  return {
    socket: { remoteAddress },
    headers: forwarded === undefined ? {} : { "x-forwarded-for": forwarded },
  } as unknown as IncomingMessage;
}

test("a network in which anybody could write what address they like is no proxy", () => {
  for (const wide of ["0.0.0.0/0", "::/0", "10.0.0.0/6"]) expect(parseProxies(wide)).toBeUndefined();
  for (const own of ["10.0.0.0/8", "fc00::/7", "203.0.113.5"]) expect(parseProxies(own)).toBeDefined();
});

test("[E-91] X-Forwarded-For counts from a trusted proxy only, and only up to the first address that is none", () => {
  const proxies = parseProxies("loopback, 10.1.0.0/16,2001:db8::/32") ?? noProxies;
  expect(peerOf(request("127.0.0.1", "203.0.113.5"), noProxies)).toBe("127.0.0.1");
  expect(peerOf(request("127.0.0.1", "203.0.113.5"), proxies)).toBe("203.0.113.5");
  expect(peerOf(request("::ffff:127.0.0.1", "1.1.1.1, 203.0.113.5, 10.1.2.3"), proxies)).toBe("203.0.113.5");
  expect(peerOf(request("10.1.9.9", ["1.1.1.1", "203.0.113.5:4711"]), proxies)).toBe("203.0.113.5");
  expect(peerOf(request("2001:db8::9", "[2001:67c:1:2::3]:443"), proxies)).toBe("2001:67c:1:2::/64");
  // From anybody else it is a made-up header, and what is no address is no budget.
  expect(peerOf(request("198.51.100.1", "203.0.113.5"), proxies)).toBe("198.51.100.1");
  expect(peerOf(request("127.0.0.1", "203.0.113.5, made-up"), proxies)).toBe("127.0.0.1");
  expect(peerOf(request("127.0.0.1"), proxies)).toBe("127.0.0.1");
  expect(peerOf(request("10.2.0.1", "203.0.113.5"), proxies)).toBe("10.2.0.1");
});

test("a list of proxies that is none is refused", () => {
  for (const text of ["", "yes", "10.0.0.0/33", "10.0.0.0/8/8", "::1/129", "10.0.0/8", "loopback,,", "proxy.example"]) {
    expect(parseProxies(text), text).toBeUndefined();
  }
});
