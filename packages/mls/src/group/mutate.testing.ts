import type { RandomBytes } from "../crypto/suite.ts";
import { numberBelow } from "./sessions.testing.ts";

/**
 * A copy of a decoded structure with one to three of its fields changed, kinds and all: bytes cut, lengthened, emptied, flipped or
 * swapped for others of the same structure; numbers moved to neighbours and bounds; lists shortened, doubled, turned; optional
 * parts dropped. What comes out may be impossible to encode: that is for the caller to find out.
 */
export function mutate<T>(value: T, random: RandomBytes): T {
  const places: Place[] = [];
  const copy = collect({ root: value }, places);
  const bytes = places.flatMap(({ holder, key }) => (holder[key] instanceof Uint8Array ? [holder[key]] : []));
  for (let i = numberBelow(random, 3); i >= 0; i--) {
    const place = places[numberBelow(random, places.length)];
    if (place !== undefined) place.holder[place.key] = changed(place.holder[place.key], { random, bytes });
  }
  // The copy has the shape that it was copied from, as far as mutations left it.
  return copy["root"] as T;
}

type Holder = Record<string | number, unknown>;

interface Place {
  readonly holder: Holder;
  readonly key: string | number;
}

function collect(source: Readonly<Record<string, unknown>>, places: Place[]): Holder {
  const target: Holder = {};
  for (const [key, value] of Object.entries(source)) put(target, key, value, places);
  return target;
}

function put(holder: Holder, key: string | number, value: unknown, places: Place[]): void {
  if (value instanceof Uint8Array) holder[key] = value.slice();
  else if (Array.isArray(value)) {
    // Arrays are holders by number.
    const list = [] as unknown as Holder;
    for (const [i, item] of value.entries()) put(list, i, item, places);
    holder[key] = list;
  } else if (typeof value === "object" && value !== null) holder[key] = collect({ ...value }, places);
  else holder[key] = value;
  if (key !== "kind" || typeof value !== "string") places.push({ holder, key });
}

const bounds = [0, 1, 2, 255, 256, 65_535, 65_536, 0xffff_ffff];

function changed(value: unknown, { random, bytes }: { random: RandomBytes; bytes: readonly unknown[] }): unknown {
  const below = (bound: number): number => numberBelow(random, bound);
  if (value instanceof Uint8Array) {
    switch (below(7)) {
      case 0:
        return new Uint8Array(0);
      case 1:
        return value.subarray(0, below(value.length + 1));
      case 2:
        return new Uint8Array([...value, ...random(1 + below(40))]);
      case 3:
        return random(value.length);
      case 4:
        return new Uint8Array(value.length);
      case 5:
        return bytes[below(Math.max(1, bytes.length))] ?? value;
      default: {
        const copy = value.slice();
        if (copy.length > 0) copy[below(copy.length)] = below(256);
        return copy;
      }
    }
  }
  if (Array.isArray(value)) {
    const list: unknown[] = value;
    const at = below(Math.max(1, list.length));
    switch (below(5)) {
      case 0:
        return [];
      case 1:
        return list.toSpliced(at, 1);
      case 2:
        return list.length === 0 ? list : list.toSpliced(at, 0, list[at]);
      case 3:
        return list.toReversed();
      default:
        return list.length === 0 ? list : [...list, list[at]];
    }
  }
  if (typeof value === "number") return below(2) === 0 ? bounds[below(bounds.length)] : Math.max(0, value + below(5) - 2);
  if (typeof value === "bigint") return [0n, 1n, value + 1n, value > 0n ? value - 1n : 0n, (1n << 64n) - 1n][below(5)];
  if (typeof value === "boolean") return !value;
  return undefined;
}
