import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { HostStatus, Request, Response } from "./protocol.ts";
import { untilHeard } from "./until-heard.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

interface FakeWorker {
  say(status: HostStatus): void;
  sayElsewhere(): void;
  readonly heard: Request[];
  isEnded: boolean;
}

/** A page, the workers that it began, and what it was told. */
function openPage(): { workers: FakeWorker[]; tries: number[]; told: HostStatus["kind"][]; ask(request: Request): void } {
  const workers: FakeWorker[] = [];
  const told: HostStatus["kind"][] = [];
  const tries: number[] = [];
  const port = untilHeard((before) => {
    tries.push(before);
    let tell: (event: MessageEvent<Response>) => void = () => undefined;
    const worker: FakeWorker = {
      say: (status) => tell(new MessageEvent("message", { data: { kind: "status", status } })),
      sayElsewhere: () => tell(new MessageEvent("message", { data: { kind: "elsewhere" } })),
      heard: [],
      isEnded: false,
    };
    workers.push(worker);
    return {
      postMessage: (request) => worker.heard.push(request),
      addEventListener: (_type, listener) => (tell = listener),
      end: () => (worker.isEnded = true),
    };
  }, 1000);
  port.addEventListener("message", ({ data }) => data.kind === "status" && told.push(data.status.kind));
  return { workers, tries, told, ask: (request) => port.postMessage(request) };
}

it("a worker that says nothing is asked for again, and the first that speaks is taken", () => {
  const { workers, tries, told, ask } = openPage();
  vi.advanceTimersByTime(3000);
  expect([workers.length, tries]).toEqual([3, [0, 1, 2]]);
  workers[1]?.say({ kind: "starting" });
  workers[2]?.say({ kind: "ready" });
  workers[1]?.say({ kind: "ready" });
  expect([told, workers.map(({ isEnded }) => isEnded)]).toEqual([
    ["starting", "ready"],
    [true, false, true],
  ]);
  ask({ kind: "wake" });
  expect(workers.map(({ heard }) => heard.length)).toEqual([0, 1, 0]);
});

it("one that ends while it opens is followed by another: the page does not wait for it for ever", () => {
  const { workers, told } = openPage();
  workers[0]?.say({ kind: "starting" });
  vi.advanceTimersByTime(10_000);
  expect(workers.length).toBeGreaterThan(1);
  workers.at(-1)?.say({ kind: "ready" });
  expect([told, workers[0]?.isEnded, workers.at(-1)?.isEnded]).toEqual([["starting", "ready"], true, false]);
});

it("one that says that another has the profile is left for that, also after it said that it waits; the page asks on until it is there", () => {
  const { workers, tries, told, ask } = openPage();
  workers[0]?.say({ kind: "starting" });
  workers[0]?.say({ kind: "in_use" });
  workers[0]?.sayElsewhere();
  vi.advanceTimersByTime(200);
  expect(tries).toEqual([0, 1]);
  workers[1]?.sayElsewhere();
  workers[0]?.say({ kind: "in_use" });
  vi.advanceTimersByTime(1500);
  expect(tries).toEqual([0, 1, 2, 3]);
  workers[3]?.say({ kind: "ready" });
  vi.advanceTimersByTime(600_000);
  expect([told, tries.length]).toEqual([["starting", "in_use", "ready"], 4]);
  ask({ kind: "wake" });
  expect(workers.map(({ heard }) => heard.length)).toEqual([0, 0, 0, 1]);
});

it.each(["starting", "in_use"] as const)("one that goes on saying %s is left to it; so is one that has said what is the matter", (kind) => {
  const { workers } = openPage();
  for (let second = 0; second < 60; second++) {
    workers[0]?.say({ kind });
    vi.advanceTimersByTime(1000);
  }
  workers[0]?.say({ kind: "insecure" });
  vi.advanceTimersByTime(600_000);
  expect(workers).toHaveLength(1);
});

it("[O-5] one that ends while it waits for the profile is followed by another, also where it had opened before", () => {
  for (const before of [[], ["ready"]] as const) {
    const { workers, told } = openPage();
    for (const kind of before) workers[0]?.say({ kind });
    if (before.length > 0) vi.advanceTimersByTime(60_000);
    workers[0]?.say({ kind: "in_use" });
    vi.advanceTimersByTime(10_000);
    expect(workers.length).toBeGreaterThan(1);
    workers.at(-1)?.say({ kind: "in_use" });
    workers.at(-1)?.say({ kind: "ready" });
    expect([told.at(-1), workers[0]?.isEnded]).toEqual(["ready", true]);
  }
});
