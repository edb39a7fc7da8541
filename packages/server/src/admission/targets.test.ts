import { expect, test } from "vitest";
import { defaultLimits } from "../config.ts";
import { createLog, createTestLog, entryBytes, none, openLog, random, register, runServer, signCard, zeros } from "../testing/fixtures.ts";
import type { TestLog } from "../testing/fixtures.ts";
import { TestClient } from "../testing/test-client.ts";
import { TargetLimits } from "./targets.ts";

function message(log: TestLog, size = 512): { kind: "append"; logId: Uint8Array; epochId: 0; entryKind: "message"; blob: Uint8Array } {
  return { kind: "append", logId: log.logId, epochId: 0, entryKind: "message", blob: entryBytes(size) };
}

function count(outcomes: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const outcome of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

test("[L-13] a flood of one log comes to what one address may, on four connections, closed and opened again; a member elsewhere goes on", async () => {
  const targets = { ...defaultLimits.targets, append: { burst: 200, perSecond: 0.001 } };
  const server = await runServer({ limits: { targets }, trustProxy: "loopback" });
  const [alice, member] = [createTestLog(), await TestClient.connect(server.url, "log", { headers: { "x-forwarded-for": "203.0.113.1" } })];
  await createLog(member, alice);
  let accepted = 0;
  for (let round = 0; round < 2; round++) {
    const flood = await Promise.all(
      [1, 2].map(() => TestClient.connect(server.url, "log", { headers: { "x-forwarded-for": "203.0.113.9" } })),
    );
    for (const each of flood) await openLog(each, alice);
    const outcomes = await Promise.all(flood.flatMap((each) => Array.from({ length: 150 }, () => each.outcome(message(alice)))));
    accepted += count(outcomes)["accepted"] ?? 0;
    for (const each of flood) await each.close();
  }
  // Two of each connection's own.
  expect(accepted).toBe(200 + 4 * 2);
  expect(await member.outcome(message(alice))).toBe("accepted");
});

test("[L-13] addresses that use up what a log takes of all leave everybody some of their own", () => {
  const targets = new TargetLimits(
    { ...defaultLimits.targets, appendInAll: { burst: 10, perSecond: 0 }, appendLeast: { burst: 2, perSecond: 0 } },
    () => 0,
  );
  const accepted = (address: string, times: number): number => {
    let taken = 0;
    // A new stream each time, as who opens again has.
    for (let at = 0; at < times; at++) if (targets.appends("log", { address }).take(0) === 0) taken += 1;
    return taken;
  };
  expect(accepted("203.0.113.1", 100)).toBe(12);
  expect(accepted("203.0.113.2", 100)).toBe(2);
  expect(accepted("203.0.113.3", 1)).toBe(1);
  // All networks of one line are few addresses, not 256.
  const lines = Array.from({ length: 256 }, (_, at) => accepted(`2001:db8:0:${at.toString(16)}::/64`, 2));
  expect(lines.reduce((sum, each) => sum + each, 0)).toBe(4);
});

test("strangers that use up what an inbox takes of all leave every other address a few items", () => {
  const rates = { strangerPostInAll: { burst: 10, perSecond: 0 }, strangerPostLeast: { burst: 2, perSecond: 0 } };
  const targets = new TargetLimits({ ...defaultLimits.targets, ...rates }, () => 0);
  const accepted = (address: string): number => {
    for (let taken = 0; taken < 50; taken++) {
      try {
        targets.post("strangers", zeros, { address });
      } catch {
        return taken;
      }
    }
    return Infinity;
  };
  expect(["203.0.113.1", "203.0.113.2", "203.0.113.3"].map(accepted)).toEqual([12, 2, 2]);
});

test("bytes: one connection and one address store so many, then so many a second, and nobody else waits", async () => {
  const limits = {
    connectionBytes: { burst: 300_000, perSecond: 1 },
    rates: { ...defaultLimits.rates, storeBytes: { burst: 500_000, perSecond: 1 } },
  };
  const server = await runServer({ limits, trustProxy: "loopback" });
  const log = createTestLog();
  const connect = (address: string): Promise<TestClient<"log">> =>
    TestClient.connect(server.url, "log", { headers: { "x-forwarded-for": address } });
  const [one, two, other] = [await connect("203.0.113.9"), await connect("203.0.113.9"), await connect("203.0.113.1")];
  await createLog(one, log);
  for (const each of [two, other]) await openLog(each, log);
  const write = async (client: TestClient<"log">): Promise<number> => {
    let bytes = 0;
    while ((await client.outcome(message(log, 50_000))) === "accepted") bytes += 50_000;
    return bytes;
  };
  expect(await write(one)).toBe(300_000);
  expect(await write(two)).toBe(200_000);
  expect(await other.outcome(message(log, 50_000))).toBe("accepted");
});

test("blobs that the entries of one log keep are so many bytes, whoever names them", async () => {
  const targets = { ...defaultLimits.targets, blobBytes: { burst: 1_000_000, perSecond: 1 } };
  const server = await runServer({ limits: { targets } });
  const client = await TestClient.connect(server.url, "log");
  const [log, other] = [createTestLog(), createTestLog()];
  for (const each of [log, other]) await createLog(client, each);
  const naming = (into: TestLog) => ({
    ...message(into),
    blob: entryBytes(512, [{ blobId: random(32), hash: random(32), sizeBytes: 900_000 }]),
  });
  // There is no such blob, which the store would say: the log's budget is asked first.
  expect([await client.outcome(naming(log)), await client.outcome(naming(log)), await client.outcome(naming(log))]).toEqual([
    "unknown_blob",
    "unknown_blob",
    "rate_limited",
  ]);
  expect(await client.outcome(naming(other))).toBe("unknown_blob");
  expect(await client.outcome(message(log))).toBe("accepted");
});

test("files that a log keeps count apart: one that uses up their budget holds up no picture and no commit in a blob", () => {
  const rates = { blobBytes: { burst: 10_000_000, perSecond: 1 }, fileBytes: { burst: 100_000_000, perSecond: 1 } };
  const targets = new TargetLimits({ ...defaultLimits.targets, ...rates }, () => 0);
  const isTaken = (sizes: readonly number[], log = "log"): boolean => targets.blobsWaitMs(log, sizes) === 0;
  expect(isTaken([2_147_483_648])).toBe(true);
  expect(isTaken([4_194_305])).toBe(false);
  expect(isTaken([4_194_304])).toBe(true);
  // Who names both waits for both.
  expect(isTaken([4_194_304, 4_194_305])).toBe(false);
  expect(isTaken([4_194_304, 4_194_304, 4_194_304])).toBe(true);
  expect(isTaken([1])).toBe(false);
  expect(isTaken([4_194_305, 1], "another")).toBe(true);
});

test("[I-1] one stranger fills a little of an inbox; another one, and a contact, still get through", async () => {
  const server = await runServer({ trustProxy: "loopback" });
  const { account, client } = await register(server, "alice");
  const inboxId = random(32);
  await client.outcome({ kind: "card", card: await signCard(account.device, inboxId) });
  const post = (from: TestClient<"post">): Promise<string> =>
    from.outcome({ kind: "post", inboxId, capability: zeros, blob: random(600), token: none });
  const flood = await TestClient.connect(server.url, "post", { headers: { "x-forwarded-for": "203.0.113.9" } });
  const outcomes = await Promise.all(Array.from({ length: 1000 }, () => post(flood)));
  const { strangerPost } = defaultLimits.targets;
  expect(count(outcomes)["done"]).toBeLessThanOrEqual(strangerPost.burst + 2);
  expect(await post(await TestClient.connect(server.url, "post", { headers: { "x-forwarded-for": "203.0.113.1" } }))).toBe("done");
});

test("[A-5] one stranger takes a few of a device's key packages, and then the last-resort one; others still get their own", async () => {
  const server = await runServer({ trustProxy: "loopback" });
  const { account, client } = await register(server, "alice");
  await client.outcome({ kind: "card", card: await signCard(account.device, random(32)) });
  const notAfterMs = Date.now() + 20 * 86_400_000;
  const oneTime = {
    kind: "publish_key_packages",
    lastResort: false,
    notAfterMs,
    keyPackages: Array.from({ length: 50 }, () => random(300)),
  } as const;
  await client.outcome(oneTime);
  await client.outcome({ ...oneTime, keyPackages: Array.from({ length: 50 }, () => random(300)) });
  const { accountId, device } = account;
  const take = async (from: TestClient<"lookup">): Promise<string> => {
    const reply = await from.ask({ kind: "take_key_package", accountId, deviceId: device.deviceId, token: none });
    if (reply.kind === "error") return reply.code;
    return reply.kind === "key_package" && reply.lastResort ? "last resort" : "one time";
  };
  const mallory = await TestClient.connect(server.url, "lookup", { headers: { "x-forwarded-for": "203.0.113.9" } });
  const { burst } = defaultLimits.targets.takeKeyPackage;
  expect(count(await Promise.all(Array.from({ length: burst + 1 }, () => take(mallory))))).toEqual({ "one time": burst, rate_limited: 1 });
  await client.outcome({ ...oneTime, lastResort: true, keyPackages: [random(300)] });
  expect(count(await Promise.all(Array.from({ length: 100 }, () => take(mallory))))).toEqual({ "last resort": 100 });
  const bob = await TestClient.connect(server.url, "lookup", { headers: { "x-forwarded-for": "203.0.113.1" } });
  expect(await take(bob)).toBe("one time");
});
