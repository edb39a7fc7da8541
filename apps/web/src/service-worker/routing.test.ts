import { describe, expect, it } from "vitest";
import { formatRoute, settingsSections } from "../state/router.ts";
import type { Route } from "../state/router.ts";
import { answererOf } from "./routing.ts";

const own = "https://example.org";
const kept = new Set(["/", "/theme.js", "/assets/index-abc.js"]);

function answerer(address: string, { method = "GET", isPage = false } = {}): string {
  return answererOf({ method, isPage, url: new URL(address, own) }, own, (path) => kept.has(path));
}

const routes: readonly Route[] = [
  { kind: "home" },
  { kind: "conversation", id: "abc", details: true },
  { kind: "new", to: "ben" },
  { kind: "requests" },
  { kind: "blocked" },
  { kind: "settings" },
  ...settingsSections.map((section) => ({ kind: "settings", section }) as const),
  { kind: "licences" },
  { kind: "holdings" },
  { kind: "devices" },
  { kind: "link" },
  { kind: "knock", link: "#abc" },
  { kind: "share", token: "abc" },
  { kind: "join" },
  { kind: "recovery_phrase" },
  { kind: "recover" },
];

describe("[O-1] who answers what a page asks for", () => {
  it("each of the app's own pages is the kept one", () => {
    expect(routes.filter((route) => answerer(formatRoute(route), { isPage: true }) !== "page")).toEqual([]);
    expect(answerer("/?app", { isPage: true })).toBe("page");
  });

  it("files of the build are the kept ones; others, and another build's, come from the network", () => {
    expect([answerer("/theme.js"), answerer("/assets/index-abc.js"), answerer("/assets/index-def.js"), answerer("/sw.js")]).toEqual([
      "file",
      "file",
      "network",
      "network",
    ]);
  });

  it("the server's own pages, its answers, other origins and everything that changes something pass by", () => {
    const pages = ["/desk", "/desk/cases", "/transparency", "/healthz", "/.well-known/security.txt", "/v1/stream", "/something"];
    expect(pages.filter((path) => answerer(path, { isPage: true }) !== "network")).toEqual([]);
    expect(answerer("/v1/holdings", { method: "POST" })).toBe("network");
    expect(answerer("/theme.js", { method: "POST" })).toBe("network");
    expect(answerer("https://elsewhere.example/theme.js")).toBe("network");
    expect(answerer("https://elsewhere.example/media/abc")).toBe("network");
  });

  it("files that are shown are the media worker's, also where they are saved as a page is", () => {
    expect([answerer("/media/abc"), answerer("/media/abc?save", { isPage: true })]).toEqual(["media", "media"]);
  });

  it("[O-6] what another app shares is taken here, and only as a page that is opened", () => {
    expect(answerer("/share", { method: "POST", isPage: true })).toBe("share");
    expect(answerer("/share", { method: "POST" })).toBe("network");
  });
});
