import { connect } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { describeBus } from "../testing/bus-suite.ts";
import { random } from "../testing/fixtures.ts";
import { findNats, startNats } from "../testing/nats.ts";
import type { TestNats } from "../testing/nats.ts";
import type { Hint } from "./hint.ts";
import { LineBus } from "./line-bus.ts";
import { natsLine } from "./nats-line.ts";

const secret = random(32);
const answerMs = 2000;
/** Nothing is told by the time that has passed. */
const lookMs = 1_000_000;

describe.skipIf(findNats() === undefined)("by NATS", () => {
  let nats: TestNats;
  let channels = 0;
  beforeAll(async () => {
    nats = await startNats();
  });
  afterAll(() => nats.kill());

  const newChannel = (): string => `s${channels++}`;
  /** One that is connected. */
  const open = async (channel: string, told: { onStrange?: () => void; reportBug?: (error: unknown) => void } = {}): Promise<LineBus> => {
    const openLine = natsLine({ url: `nats://127.0.0.1:1, ${nats.url}`, channel, answerMs });
    const { onStrange = () => {}, reportBug = () => {} } = told;
    const bus = new LineBus({ openLine, channel, secret, patience: { lookMs, answerMs, firstPauseMs: 20 }, reportBug, onStrange });
    onTestFinished(() => bus.close());
    await new Promise<void>((resolve) => {
      bus.onGap(resolve);
    });
    return bus;
  };
  const heardBy = (bus: LineBus): Hint[] => {
    const heard: Hint[] = [];
    bus.listen((hint) => void heard.push(hint));
    return heard;
  };

  describeBus("NATS", async (nodes, reportBug) => {
    const channel = newChannel();
    return await Promise.all(Array.from({ length: nodes }, () => open(channel, { reportBug })));
  });

  test("killed and started again it is connected to again, which is a gap; what was said meanwhile is said then", async () => {
    const channel = newChannel();
    const [one, two] = [await open(channel), await open(channel)];
    const heard = heardBy(two);
    const gaps = Promise.all([one, two].map((bus) => new Promise<void>((resolve) => void bus.onGap(resolve))));
    await nats.kill();
    const logId = random(32);
    one.publish({ kind: "log", logId });
    await nats.start();
    await gaps;
    one.publish({ kind: "rules" });
    await vi.waitFor(() => expect(heard).toContainEqual({ kind: "rules" }), { timeout: 10_000 });
  });

  test("[E-147] what somebody else says is none, told once, and keeps nobody from being heard", async () => {
    const channel = newChannel();
    const strange = vi.fn<() => void>();
    const bugs = vi.fn<(error: unknown) => void>();
    const [one, two] = [await open(channel), await open(channel, { onStrange: strange, reportBug: bugs })];
    const heard = heardBy(two);
    const somebody = await connect({ servers: [nats.url] });
    onTestFinished(() => somebody.close());
    for (const said of [new Uint8Array(), random(500), random(900_000), new TextEncoder().encode("A".repeat(8000))])
      somebody.publish(`latchkey.${channel}`, said);
    await somebody.flush();
    one.publish({ kind: "rules" });
    await vi.waitFor(() => expect(heard).toEqual([{ kind: "rules" }]));
    expect([strange.mock.calls.length, bugs.mock.calls.length]).toEqual([1, 0]);
  });

  test("without it a bus waits, and closes at once", async () => {
    const openLine = natsLine({ url: "nats://somebody:secret@127.0.0.1:1", channel: "none", answerMs });
    const bus = new LineBus({
      openLine,
      channel: "none",
      secret,
      patience: { lookMs: 20, answerMs, firstPauseMs: 1, lastPauseMs: 5 },
      reportBug: () => {},
      onStrange: () => {},
    });
    const gap = vi.fn<() => void>();
    bus.onGap(gap);
    bus.publish({ kind: "rules" });
    await vi.waitFor(() => expect(gap.mock.calls.length).toBeGreaterThan(2));
    const beganMs = performance.now();
    await bus.close();
    expect(performance.now() - beganMs).toBeLessThan(2000);
  });
});
