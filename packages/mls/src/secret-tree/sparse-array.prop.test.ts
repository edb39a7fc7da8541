import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SparseArray } from "./sparse-array.ts";

const change = (size: number): fc.Arbitrary<{ place: number; filled: boolean }> =>
  fc.record({ place: fc.nat(size - 1), filled: fc.boolean() });

describe("SparseArray", () => {
  test("behaves as a map from places to values, and knows what changed", () => {
    const input = fc
      .constantFrom(1, 3, 32, 33, 1024, 5000)
      .chain((size) =>
        fc.record({ size: fc.constant(size), first: fc.array(change(size)), second: fc.array(change(size), { maxLength: 10 }) }),
      );
    fc.assert(
      fc.property(input, ({ size, first, second }) => {
        const model = new Map<number, object>();
        let array = SparseArray.empty<object>(size);
        const apply = ({ place, filled }: { place: number; filled: boolean }): void => {
          const value = filled ? {} : undefined;
          array = array.with(place, value);
          if (value === undefined) model.delete(place);
          else model.set(place, value);
        };
        first.forEach((step) => apply(step));
        const before = array;
        const beforeModel = new Map(model);
        second.forEach((step) => apply(step));
        expect([...array.entries()]).toEqual([...model].sort(([a], [b]) => a - b));
        expect([...before.entries()]).toEqual([...beforeModel].sort(([a], [b]) => a - b));
        for (const { place } of [...first, ...second]) expect(array.get(place)).toBe(model.get(place));
        const changed = new Set([...model.keys(), ...beforeModel.keys()].filter((place) => model.get(place) !== beforeModel.get(place)));
        expect(new Map(array.changesSince(before))).toEqual(new Map([...changed].map((place) => [place, model.get(place)])));
      }),
    );
  });

  test("arrays of different sizes are not compared", () => {
    expect(() => [...SparseArray.empty(2).changesSince(SparseArray.empty(100))]).toThrow(RangeError);
  });
});
