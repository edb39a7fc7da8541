import { container, tell } from "./registration.ts";

/** Asking for another build, and having it begin, may take so long each; of a slow network it is fetched with the next page. */
const patienceMs = 15_000;

/** Loads the page anew, with the newest build that the server has: for whoever cannot go on with this one. */
export async function loadNewest(): Promise<void> {
  const workers = container();
  const registration = await workers?.getRegistration().catch(() => undefined);
  if (workers !== undefined && registration !== undefined) {
    await within(registration.update());
    const { installing } = registration;
    if (installing !== null) await within(settled(installing));
    if (registration.waiting !== null) {
      const begun = new Promise<void>((resolve) => workers.addEventListener("controllerchange", () => resolve(), { once: true }));
      tell(registration.waiting, { kind: "app_begin" });
      await within(begun);
    }
  }
  globalThis.location.reload();
}

async function within(done: Promise<unknown>): Promise<void> {
  await Promise.race([done.catch(() => undefined), new Promise((resolve) => setTimeout(resolve, patienceMs))]);
}

/** Resolves when a worker has its files, or was refused them. */
function settled(worker: ServiceWorker): Promise<void> {
  return new Promise((resolve) =>
    worker.addEventListener("statechange", () => {
      if (worker.state !== "installing") resolve();
    }),
  );
}
