import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A page, a worker or a service worker of a browser, with what one may ask of it (Chrome DevTools Protocol). */
export interface Target {
  /** Such as "page", "shared_worker" or "service_worker". */
  readonly type: string;
  readonly url: string;
  send(method: string, params?: object): Promise<unknown>;
}

/** What a target tells by itself. */
export type OnEvent = (target: Target, method: string, params: unknown) => void;

/** All targets of a browser, also those that playwright has no session for. */
export interface Targets extends Disposable {
  /** Those that are there now. */
  list(): readonly Target[];
}

interface Answer {
  readonly id?: number;
  readonly sessionId?: string;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

interface Attached {
  readonly sessionId: string;
  readonly targetInfo: { readonly targetId: string; readonly type: string; readonly url: string };
}

/** Attaches to everything that the browser with this profile runs, and to what it starts; it needs `--remote-debugging-port=0`. */
export async function watchTargets(
  profile: string,
  params: { readonly onEvent?: OnEvent; attached?(target: Target): Promise<void> } = {},
): Promise<Targets> {
  const [port, path] = readFileSync(join(profile, "DevToolsActivePort"), "utf8").split("\n");
  const socket = new WebSocket(`ws://127.0.0.1:${String(port)}${String(path)}`);
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", () => reject(new Error("the browser does not answer")));
  });
  const targets = new Map<string, Target>();
  const waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  let count = 0;
  const send = (sessionId: string | undefined, method: string, parameters: object = {}): Promise<unknown> => {
    const id = ++count;
    socket.send(JSON.stringify({ id, method, params: parameters, ...(sessionId === undefined ? {} : { sessionId }) }));
    return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
  };
  const known = new Set<string>();
  const attach = async ({ sessionId, targetInfo: { targetId, type, url } }: Attached): Promise<void> => {
    const target: Target = { type, url, send: (method, parameters) => send(sessionId, method, parameters) };
    // Found from the browser and from its page.
    if (known.has(targetId)) return void (await target.send("Runtime.runIfWaitingForDebugger"));
    known.add(targetId);
    targets.set(sessionId, target);
    // A page's own workers are found from there. One that has not begun yet may answer nothing until it runs.
    await Promise.allSettled([
      target.send("Target.setAutoAttach", everything),
      params.attached?.(target),
      target.send("Runtime.runIfWaitingForDebugger"),
    ]);
  };
  const ended = new Error("the target is gone");
  socket.addEventListener("message", ({ data }) => {
    // What the browser says is of this form.
    const answer = JSON.parse(String(data)) as Answer;
    if (answer.id !== undefined) {
      const asked = waiting.get(answer.id);
      waiting.delete(answer.id);
      if (answer.error === undefined) asked?.resolve(answer.result);
      else asked?.reject(new Error(answer.error.message));
      return;
    }
    if (answer.method === "Target.attachedToTarget") void attach(answer.params as Attached).catch(() => undefined);
    else if (answer.method === "Target.detachedFromTarget") targets.delete((answer.params as { sessionId: string }).sessionId);
    else {
      const target = targets.get(answer.sessionId ?? "");
      if (target !== undefined && answer.method !== undefined) params.onEvent?.(target, answer.method, answer.params);
    }
  });
  socket.addEventListener("close", () => {
    for (const { reject } of waiting.values()) reject(ended);
  });
  await send(undefined, "Target.setAutoAttach", everything);
  return { list: () => [...targets.values()], [Symbol.dispose]: () => socket.close() };
}

const everything = { autoAttach: true, waitForDebuggerOnStart: true, flatten: true };

/** What JavaScript holds in a target, in bytes, with what nobody uses any more and is not collected yet. */
export interface Heap {
  /** Objects. */
  readonly objects: number;
  /** Objects, and the bytes of buffers beside them. */
  readonly all: number;
}

/** The most that JavaScript held in each kind of target while `run` ran, looked at five times a second. */
export async function heapsDuring(targets: Targets, run: () => Promise<void>): Promise<ReadonlyMap<string, Heap>> {
  const most = new Map<string, Heap>();
  const look = async (): Promise<void> => {
    const looks = targets.list().map(async (target) => {
      const usage = (await target.send("Runtime.getHeapUsage")) as { usedSize: number; backingStorageSize?: number };
      const before = most.get(target.type) ?? { objects: 0, all: 0 };
      most.set(target.type, {
        objects: Math.max(before.objects, usage.usedSize),
        all: Math.max(before.all, usage.usedSize + (usage.backingStorageSize ?? 0)),
      });
    });
    await Promise.allSettled(looks);
  };
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      await look();
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  })();
  try {
    await run();
  } finally {
    isOver = true;
    await watching;
  }
  return most;
}
