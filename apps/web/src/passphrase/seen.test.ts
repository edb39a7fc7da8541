import type { RecoveryPassphrase } from "@latchkey/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { isNews, rememberSeen } from "./seen.ts";

const quiet: RecoveryPassphrase = { isSet: true, setMs: 1, tries: 0, lastTryMs: undefined, openedMs: undefined, isSpent: false };

beforeEach(() => {
  const stored = new Map<string, string>();
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => stored.set(key, value),
  });
});
afterEach(() => vi.unstubAllGlobals());

test("[A-14] tries and openings are news once, each further one again; a passphrase that nobody tried is none", () => {
  expect(isNews(quiet)).toBe(false);
  const tried = { ...quiet, tries: 1, lastTryMs: 2 };
  expect(isNews(tried)).toBe(true);
  rememberSeen(tried);
  expect(isNews(tried)).toBe(false);
  expect(isNews({ ...tried, tries: 2 })).toBe(true);
  expect(isNews({ ...quiet, openedMs: 3 })).toBe(true);
});
