import { encode, utf8Bytes } from "@latchkey/codec";
import { configChangeCodec } from "@latchkey/transparency";
import { createMemoryDirectory } from "@latchkey/transparency/testing";
import type { MemoryDirectory } from "@latchkey/transparency/testing";
import { seededRandom } from "@latchkey/testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { auditDirectory } from "./audit.ts";
import type { AuditReport } from "./audit.ts";
import { httpLogSource } from "./log-source.ts";
import { startLogServer } from "./testing/log-server.ts";
import type { LogServer } from "./testing/log-server.ts";

let directory: MemoryDirectory;
let log: LogServer;
const random = seededRandom("audit");

beforeEach(async () => {
  directory = await createMemoryDirectory();
  log = await startLogServer(directory);
});

afterEach(async () => {
  await log[Symbol.asyncDispose]();
});

async function publish(count: number): Promise<void> {
  const start = directory.size() * 100;
  await directory.publish(
    Array.from({ length: count }, (_, index) => ({
      type: "username" as const,
      label: utf8Bytes(`name${String(start + index)}`),
      values: [random(40)],
    })),
  );
}

const audit = (pinnedConfigHash?: Uint8Array): Promise<AuditReport> =>
  auditDirectory({
    source: httpLogSource({ serverUrl: log.url, timeoutMs: 5000 }),
    nowMs: directory.nowMs(),
    ...(pinnedConfigHash === undefined ? {} : { pinnedConfigHash }),
  });

