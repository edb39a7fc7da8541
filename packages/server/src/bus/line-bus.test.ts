import { expect, onTestFinished, test, vi } from "vitest";
import { random } from "../testing/fixtures.ts";
import type { Hint } from "./hint.ts";
import { LineBus } from "./line-bus.ts";
import { HintSeal } from "./sealed-hints.ts";

const [secret, channel, lookMs] = [random(32), "channel", 1000];
const seal = new HintSeal(secret, channel);

/** A bus on a line of which the test says whether it is shared, and what was said on it, but for the greeting. */
async function open(): Promise<{
  bus: LineBus;
  said: () => readonly Hint[];
  hear: () => void;
  look: () => Promise<(isShared: boolean) => Promise<void>>;
}> {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const texts: string[] = [];
  const checks: ((isShared: boolean) => void)[] = [];
  const ended = Promise.withResolvers<void>();
  let tell: (text: string) => void = () => {};
  const bus = new LineBus({
    openLine: (hear) => {
      tell = hear;
      return Promise.resolve({
        say: (more) => {
          texts.push(...more);
          return Promise.resolve();
        },
        check: () =>
          new Promise((resolve) => {
            checks.push(resolve);
          }),
        ended: ended.promise,
        end: ended.resolve,
      });
    },
    channel,
    secret,
    patience: { lookMs, gatherMs: 2 },
    reportBug: () => {},
    onStrange: () => {},
  });
  onTestFinished(() => bus.close());
  await vi.advanceTimersByTimeAsync(1);
  expect(texts.map((text) => seal.open(text))).toEqual([[]]);
  return {
    bus,
    said: () => texts.flatMap((text) => seal.open(text) ?? []),
    hear: () => tell(seal.seal([]).text),
    async look() {
      await vi.advanceTimersByTimeAsync(lookMs);
      return async (isShared) => {
        checks.shift()?.(isShared);
        await vi.advanceTimersByTimeAsync(10);
      };
    },
  };
}

const hint = (): Hint => ({ kind: "log", logId: random(32) });

test("who is alone says nothing, and what was to be said since that was sure to whoever comes", async () => {
  const { bus, said, hear, look } = await open();
  await (
    await look()
  )(false);
  bus.publish(hint());
  await (
    await look()
  )(false);
  const [first, second] = [hint(), hint()];
  bus.publish(first);
  const answer = await look();
  // Who comes now has looked at everything before this is stored.
  bus.publish(second);
  await answer(false);
  expect(said()).toEqual([]);
  hear();
  await vi.advanceTimersByTimeAsync(10);
  expect(said()).toEqual([second]);
  // From then on they are told at once.
  bus.publish(first);
  await vi.advanceTimersByTimeAsync(10);
  expect(said()).toEqual([second, first]);
});

test("who came unheard is found by the next look, and told what was said meanwhile", async () => {
  const { bus, said, look } = await open();
  await (
    await look()
  )(false);
  const first = hint();
  bus.publish(first);
  await (
    await look()
  )(true);
  expect(said()).toEqual([first]);
});

test("who is heard while it is asked whether somebody is there is there", async () => {
  const { bus, said, hear, look } = await open();
  await (
    await look()
  )(false);
  const [first, second, third] = [hint(), hint(), hint()];
  bus.publish(first);
  const answer = await look();
  bus.publish(second);
  hear();
  await answer(false);
  expect(said()).toEqual([second, first]);
  bus.publish(third);
  await vi.advanceTimersByTimeAsync(10);
  expect(said()).toEqual([second, first, third]);
});
