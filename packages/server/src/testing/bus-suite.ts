import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Bus } from "../bus/bus.ts";
import type { Hint } from "../bus/hint.ts";
import { random } from "./fixtures.ts";

/** One hint of each kind. */
export function everyHint(): Hint[] {
  const [logId, inboxId, accountId, deviceId] = [random(32), random(32), random(32), random(16)];
  return [
    { kind: "log", logId },
    { kind: "inbox", inboxId },
    { kind: "rules" },
    { kind: "account", accountId },
    { kind: "device", accountId, deviceId },
    { kind: "signal", logId, epochId: 7, bytes: random(256) },
  ];
}

const byText = (hints: readonly Hint[]): string[] => hints.map((hint) => JSON.stringify(hint)).toSorted();

/**
 * The tests that every Bus passes. `open` opens nodes of one store, which hear each other once it resolves; `bugs` is told what they report.
 */
export function describeBus(name: string, open: (nodes: number, bugs: (error: unknown) => void) => Promise<readonly Bus[]>): void {
  describe(`${name}: a bus`, () => {
    const heardBy = (bus: Bus): Hint[] => {
      const heard: Hint[] = [];
      bus.listen((hint) => void heard.push(hint));
      return heard;
    };
    const opened = async (nodes: number, bugs: (error: unknown) => void = () => {}): Promise<readonly Bus[]> => {
      const buses = await open(nodes, bugs);
      onTestFinished(async () => {
        for (const bus of buses) await bus.close();
      });
      return buses;
    };

    test("what one node says all others hear, as it was said, and it does not hear itself", async () => {
      const [one, two, three] = (await opened(3)) as [Bus, Bus, Bus];
      const [own, ...others] = [one, two, three].map(heardBy);
      const said = everyHint();
      for (const hint of said) one.publish(hint);
      await vi.waitFor(() => {
        for (const heard of others) expect(byText(heard)).toEqual(byText(said));
      });
      // What comes back to itself would be here by the time of an answer.
      two.publish({ kind: "rules" });
      await vi.waitFor(() => expect(own).toEqual([{ kind: "rules" }]));
    });

    test("bytes of a hint that its author changes later are heard as they were", async () => {
      const [one, two] = (await opened(2)) as [Bus, Bus];
      const heard: string[] = [];
      two.listen((hint) => void heard.push(JSON.stringify(hint)));
      const logId = random(32);
      const said = JSON.stringify({ kind: "log", logId });
      one.publish({ kind: "log", logId });
      logId.fill(0);
      await vi.waitFor(() => expect(heard).toEqual([said]));
    });

    test("of very many at once none is lost", async () => {
      const [one, two] = (await opened(2)) as [Bus, Bus];
      const heard = heardBy(two);
      const said = Array.from({ length: 2000 }, (): Hint => ({ kind: "log", logId: random(32) }));
      for (const hint of said) one.publish(hint);
      await vi.waitFor(() => expect(heard).toHaveLength(said.length));
      expect(byText(heard)).toEqual(byText(said));
    });

    test("a listener that fails keeps nobody else from hearing, and is told as a bug", async () => {
      const bugs = vi.fn<(error: unknown) => void>();
      const [one, two] = (await opened(2, bugs)) as [Bus, Bus];
      const bug = new Error("a bug");
      two.listen(() => {
        throw bug;
      });
      const heard = heardBy(two);
      one.publish({ kind: "rules" });
      await vi.waitFor(() => expect(heard).toEqual([{ kind: "rules" }]));
      expect(bugs.mock.calls).toEqual([[bug]]);
    });

    test("who has stopped listening hears nothing, nor does one that is closed, which may still be spoken to", async () => {
      const [one, two, three] = (await opened(3)) as [Bus, Bus, Bus];
      const stopped = vi.fn<(hint: Hint) => void>();
      two.listen(stopped)();
      const [heard, closed] = [heardBy(two), heardBy(three)];
      await three.close();
      await three.close();
      three.publish({ kind: "rules" });
      const logId = random(32);
      one.publish({ kind: "log", logId });
      await vi.waitFor(() => expect(heard).toEqual([{ kind: "log", logId }]));
      expect([stopped.mock.calls, closed]).toEqual([[], []]);
    });
  });
}
