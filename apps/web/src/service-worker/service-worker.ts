/**
 * The app's one service worker: a scope has no more than one. It keeps the files of its build and answers with them, so that the app opens without a
 * network (`bundle.ts`), answers what is shown of files (`media-worker/`), takes what other apps share (`shares.ts`), shows notifications (`notices.ts`),
 * and, woken by a push while no page is awake, opens the profile for moments (`pushes.ts`, `engine.ts`). The browser ends it whenever it likes:
 * nothing is lost by that.
 */
import { enginePath, files } from "virtual:bundle";
import { createMediaAnswers } from "../media-worker/media-worker.ts";
import { createBundle } from "./bundle.ts";
import { createEngineLoader } from "./engine-script.ts";
import { sharePath } from "./messages.ts";
import { createNotices } from "./notices.ts";
import { createPushes } from "./pushes.ts";
import type { PushWorld } from "./pushes.ts";
import { answererOf } from "./routing.ts";
import type { FetchEvent, Scope } from "./scope.ts";
import { createShares } from "./shares.ts";
import { createSystemNotices } from "./system-notices.ts";

const scope = globalThis as unknown as Scope;
const { origin } = globalThis.location;
const bundle = createBundle(files, {
  caches: globalThis.caches,
  // Called as a method of another object, the browser's own would throw.
  fetch: (...params) => fetch(...params),
  sha256: async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)),
  languages: globalThis.navigator.languages,
});
const loadEngine = createEngineLoader(scope, enginePath);
const media = createMediaAnswers(scope);
const shares = createShares({
  newToken: () => crypto.randomUUID(),
  setTimer: (delayMs, run) => void setTimeout(run, delayMs),
});

const noticeWorld: PushWorld = {
  caches: globalThis.caches,
  nowMs: () => Date.now(),
  tabs: async () => await scope.clients.matchAll({ type: "window", includeUncontrolled: true }),
  open: async (path) => await scope.clients.openWindow(path),
  ...createSystemNotices(scope.registration),
  setTimer: (delayMs, run) => void setTimeout(run, delayMs),
  catchUp: async (look, tell) => await loadEngine().catchUp(look, tell),
  setBadge: async (unread) => await globalThis.navigator.setAppBadge?.(unread).catch(() => undefined),
};
const notices = createNotices(noticeWorld);
const pushes = createPushes(noticeWorld, notices);

scope.addEventListener("install", (event) => {
  // Where it cannot be had, nothing of this worker is installed, and the next page asks again.
  event.waitUntil((async () => void loadEngine())());
  // The first of all answers for files at once, and keeps the build meanwhile, when a page asks for it. One that follows another begins with all of its
  // files, when no page of the build before is left or somebody asks for it: that is the browser's own rule.
  if (scope.registration.active !== null) event.waitUntil(bundle.install());
  // Where a browser can be told so, it does not even wake this worker for what the server answers.
  if (event.addRoutes !== undefined) event.waitUntil(event.addRoutes(networkRoutes()).catch(() => undefined));
});

scope.addEventListener("activate", (event) => event.waitUntil(Promise.all([bundle.removeOthers(), scope.clients.claim()])));

scope.addEventListener("message", (event) => {
  // Pages of this origin alone can send one; an older or newer one may say what this one does not know.
  const notice = event.data;
  switch (notice.kind) {
    case "app_begin":
      event.waitUntil(scope.skipWaiting());
      break;
    case "app_keep":
      // What cannot be had now is asked for again by the next page.
      event.waitUntil(bundle.install(notice.language).catch(() => undefined));
      break;
    case "share_take":
      event.ports[0]?.postMessage(shares.take(notice.token));
      break;
    case "notice_show":
      event.waitUntil(notices.show(notice.notice));
      break;
    case "notice_read":
      event.waitUntil(notices.read(notice.tags));
      break;
    case "notice_words":
      event.waitUntil(notices.keepWords(notice.words));
      break;
    case "notice_forget":
      event.waitUntil(notices.forget());
      break;
    default:
      media.hear(notice, event);
  }
});

// What it holds is nothing: whatever stands in it is not read.
scope.addEventListener("push", (event) => event.waitUntil(pushes.pushed()));
scope.addEventListener("notificationclick", (event) => event.waitUntil(notices.pressed(event.notification)));

scope.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  const isPage = request.mode === "navigate";
  switch (answererOf({ method: request.method, isPage, url }, origin, (path) => bundle.has(path))) {
    case "media":
      event.respondWith(media.answer(event, url));
      break;
    case "share":
      event.respondWith(takeShare(event));
      break;
    case "page":
      event.respondWith(kept("/", request));
      break;
    case "file":
      event.respondWith(kept(url.pathname, request));
      break;
    case "network":
      break;
  }
});

/** Pages and answers of the server's own. Only browsers that take routes are known to have these patterns. */
function networkRoutes(): unknown[] {
  return ["/v1/*", "/desk", "/desk/*", "/transparency"].map((pathname) => ({
    condition: { urlPattern: new URLPattern({ pathname }) },
    source: "network",
  }));
}

/** The kept file; where a browser threw it away, what the network has. */
async function kept(path: string, request: Request): Promise<Response> {
  return (await bundle.match(path).catch(() => undefined)) ?? (await fetch(request));
}

/** Whatever comes of it, nothing of it goes to the server. */
async function takeShare({ request }: FetchEvent): Promise<Response> {
  const token = await request.formData().then(
    (form) => shares.put(form),
    () => "",
  );
  return Response.redirect(`${origin}${sharePath}#${token}`, 303);
}
