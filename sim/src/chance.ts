import { seededRandom } from "@latchkey/testkit";

/** Chance that repeats with its seed. */
export class Chance {
  /** Bytes, as a `RandomBytes`. */
  readonly bytes: (size: number) => Uint8Array;

  constructor(seed: string) {
    this.bytes = seededRandom(seed);
  }

  /** A number from 0 up to 1. */
  fraction(): number {
    const [a = 0, b = 0, c = 0] = this.bytes(3);
    return (a * 65_536 + b * 256 + c) / 16_777_216;
  }

  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number {
    return least + Math.floor(this.fraction() * (most - least + 1));
  }

  /** True so often. */
  happens(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** One of these. @throws RangeError of none */
  pick<T>(items: readonly T[]): T {
    const item = items[this.between(0, items.length - 1)];
    if (item === undefined) throw new RangeError("nothing to pick from");
    return item;
  }

  /** One of these by its weight. @throws RangeError of none */
  weighted<T>(items: readonly (readonly [number, T])[]): T {
    let left = this.fraction() * items.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, item] of items) {
      left -= weight;
      if (left < 0) return item;
    }
    throw new RangeError("nothing to pick from");
  }
}
