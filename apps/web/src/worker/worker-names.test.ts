import { profileLockName } from "@latchkey/client/web";
import { expect, it } from "vitest";
import { profile } from "./profile.ts";
import { createWorkerNames } from "./worker-names.ts";

/** The names of so many tries, where these locks are held and waited for. */
async function namesWith(held: readonly string[], pending: readonly string[] = [], tries = 5): Promise<string[]> {
  const infos = (names: readonly string[]): LockInfo[] => names.map((name) => ({ name }));
  const nameOf = createWorkerNames({ query: async () => ({ held: infos(held), pending: infos(pending) }) });
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
  for (const names of [await namesWith([lock, "latchkey-holder:latchkey"]), await namesWith([lock]), await namesWith([], [lock])]) {
    expect(new Set(names)).toEqual(new Set(["latchkey"]));
  }
});

it("one that has it by another name is joined at once", async () => {
  const lock = profileLockName(profile);
  expect(await namesWith([lock, "latchkey-holder:latchkey-3"], [], 3)).toEqual(["latchkey", "latchkey-3", "latchkey-3"]);
});

it("where nobody says who holds what, there is one name", async () => {
  const nameOf = createWorkerNames({ query: () => Promise.reject(new Error("denied")) });
  expect([0, 1, 2, 3, 4].map(nameOf)).toEqual(Array.from({ length: 5 }, () => "latchkey"));
});