describe("an audit", () => {
  test("[D-3] replays a whole log from zero and counts what it saw", async () => {
    for (let entry = 0; entry < 300; entry++) await publish(1 + (entry % 3));
    await directory.publish([{ type: "username", label: utf8Bytes("name100"), values: [random(10)] }]);
    const report = await audit(directory.configHash);
    expect(report).toMatchObject({
      origin: directory.origin,
      size: 302,
      entries: 302,
      transitions: 301,
      changes: 601,
      labels: 600,
      // Level 0: one full, one partial; level 1: one partial.
      tiles: 3,
      fault: undefined,
    });
    expect(report.witnesses.map(({ name }) => name)).toEqual([
      "w0.example",
      "w1.example",
      "w2.example",
      "w0.example/latchkey-map",
      "w1.example/latchkey-map",
      "w2.example/latchkey-map",
    ]);
    expect(report.newestMs - report.firstMs).toBe(301_000);
  });

  test("names the first entry, transition or tile that is not as it must be", async () => {
    for (let entry = 0; entry < 40; entry++) await publish(2);
    const { fault: none } = await audit();
    expect(none).toBeUndefined();
    const flip = (bytes: Uint8Array, at: number): Uint8Array => bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));
    const faultWith = async (path: string, bytes: Uint8Array | undefined): Promise<AuditReport["fault"]> => {
      log.replaced.set(path, bytes);
      const { fault } = await audit();
      log.replaced.clear();
      return fault;
    };
    const entries = await directory.fetchTile("tile/entries/000.p/41");
    expect(await faultWith("transition/17", flip(directory.transitions()[17] ?? new Uint8Array(0), 60))).toMatchObject({
      where: "entry 17",
      rule: "D-3",
    });
    expect(await faultWith("transition/18", undefined)).toMatchObject({ where: "entry 18", rule: "C2SP tlog-tiles" });
    expect(await faultWith("tile/entries/000.p/41", flip(entries, entries.length - 60))).toMatchObject({ rule: "D-3" });
    expect(await faultWith("tile/entries/000.p/41", entries.slice(0, -1))).toMatchObject({ rule: "C2SP tlog-tiles" });
    expect(await faultWith("tile/0/000.p/41", flip(await directory.fetchTile("tile/0/000.p/41"), 99))).toMatchObject({
      where: "tile of level 0, number 0",
    });
    expect(await faultWith("config", (await createMemoryDirectory({ witnesses: 0 })).config)).toMatchObject({
      where: "config",
      rule: "D-2",
    });
    const { checkpoint } = await directory.head();
    expect(await faultWith("checkpoint", flip(checkpoint, 30))).toMatchObject({ rule: expect.any(String) });
    const stolen = directory.fork();
    stolen.signWith(random(32));
    expect(await faultWith("checkpoint", (await stolen.head()).checkpoint)).toMatchObject({
      where: "checkpoint",
      rule: "C2SP tlog-checkpoint",
    });
    expect((await audit(random(32))).fault).toMatchObject({ where: "config", rule: "D-2" });
  });

  test("[D-3] a checkpoint that too few witnesses cosigned, or too long ago, does not hold", async () => {
    const { checkpoint } = await directory.head();
    const served = async (note: Uint8Array, nowMs = directory.nowMs()): Promise<AuditReport> => {
      log.replaced.set("checkpoint", note);
      const report = await auditDirectory({ source: httpLogSource({ serverUrl: log.url, timeoutMs: 5000 }), nowMs });
      log.replaced.clear();
      return report;
    };
    const { checkpoint: one } = await directory.head({ log: [0], map: [] });
    const report = await served(one);
    expect(report.entries).toBe(report.size);
    expect(report).toMatchObject({
      witnesses: [{ name: "w0.example" }],
      fault: {
        where: "checkpoint",
        rule: "D-3",
        message: expect.stringMatching(/^the quorum is not met: 1 of the 2 witnesses of the log /),
      },
    });
    const { checkpoint: noMap } = await directory.head({ map: [1] });
    expect((await served(noMap)).fault).toMatchObject({ message: expect.stringMatching(/: 1 of the 2 witnesses of the map /) });
    expect((await served(checkpoint)).fault).toBeUndefined();
    expect((await served(checkpoint, directory.nowMs() + 90_000_000)).fault).toMatchObject({
      message: expect.stringMatching(/: 0 of the 2 witnesses of the log /),
    });
  });

  test("a key that was swapped and put back within one consistent log is found (A3, A14)", async () => {
    await publish(2);
    const before = directory.entries().at(-1) ?? new Uint8Array(0);
    const transition = directory.transitions().at(-1);
    await publish(1);
    await directory.publishRaw(before, transition);
    expect((await audit()).fault).toMatchObject({ where: "entry 3", rule: "D-3" });
  });

  test("[E-54] another log key counts by heads that the old witnesses cosigned seven days apart, and not by the log's own dates", async () => {
    await publish(2);
    const logSeed = random(32);
    const dayMs = 86_400_000;
    await directory.publish([], { config: directory.changedConfig({ logSeed }) });
    const [index, from] = [directory.size() - 1, directory.size()];
    const first = await directory.head();
    // The log dates its next entry eight days later.
    directory.setTime(directory.nowMs() + 8 * dayMs);
    await publish(1);
    const entry = directory.entries()[index] ?? new Uint8Array(0);
    const change = async (cosignedMs: number): Promise<Uint8Array> => {
      const last = await directory.head({ cosignedMs });
      const [inclusion, consistency] = [await directory.inclusion(index, from), await directory.consistency(from)];
      return encode(configChangeCodec, { format: 2, index, entry, inclusion, first, last, consistency, ext: new Uint8Array(0) });
    };
    const auditNow = (): Promise<AuditReport> =>
      auditDirectory({ source: httpLogSource({ serverUrl: log.url, timeoutMs: 5000 }), nowMs: directory.nowMs() });
    const oldKey = await auditNow();
    expect(oldKey).toMatchObject({ fault: undefined, newestConfigIndex: index, configIndex: 0 });
    const early = await change(directory.nowMs() - 7 * dayMs);
    const whole = await change(directory.nowMs());
    const byNewKey = async (served: Uint8Array | undefined): Promise<AuditReport> => {
      const next = directory.fork();
      next.signWith(logSeed);
      log.replaced.set("checkpoint", (await next.head()).checkpoint);
      log.replaced.set(`config-change/${String(index)}`, served);
      return await auditNow();
    };
    for (const served of [undefined, early]) {
      expect(await byNewKey(served)).toMatchObject({ configIndex: 0, fault: { where: "checkpoint", rule: "C2SP tlog-checkpoint" } });
    }
    expect(await byNewKey(whole)).toMatchObject({ configIndex: index, fault: undefined });
    // Heads of another log of the same key: they are not those of this one.
    const other = directory.fork();
    await other.publish([]);
    const stays = directory;
    directory = other;
    const elsewhere = await change(directory.nowMs());
    directory = stays;
    await publish(3);
    expect(await byNewKey(elsewhere)).toMatchObject({ fault: { where: `config change ${String(index)}` } });
  });

  test("a server that does not answer is no fault of the log", async () => {
    await log[Symbol.asyncDispose]();
    await expect(audit()).rejects.toMatchObject({ code: "unreachable" });
    log = await startLogServer(directory);
  });
});
