import { expect, test } from "vitest";
import { StoreError } from "../../errors.ts";
import { WriteQueue } from "./write-queue.ts";
import type { Write } from "./write-queue.ts";

test("one write that fails among a thousand fails alone, the others are done in their order, and in few transactions", async () => {
  const done: string[] = [];
  let transactions = 0;
  const queue = new WriteQueue<Write>(
    (writes) => {
      transactions += 1;
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
