import { describe, expect, it } from "vitest";
import { formatRoute, parentRoute, parseRoute } from "./router.ts";
import type { Route } from "./router.ts";

const routes: readonly Route[] = [
  { kind: "home" },
  { kind: "conversation", id: "Ab_-9", details: false },
  { kind: "conversation", id: "Ab_-9", details: true },
  { kind: "new", to: "" },
  { kind: "new", to: "ben, chidi@b.example" },
  { kind: "settings" },
  { kind: "holdings" },
  { kind: "devices" },
  { kind: "link" },
  { kind: "join" },
  { kind: "knock", link: "" },
  { kind: "knock", link: "#v1.AbC_-9" },
  { kind: "recovery_phrase" },
  { kind: "recover" },
];

describe("routes", () => {
  it.each(routes)("survive the address bar: $kind", (route) => {
    const { pathname, search, hash } = new URL(formatRoute(route), "https://a.example");
    expect(parseRoute(pathname, search, hash)).toEqual(route);
  });

  it.each([
    "/nowhere",
    "/c",
    "/c/%2e%2e",
    "/c/a/b",
    "/c/a/details/x",
    "/settings/other",
    "/settings/devices/x",
    "/link/x",
    "/join/x",
    "/recover/x",
  ])("takes %s as home", (path) => {
    expect(parseRoute(path)).toEqual({ kind: "home" });
  });

  it("leads back to the parent", () => {
    expect(parentRoute({ kind: "conversation", id: "a", details: true })).toEqual({ kind: "conversation", id: "a", details: false });
    expect(parentRoute({ kind: "link" })).toEqual({ kind: "devices" });
    expect(parentRoute({ kind: "devices" })).toEqual({ kind: "settings" });
    expect(parentRoute({ kind: "recovery_phrase" })).toEqual({ kind: "settings" });
    expect(parentRoute({ kind: "holdings" })).toEqual({ kind: "settings" });
    expect(parentRoute({ kind: "conversation", id: "a", details: false })).toEqual({ kind: "home" });
  });
});
