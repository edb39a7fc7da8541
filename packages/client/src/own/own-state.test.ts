import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareRegisters, keyOf, packFacts, packRegisters, unpackFacts, unpackRegisters } from "./facts.ts";
import type { OwnFact, Register } from "./facts.ts";
import { believable, eraOf, maxKept, nothingSet, placeBehind, take } from "./own-state.ts";
import type { OwnState } from "./own-state.ts";

const bytes = (size: number, value: number): Uint8Array => new Uint8Array(size).fill(value);
const few = fc.integer({ min: 0, max: 3 });
const logId = few.map((value) => bytes(32, value));

const fact: fc.Arbitrary<OwnFact> = fc.oneof(
  fc.record({ kind: fc.constant("mute" as const), logId, untilMs: few }),
  fc.record({ kind: fc.constant("archive" as const), logId, throughSeq: fc.option(few, { nil: undefined }) }),
  fc.record({ kind: fc.constant("pin" as const), logId, rank: fc.option(few, { nil: undefined }) }),
  fc.record({ kind: fc.constant("unread" as const), logId, isUnread: fc.boolean() }),
  fc.record({ kind: fc.constant("star" as const), logId, messageId: few.map((value) => bytes(32, value)), isStarred: fc.boolean() }),
  fc.record({ kind: fc.constant("deleted" as const), logId, throughSeq: few }),
  fc.record({
    kind: fc.constant("profile" as const),
    displayName: fc.string({ maxLength: 9 }),
    picture: few.map((value) => bytes(96, value)),
  }),
  fc.record({ kind: fc.constant("quiet" as const), hours: fc.record({ sunday: fc.record({ fromMinute: few, toMinute: few }) }) }),
  fc.record({ kind: fc.constant("draft" as const), logId, text: fc.string({ maxLength: 20 }), over: few.map((value) => bytes(16, value)) }),
);
const register: fc.Arbitrary<Register> = fc.record({
  place: fc.record({ era: few, log: few.map((value) => bytes(8, value)), order: few }),
  fact,
});

const sorted = (state: OwnState): [string, Register][] => [...state].toSorted(([a], [b]) => (a < b ? -1 : 1));
const setting = (order: number, rest: Partial<Register["place"]> = {}): Register => ({
  place: { era: 1, log: bytes(8, 1), order, ...rest },
  fact: { kind: "mute", logId: bytes(32, 1), untilMs: order },
});

