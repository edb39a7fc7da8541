import { StrictMode } from "react";
import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";
import { App } from "./App.tsx";
import { language, onLanguageChange } from "./messages/words.ts";
import { createController } from "./state/controller.ts";
import { listenForInstall } from "./state/install.ts";
import { lastPlace, mayLoadAgain, rememberPlace } from "./state/preferences.ts";
import { createRouter } from "./state/router.ts";
import type { ClientHost } from "./worker/remote-client.ts";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/controls.css";
import "./styles/list.css";
import "./styles/conversation.css";
import "./styles/messages.css";
import "./styles/bubbles.css";
import "./styles/composer.css";
import "./styles/pages.css";

/** Shows the app over a client, and ties it to the window around it. */
export function startApp(host: ClientHost): void {
  listenForInstall();
  const router = createRouter(globalThis.window);
  // The app that was installed begins where the person was; on a phone with the list, as others do.
  const place = globalThis.location.search === "?app" && globalThis.innerWidth >= 600 ? lastPlace() : undefined;
  if (place !== undefined) router.go({ kind: "conversation", id: place, details: false }, { replace: true });
  // The next frame, or soon where none is drawn: a window that is covered counts as visible, and draws nothing.
  const controller = createController(host, (run) => {
    const once = (): void => {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
      run();
    };
    const frame = requestAnimationFrame(once);
    const timer = setTimeout(once, 60);
  });

  const followRoute = (): void => {
    const route = router.get();
    controller.open(route.kind === "conversation" ? route.id : undefined);
    if (route.kind === "conversation") rememberPlace(route.id);
  };
  router.subscribe(followRoute);
  followRoute();

  const followAttention = (): void => controller.setAttentive(document.visibilityState === "visible" && document.hasFocus());
  for (const name of ["focus", "blur"]) globalThis.addEventListener(name, followAttention);
  document.addEventListener("visibilitychange", () => {
    followAttention();
    if (document.visibilityState === "visible") controller.client.wake();
    else void controller.flushDrafts();
  });
  globalThis.addEventListener("online", () => controller.client.wake());
  globalThis.addEventListener("pagehide", ({ persisted }) => {
    void controller.flushDrafts();
    controller.sendWaiting();
    if (!persisted) host.leave();
  });
  // A page that is put aside may be thrown away without another word.
  document.addEventListener("freeze", () => void controller.flushDrafts());
  followAttention();
  followViewport();

  let isLeaving = false;
  controller.store.subscribe(() => {
    const { phase } = controller.store.get();
    // Nothing of what was open stays in this page's memory. Where nobody would answer, the page that stands here says that it is locked.
    if (phase.kind !== "locking" || !phase.isDone || isLeaving) return;
    isLeaving = true;
    if (navigator.onLine || navigator.serviceWorker?.controller) setTimeout(() => globalThis.location.reload(), 200);
  });
  controller.store.subscribe(() => {
    // Time for what is written to be handed over; and if the server gives the older page once more, the person decides.
    if (controller.store.get().phase.kind === "replaced" && mayLoadAgain()) setTimeout(() => globalThis.location.reload(), 200);
  });

  const root = document.getElementById("root");
  if (root === null) throw new Error("the page has no root");
  const reactRoot = createRoot(root);
  // Another language is another page over the same state: nothing of the old one stays, and what has the focus is drawn before that is set.
  const render = (): void =>
    reactRoot.render(
      <StrictMode>
        <App key={language()} controller={controller} router={router} />
      </StrictMode>,
    );
  render();
  onLanguageChange(() => flushSync(render));
  // It has nothing to keep before something was touched.
  void import("./state/keep-focus.ts").then(
    ({ keepFocus }) => keepFocus(document),
    () => undefined,
  );
}

/** Keeps the app as high as what is seen: a phone's keyboard must not cover the composer. */
function followViewport(): void {
  const viewport = globalThis.visualViewport;
  if (viewport === null) return;
  const follow = (): void => {
    // Zooming with two fingers is not a keyboard.
    if (viewport.scale > 1.01) return;
    document.documentElement.style.setProperty("--app-height", `${Math.round(viewport.height)}px`);
  };
  viewport.addEventListener("resize", follow);
  follow();
}
