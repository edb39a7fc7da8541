import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { CannotComputeHere, withOpaque } from "./opaque-elsewhere.ts";
import type { OpaqueAnswer, OpaqueQuestion } from "./wasm-opaque.ts";

/** What the worker says to each question; nothing where it hangs. */
let reply: (question: OpaqueQuestion) => OpaqueAnswer | undefined;
let ended = 0;

class FakeWorker extends EventTarget {
  postMessage(question: OpaqueQuestion): void {
    const answer = reply(question);
    if (answer !== undefined) queueMicrotask(() => this.dispatchEvent(new MessageEvent("message", { data: answer })));
  }

  terminate(): void {
    ended += 1;
  }
}

beforeEach(() => {
  ended = 0;
  vi.useFakeTimers();
  vi.stubGlobal("Worker", FakeWorker);
  vi.stubGlobal("location", { origin: "https://latchkey.example" });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const start = (signal?: AbortSignal): Promise<unknown> => withOpaque((opaque) => opaque.startLogin("acid lighthouse marmalade"), signal);

test("[A-12] what the worker answers comes back, and the worker ends", async () => {
  reply = ({ id, method }) => ({ id, value: method });
  expect(await start()).toBe("startLogin");
  expect(ended).toBe(1);
});

test("[A-13] a browser that cannot compute, or not within a minute, says so, and the form does not hang", async () => {
  reply = ({ id }) => ({ id, failed: true });
  await expect(start()).rejects.toBeInstanceOf(CannotComputeHere);
  reply = () => undefined;
  const hanging = start().catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await hanging).toBeInstanceOf(CannotComputeHere);
  expect(ended).toBe(2);
});

test("[A-12] whoever cancels waits for nothing that is computed", async () => {
  reply = () => undefined;
  const ending = new AbortController();
  const hanging = start(ending.signal).catch((error: unknown) => error);
  ending.abort("cancelled");
  expect(await hanging).toBe("cancelled");
  expect(ended).toBe(1);
});
