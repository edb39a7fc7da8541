/** The parts of the settings that are pages of their own here; devices and what the server holds have had their pages all along. */
export const settingsSections = [
  "profile",
  "notifications",
  "lock",
  "privacy",
  "appearance",
  "storage",
  "data",
  "reports",
  "account",
  "about",
] as const;

/** A part of the settings. */
export type SettingsSection = (typeof settingsSections)[number];

/** Where in the app a person is. */
export type Route =
  | { readonly kind: "home" }
  | { readonly kind: "conversation"; readonly id: string; readonly details: boolean }
  | { readonly kind: "new"; readonly to: string }
  /** People who are not accepted yet. */
  | { readonly kind: "requests" }
  | { readonly kind: "blocked" }
  /** The list of settings, or a part of them. */
  | { readonly kind: "settings"; readonly section?: SettingsSection }
  /** Whose work this program is made of. */
  | { readonly kind: "licences" }
  | { readonly kind: "holdings" }
  /** What another messenger exported. */
  | { readonly kind: "imported"; readonly id: string }
  | { readonly kind: "devices" }
  /** Taking another device into the account. */
  | { readonly kind: "link" }
  /** To whom something goes that another app shared; `token` is by what the app's worker has it. */
  | { readonly kind: "share"; readonly token: string }
  /** Asking to be let into a group; `link` is what stands behind the address. */
  | { readonly kind: "knock"; readonly link: string }
  /** Where there is no account yet: this device offers itself to one. */
  | { readonly kind: "join" }
  | { readonly kind: "recovery_phrase" }
  /** Where there is no account yet: to bring one back. */
  | { readonly kind: "recover" };

/** The route of an address (path, query and what stands behind `#`). Anything unknown is home. */
export function parseRoute(path: string, query = "", fragment = ""): Route {
  const [first, second, third, ...rest] = path.split("/").filter((part) => part !== "");
  if (rest.length > 0) return { kind: "home" };
  if (first === "c" && second !== undefined && /^[\w-]{1,128}$/u.test(second)) {
    if (third === undefined || third === "details") return { kind: "conversation", id: second, details: third === "details" };
  }
  if (first === "new" && second === undefined) return { kind: "new", to: (new URLSearchParams(query).get("to") ?? "").slice(0, 400) };
  if (first === "requests" && second === undefined) return { kind: "requests" };
  if (first === "settings" && second === "blocked" && third === undefined) return { kind: "blocked" };
  if (first === "settings" && second === undefined) return { kind: "settings" };
  const section = settingsSections.find((one) => one === second);
  if (first === "settings" && second === "data" && /^[\w-]{1,64}$/u.test(third ?? "")) return { kind: "imported", id: third ?? "" };
  if (first === "settings" && section !== undefined && third === undefined) return { kind: "settings", section };
  if (first === "settings" && second === "licences" && third === undefined) return { kind: "licences" };
  if (first === "settings" && second === "server" && third === undefined) return { kind: "holdings" };
  if (first === "settings" && second === "devices") {
    if (third === undefined) return { kind: "devices" };
    if (third === "link") return { kind: "link" };
  }
  if (first === "settings" && second === "recovery" && third === undefined) return { kind: "recovery_phrase" };
  if (first === "join" && second === undefined) return { kind: "knock", link: fragment.slice(0, 2048) };
  if (first === "share" && second === undefined) return { kind: "share", token: fragment.slice(1, 65) };
  if (first === "link" && second === undefined) return { kind: "join" };
  if (first === "recover" && second === undefined) return { kind: "recover" };
  return { kind: "home" };
}

/** The address of a route. */
export function formatRoute(route: Route): string {
  switch (route.kind) {
    case "home":
      return "/";
    case "conversation":
      return `/c/${route.id}${route.details ? "/details" : ""}`;
    case "new":
      return route.to === "" ? "/new" : `/new?to=${encodeURIComponent(route.to)}`;
    case "requests":
      return "/requests";
    case "blocked":
      return "/settings/blocked";
    case "settings":
      return route.section === undefined ? "/settings" : `/settings/${route.section}`;
    case "licences":
      return "/settings/licences";
    case "holdings":
      return "/settings/server";
    case "imported":
      return `/settings/data/${route.id}`;
    case "devices":
      return "/settings/devices";
    case "recovery_phrase":
      return "/settings/recovery";
    case "link":
      return "/settings/devices/link";
    case "knock":
      return `/join${route.link}`;
    case "share":
      return `/share#${route.token}`;
    case "join":
      return "/link";
    case "recover":
      return "/recover";
  }
}

/** What the back button of a page leads to when the page was opened by its address. */
export function parentRoute(route: Route): Route {
  switch (route.kind) {
    case "conversation":
      return route.details ? { ...route, details: false } : { kind: "home" };
    case "settings":
      return route.section === undefined ? { kind: "home" } : { kind: "settings" };
    case "holdings":
    case "devices":
      return { kind: "settings" };
    case "blocked":
      return { kind: "settings", section: "privacy" };
    case "licences":
      return { kind: "settings", section: "about" };
    case "imported":
      return { kind: "settings", section: "data" };
    case "link":
    case "recovery_phrase":
      return { kind: "devices" };
    case "knock":
    case "share":
    case "join":
    case "recover":
    case "home":
    case "new":
    case "requests":
      return { kind: "home" };
  }
}

/** Whether a page belongs to the settings. */
export function isInSettings({ kind }: Route): boolean {
  return settingsKinds.has(kind);
}

/** Whether a page of the settings is one that their list leads to, and not one behind such a page. */
export function isSettingsPart(route: Route): boolean {
  return isInSettings(route) && parentRoute(route).kind !== "devices" && !["blocked", "licences", "imported"].includes(route.kind);
}

const settingsKinds: ReadonlySet<Route["kind"]> = new Set<Route["kind"]>([
  "settings",
  "holdings",
  "devices",
  "link",
  "recovery_phrase",
  "blocked",
  "licences",
  "imported",
]);

/** The router: a small store over the browser's history. */
export interface Router {
  get(): Route;
  /** Where the person was before; `undefined` on the first page. */
  before(): Route | undefined;
  subscribe(listener: () => void): () => void;
  /** Goes to a route; `replace` leaves no way back to the present one. */
  go(route: Route, options?: { replace?: boolean }): void;
  /** Back to where the person came from, or to the parent when the page was opened by its address. */
  back(): void;
}

/** Creates the router of this page. */
export function createRouter(window: Window): Router {
  let route = parseRoute(window.location.pathname, window.location.search, window.location.hash);
  let before: Route | undefined;
  const listeners = new Set<() => void>();
  const changed = (): void => {
    before = route;
    route = parseRoute(window.location.pathname, window.location.search, window.location.hash);
    for (const listener of listeners) listener();
  };
  window.addEventListener("popstate", changed);
  const depth = (): number => {
    const state: unknown = window.history.state;
    return typeof state === "object" && state !== null && "depth" in state && typeof state.depth === "number" ? state.depth : 0;
  };
  return {
    get: () => route,
    before: () => before,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    go(next, { replace = false } = {}) {
      const address = formatRoute(next);
      if (address === window.location.pathname + window.location.search) return;
      if (replace) window.history.replaceState({ depth: depth() }, "", address);
      else window.history.pushState({ depth: depth() + 1 }, "", address);
      changed();
    },
    back() {
      if (depth() > 0) window.history.back();
      else this.go(parentRoute(route), { replace: true });
    },
  };
}
