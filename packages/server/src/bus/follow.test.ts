import { expect, test, vi } from "vitest";
import { StoreError } from "../errors.ts";
import { everyHint } from "../testing/bus-suite.ts";
import { followBus } from "./follow.ts";
import type { Followers } from "./follow.ts";
import { LocalHub } from "./local-bus.ts";

const turn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

/** A node that hears what the test says, and whose pauses end when the test says so. */
function following(reload: Followers["rules"]["reload"]) {
  const hub = new LocalHub();
  const pauses: (() => void)[] = [];
  const told = vi.fn<(...heard: unknown[]) => void>();
  const bugs: unknown[] = [];
  const toldAs = (who: string) => ({ hear: (id: Uint8Array) => told(who, id), hearAll: () => told(who) });
  followBus(
    hub.join(() => {}),
    {
      logs: { ...toldAs("logs"), hearSignal: ({ logId, epochId, bytes }) => told("signal", { logId, epochId, bytes }) },
      inboxes: toldAs("inboxes"),
      removedDevices: toldAs("removed"),
      devices: { replace: ({ accountId, deviceId }) => told("replaced", { accountId, deviceId }) },
      rules: { reload },
      setTimer: (_delayMs, run) => {
        pauses.push(run);
        return () => {};
      },
      reportBug: (error) => bugs.push(error),
    },
  );
  const goOn = async (): Promise<void> => {
    pauses.shift()?.();
    await turn();
  };
  return { bus: hub.join(() => {}), told, bugs, pauses, goOn };
}

test("each hint leads to whoever has to look", async () => {
  const reload = vi.fn<Followers["rules"]["reload"]>(() => Promise.resolve());
  const { bus, told } = following(reload);
  const said = everyHint();
  for (const hint of said) bus.publish(hint);
  await turn();
  const about = said.flatMap(({ kind, ...what }) =>
    kind === "rules" ? [] : [Object.values(what).length === 1 ? Object.values(what)[0] : what],
  );
  expect(told.mock.calls.map(([, what]) => what)).toEqual(about);
  expect(told.mock.calls.map(([who]) => who)).toEqual(["logs", "inboxes", "removed", "replaced", "signal"]);
  expect(reload.mock.calls).toEqual([[{ isWhole: true }]]);
});

test("[E-147] rules that are said to have changed without end are read once in a pause, and a database that is away ends that no more than a bug does", async () => {
  const errors = [new StoreError("unavailable"), new TypeError("a bug")];
  const reload = vi.fn<Followers["rules"]["reload"]>(() => {
    const error = errors.shift();
    return error === undefined ? Promise.resolve() : Promise.reject(error);
  });
  const { bus, bugs, pauses, goOn } = following(reload);
  for (let round = 1; round <= 3; round++) {
    for (let at = 0; at < 10_000; at++) bus.publish({ kind: "rules" });
    await turn();
    expect(reload).toHaveBeenCalledTimes(round);
    await goOn();
  }
  for (let at = 0; at < 3; at++) await goOn();
  expect([reload.mock.calls.length, pauses.length]).toEqual([4, 0]);
  expect(bugs).toEqual([new TypeError("a bug")]);
});
