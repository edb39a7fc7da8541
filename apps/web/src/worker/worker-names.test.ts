import { profileLockName } from "@latchkey/client/web";
import { expect, it, onTestFinished, vi } from "vitest";
import { profile } from "./profile.ts";
import { createWorkerNames, watchForSibling } from "./worker-names.ts";

const address = "https://latchkey.example/client-worker.js";
const holder = "latchkey-holder:/client-worker.js ";

/** The names of so many tries, where these locks are held and waited for. */
async function namesWith(held: readonly string[], pending: readonly string[] = [], tries = 5): Promise<string[]> {
  const infos = (names: readonly string[]): LockInfo[] => names.map((name) => ({ name }));
  const nameOf = createWorkerNames({ query: async () => ({ held: infos(held), pending: infos(pending) }) }, address);
  const names: string[] = [];
  for (let at = 0; at < tries; at++) {
    names.push(nameOf(at));
    await new Promise((resolve) => setTimeout(resolve));
  }
  return names;
}

it("a worker that says nothing and has nothing is passed over after some tries, by every page in the same order", async () => {
  expect(await namesWith(["latchkey-page:x"])).toEqual(["latchkey", "latchkey", "latchkey", "latchkey-3", "latchkey-4"]);
});

it("one that has the profile, or waits for it, is waited for", async () => {
  const lock = profileLockName(profile);
  for (const names of [await namesWith([lock, `${holder}latchkey`]), await namesWith([lock]), await namesWith([], [lock])]) {
    expect(new Set(names)).toEqual(new Set(["latchkey"]));
  }
});

it("one that has it by another name is joined at once", async () => {
  const lock = profileLockName(profile);
  expect(await namesWith([lock, `${holder}latchkey-3`], [], 3)).toEqual(["latchkey", "latchkey-3", "latchkey-3"]);
});

it("one of another build that has it by whatever name is waited for by the usual one", async () => {
  const lock = profileLockName(profile);
  expect(new Set(await namesWith([lock, "latchkey-holder:/other.js latchkey-3"]))).toEqual(new Set(["latchkey"]));
});

it("one that waits is told, once, when another of its build has it by another name", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const held = new Set(["latchkey-holder:/other.js latchkey-3", `${holder}latchkey`]);
  const locks = { query: async () => ({ held: [...held].map((name) => ({ name })) }) };
  const found = vi.fn();
  watchForSibling(locks, { address, name: "latchkey" }, found);
  await vi.advanceTimersByTimeAsync(2000);
  expect(found).not.toHaveBeenCalled();
  held.add(`${holder}latchkey-3`).delete(`${holder}latchkey`);
  await vi.advanceTimersByTimeAsync(2000);
  expect(found).toHaveBeenCalledTimes(1);
  const end = watchForSibling(locks, { address, name: "latchkey" }, found);
  end();
  await vi.advanceTimersByTimeAsync(2000);
  expect(found).toHaveBeenCalledTimes(1);
});

it("where nobody says who holds what, there is one name", async () => {
  const nameOf = createWorkerNames({ query: () => Promise.reject(new Error("denied")) }, address);
  expect([0, 1, 2, 3, 4].map(nameOf)).toEqual(Array.from({ length: 5 }, () => "latchkey"));
});
