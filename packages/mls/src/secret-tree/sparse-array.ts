const bits = 5;
const width = 1 << bits;
const mask = width - 1;

// A branch holds branches, or values at the lowest level; holes are undefined.
type Branch<T> = readonly (Branch<T> | T | undefined)[];

const emptyBranch: readonly undefined[] = Array.from({ length: width }, () => undefined);

/**
 * An immutable array with holes: a change copies one branch a level (32 slots each) and shares all others, so that
 * two versions are compared by identity in time that depends on what differs, not on the size.
 */
export class SparseArray<T extends object> {
  readonly #root: Branch<T>;
  readonly #shift: number;

  private constructor(root: Branch<T>, shift: number) {
    this.#root = root;
    this.#shift = shift;
  }

  /** No values, room for the places 0 to `size` - 1. */
  static empty<T extends object>(size: number): SparseArray<T> {
    let shift = 0;
    while (width * 2 ** shift < size) shift += bits;
    return new SparseArray<T>(emptyBranch, shift);
  }

  get(place: number): T | undefined {
    let branch = this.#root;
    for (let shift = this.#shift; shift > 0; shift -= bits) {
      const below = branch[(place >>> shift) & mask];
      if (below === undefined) return undefined;
      branch = below as Branch<T>; // above the lowest level there are branches only
    }
    return branch[place & mask] as T | undefined; // on the lowest level there are values only
  }

  /** With `value` at `place`, or a hole there. */
  with(place: number, value: T | undefined): SparseArray<T> {
    return new SparseArray(replaced(this.#root, { place, value, shift: this.#shift }), this.#shift);
  }

  /** The values with their places, in order. */
  *entries(): Generator<[number, T]> {
    yield* differences<T>(emptyBranch, this.#root, this.#shift, 0) as Generator<[number, T]>;
  }

  /** What differs from `before`: places with their values now, undefined for a hole. Both have the same size. */
  *changesSince(before: SparseArray<T>): Generator<[number, T | undefined]> {
    if (before.#shift !== this.#shift) throw new RangeError("arrays of different sizes");
    yield* differences<T>(before.#root, this.#root, this.#shift, 0);
  }
}

function replaced<T extends object>(branch: Branch<T>, change: { place: number; value: T | undefined; shift: number }): Branch<T> {
  const { place, value, shift } = change;
  const slot = (place >>> shift) & mask;
  const copy = [...branch];
  if (shift === 0) copy[slot] = value;
  else copy[slot] = replaced((branch[slot] ?? emptyBranch) as Branch<T>, { place, value, shift: shift - bits }); // not the lowest level
  return copy;
}

function* differences<T extends object>(
  before: Branch<T>,
  after: Branch<T>,
  shift: number,
  base: number,
): Generator<[number, T | undefined]> {
  for (let slot = 0; slot < width; slot++) {
    const was = before[slot];
    const is = after[slot];
    if (was === is) continue;
    const place = base + slot * 2 ** shift;
    if (shift === 0) yield [place, is as T | undefined]; // the lowest level
    else yield* differences<T>((was ?? emptyBranch) as Branch<T>, (is ?? emptyBranch) as Branch<T>, shift - bits, place); // branches
  }
}
