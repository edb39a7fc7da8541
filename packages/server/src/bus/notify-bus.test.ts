import pg from "pg";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { describeBus, everyHint } from "../testing/bus-suite.ts";
import { random } from "../testing/fixtures.ts";
import { findPostgres, startPostgres } from "../testing/postgres.ts";
import type { TestPostgres } from "../testing/postgres.ts";
import type { Bus } from "./bus.ts";
import type { Hint } from "./hint.ts";
import { LineBus } from "./line-bus.ts";
import { notifyLine } from "./notify-line.ts";
import { HintSeal } from "./sealed-hints.ts";
import { splitBus } from "./split-bus.ts";
import type { BusPatience } from "./line-bus.ts";

const secret = random(32);
/** Nothing is told by the time that has passed. */
const never = 1_000_000;

describe.skipIf(findPostgres() === undefined)("by PostgreSQL", () => {
  let postgres: TestPostgres;
  let channels = 0;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.stop());

  interface Opening {
    channel: string;
    patience?: Partial<BusPatience>;
    onStrange?: () => void;
    reportBug?: (error: unknown) => void;
  }
  /** One that is connected. */
  const open = async ({ channel, patience = {}, onStrange = () => {}, reportBug = () => {} }: Opening): Promise<LineBus> => {
    const openLine = notifyLine({ url: postgres.url, channel, answerMs: 5000 });
    const bus = new LineBus({ openLine, channel, secret, patience: { lookMs: never, ...patience }, reportBug, onStrange });
    onTestFinished(() => bus.close());
    await new Promise<void>((resolve) => {
      bus.onGap(resolve);
    });
    return bus;
  };
  const newChannel = (): string => `s${channels++}`;
  const client = async (): Promise<pg.Client> => {
    const somebody = new pg.Client({ connectionString: postgres.url });
    somebody.on("error", () => {});
    await somebody.connect();
    onTestFinished(() => somebody.end());
    return somebody;
  };
  /** Ends the connections of all nodes, as an administrator or a network does. */
  const cut = async (): Promise<void> => {
    await (await client()).query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'latchkey bus'");
  };
  const heardBy = (bus: Bus): Hint[] => {
    const heard: Hint[] = [];
    bus.listen((hint) => void heard.push(hint));
    return heard;
  };

  describeBus("PostgreSQL", async (nodes, reportBug) => {
    const channel = newChannel();
    return await Promise.all(Array.from({ length: nodes }, () => open({ channel, reportBug })));
  });

  describeBus("PostgreSQL, on two ways", async (nodes, reportBug) => {
    const [logs, accounts] = [newChannel(), newChannel()];
    const openOne = async (): Promise<Bus> =>
      splitBus(await open({ channel: logs, reportBug }), await open({ channel: accounts, reportBug }));
    return await Promise.all(Array.from({ length: nodes }, openOne));
  });

  test("of what is said about conversations nothing goes where accounts are, and the other way round", async () => {
    const [logs, accounts] = [newChannel(), newChannel()];
    const said = splitBus(await open({ channel: logs }), await open({ channel: accounts }));
    const heard = [heardBy(await open({ channel: logs })), heardBy(await open({ channel: accounts }))] as const;
    for (const hint of everyHint()) said.publish(hint);
    await vi.waitFor(() => expect(heard.flat()).toHaveLength(everyHint().length));
    expect(heard.map((each) => each.map(({ kind }) => kind).toSorted())).toEqual([
      ["log", "signal"],
      ["account", "device", "inbox", "rules"],
    ]);
  });

  test("one that is alone says nothing, until another one comes; then it is told, and once that has gone nobody is", async () => {
    const channel = newChannel();
    const one = await open({ channel, patience: { lookMs: 50 } });
    const somebody = await client();
    await somebody.query(`LISTEN "${channel}"`);
    const said = vi.fn<() => void>();
    somebody.on("notification", said);
    const looks = async (): Promise<void> => {
      const gap = vi.fn<() => void>();
      const stop = one.onGap(gap);
      await vi.waitFor(() => expect(gap.mock.calls.length).toBeGreaterThan(3));
      stop();
    };
    await looks();
    one.publish({ kind: "log", logId: random(32) });
    await looks();
    expect(said).not.toHaveBeenCalled();
    const two = await open({ channel });
    const heard = heardBy(two);
    one.publish({ kind: "rules" });
    await vi.waitFor(() => expect(heard).toContainEqual({ kind: "rules" }));
    await two.close();
    await looks();
    said.mockClear();
    one.publish({ kind: "rules" });
    await looks();
    expect(said).not.toHaveBeenCalled();
  });

  test("those of another channel hear nothing", async () => {
    const [channel, other] = [newChannel(), newChannel()];
    const [one, two, stranger] = [await open({ channel }), await open({ channel }), await open({ channel: other })];
    const [heard, strange] = [heardBy(two), heardBy(stranger)];
    one.publish({ kind: "rules" });
    await vi.waitFor(() => expect(heard).toHaveLength(1));
    expect(strange).toEqual([]);
  });

  test("a database that was away is connected to again, which is a gap; a signal of before is said no more", async () => {
    const channel = newChannel();
    const [one, two] = [await open({ channel }), await open({ channel })];
    const heard = heardBy(two);
    const gaps = [one, two].map((bus) => {
      const gap = vi.fn<() => void>();
      bus.onGap(gap);
      return gap;
    });
    await postgres.kill();
    const logId = random(32);
    // The driver tells of the end soon after.
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
    for (let times = 0; times < 3; times++) one.publish({ kind: "log", logId });
    one.publish({ kind: "signal", logId, epochId: 0, bytes: random(256) });
    await postgres.start();
    await vi.waitFor(() => expect(gaps.every(({ mock }) => mock.calls.length > 0)).toBe(true), { timeout: 10_000 });
    one.publish({ kind: "rules" });
    await vi.waitFor(() => expect(heard).toContainEqual({ kind: "rules" }));
    expect(heard.filter(({ kind }) => kind === "signal")).toEqual([]);
  });

  test("one that an administrator ends is made again", async () => {
    const channel = newChannel();
    const [one, two] = [await open({ channel }), await open({ channel })];
    const heard = heardBy(two);
    const gaps = Promise.all(
      [one, two].map(
        (bus) =>
          new Promise<void>((resolve) => {
            bus.onGap(resolve);
          }),
      ),
    );
    await cut();
    await gaps;
    one.publish({ kind: "rules" });
    await vi.waitFor(() => expect(heard).toEqual([{ kind: "rules" }]));
  });

  test("[N-1] of signals that never end some are heard, and they keep back nothing else", async () => {
    const channel = newChannel();
    const [one, two] = [await open({ channel }), await open({ channel })];
    const heard = heardBy(two);
    const logId = random(32);
    for (let at = 0; at < 10_000; at++) one.publish({ kind: "signal", logId, epochId: 0, bytes: random(256) });
    one.publish({ kind: "log", logId });
    await vi.waitFor(() => expect(heard).toContainEqual({ kind: "log", logId }));
    expect(heard.length).toBeGreaterThan(10);
    expect(heard.length).toBeLessThan(200);
  });

  test("without a database it waits, takes all that it is told, and closes at once", async () => {
    const bus = new LineBus({
      openLine: notifyLine({ url: "postgresql://nobody@127.0.0.1:1/none", channel: "none", answerMs: 5000 }),
      channel: "none",
      secret,
      patience: { lookMs: 20, firstPauseMs: 1, lastPauseMs: 5 },
      reportBug: () => {},
      onStrange: () => {},
    });
    const gap = vi.fn<() => void>();
    bus.onGap(gap);
    for (let times = 0; times < 10_000; times++) bus.publish({ kind: "log", logId: random(32) });
    // The store may be there although the bus is not: everything is looked at all the same.
    await vi.waitFor(() => expect(gap.mock.calls.length).toBeGreaterThan(2));
    const beganMs = performance.now();
    await bus.close();
    expect(performance.now() - beganMs).toBeLessThan(2000);
  });

  test("[E-147] what somebody else says is none, told once, and keeps nobody from being heard", async () => {
    const channel = newChannel();
    const strange = vi.fn<() => void>();
    const bugs = vi.fn<(error: unknown) => void>();
    const [one, two] = [await open({ channel }), await open({ channel, onStrange: strange, reportBug: bugs })];
    const heard = heardBy(two);
    const somebody = await client();
    const garbage = ["", "{}", "A", "'", "\u{1f600}".repeat(1999), random(5900).toBase64(), "A".repeat(7999)];
    for (const said of garbage) await somebody.query("SELECT pg_notify($1, $2)", [channel, said]);
    await somebody.query("SELECT pg_notify($1, repeat('A', 7900) || i) FROM generate_series(1, 5000) i", [channel]);
    one.publish({ kind: "rules" });
    await vi.waitFor(() => expect(heard).toEqual([{ kind: "rules" }]), { timeout: 5000 });
    expect([strange.mock.calls.length, bugs.mock.calls.length]).toEqual([1, 0]);
  });

  test("[E-147] what was said before and is said again by somebody else is heard again, and no more than that", async () => {
    const channel = newChannel();
    const somebody = await client();
    await somebody.query(`LISTEN "${channel}"`);
    const said = new Promise<string>((resolve) => {
      const seal = new HintSeal(secret, channel);
      somebody.on("notification", ({ payload = "" }) => {
        if (seal.open(payload)?.length === 1) resolve(payload);
      });
    });
    const [one, two] = [await open({ channel }), await open({ channel })];
    const heard = heardBy(two);
    const logId = random(32);
    one.publish({ kind: "log", logId });
    const text = await said;
    // Whoever reads along sees no id.
    expect(Buffer.from(text, "base64").includes(logId)).toBe(false);
    await somebody.query("SELECT pg_notify($1, $2)", [channel, text]);
    await vi.waitFor(() =>
      expect(heard).toEqual([
        { kind: "log", logId },
        { kind: "log", logId },
      ]),
    );
  });
});
