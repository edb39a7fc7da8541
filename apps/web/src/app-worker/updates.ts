import type { AppNotice } from "../service-worker/messages.ts";
import type { AppState } from "../state/app-state.ts";
import { whenNobodyHolds } from "./hold.ts";

/** Looked for this often while a page is open. */
export const everyMs = 3_600_000;
/** However often a page is looked at, or its network comes back. */
export const seldomestMs = 60_000;
/** A worker that was told to begin, and does not say so, is not waited for. */
const beginMs = 10_000;

type WorkerLike = Pick<ServiceWorker, "state" | "addEventListener"> & { postMessage(notice: AppNotice): void };

/** What it needs of a page. */
export interface UpdateWorld {
  readonly registration: Pick<EventTarget, "addEventListener"> & {
    readonly waiting: WorkerLike | null;
    readonly installing: WorkerLike | null;
    update(): Promise<unknown>;
  };
  /** Whose worker answers this page. */
  readonly container: Pick<EventTarget, "addEventListener"> & { readonly controller: unknown };
  nowMs(): number;
  setUpdate(update: AppState["update"]): void;
  /** Hands over what is written; then the page is loaded again, or says that it is to be. */
  loadAgain(): Promise<void>;
}

/** Another build is noticed, fetched and begun with a word. */
export interface Updates {
  /** Asks the server for another build, unless that was done just now; also after each `everyMs`. */
  look(): void;
  /** The person wants it: once nothing goes on in any tab, it begins everywhere. `signal` ends the waiting. */
  restart(signal?: AbortSignal): Promise<void>;
}

/** Follows what becomes of the worker's registration, until `signal` ends it. */
export function followUpdates(world: UpdateWorld, signal?: AbortSignal): Updates {
  const { registration, container } = world;
  let lookedMs = Number.NEGATIVE_INFINITY;
  let isLoading = false;
  /** The first worker of all begins by itself, and changes nothing for pages. */
  let hasBegun = container.controller !== null;
  const listening = signal === undefined ? {} : { signal };

  const say = (): void => world.setUpdate(registration.waiting !== null && hasBegun ? "ready" : undefined);
  const follow = (worker: WorkerLike | null): void => worker?.addEventListener("statechange", say, listening);
  registration.addEventListener("updatefound", () => follow(registration.installing), listening);
  follow(registration.installing);
  say();

  const loadOnce = async (): Promise<void> => {
    const release = await whenNobodyHolds();
    if (!isLoading) {
      isLoading = true;
      await world.loadAgain();
    }
    release();
  };
  const begun = (): void => {
    // Another tab has begun the new build. What goes on here is ended by the person.
    if (hasBegun && !isLoading) void loadOnce();
    hasBegun = true;
  };
  container.addEventListener("controllerchange", begun, listening);

  return {
    look() {
      if (world.nowMs() - lookedMs < seldomestMs) return;
      lookedMs = world.nowMs();
      // Without a network, or with files that are not those of the list: the build that is here goes on.
      registration.update().catch(() => undefined);
    },
    async restart(signal) {
      if (registration.waiting === null) return;
      world.setUpdate("waiting");
      let release: () => void;
      try {
        release = await whenNobodyHolds(signal);
      } catch {
        say();
        return;
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      container.addEventListener("controllerchange", () => resolve(), { once: true });
      isLoading = true;
      registration.waiting?.postMessage({ kind: "app_begin" });
      const timer = setTimeout(resolve, beginMs);
      await promise;
      clearTimeout(timer);
      await world.loadAgain();
      release();
    },
  };
}
