import type { Found, Look } from "../service-worker/engine.ts";
import type { PageQuestion } from "../service-worker/messages.ts";
import { createNotices } from "../service-worker/notices.ts";
import type { Notices, ShownNotice } from "../service-worker/notices.ts";
import { createPushes } from "../service-worker/pushes.ts";
import type { Pushes, PushWorld } from "../service-worker/pushes.ts";
import { createSystemNotices } from "../service-worker/system-notices.ts";
import type { SystemNotices } from "../service-worker/system-notices.ts";

/** A tab of the app, as a worker sees it. */
export type FakeTab = Partial<{ visibilityState: string; focused: boolean; answers: boolean }>;

interface Shown extends ShownNotice {
  readonly options: NotificationOptions;
}

/** What the system shows. */
interface FakeSystem extends SystemNotices {
  all(): readonly Shown[];
}

/** What catching up finds, what it does afterwards, and with what it was begun. */
interface FakeEngine {
  readonly asked: FakeLook[];
  find(look: FakeLook): Promise<Found | undefined>;
  linger(): Promise<void>;
}

interface FakeLook extends Pick<Look, "telling"> {
  readonly counts: ReadonlyMap<string, number>;
}

/** A browser, and what became of it. */
export interface NoticeBrowser {
  readonly notices: Notices;
  readonly pushes: Pushes;
  readonly engine: FakeEngine;
  /** The tabs that are open. */
  readonly open: FakeTab[];
  /** By tag, as the app has them, the newest last. */
  readonly shown: ReadonlyMap<string, Shown>;
  readonly system: FakeSystem;
  /** What the tabs were told. */
  readonly told: readonly PageQuestion[];
  /** Which tabs were opened, by their paths, and which were come back to. */
  readonly opened: readonly string[];
  readonly focused: readonly number[];
  readonly badges: readonly number[];
  readonly caches: ReadonlyMap<string, unknown>;
}

/** A browser with these tabs, which keeps what is shown. */
export function noticeBrowser(...tabs: readonly FakeTab[]): NoticeBrowser {
  const shown = new Map<string, Shown>();
  let all: readonly Shown[] = [];
  const setAll = (now: readonly Shown[]): void => {
    all = now;
    shown.clear();
    for (const one of all) shown.set(one.tag === "all" ? "" : one.tag, one);
  };
  const system: FakeSystem = {
    // Those without a tag never take each other's place.
    async showNotification(title, options) {
      const tag = options.tag ?? "";
      const one: Shown = {
        title,
        body: options.body ?? "",
        options,
        tag,
        data: options.data,
        close: () => setAll(all.filter((other) => other !== one)),
      };
      setAll([...all.filter((other) => tag === "" || other.tag !== tag), one]);
    },
    getNotifications: async () => all,
    all: () => all,
  };
  const open = [...tabs];
  const told: PageQuestion[] = [];
  const opened: string[] = [];
  const focused: number[] = [];
  const badges: number[] = [];
  const caches = new Map<string, Map<string, Response>>();
  const engine: FakeEngine = { asked: [], find: async () => undefined, linger: async () => undefined };
  const world: PushWorld = {
    caches: {
      async open(name) {
        const entries = caches.get(name) ?? new Map<string, Response>();
        caches.set(name, entries);
        const cache: Pick<Cache, "match" | "put"> = {
          match: async (path) => entries.get(String(path))?.clone(),
          put: async (path, response) => void entries.set(String(path), response),
        };
        // Nothing else of it is used.
        return cache as Cache;
      },
      delete: async (name) => caches.delete(name),
    },
    nowMs: () => Date.now(),
    tabs: async () =>
      open.map(({ visibilityState = "hidden", focused: hasFocus = false, answers = true }, at) => ({
        visibilityState,
        focused: hasFocus,
        postMessage(message, [port]) {
          told.push(message);
          // A port has no target to name.
          // oxlint-disable-next-line unicorn/require-post-message-target-origin
          if (answers && message.kind === "push_came") (port as MessagePort).postMessage(true);
        },
        focus: async () => focused.push(at),
      })),
    open: async (path) => opened.push(path),
    ...createSystemNotices(system),
    // Nobody waits in a test.
    setTimer: (delayMs, run) => void setTimeout(run, delayMs / 100),
    async catchUp({ telling, counts, onOpen }, tell) {
      let isMore = true;
      onOpen(() => (isMore = true));
      while (isMore) {
        isMore = false;
        const look = { telling, counts: await counts() };
        engine.asked.push(look);
        const found = await engine.find(look);
        if (found === undefined) return;
        await tell(found);
        await engine.linger();
      }
    },
    setBadge: async (unread) => void badges.push(unread),
  };
  const notices = createNotices(world);
  return {
    notices,
    pushes: createPushes(world, notices),
    engine,
    open,
    system,
    shown,
    told,
    opened,
    focused,
    badges,
    caches,
  };
}
