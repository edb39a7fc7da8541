import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { ClientHost } from "../worker/remote-client.ts";
import type { HostStatus } from "../worker/protocol.ts";
import { createController } from "./controller.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A page whose worker says what `tell` is given, and answers calls never. */
function openPage(): { tell(status: HostStatus): void; phase(): string } {
  const never = new Proxy({}, { get: () => () => new Promise(() => undefined) });
  let tell: (status: HostStatus) => void = () => undefined;
  const host: ClientHost = {
    // A client whose every method is there.
    client: never as ClientHost["client"],
    subscribe: () => () => undefined,
    status: () => ({ kind: "starting" }),
    subscribeStatus(listener) {
      tell = listener;
      return () => undefined;
    },
    reopen: () => undefined,
    startOver: () => undefined,
    lock: async () => ({ kind: "done" }),
    active: () => undefined,
    goesOn: () => undefined,
    leave: () => undefined,
  };
  const { store } = createController(host, (run) => run());
  return { tell: (status) => tell(status), phase: () => store.get().phase.kind };
}

it("a worker that never opens, or says again and again that it is opening: after ten seconds the page says what it waits for", () => {
  const page = openPage();
  vi.advanceTimersByTime(9_000);
  page.tell({ kind: "starting" });
  expect(page.phase()).toBe("starting");
  vi.advanceTimersByTime(1_000);
  expect(page.phase()).toBe("late");
  page.tell({ kind: "starting" });
  expect(page.phase()).toBe("late");
  page.tell({ kind: "in_use" });
  expect(page.phase()).toBe("in_use");
});

it("a worker that is open and answers nothing, too", () => {
  const page = openPage();
  page.tell({ kind: "ready" });
  vi.advanceTimersByTime(10_000);
  expect(page.phase()).toBe("late");
});

it("a wait for another tab is told as that, and the time after it counts anew", () => {
  const page = openPage();
  vi.advanceTimersByTime(5_000);
  page.tell({ kind: "in_use" });
  vi.advanceTimersByTime(60_000);
  expect(page.phase()).toBe("in_use");
  page.tell({ kind: "starting" });
  vi.advanceTimersByTime(9_000);
  expect(page.phase()).toBe("starting");
  vi.advanceTimersByTime(1_000);
  expect(page.phase()).toBe("late");
});
