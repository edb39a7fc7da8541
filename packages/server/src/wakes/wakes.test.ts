import { decode } from "@latchkey/codec";
import { createFakeClock } from "@latchkey/testkit";
import { wakeKeysCodec } from "@latchkey/protocol/wakes";
import type { WakeKeys } from "@latchkey/protocol/wakes";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { isPublicAddress } from "../addresses.ts";
import { TargetLimits } from "../admission/targets.ts";
import { defaultLimits } from "../config.ts";
import type { ServerContext } from "../config.ts";
import { createCounters } from "../metrics.ts";
import { random, readMetrics, runServer, temporaryDirectory } from "../testing/fixtures.ts";
import { readVapid, sealTestWakeToken, startPushService } from "../testing/push-service.ts";
import type { TestPushService } from "../testing/push-service.ts";
import { TestClient } from "../testing/test-client.ts";
import { knownPushServices, openPushDoor } from "./push-door.ts";
import { WakeKeyring } from "./wake-keyring.ts";
import { WakeService } from "./wake-service.ts";

const day = 86_400_000;

async function pushService(): Promise<TestPushService> {
  const service = await startPushService();
  onTestFinished(() => service.close());
  return service;
}

async function keysOf(url: string): Promise<WakeKeys> {
  const lookup = await TestClient.connect(url, "lookup");
  const answer = await lookup.ask({ kind: "lookup_operator", name: "wake", knownValues: 0, knownSize: 0 });
  if (answer.kind !== "operator_value") throw new Error(answer.kind);
  return decode(wakeKeysCodec, answer.value[0] ?? new Uint8Array());
}

/** A service by a clock of its own, whose way out is this function. */
function alone(send: (endpoint: string) => Promise<{ status: number; retryAfterMs: number }>, services = ["push.example"], most?: number) {
  const clock = createFakeClock();
  const counters = createCounters();
  const keyring = new WakeKeyring(new Uint8Array(32).fill(7));
  // Of the whole context it reads the host and the clocks.
  const context = { host: "chat.example", nowMs: clock.now, elapsedMs: clock.now } as ServerContext;
  const parts = {
    keyring,
    services,
    send,
    labels: { publish: async () => undefined },
    targets: new TargetLimits(defaultLimits.targets, clock.now),
    counters,
    context,
    setTimer: clock.schedule,
  };
  const wakes = new WakeService(parts, most);
  const token = (endpoint = "https://push.example/a", tokenId = random(16), notAfterMs = clock.now() + day): Promise<Uint8Array> =>
    sealTestWakeToken({ host: "chat.example", publicKey: keyring.publicKey, endpoint, tokenId, notAfterMs });
  return { clock, counters, keyring, wakes, token };
}

/** What was begun is done. */
const settled = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 5));

