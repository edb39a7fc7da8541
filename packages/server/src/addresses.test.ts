import { expect, test } from "vitest";
import { isLoopback, limitedAddress } from "./addresses.ts";

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

test("this machine's own addresses are known", () => {
  for (const address of ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"]) expect(isLoopback(address)).toBe(true);
  for (const address of ["128.0.0.1", "::2", "203.0.113.7", undefined]) expect(isLoopback(address)).toBe(false);
});
