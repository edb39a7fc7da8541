import { quietUntil } from "@latchkey/client/own";
import type { Found, Look } from "./engine.ts";
import type { NoticeWords } from "./messages.ts";
import { countOf } from "./notices.ts";
import type { Notices, NoticeWorld, ShownNotice, TabClient } from "./notices.ts";

/** A page that is open and was put to sleep by its browser does not answer. */
const answerMs = 3500;
/** So long it is read what waits. Browsers end a worker that was woken half a minute later. */
const readMs = 15_000;
/** Whatever becomes of it, something is shown by then. */
const patienceMs = 20_000;
/** Receipts are said within five seconds. */
const lingerMs = 6000;
/** No visit is longer, however much comes meanwhile. */
const longestMs = 25_000;
/** So long it may take to close after that. */
const closingMs = 10_000;

/** What is said before any page has said how. */
const unspoken: NoticeWords = { title: "Latchkey", body: "New messages", quietHours: {} };

/** What it asks of a browser, beside what notifications do. */
export interface PushWorld extends NoticeWorld {
  readonly nowMs: () => number;
  readonly setTimer: (delayMs: number, run: () => void) => void;
  /** Opens the profile, if nobody has it, and sees what came (`engine.ts`). */
  readonly catchUp: (look: Look, tell: (found: Found) => Promise<void>) => Promise<void>;
  /** The number on the app's icon. */
  readonly setBadge: (unread: number) => Promise<void>;
}

/** What becomes of a push. It says nothing by itself: whatever stands in it is not read. */
export interface Pushes {
  /**
   * A page that is open reads what waits. Without one the profile is opened, if nobody has it, and what came is told as a page would. Where nothing is to
   * be told, or nothing could be read, one notification says that something came: a browser wants that something is shown.
   */
  pushed(): Promise<void>;
}

/** In this world. */
export function createPushes(world: PushWorld, notices: Notices): Pushes {
  let running: Promise<void> | undefined;
  let isAgain = false;
  let more = (): void => undefined;
  /** Whether this run told anything. */
  let isTold = false;

  /** Whether a page that is open reads what waits. */
  const isHeard = async (tabs: readonly TabClient[]): Promise<boolean> => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    for (const tab of tabs) {
      const { port1, port2 } = new MessageChannel();
      port1.addEventListener("message", () => resolve(true));
      port1.start();
      tab.postMessage({ kind: "push_came" }, [port2]);
    }
    world.setTimer(answerMs, () => resolve(false));
    return await promise;
  };
  const isSeen = async (): Promise<boolean> => (await world.tabs()).some(({ visibilityState }) => visibilityState === "visible");

  const after = (delayMs: number): Promise<undefined> => new Promise((resolve) => world.setTimer(delayMs, () => resolve(undefined)));

  /** Tells what is found; whether anything was. */
  const tell = async (found: Found): Promise<boolean> => {
    for (const notice of found.notices) await notices.show(notice);
    const isNamed = found.notices.some(({ tag }) => tag !== "");
    // What was said before without a name has one now.
    if (found.isWhole) {
      await notices.read(isNamed ? [...found.read, ""] : found.read);
      await world.setBadge(found.unread);
    }
    return found.notices.length > 0;
  };

  /** Something is shown in any case. */
  const saySome = async (found: Found | undefined): Promise<void> => {
    // A page was opened meanwhile.
    if (await isSeen()) return;
    const isNothingNew = found?.isWhole === true;
    const told = isNothingNew ? (await world.shown()).findLast(({ tag }) => tag !== "") : undefined;
    if (told !== undefined) {
      await showAgain(told);
      return;
    }
    const { title, body, quietHours } = (await notices.words()) ?? unspoken;
    const silent = isNothingNew || quietUntil(quietHours, world.nowMs()) !== undefined;
    await world.show(title, { tag: "", body, silent, renotify: !silent, data: { path: "/" } });
  };
  const showAgain = async ({ title, body, tag, data }: ShownNotice): Promise<void> =>
    await world.show(title, { tag, body, data, silent: true });

  /** One visit of the profile, and all that it tells. */
  const visit = async (): Promise<void> => {
    const telling = (await notices.words())?.telling;
    // Nobody is here, or no page has said yet how anything is said.
    if (telling === undefined) {
      isAgain = false;
      await saySome(undefined);
      return;
    }
    let isForPush = true;
    let failure: unknown;
    const first = Promise.withResolvers<boolean>();
    const counts = async (): Promise<ReadonlyMap<string, number>> => {
      isForPush = isAgain;
      isAgain = false;
      return new Map((await world.shown()).map((one) => [one.tag, countOf(one)]));
    };
    const tellAnew = async (found: Found): Promise<void> => {
      try {
        if (await tell(found)) isTold = true;
        else if (isForPush && (!isTold || !found.isWhole)) await saySome(found);
      } catch (error) {
        failure = error;
        throw error;
      } finally {
        first.resolve(true);
      }
    };
    const times = { timeoutMs: readMs, lingerMs, longestMs };
    const over = world.catchUp({ telling, counts, ...times, onOpen: (look) => (more = look) }, tellAnew).catch(() => undefined);
    const isSaid = await Promise.race([first.promise, over, after(patienceMs)]);
    if (isSaid !== true) {
      isAgain = false;
      await saySome(undefined);
    }
    await Promise.race([over, after(longestMs + readMs + closingMs)]);
    if (failure !== undefined) throw failure;
  };

  const run = async (): Promise<void> => {
    try {
      isTold = false;
      while (isAgain) await visit();
    } finally {
      running = undefined;
      more = () => undefined;
    }
  };

  return {
    async pushed() {
      const tabs = await world.tabs();
      if (tabs.some(({ visibilityState }) => visibilityState === "visible")) return;
      if (tabs.length > 0 && (await isHeard(tabs))) return;
      // Of several at once the first looks for all, and again, while it has the profile, for what came meanwhile.
      isAgain = true;
      more();
      running ??= run();
      await running;
    },
  };
}
