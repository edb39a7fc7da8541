import { expect, test } from "vitest";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import { Stock } from "./stock.ts";
import type { OwnToken } from "./stock.ts";

const token = (day: number): OwnToken => ({
  realm: "logs",
  day,
  keyId: new Uint8Array(8),
  nonce: new Uint8Array(32).fill(day),
  secret: new Uint8Array(64),
  gotAtMs: day,
});

test("[T-2] what is added while others are dropped stays, and so does what is left", async () => {
  const stock = new Stock(createMemoryStore());
  await stock.add([token(1), token(2)]);
  await Promise.all([stock.add([token(3)]), stock.drop(({ day }) => day === 1)]);
  expect(await Promise.all([stock.take("logs", 2), stock.take("logs", 3)])).toMatchObject([{ day: 2 }, { day: 3 }]);
  expect(await stock.count("logs", 3)).toBe(0);
});
