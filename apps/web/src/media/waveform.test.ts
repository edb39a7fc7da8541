import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { loudnessOf, peakCount, peaksOf, peaksOfSamples } from "./waveform.ts";

describe("how loud samples are", () => {
  test("is nothing for silence and for no samples, all for a square wave, and the root of a half for a sine", () => {
    expect(loudnessOf(new Float32Array(0))).toBe(0);
    expect(loudnessOf(new Float32Array(100))).toBe(0);
    expect(loudnessOf(Float32Array.from({ length: 100 }, (_, at) => (at % 2 === 0 ? 1 : -1)))).toBe(1);
    expect(loudnessOf(Float32Array.from({ length: 1000 }, (_, at) => Math.sin(at / 10)))).toBeCloseTo(Math.SQRT1_2, 1);
  });

  test("is bounded for samples that are none", () => {
    expect(loudnessOf(Float32Array.of(5, -5))).toBe(1);
    expect(loudnessOf(Float32Array.of(Number.NaN, 1))).toBe(0);
  });
});

describe("a waveform", () => {
  test("has the loudest of each part, the loudest of all at the top", () => {
    const peaks = peaksOf(Float32Array.from({ length: 640 }, (_, at) => (at === 5 ? 0.5 : at >= 320 ? 0.25 : 0.05)));
    expect(peaks).toHaveLength(peakCount);
    expect([...peaks.subarray(0, 2), peaks[31], ...peaks.subarray(32, 34), peaks[63]]).toEqual([255, 26, 26, 128, 128, 128]);
  });

  test("of less than it has bars is as long as any", () => {
    expect([...new Set(peaksOf([0.5]))]).toEqual([255]);
    expect([...peaksOf([0.25, 0.5])]).toEqual([...Array.from({ length: 32 }, () => 128), ...Array.from({ length: 32 }, () => 255)]);
    expect([...new Set(peaksOf([]))]).toEqual([0]);
  });

  test("of silence is flat: its noise is not made louder", () => {
    expect([...new Set(peaksOf([0.001, 0.009, 0]))]).toEqual([0]);
  });

  test("of samples goes up and down with them", () => {
    const peaks = peaksOfSamples(Float32Array.from({ length: 48_000 }, (_, at) => Math.sin(at / 7) * (at < 24_000 ? 0.2 : 0.8)));
    expect(peaks[10]).toBeGreaterThan(50);
    expect(peaks[10]).toBeLessThan(78);
    expect(peaks[50]).toBeGreaterThan(200);
    expect(peaksOfSamples(new Float32Array(0))).toHaveLength(peakCount);
  });

  test("has 64 bytes whatever is in it", () => {
    fc.assert(
      fc.property(fc.float32Array({ noNaN: false, maxLength: 300 }), (samples) => {
        expect(peaksOfSamples(samples)).toHaveLength(peakCount);
        expect(peaksOf(samples)).toHaveLength(peakCount);
      }),
    );
  });
});
