import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { holdRestart, whenNobodyHolds } from "./hold.ts";
import { wouldBreakOff } from "./keep-app.ts";
import { followUpdates, seldomestMs } from "./updates.ts";
import type { Updates } from "./updates.ts";

class FakeWorker extends EventTarget {
  state: ServiceWorkerState = "installing";
  readonly told: unknown[] = [];
  postMessage = (notice: unknown): void => void this.told.push(notice);
  become(state: ServiceWorkerState): void {
    this.state = state;
    this.dispatchEvent(new Event("statechange"));
  }
}

class FakeRegistration extends EventTarget {
  waiting: FakeWorker | null = null;
  installing: FakeWorker | null = null;
  update = vi.fn(async (): Promise<undefined> => undefined);
  /** The server has another build, whose files are on their way. */
  found(): FakeWorker {
    this.installing = new FakeWorker();
    this.dispatchEvent(new Event("updatefound"));
    return this.installing;
  }
  installed(worker: FakeWorker): void {
    [this.installing, this.waiting] = [null, worker];
    worker.become("installed");
  }
}

class FakeContainer extends EventTarget {
  controller: object | null = {};
  begin(): void {
    this.controller = {};
    this.dispatchEvent(new Event("controllerchange"));
  }
}

interface Page {
  readonly registration: FakeRegistration;
  readonly container: FakeContainer;
  readonly updates: Updates;
  readonly said: (string | undefined)[];
  readonly loads: () => number;
  clock: number;
}

function openPage({ isControlled = true } = {}): Page {
  const registration = new FakeRegistration();
  const container = new FakeContainer();
  if (!isControlled) container.controller = null;
  const said: (string | undefined)[] = [];
  let loads = 0;
  const page = { registration, container, said, loads: () => loads, clock: 0 };
  const updates = followUpdates({
    registration,
    container,
    nowMs: () => page.clock,
    setUpdate: (update) => said.push(update),
    loadAgain: async () => void (loads += 1),
  });
  return Object.assign(page, { updates });
}

/** Locks and promises have had their turn. */
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

let ends: (() => void)[] = [];
beforeEach(() => (ends = []));
afterEach(async () => {
  for (const end of ends) end();
  await settled();
});

describe("[O-3] [E-261] a newer build", () => {
  it("is told once it has all of its files, and not while they come; one that is refused is never told", async () => {
    const { registration, said } = openPage();
    const refused = registration.found();
    registration.installing = null;
    refused.become("redundant");
    expect(said.at(-1)).toBeUndefined();
    const worker = registration.found();
    expect(said.at(-1)).toBeUndefined();
    registration.installed(worker);
    expect(said.at(-1)).toBe("ready");
  });

  it("the first build of all begins by itself: nothing is told, and the page is not loaded again", async () => {
    const { registration, container, said, loads } = openPage({ isControlled: false });
    const worker = registration.found();
    registration.installed(worker);
    registration.waiting = null;
    container.begin();
    await settled();
    expect([said.every((one) => one === undefined), loads()]).toEqual([true, 0]);
  });

  it("is looked for when the page is looked at, and not again within a minute; without a network nothing comes of it", async () => {
    const page = openPage();
    page.registration.update.mockRejectedValue(new TypeError("offline"));
    page.updates.look();
    page.updates.look();
    page.clock += seldomestMs - 1;
    page.updates.look();
    expect(page.registration.update).toHaveBeenCalledOnce();
    page.clock += 1;
    page.updates.look();
    expect(page.registration.update).toHaveBeenCalledTimes(2);
  });

  it("begins with a word: its worker is told so, and then the page is loaded again, once", async () => {
    const { registration, container, updates, loads } = openPage();
    const worker = registration.found();
    registration.installed(worker);
    expect(worker.told).toEqual([]);
    const restarted = updates.restart();
    await vi.waitFor(() => expect(worker.told).toEqual([{ kind: "app_begin" }]));
    expect(loads()).toBe(0);
    container.begin();
    await restarted;
    expect(loads()).toBe(1);
  });

  it("waits while something goes on in any tab, says so, and can be called off", async () => {
    const { registration, updates, said } = openPage();
    const worker = registration.found();
    registration.installed(worker);
    const end = holdRestart();
    ends.push(end);
    await settled();
    const calling = new AbortController();
    const restarted = updates.restart(calling.signal);
    await settled();
    expect([said.at(-1), worker.told]).toEqual(["waiting", []]);
    calling.abort();
    await restarted;
    expect([said.at(-1), worker.told]).toEqual(["ready", []]);
  });

  it("is nothing more to a page whose person has left", async () => {
    const registration = new FakeRegistration();
    const container = new FakeContainer();
    const left = new AbortController();
    const said: (string | undefined)[] = [];
    let loads = 0;
    const world = {
      registration,
      container,
      nowMs: () => 0,
      setUpdate: (update: string | undefined) => void said.push(update),
      loadAgain: async () => void (loads += 1),
    };
    followUpdates(world, left.signal);
    const worker = registration.found();
    left.abort();
    const before = said.length;
    registration.installed(worker);
    container.begin();
    await settled();
    expect([said.length, loads]).toEqual([before, 0]);
  });

  it("that another tab began has this one loaded again too, and not before what goes on here is done", async () => {
    const { container, loads } = openPage();
    const end = holdRestart();
    await settled();
    container.begin();
    await settled();
    expect(loads()).toBe(0);
    end();
    await vi.waitFor(() => expect(loads()).toBe(1));
  });

  it("what goes on: a message that is changed or just leaves, files in the tray, a recording, a device that is being linked", () => {
    const nothing = { composing: new Map(), link: undefined, outgoing: [], trays: new Map(), voices: new Map() };
    type State = Parameters<typeof wouldBreakOff>[0];
    // Of the values only what is looked at.
    const states = [
      { ...nothing, outgoing: [{}] },
      { ...nothing, link: { kind: "moving" } },
      { ...nothing, voices: new Map([["c", {}]]) },
      { ...nothing, trays: new Map([["c", { items: [{}], leaving: [] }]]) },
      { ...nothing, composing: new Map([["c", { kind: "edit" }]]) },
    ] as unknown as State[];
    expect(states.map(wouldBreakOff)).toEqual(states.map(() => true));
    const free = [
      nothing,
      { ...nothing, outgoing: [{ messageId: "m" }] },
      { ...nothing, trays: new Map([["c", { items: [], leaving: [] }]]) },
      { ...nothing, link: { kind: "done" } },
      { ...nothing, composing: new Map([["c", { kind: "reply" }]]) },
    ] as unknown as State[];
    expect(free.map(wouldBreakOff)).toEqual(free.map(() => false));
  });
});

describe("what goes on in tabs", () => {
  it("is shared by those that have something, and waited for by whoever restarts", async () => {
    const one = holdRestart();
    const two = holdRestart();
    await settled();
    let isFree = false;
    const free = whenNobodyHolds().then((release) => {
      isFree = true;
      return release;
    });
    one();
    await settled();
    expect(isFree).toBe(false);
    two();
    (await free)();
  });

  it("and began while somebody waited to restart, behind them in the line, is waited for too", async () => {
    const first = holdRestart();
    await settled();
    let isFree = false;
    const free = whenNobodyHolds().then((release) => {
      isFree = true;
      return release;
    });
    await settled();
    const later = holdRestart();
    await settled();
    first();
    await settled();
    expect(isFree).toBe(false);
    later();
    (await free)();
  });
});
