import { expect, test, vi } from "vitest";
import { StoreError } from "../../errors.ts";
import { WriteQueue } from "./write-queue.ts";
import type { Write } from "./write-queue.ts";

test("one write that fails among a thousand fails alone, the others are done in their order, and in few transactions", async () => {
  const done: string[] = [];
  let transactions = 0;
  const queue = new WriteQueue<Write>(
    (take) => {
      transactions += 1;
      const writes = take();
      if (writes.some(({ name }) => name === "500")) return Promise.reject(new StoreError("failed"));
      done.push(...writes.map(({ name }) => name));
      return Promise.resolve(writes.map(({ name }) => name));
    },
    { onBatch() {}, onDone() {}, onFailed() {} },
  );
  const names = Array.from({ length: 1000 }, (_, at) => String(at));
  const outcomes = await Promise.all(names.map((name) => queue.add({ name, sizeBytes: 1 }).catch((error: unknown) => error)));
  expect(outcomes.map((outcome) => (outcome instanceof StoreError ? outcome.code : outcome))).toEqual(
    names.map((name) => (name === "500" ? "failed" : name)),
  );
  expect(done).toEqual(names.filter((name) => name !== "500"));
  expect(transactions).toBeLessThan(25);
});

test("what is called while a transaction waits for its turn goes into it; where its turn never comes it fails with what was called before", async () => {
  const turns: PromiseWithResolvers<void>[] = [];
  const batches: string[][] = [];
  const queue = new WriteQueue<Write>(
    async (take) => {
      const turn = Promise.withResolvers<void>();
      turns.push(turn);
      await turn.promise;
      const names = take().map(({ name }) => name);
      batches.push(names);
      return names;
    },
    { onBatch() {}, onDone() {}, onFailed() {} },
  );
  const add = (name: string): Promise<unknown> => queue.add({ name, sizeBytes: 1 }).catch((error: unknown) => error);
  const first = add("first");
  await vi.waitFor(() => expect(turns).toHaveLength(1));
  const second = add("second");
  turns[0]?.resolve();
  expect(await Promise.all([first, second])).toEqual(["first", "second"]);
  const third = add("third");
  await vi.waitFor(() => expect(turns).toHaveLength(2));
  const away = new StoreError("unavailable");
  turns[1]?.reject(away);
  expect(await third).toBe(away);
  expect(batches).toEqual([["first", "second"]]);
  expect(queue.length).toBe(0);
});
