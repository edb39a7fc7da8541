import { describe, expect, it } from "vitest";
import { formatRoute, isInSettings, isSettingsPart, parentRoute, parseRoute, settingsSections } from "./router.ts";
import type { Route } from "./router.ts";

const routes: readonly Route[] = [
  { kind: "home" },
  { kind: "conversation", id: "Ab_-9", details: false },
  { kind: "conversation", id: "Ab_-9", details: true },
  { kind: "new", to: "" },
  { kind: "new", to: "ben, chidi@b.example" },
  { kind: "settings" },
  ...settingsSections.map((section) => ({ kind: "settings", section }) as const),
  { kind: "licences" },
  { kind: "holdings" },
  { kind: "imported", id: "AbC_-9" },
  { kind: "devices" },
  { kind: "link" },
  { kind: "join" },
  { kind: "knock", link: "" },
  { kind: "knock", link: "#v1.AbC_-9" },
  { kind: "share", token: "0f-9" },
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
    "/share/x",
    "/recover/x",
  ])("takes %s as home", (path) => {
    expect(parseRoute(path)).toEqual({ kind: "home" });
  });

  it("tells the parts of the settings from what is behind them", () => {
    const parts = routes.filter(isSettingsPart).map(formatRoute);
    const behind = routes.filter((route) => isInSettings(route) && !isSettingsPart(route)).map(formatRoute);
    expect(parts).toEqual(["/settings", ...settingsSections.map((one) => `/settings/${one}`), "/settings/server", "/settings/devices"]);
    expect(behind).toEqual(["/settings/licences", "/settings/data/AbC_-9", "/settings/devices/link", "/settings/recovery"]);
    expect(routes.filter(isInSettings)).toHaveLength(parts.length + behind.length);
  });

  it("leads back to the parent", () => {
    expect(parentRoute({ kind: "conversation", id: "a", details: true })).toEqual({ kind: "conversation", id: "a", details: false });
    expect(parentRoute({ kind: "link" })).toEqual({ kind: "devices" });
    expect(parentRoute({ kind: "devices" })).toEqual({ kind: "settings" });
    expect(parentRoute({ kind: "recovery_phrase" })).toEqual({ kind: "devices" });
    expect(parentRoute({ kind: "settings", section: "about" })).toEqual({ kind: "settings" });
    expect(parentRoute({ kind: "licences" })).toEqual({ kind: "settings", section: "about" });
    expect(parentRoute({ kind: "settings" })).toEqual({ kind: "home" });
    expect(parentRoute({ kind: "holdings" })).toEqual({ kind: "settings" });
    expect(parentRoute({ kind: "conversation", id: "a", details: false })).toEqual({ kind: "home" });
  });
});
