import { container, removeWorker } from "./registration.ts";

/** The server may take so long to answer, and the browser to forget what it keeps. */
const patienceMs = 15_000;

let loading: Promise<void> | undefined;

/**
 * Loads the page anew, with the newest build that the server has: for whoever cannot go on with this one. The kept build goes, since a browser may let
 * its worker begin another one late; the page that is loaded keeps its own. Without a network, or where the server has none that is newer, it stays. Whoever asks again meanwhile waits for the same.
 */
export function loadNewest(): Promise<void> {
  loading ??= load().finally(() => (loading = undefined));
  return loading;
}

async function load(): Promise<void> {
  const registration = await container()
    ?.getRegistration()
    .catch(() => undefined);
  const isAsked = registration !== undefined && (await within(registration.update()));
  if (isAsked && (registration.installing ?? registration.waiting) !== null) await within(removeWorker());
  globalThis.location.reload();
}

/** Whether it is done in time. */
async function within(done: Promise<unknown>): Promise<boolean> {
  return await Promise.race([
    done.then(
      () => true,
      () => false,
    ),
    new Promise<boolean>((resolve) => setTimeout(resolve, patienceMs, false)),
  ]);
}
