import { opaqueV, struct, uint16, uint8, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createFakeClock, describeCodec, seededRandom } from "./index.ts";

interface Point {
  readonly x: number;
  readonly tags: Uint8Array[];
}
const point: Codec<Point> = struct<Point>({ x: uint16, tags: vector(opaqueV(8), { maxBytes: 40, maxItems: 3 }) });

describeCodec("an example format", point, {
  samples: [
    { x: 258, tags: [new Uint8Array([7])] },
    { x: 0, tags: [] },
  ],
  frozen: "0102020107",
  overLimit: {
    "a tag of nine bytes": { x: 0, tags: [new Uint8Array(9)] },
    "four tags": { x: 0, tags: [0, 1, 2, 3].map(() => new Uint8Array(1)) },
    "x above 65535": { x: 65_536, tags: [] },
  },
  overLimitBytes: { "four tags": new Uint8Array([0, 0, 4, 0, 0, 0, 0]) },
  arbitrary: fc.record({ x: fc.nat(65_535), tags: fc.array(fc.uint8Array({ maxLength: 8 }), { maxLength: 3 }) }),
});

describeCodec("a format named by the hash of its encoding", uint8, {
  samples: [0],
  frozen: "sha256:6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  overLimit: { "256": 256 },
});

describe("seededRandom", () => {
  test("repeats by seed and does not depend on how it is cut", () => {
    const whole = seededRandom("a")(70);
    const random = seededRandom("a");
    expect([...random(1), ...random(40), ...random(29)]).toEqual([...whole]);
    expect(seededRandom("b")(70)).not.toEqual(whole);
  });
});

describe("createFakeClock", () => {
  test("fires timers in order of time while it moves, those scheduled on the way too", () => {
    const clock = createFakeClock(1000);
    const seen: string[] = [];
    clock.schedule(20, () => seen.push(`late at ${clock.now()}`));
    clock.schedule(10, () => {
      seen.push(`early at ${clock.now()}`);
      clock.schedule(5, () => seen.push(`nested at ${clock.now()}`));
    });
    const cancel = clock.schedule(15, () => seen.push("cancelled"));
    cancel();
    clock.advance(19);
    expect(seen).toEqual(["early at 1010", "nested at 1015"]);
    clock.advance(1);
    expect(seen.at(-1)).toBe("late at 1020");
    expect(clock.pending).toBe(0);
  });
});
