import type { Platform } from "@latchkey/client";
import { createNodePlatform } from "@latchkey/client/node";

/** A platform whose clock can be put forward: what waits for hours in the client happens at once. */
export interface JumpingPlatform {
  readonly platform: Platform;
  /** Puts the clock forward and runs what is due then. */
  jump(durationMs: number): void;
}

/** Random bytes. */
export type Random = Platform["random"];

interface Timer {
  readonly dueMs: number;
  fire(): void;
}

/** From so long on a timer is one of what is done now and then, such as looking whether somebody was suspended. */
const longMs = 10_000;

/**
 * Node's platform with such a clock, and with the shortest of every random delay.
 * @param tamper what the program of somebody malicious takes for random
 * @param holdsLong timers of ten seconds and more run out by jumps alone, however slow the machine is
 */
export function createJumpingPlatform(tamper: (random: Random) => Random = (random) => random, holdsLong = false): JumpingPlatform {
  const node = createNodePlatform();
  const random = tamper(node.random);
  const timers = new Set<Timer>();
  let aheadMs = 0;
  const nowMs = (): number => node.nowMs() + aheadMs;
  return {
    platform: {
      ...node,
      nowMs,
      // Only jitter is drawn one or two bytes at a time.
      random: (size) => (size <= 2 ? new Uint8Array(size) : random(size)),
      setTimer(delayMs, run) {
        const timer: Timer = {
          dueMs: nowMs() + delayMs,
          fire() {
            timers.delete(timer);
            cancel();
            run();
          },
        };
        const cancel = holdsLong && delayMs >= longMs ? () => undefined : node.setTimer(delayMs, () => timer.fire());
        timers.add(timer);
        return () => {
          timers.delete(timer);
          cancel();
        };
      },
    },
    jump(durationMs) {
      aheadMs += durationMs;
      for (const timer of [...timers].toSorted((a, b) => a.dueMs - b.dueMs)) if (timer.dueMs <= nowMs() && timers.has(timer)) timer.fire();
    },
  };
}