describe("[W-1] wakes", () => {
  test("a token is opened and its push service asked, with nothing in it, by RFC 8030 and RFC 8292; nothing is stored", async () => {
    const service = await pushService();
    const door = openPushDoor({ isPublicOnly: false, ca: service.ca });
    onTestFinished(() => door.close());
    const dataDirectory = temporaryDirectory();
    const server = await runServer({ dataDirectory, pushServices: [service.host] }, { push: door.send });
    const keys = await keysOf(server.url);
    expect(keys.services).toEqual([service.host]);
    const post = await TestClient.connect(server.url, "post");
    const endpoint = `https://${service.host}/p/secret-endpoint`;
    const token = await sealTestWakeToken({ host: server.host, publicKey: keys.publicKey, endpoint, notAfterMs: Date.now() + day });
    expect(await post.ask({ kind: "wake", token })).toEqual({ kind: "done" });
    const { path, bytes, headers } = await service.next();
    expect([path, bytes]).toEqual(["/p/secret-endpoint", 0]);
    expect(headers).toMatchObject({ ttl: "86400", urgency: "high", topic: "latchkey", "content-length": "0" });
    const { claims, key } = readVapid(headers.authorization ?? "");
    expect([...key]).toEqual([...keys.vapidKey]);
    expect(claims).toMatchObject({ aud: `https://${service.host}`, sub: `https://${server.host}` });
    expect(claims.exp * 1000).toBeGreaterThan(Date.now());
    expect(claims.exp * 1000).toBeLessThan(Date.now() + day);
    await expect.poll(() => readMetrics(server), { timeout: 30_000 }).toContain('latchkey_wakes_total{outcome="taken"} 1');
    const stored = readdirSync(dataDirectory, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
    for (const one of stored) expect(readFileSync(join(one.parentPath, one.name)).includes("secret-endpoint"), one.name).toBe(false);
  });

  test("the keys are the same after a restart, and another server's are others", async () => {
    const dataDirectory = temporaryDirectory();
    const first = await runServer({ dataDirectory });
    const keys = await keysOf(first.url);
    expect(keys.services).toEqual(knownPushServices);
    await first.close();
    expect(await keysOf((await runServer({ dataDirectory })).url)).toEqual(keys);
    expect((await keysOf((await runServer()).url)).publicKey).not.toEqual(keys.publicKey);
  });

  test("an operator who names no push service wakes nobody", async () => {
    const server = await runServer({ pushServices: [] });
    expect((await keysOf(server.url)).services).toEqual([]);
    const { wakes, token, counters } = alone(() => Promise.reject(new Error("asked")), []);
    wakes.wake(await token());
    expect(counters.wakes).toEqual(new Map());
  });

  test("tokens that are no token, changed, of another host, over, or too far ahead are answered alike, and nobody is asked", async () => {
    const asked: string[] = [];
    const { clock, counters, keyring, wakes, token } = alone(async (endpoint) => {
      asked.push(endpoint);
      return { status: 201, retryAfterMs: 0 };
    });
    const good = await token();
    const { publicKey } = keyring;
    const endpoint = "https://push.example/a";
    const bad = [
      new Uint8Array(0),
      random(200),
      ...[3, 20, 30, 60, good.length - 1].map((at) => good.with(at, (good[at] ?? 0) ^ 1)),
      good.subarray(0, -1),
      await token(endpoint, random(16), clock.now() - 1),
      await token(endpoint, random(16), clock.now() + 9 * day),
      await sealTestWakeToken({ host: "other.example", publicKey, endpoint, notAfterMs: clock.now() + day }),
    ];
    for (const one of bad) wakes.wake(one);
    await settled();
    expect([asked, counters.wakes]).toEqual([[], new Map([["refused", bad.length]])]);
    wakes.wake(good);
    expect(asked).toEqual([endpoint]);
  });

  test("a token leads to push services that the operator named, over https, and to nothing else", async () => {
    const asked: string[] = [];
    const { wakes, token } = alone(
      async (endpoint) => {
        asked.push(endpoint);
        return { status: 201, retryAfterMs: 0 };
      },
      ["push.example", "*.windows.example"],
    );
    const elsewhere = [
      "http://push.example/a",
      "https://push.example:8443/a",
      "https://user@push.example/a",
      "https://push.example.evil.example/a",
      "https://evil.example/push.example",
      "https://evilwindows.example/a",
      "https://windows.example/a",
      "https://127.0.0.1/a",
      "https://[::1]/a",
      "https://169.254.169.254/latest/meta-data",
      "file:///etc/passwd",
      "push.example",
    ];
    for (const one of elsewhere) wakes.wake(await token(one));
    await settled();
    expect(asked).toEqual([]);
    wakes.wake(await token("https://db5.windows.example/w/?token=x"));
    expect(asked).toEqual(["https://db5.windows.example/w/?token=x"]);
  });

  test("a device is woken at once and then every five seconds at most, and what came meanwhile wakes it once more", async () => {
    const asked: number[] = [];
    const { clock, wakes, token } = alone(async () => {
      asked.push(clock.now());
      return { status: 201, retryAfterMs: 0 };
    });
    const startMs = clock.now();
    for (let i = 0; i < 20; i++) wakes.wake(await token());
    await settled();
    expect(asked.map((ms) => ms - startMs)).toEqual([0]);
    clock.advance(5000);
    await settled();
    clock.advance(60_000);
    expect(asked.map((ms) => ms - startMs)).toEqual([0, 5000]);
    wakes.wake(await token());
    expect(asked).toHaveLength(3);
    wakes.wake(await token());
    wakes.close();
    clock.advance(60_000);
    expect(asked).toHaveLength(3);
  });

  test("whoever shows one token without end wakes its device 30 times, then once in 100 seconds, and keeps nobody else's from it", async () => {
    let asked = 0;
    const { clock, counters, wakes, token } = alone(async () => {
      asked += 1;
      return { status: 201, retryAfterMs: 0 };
    });
    const one = await token();
    for (let i = 0; i < 600; i++) {
      wakes.wake(one);
      await settled();
      clock.advance(6000);
    }
    // An hour: 30 and then 35 of them.
    expect(asked).toBe(65);
    expect(counters.wakes.get("too_often")).toBe(535);
    wakes.wake(await token());
    expect(asked).toBe(66);
  });

  test("a push service that asks for peace has it, an hour at most, and a device that is gone is not asked for", async () => {
    let answer = { status: 429, retryAfterMs: 60_000 };
    const asked: number[] = [];
    const { clock, counters, wakes, token } = alone(async () => {
      asked.push(clock.now());
      return answer;
    });
    const startMs = clock.now();
    const wake = async (): Promise<void> => {
      wakes.wake(await token());
      await settled();
    };
    await wake();
    await wake();
    clock.advance(59_999);
    expect(asked).toHaveLength(1);
    answer = { status: 410, retryAfterMs: 0 };
    clock.advance(1);
    await settled();
    await wake();
    clock.advance(3_599_999);
    expect(asked.map((ms) => ms - startMs)).toEqual([0, 60_000]);
    expect(counters.wakes).toEqual(
      new Map([
        ["status_429", 1],
        ["status_410", 1],
        ["gone", 1],
      ]),
    );
  });

  test("while a push service rests none of its devices is asked for, those of another are; those that waited are then", async () => {
    const asked: string[] = [];
    const { clock, wakes, token } = alone(
      async (endpoint) => {
        asked.push(endpoint);
        return { status: asked.length === 1 ? 429 : 201, retryAfterMs: asked.length === 1 ? 60_000 : 0 };
      },
      ["push.example", "other.example"],
    );
    const [one, two, elsewhere] = ["https://push.example/1", "https://push.example/2", "https://other.example/1"];
    for (const endpoint of [one, two, elsewhere]) {
      wakes.wake(await token(endpoint));
      await settled();
    }
    expect(asked).toEqual([one, elsewhere]);
    clock.advance(60_000);
    await settled();
    expect(asked).toEqual([one, elsewhere, two]);
  });

  test("devices that somebody made up keep no place from those that are there, and are told of to who counts them", async () => {
    const asked: string[] = [];
    const { wakes, token } = alone(
      async (endpoint) => {
        asked.push(endpoint);
        return { status: endpoint.endsWith("/there") ? 201 : 404, retryAfterMs: 0 };
      },
      ["push.example"],
      2,
    );
    let bad = 0;
    for (let made = 0; made < 5; made++) {
      wakes.wake(await token(`https://push.example/${String(made)}`), () => (bad += 1));
      await settled();
    }
    wakes.wake(await token("https://push.example/there"), () => (bad += 1));
    expect([asked.at(-1), bad]).toEqual(["https://push.example/there", 5]);
  });

  test("an address that shows made-up devices has fewer wakes left, and others as many as before", async () => {
    const server = await runServer({ pushServices: ["push.example"] }, { push: async () => ({ status: 410, retryAfterMs: 0 }) });
    const keys = await keysOf(server.url);
    const post = await TestClient.connect(server.url, "post");
    const show = async (path: string): Promise<string> => {
      const endpoint = `https://push.example/${path}`;
      const token = await sealTestWakeToken({ host: server.host, publicKey: keys.publicKey, endpoint, notAfterMs: Date.now() + day });
      const answer = await post.ask({ kind: "wake", token });
      await settled();
      return answer.kind === "error" ? answer.code : answer.kind;
    };
    const answers: string[] = [];
    for (let made = 0; made < 100 && answers.at(-1) !== "rate_limited"; made++) answers.push(await show(String(made)));
    expect(answers.at(-1)).toBe("rate_limited");
    expect(answers.length).toBeLessThan(70);
  });

  test("what answers with a redirect, without end, or not at all leads nowhere", async () => {
    const service = await pushService();
    const other = await pushService();
    const door = openPushDoor({ isPublicOnly: false, ca: service.ca });
    onTestFinished(() => door.close());
    service.answer(307, { location: `https://${other.host}/internal` });
    expect(await door.send(`https://${service.host}/a`, "vapid")).toEqual({ status: 307, retryAfterMs: 0 });
    expect(other.requests).toEqual([]);
    // A certificate that nobody vouches for.
    await expect(door.send(`https://${other.host}/a`, "vapid")).rejects.toThrow("certificate");
  });

  test("a known name that leads to this machine or a private network is not followed", async () => {
    const service = await pushService();
    const door = openPushDoor({ isPublicOnly: true, ca: service.ca });
    onTestFinished(() => door.close());
    await expect(door.send(`https://${service.host}/a`, "vapid")).rejects.toThrow("no public address");
    expect(service.requests).toEqual([]);
    const inside = "127.0.0.1 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 224.0.0.1 255.255.255.255";
    const insideV6 = ":: ::1 fd00::1 fe80::1 ff02::1 ::ffff:10.0.0.1 ::ffff:a00:1 64:ff9b::a00:1 nonsense";
    expect(`${inside} ${insideV6}`.split(" ").filter(isPublicAddress)).toEqual([]);
    expect(["8.8.8.8", "::ffff:8.8.8.8", "2a00:1450:4001::5"].every(isPublicAddress)).toBe(true);
  });
});
