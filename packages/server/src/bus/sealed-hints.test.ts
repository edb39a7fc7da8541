import { describe, expect, test } from "vitest";
import { everyHint } from "../testing/bus-suite.ts";
import { random } from "../testing/fixtures.ts";
import { HintSeal, hintBytes } from "./sealed-hints.ts";

describe("hints on their way", () => {
  const secret = random(32);
  const seal = new HintSeal(secret, "one_bus");

  test("come out as they went in, by whoever has the secret, in the same channel alone", () => {
    const hints = everyHint();
    const { text, count } = seal.seal(hints.map(hintBytes));
    expect(count).toBe(hints.length);
    expect(new HintSeal(secret, "one_bus").open(text)).toEqual(hints);
    expect(new HintSeal(random(32), "one_bus").open(text)).toBeUndefined();
    expect(new HintSeal(secret, "another_bus").open(text)).toBeUndefined();
  });

  test("are as many as PostgreSQL takes at once", () => {
    const signals = Array.from({ length: 100 }, () => hintBytes({ kind: "signal", logId: random(32), epochId: 1, bytes: random(256) }));
    const logs = Array.from({ length: 1000 }, () => hintBytes({ kind: "log", logId: random(32) }));
    for (const [hints, least] of [
      [signals, 18],
      [logs, 170],
    ] as const) {
      const { text, count } = seal.seal(hints);
      expect(text.length).toBeLessThan(8000);
      expect(count).toBeGreaterThanOrEqual(least);
      expect(seal.open(text)).toHaveLength(count);
    }
  });

  test("[E-147] that somebody made, changed or cut say nothing", () => {
    const { text } = seal.seal(everyHint().map(hintBytes));
    const bytes = Buffer.from(text, "base64");
    const changed = Array.from(bytes, (byte, at) => Buffer.from(bytes).fill(byte ^ 1, at, at + 1));
    const cut = Array.from(bytes, (_, length) => bytes.subarray(0, length));
    for (const each of [...changed, ...cut]) expect(seal.open(each.toString("base64"))).toBeUndefined();
    for (const each of ["", "{}", "=", "\u{1f600}", `${text}\n`, "A".repeat(8000), text.repeat(2)]) expect(seal.open(each)).toBeUndefined();
  });

  test("of a kind that this version does not know, or with more in them, say nothing, and those beside them what they say", () => {
    const hints = everyHint();
    const [log = new Uint8Array(), ...others] = hints.map(hintBytes);
    for (const bytes of [Uint8Array.of(200), Uint8Array.of(200, ...random(60)), Uint8Array.of(...log, 1), log.subarray(0, 20)])
      expect(seal.open(seal.seal([log, bytes, ...others]).text)).toEqual(hints);
  });
});
