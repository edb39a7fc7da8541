import type { SharedItems } from "../service-worker/messages.ts";
import { container, tell } from "./registration.ts";

const patienceMs = 5000;
/** What nobody decides about for so long is forgotten: the page that shows it goes on having it, and none that is opened later. */
const longestMs = 60_000;
/** The page of a share is drawn more than once: what was taken is its own from then on, until it goes. */
let taken: { readonly token: string; readonly items: Promise<SharedItems | undefined> } | undefined;

/** What another app shared; `undefined` where the worker has it no more. It is given out once, to this page. */
export function takeShared(token: string): Promise<SharedItems | undefined> {
  if (taken?.token !== token) {
    taken = { token, items: ask(token) };
    setTimeout(() => {
      if (taken?.token === token) forgetShared();
    }, longestMs);
  }
  return taken.items;
}

/** The person has decided: nothing of it is kept. */
export function forgetShared(): void {
  taken = undefined;
}

async function ask(token: string): Promise<SharedItems | undefined> {
  const worker = container()?.controller;
  if (worker === undefined || worker === null || token === "") return undefined;
  const { port1, port2 } = new MessageChannel();
  const { promise, resolve } = Promise.withResolvers<SharedItems | undefined>();
  // Only our own worker has the other end.
  port1.addEventListener("message", ({ data }: MessageEvent<SharedItems | undefined>) => resolve(data));
  port1.start();
  tell(worker, { kind: "share_take", token }, [port2]);
  const timer = setTimeout(resolve, patienceMs, undefined);
  return await promise.finally(() => {
    clearTimeout(timer);
    port1.close();
  });
}
