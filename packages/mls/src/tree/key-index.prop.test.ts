import { toHex } from "@latchkey/codec";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addFingerprint, hasFingerprint, removeFingerprint } from "./key-index.ts";
import type { FingerprintSet } from "./key-index.ts";

// Few distinct values, so that runs meet entries again and share long prefixes.
const fingerprints = fc
  .uint8Array({ minLength: 2, maxLength: 2 })
  .map((tail) => Uint8Array.of(0, 0, (tail[0] ?? 0) & 3, (tail[1] ?? 0) & 7));

describe("a set of fingerprints", () => {
  it("behaves as a set, and leaves its older versions alone", () => {
    fc.assert(
      fc.property(fc.array(fc.record({ adds: fc.boolean(), value: fingerprints }), { maxLength: 60 }), (steps) => {
        let set: FingerprintSet;
        const model = new Set<string>();
        const versions: { set: FingerprintSet; model: Set<string> }[] = [];
        for (const { adds, value } of steps) {
          const hex = toHex(value);
          if (adds) {
            const next = addFingerprint(set, value);
            expect(next === "present").toBe(model.has(hex));
            if (next !== "present") set = next;
            model.add(hex);
          } else {
            const next = removeFingerprint(set, value);
            if (!model.has(hex)) expect(next).toBe(set);
            set = next;
            model.delete(hex);
          }
          versions.push({ set, model: new Set(model) });
        }
        for (const version of versions) {
          for (const { value } of steps) expect(hasFingerprint(version.set, value)).toBe(version.model.has(toHex(value)));
        }
      }),
    );
  });

  it("has one shape for one content", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fingerprints, { selector: toHex, maxLength: 20 }), fingerprints, (values, extra) => {
        const build = (list: readonly Uint8Array[]): FingerprintSet => {
          let set: FingerprintSet;
          for (const value of list) {
            const next = addFingerprint(set, value);
            if (next !== "present") set = next;
          }
          return set;
        };
        const without = values.filter((value) => toHex(value) !== toHex(extra));
        expect(removeFingerprint(build([...without, extra]), extra)).toEqual(build(without.toReversed()));
      }),
    );
  });
});