describe("[X-18] what a person sets for themselves", () => {
  test("is the same on all devices, whatever they hear first, how often and in what parts", () => {
    fc.assert(
      fc.property(fc.array(register, { maxLength: 40 }), fc.infiniteStream(fc.nat()), fc.nat(40), (all, chances, cut) => {
        const whole = sorted(take(nothingSet, all).state);
        const shuffled = all
          .map((one) => ({ one, at: chances.next().value ?? 0 }))
          .toSorted((a, b) => a.at - b.at)
          .map(({ one }) => one);
        const parts = [shuffled.slice(0, cut), shuffled, shuffled.slice(cut)];
        expect(sorted(parts.reduce((state, part) => take(state, part).state, nothingSet))).toEqual(whole);
      }),
    );
  });

  test("of one thing the newest by its place in the devices' log counts, and of a log that took another's place everything", () => {
    const newest = (...all: readonly Register[]): Register | undefined => take(nothingSet, all).state.values().next().value;
    expect(newest(setting(3), setting(2))).toEqual(setting(3));
    expect(newest(setting(3), setting(1, { era: 2, log: bytes(8, 2) }))).toEqual(setting(1, { era: 2, log: bytes(8, 2) }));
    // Two that began side by side: the group with the lower id is the one that all end up with.
    expect(newest(setting(3, { log: bytes(8, 2) }), setting(1))).toEqual(setting(1));
  });

  test("is bounded, and which are kept depends on their places alone", () => {
    const star = (at: number, order: number): Register => ({
      place: { era: 1, log: bytes(8, 1), order },
      fact: { kind: "star", logId: bytes(32, at % 200), messageId: bytes(32, Math.floor(at / 200)), isStarred: true },
    });
    const all = Array.from({ length: maxKept.star + 50 }, (_, at) => star(at, at + 1));
    const forwards = take(nothingSet, all);
    const backwards = [...all]
      .toReversed()
      .reduce((state, one, at) => (at % 1000 === 0 ? take(state, all.slice(-at)).state : state), nothingSet);
    expect(forwards.state.size).toBe(maxKept.star);
    expect(forwards.changed).toHaveLength(maxKept.star);
    expect([...forwards.state.values()].every(({ place }) => place.order > 50)).toBe(true);
    expect(sorted(take(backwards, all).state)).toEqual(sorted(forwards.state));
    const next = take(forwards.state, [star(maxKept.star + 60, maxKept.star + 60)]);
    expect(next.dropped).toEqual([keyOf(star(50, 51).fact)]);
    // What was dropped does not come back by being told again.
    expect(take(next.state, [star(50, 51)]).changed).toEqual([]);
  });

  test("what is planned for next year is still there after ten plans a day, each done or taken back", () => {
    const id = (at: number): Uint8Array => Uint8Array.of(...bytes(14, 0), at >> 8, at & 255);
    const plan = { atMs: 0, text: "happy birthday", inReplyTo: undefined, salt: bytes(16, 1), members: bytes(8, 1) };
    const planned = (at: number, isThere: boolean): Register => ({
      place: { era: 1, log: bytes(8, 1), order: at + 1 },
      fact: { kind: "later", logId: bytes(32, 1), id: id(at), plan: isThere ? plan : undefined },
    });
    const since = Array.from({ length: 3650 }, (_, at) => planned(at + 1, false));
    expect(take(take(nothingSet, [planned(0, true)]).state, since).dropped).toEqual([]);
  });

  test("a device that was stolen cannot put anything where nothing comes behind it, nor where no line can be", () => {
    const known = take(nothingSet, [setting(3, { era: 9 })]).state;
    const said = [setting(1, { era: 0xffff_ffff }), setting(2 ** 53 - 1, { era: 9 }), setting(4, { era: 12 })];
    expect(believable(known, said)).toEqual([setting(4, { era: 12 })]);
    const far: OwnFact[] = [
      { kind: "deleted", logId: bytes(32, 1), throughSeq: Number.MAX_SAFE_INTEGER },
      { kind: "archive", logId: bytes(32, 1), throughSeq: 2 ** 52 },
    ];
    const near: OwnFact = { kind: "deleted", logId: bytes(32, 1), throughSeq: 2 ** 40 + 1 };
    expect(unpackFacts(packFacts([...far, near]))).toEqual([near]);
  });

  test("what is said next comes behind everything that is known, in whatever log", () => {
    fc.assert(
      fc.property(fc.array(register, { maxLength: 20 }), few, fact, (all, log, said) => {
        const { state } = take(nothingSet, all);
        const here = bytes(8, log);
        const behind: Register = { place: placeBehind(state, here), fact: said };
        for (const known of state.values()) expect(compareRegisters(behind, known)).toBeGreaterThan(0);
        expect(eraOf(take(state, [behind]).state, here)).toBe(behind.place.era);
      }),
    );
  });

  test("a place that another device made up ends nothing: what is said next comes behind it", () => {
    const noLog = bytes(8, 0);
    const { state } = take(nothingSet, [setting(Number.MAX_SAFE_INTEGER, { log: noLog })]);
    const next = placeBehind(state, noLog);
    expect(next).toEqual({ era: 2, log: noLog, order: 1 });
    const said: Register = { place: next, fact: { kind: "mute", logId: bytes(32, 1), untilMs: 0 } };
    expect(take(state, [said]).changed).toHaveLength(1);
    expect(placeBehind(take(state, [said]).state, noLog)).toEqual({ era: 2, log: noLog, order: 2 });
    expect(eraOf(take(nothingSet, [setting(1, { era: 0xffff_ffff })]).state, noLog)).toBe(0xffff_ffff);
  });

  test("travels as it is; what a later version says beside it is passed over", () => {
    fc.assert(
      fc.property(fc.array(fact, { maxLength: 20 }), (facts) => {
        expect(unpackFacts(packFacts(facts))).toEqual(facts);
      }),
    );
    const one = setting(3);
    expect(unpackRegisters(packRegisters([one]))).toEqual([one]);
    const packed = packFacts([{ kind: "unread", logId: bytes(32, 1), isUnread: true }, one.fact]);
    // Of the first its kind: the length of the list and of the item stand before it.
    const later = packed.with(packed.indexOf(4, 1), 99);
    expect(unpackFacts(later)).toEqual([one.fact]);
  });
});
