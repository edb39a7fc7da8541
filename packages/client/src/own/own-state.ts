import { compareBytes, equalBytes } from "@latchkey/codec";
import { comparePlaces, compareRegisters, keyOf, noLog } from "./facts.ts";
import type { OwnFact, Register } from "./facts.ts";

/** Everything that the person set for themselves, as far as it has its place in the devices' log; by `keyOf`. */
export type OwnState = ReadonlyMap<string, Register>;

export const nothingSet: OwnState = new Map();

/**
 * Of each kind the newest so many are kept, those that say that something is no more among them: what is to happen in a year is pushed out by
 * nobody who plans ten things a day meanwhile.
 */
export const maxKept: Readonly<Record<OwnFact["kind"], number>> = {
  mute: 4096,
  archive: 16_384,
  pin: 256,
  unread: 4096,
  star: 4096,
  draft: 128,
  later: 4096,
  claim: 4096,
  remind: 4096,
  setting: 16,
  used: 64,
  quiet: 1,
  profile: 1,
  deleted: 16_384,
};

const maxEra = 0xffff_ffff;
const maxOrder = 2 ** 50;

/** What became of a state. */
export interface Taken {
  readonly state: OwnState;
  /** Keys of which something else is known now. */
  readonly changed: readonly string[];
  /** Keys of which nothing is kept any more. */
  readonly dropped: readonly string[];
}

/**
 * Takes in what was said: of each thing the newest by its place stays, and of each kind the newest `maxKept`. So the outcome depends on what
 * was said and where, and neither on the order in which it is known, nor on how often: a thing that was dropped has so many newer ones of its
 * kind for good.
 */
export function take(before: OwnState, registers: readonly Register[]): Taken {
  const state = new Map(before);
  const changed = new Set<string>();
  for (const register of registers) {
    const key = keyOf(register.fact);
    const known = state.get(key);
    if (known !== undefined && compareRegisters(register, known) <= 0) continue;
    state.set(key, register);
    changed.add(key);
  }
  const dropped: string[] = [];
  for (const kind of new Set(registers.map(({ fact }) => fact.kind))) {
    const all = [...state].filter(([, { fact }]) => fact.kind === kind);
    if (all.length <= maxKept[kind]) continue;
    const oldest = all.toSorted(([, a], [, b]) => compareRegisters(a, b)).slice(0, all.length - maxKept[kind]);
    for (const [key] of oldest) {
      state.delete(key);
      changed.delete(key);
      if (before.has(key)) dropped.push(key);
    }
  }
  return { state, changed: [...changed], dropped };
}

/** So many eras one device is behind another at most: each is one more group of the devices. */
const maxErasAhead = 4096;
const maxOrderSaid = 2 ** 52;

/** What may be in its place: what one device puts so far ahead that nothing could be said behind it was never said there (spec X-18). */
export function believable(state: OwnState, registers: readonly Register[]): readonly Register[] {
  const last = eraOf(state, noLog) + maxErasAhead;
  return registers.filter(({ place }) => place.era <= last && place.order <= maxOrderSaid);
}

/** The era of what is said in this log from now on: behind everything that is known. */
export function eraOf(state: OwnState, log: Uint8Array): number {
  const places = [...state.values()].map(({ place }) => place);
  const here = places.filter((place) => equalBytes(place.log, log)).map(({ era }) => era);
  const elsewhere = places.filter((place) => !equalBytes(place.log, log));
  // A log of the same era comes before this one or behind it; one that is new here comes behind all.
  const isBehind = (other: Uint8Array): boolean => here.length === 0 || compareBytes(other, log) < 0;
  const behind = elsewhere.map((place) => place.era + (isBehind(place.log) ? 1 : 0));
  return Math.min(Math.max(1, ...here, ...behind), maxEra);
}

/** A place behind everything that is known, for what is said while there is no other device. */
export function placeBehind(state: OwnState, log: Uint8Array): Register["place"] {
  const era = eraOf(state, log);
  const last = [...state.values()]
    .map(({ place }) => place)
    .filter((place) => place.era === era && equalBytes(place.log, log))
    .toSorted(comparePlaces)
    .at(-1);
  const order = (last?.order ?? 0) + 1;
  // What no log reaches somebody made up: the next era begins.
  return order > maxOrder ? { era: Math.min(era + 1, maxEra), log, order: 1 } : { era, log, order };
}
