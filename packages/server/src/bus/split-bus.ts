import type { Bus } from "./bus.ts";
import type { Hint } from "./hint.ts";

/** Hints about conversations; all others are about accounts. */
const ofLogs: ReadonlySet<Hint["kind"]> = new Set<Hint["kind"]>(["log", "signal"]);

/** A bus that says what is about conversations on one way and what is about accounts on another, as the store has them apart (promise P1). */
export function splitBus(logs: Bus, accounts: Bus): Bus {
  const both = [logs, accounts];
  const onBoth = (add: (bus: Bus) => () => void): (() => void) => {
    const stops = both.map(add);
    return () => {
      for (const stop of stops) stop();
    };
  };
  return {
    publish: (hint) => (ofLogs.has(hint.kind) ? logs : accounts).publish(hint),
    listen: (listener) => onBoth((bus) => bus.listen(listener)),
    onGap: (listener) => onBoth((bus) => bus.onGap(listener)),
    close: async () => {
      await Promise.all(both.map((bus) => bus.close()));
    },
  };
}
