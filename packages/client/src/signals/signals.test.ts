import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openSignal, sealSignal } from "./signal.ts";
import type { SignalBody, SignalKey } from "./signal.ts";
import { Typing, typingMs } from "./typing.ts";

const bytes = (fill: number, length = 32): Uint8Array => new Uint8Array(length).fill(fill);
const key: SignalKey = { key: bytes(1), logId: bytes(2), epochId: 3 };
const body: SignalBody = { kind: "typing", leafIndex: 4, sentAtMs: 1_800_000_000_000 };

describe("[N-1] a signal as it travels", () => {
  test("has 256 bytes whatever it says, and opens with the key of its epoch alone", () => {
    for (const said of [body, { ...body, kind: "idle" as const, leafIndex: 0xffff_ffff, sentAtMs: 0 }]) {
      const sealed = sealSignal(key, said, bytes(9, 24));
      expect(sealed).toHaveLength(256);
      expect(openSignal(key, sealed)).toEqual(said);
    }
    const sealed = sealSignal(key, body, bytes(9, 24));
    for (const other of [{ key: bytes(5) }, { logId: bytes(5) }, { epochId: 4 }])
      expect(openSignal({ ...key, ...other }, sealed)).toBeUndefined();
  });

  test("of any other bytes is nothing, and throws nothing", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (junk) => openSignal(key, junk) === undefined));
    const sealed = sealSignal(key, body, bytes(9, 24));
    fc.assert(
      fc.property(fc.nat({ max: 255 }), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const changed = sealed.slice();
        changed[at] = (changed[at] ?? 0) ^ change;
        return openSignal(key, changed) === undefined;
      }),
    );
  });
});

describe("[E-102] who types", () => {
  const said = (leafIndex: number, sentAtMs: number, kind: SignalBody["kind"] = "typing"): SignalBody => ({ kind, leafIndex, sentAtMs });

  test("is shown until it ends by a word, by what was written, or by itself", () => {
    const typing = new Typing();
    expect(typing.hear(said(1, 1000), "ben", 1000)).toBe(true);
    expect(typing.hear(said(1, 2000), "ben", 2000)).toBe(false);
    expect(typing.hear(said(2, 2000), "cyd", 2000)).toBe(true);
    expect(typing.accounts).toEqual(["ben", "cyd"]);
    expect(typing.nextEndMs).toBe(2000 + typingMs);
    expect(typing.hear(said(1, 3000, "idle"), "ben", 3000)).toBe(true);
    expect(typing.end("cyd")).toBe(true);
    expect(typing.end("cyd")).toBe(false);
    expect(typing.hear(said(3, 4000), "dan", 4000)).toBe(true);
    expect(typing.expire(4000 + typingMs - 1)).toBe(false);
    expect(typing.expire(4000 + typingMs)).toBe(true);
    expect([typing.accounts, typing.nextEndMs]).toEqual([[], undefined]);
  });

  test("a word that comes again, was kept back, or is of a wrong clock, shows nobody", () => {
    const typing = new Typing();
    typing.hear(said(1, 5000), "ben", 5000);
    typing.end("ben");
    for (const sentAtMs of [5000, 4000]) expect(typing.hear(said(1, sentAtMs), "ben", 6000)).toBe(false);
    for (const sentAtMs of [1_700_000, 0]) expect(typing.hear(said(2, sentAtMs), "cyd", 1_000_000)).toBe(false);
    expect(typing.accounts).toEqual([]);
  });

  test("nobody types for ever, whatever is said and however the clock is set", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ leaf: fc.nat({ max: 3 }), at: fc.nat({ max: 100_000 }), clock: fc.nat({ max: 100_000 }) })),
        fc.nat({ max: 100_000 }),
        (words, endMs) => {
          const typing = new Typing();
          for (const { leaf, at, clock } of words) typing.hear(said(leaf, at), String(leaf), clock);
          typing.expire(endMs);
          typing.expire(endMs + typingMs);
          expect(typing.accounts).toEqual([]);
        },
      ),
    );
  });
});
