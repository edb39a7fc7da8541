import { describe, expect, test } from "vitest";
import type { Store } from "../store/store.ts";
import { temporaryDirectory } from "./fixtures.ts";
import { newPublication, newState } from "./store-inputs.ts";

const name = "publisher";
/** No lease of these tests lasts so long that it ends by itself, but for those that shall. */
const forMs = 60_000;
const briefMs = 100;

/** The tests of leases that every implementation of Store passes. */
export function describeLeases(of: string, open: (directory: string) => Promise<Store>): void {
  const withStore = async (run: (store: Store) => Promise<void>): Promise<void> => {
    const store = await open(temporaryDirectory());
    await run(store).finally(() => store.close());
  };
  const lapse = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 3 * briefMs));

  describe(`${of}: leases`, () => {
    test("one holder has a lease at a time, and keeps its term while it asks again; another name is another lease", () =>
      withStore(async (store) => {
        expect(await store.takeLease({ name, holder: "a", forMs: briefMs * 1000 })).toEqual({ kind: "taken", term: 1 });
        const held = await store.takeLease({ name, holder: "b", forMs });
        expect(held).toEqual({ kind: "held", leftMs: expect.any(Number) });
        expect(held.kind === "held" && held.leftMs > 0 && held.leftMs <= briefMs * 1000).toBe(true);
        expect(await store.takeLease({ name, holder: "a", forMs })).toEqual({ kind: "taken", term: 1 });
        expect(await store.takeLease({ name: "house", holder: "b", forMs })).toEqual({ kind: "taken", term: 1 });
      }));

    test("a lease that was given back is anybody's, with another term, and whoever had it is told whether it was asked for", () =>
      withStore(async (store) => {
        await store.takeLease({ name, holder: "a", forMs });
        await store.takeLease({ name, holder: "b", forMs });
        expect(await store.giveBackLease({ name, term: 7 })).toEqual({ isWanted: false });
        expect(await store.takeLease({ name, holder: "b", forMs })).toMatchObject({ kind: "held" });
        expect(await store.giveBackLease({ name, term: 1 })).toEqual({ isWanted: true });
        expect(await store.takeLease({ name, holder: "b", forMs })).toEqual({ kind: "taken", term: 2 });
        // Of a term that is over nothing is given back.
        await store.giveBackLease({ name, term: 1 });
        expect(await store.takeLease({ name, holder: "a", forMs })).toMatchObject({ kind: "held" });
        expect(await store.giveBackLease({ name, term: 2 })).toEqual({ isWanted: true });
        expect(await store.takeLease({ name, holder: "b", forMs })).toEqual({ kind: "taken", term: 3 });
        expect(await store.giveBackLease({ name, term: 3 })).toEqual({ isWanted: false });
      }));

    test("a lease whose time is over is anybody's, and never again of the same term", () =>
      withStore(async (store) => {
        await store.takeLease({ name, holder: "a", forMs: briefMs });
        await lapse();
        expect(await store.takeLease({ name, holder: "b", forMs: briefMs })).toEqual({ kind: "taken", term: 2 });
        await lapse();
        expect(await store.takeLease({ name, holder: "b", forMs })).toEqual({ kind: "taken", term: 3 });
      }));

    test("[D-1] [E-148] with a term nothing is published once somebody has a later one, not even what would only be answered", () =>
      withStore(async (store) => {
        await store.takeLease({ name, holder: "a", forMs: briefMs });
        const [first, second] = [newState(), newState({ names: { bind: undefined, release: undefined } })];
        expect((await store.publishDirectory(newPublication({ changes: [first], term: 1 }))).outcomes).toEqual([{ kind: "published" }]);
        await lapse();
        // Nobody else has published since.
        expect((await store.publishDirectory(newPublication({ changes: [second], term: 1 }))).outcomes).toEqual([{ kind: "published" }]);
        await store.takeLease({ name, holder: "b", forMs });
        const overtaken = { outcomes: [], head: undefined, isOvertaken: true };
        for (const change of [first, newState({ names: { bind: undefined, release: undefined } })])
          expect(await store.publishDirectory(newPublication({ changes: [change], term: 1 }))).toEqual(overtaken);
        expect(await store.directoryStatus()).toMatchObject({ size: 2 });
        expect((await store.publishDirectory(newPublication({ changes: [first], term: 2 }))).outcomes).toEqual([{ kind: "known" }]);
      }));
  });
}
