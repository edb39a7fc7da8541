import { language, onLanguageChange } from "../messages/words.ts";
import type { AppState } from "../state/app-state.ts";
import type { Controller } from "../state/controller.ts";
import { mayLoadAgain } from "../state/preferences.ts";
import { followNotices } from "../notices/follow.ts";
import { isInstalled } from "../state/install.ts";
import { holdRestart } from "./hold.ts";
import { container, registerWorker, removeWorker, tell } from "./registration.ts";
import { forgetShared } from "./shared.ts";
import { everyMs, followUpdates } from "./updates.ts";
import type { Updates } from "./updates.ts";

/** What was written is handed over within this time, or with the next page. */
const handOverMs = 1000;
/** A file of which nothing was told for so long is not on its way: it goes on after a restart from where it stands. */
const quietMs = 10_000;

/** What of the app this needs. */
type KeptApp = Pick<Controller, "store" | "flushDrafts" | "listen" | "client">;

let updates: Updates | undefined;
let kept: AbortController | undefined;

/** Keeps the app in this browser so that it opens without a network, and follows newer builds of it. */
export async function keepApp(app: KeptApp): Promise<void> {
  if (kept !== undefined) return;
  const keeping = new AbortController();
  kept = keeping;
  const workers = container();
  const registration = await registerWorker();
  if (keeping.signal.aborted) return;
  if (workers === undefined || registration === undefined) kept = undefined;
  else follow(app, workers, registration, keeping.signal);
}

/**
 * Nobody is here any more: the worker forgets what it knew, and goes with what it kept. Where the app is installed it stays: what another app shares would
 * go to the server without it (spec O-6).
 */
export async function leaveApp(app: KeptApp): Promise<void> {
  for (const kind of ["media_forget", "notice_forget"] as const) tell(container()?.controller, { kind });
  forgetShared();
  if (isInstalled()) {
    await keepApp(app);
    return;
  }
  kept?.abort();
  kept = undefined;
  await removeWorker();
}

function follow(app: KeptApp, workers: ServiceWorkerContainer, registration: ServiceWorkerRegistration, signal: AbortSignal): void {
  const { store, flushDrafts } = app;
  followNotices(app, signal);
  const keep = (): void => void workers.ready.then(({ active }) => tell(active, { kind: "app_keep", language: language() }));
  keep();
  const endings = [onLanguageChange(keep)];
  const followed = followUpdates(
    {
      registration,
      container: workers,
      nowMs: () => Date.now(),
      // Nothing new of a build takes away what the person is asked.
      setUpdate: (update) =>
        store.update((state) => (update === (state.update === "notices" ? undefined : state.update) ? state : { ...state, update })),
      async loadAgain() {
        await Promise.race([flushDrafts().catch(() => undefined), new Promise((resolve) => setTimeout(resolve, handOverMs))]);
        if (mayLoadAgain()) globalThis.location.reload();
        else store.update((state) => ({ ...state, phase: { kind: "replaced" } }));
      },
    },
    signal,
  );
  updates = followed;
  for (const name of ["focus", "online"]) globalThis.addEventListener(name, () => followed.look(), { signal });
  const timer = setInterval(() => followed.look(), everyMs);
  let wasOnline = true;
  let letRestart: (() => void) | undefined;
  let { files } = store.get();
  let movedMs = Number.NEGATIVE_INFINITY;
  let again: ReturnType<typeof setTimeout> | undefined;
  const look = (): void => {
    const state = store.get();
    if (state.files !== files) {
      ({ files } = state);
      movedMs = Date.now();
    }
    const isMoving = Date.now() - movedMs < quietMs && [...files.values()].some(({ kind }) => kind === "sending");
    clearTimeout(again);
    if (isMoving) again = setTimeout(look, quietMs);
    const isOnline = state.connection.kind === "online";
    if (isOnline && !wasOnline) followed.look();
    wasOnline = isOnline;
    if (isMoving || wouldBreakOff(state)) letRestart ??= holdRestart();
    else {
      letRestart?.();
      letRestart = undefined;
    }
  };
  const hold = store.subscribe(look);
  endings.push(
    hold,
    () => clearInterval(timer),
    () => clearTimeout(again),
    () => letRestart?.(),
  );
  signal.addEventListener("abort", () => {
    for (const end of endings) end();
  });
}

/** The newer build begins once nothing goes on. */
export async function restartApp(signal?: AbortSignal): Promise<void> {
  await updates?.restart(signal);
}

/** Whether a restart would break off what a person is at; a recording that goes on says so by itself (attach/hold-page.ts). */
export function wouldBreakOff({
  composing,
  link,
  outgoing,
  trays,
  voices,
}: Pick<AppState, "composing" | "link" | "outgoing" | "trays" | "voices">): boolean {
  return (
    voices.size > 0 ||
    [...trays.values()].some(({ items, leaving }) => items.length + leaving.length > 0) ||
    // Not handed over yet.
    outgoing.some(({ messageId }) => messageId === undefined) ||
    (link !== undefined && link.kind !== "done" && link.kind !== "failed") ||
    [...composing.values()].some(({ kind }) => kind === "edit")
  );
}
