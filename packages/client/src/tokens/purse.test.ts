import { decode, encode } from "@latchkey/codec";
import { issuedTokenCodec, tokenAuthenticator, tokenInput, tokenKeyId, tokenKeysCodec, tokenRealms } from "@latchkey/protocol/tokens";
import type { Token, TokenOperation } from "@latchkey/protocol/tokens";
import { ristretto255_oprf } from "@noble/curves/ed25519.js";
import { expect, test } from "vitest";
import { createDirectory } from "../account/directory.ts";
import { createFakeDirectory } from "../account/fake-directory.testing.ts";
import type { Platform } from "../platform/platform.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import type { Store } from "../store/store.ts";
import { createConnections } from "../transport/connection-manager.ts";
import type { RoleConnection } from "../transport/connection.ts";
import { createFakeServer } from "../transport/fake-server.testing.ts";
import type { FakeBody } from "../transport/fake-server.testing.ts";
import { Purse } from "./purse.ts";

const { voprf } = ristretto255_oprf;
// It is there, and missing in the types.
const { evaluate } = voprf as unknown as { evaluate(secretKey: Uint8Array, input: Uint8Array): Uint8Array };
const dayMs = 86_400_000;
const target = new Uint8Array(32).fill(7);
type Key = ReturnType<typeof voprf.generateKeyPair>;

/** A server that gives out tokens, honest unless a test makes it lie, and a device that is connected to it. */
async function setUp(name: string) {
  const server = createFakeServer(name);
  const fake = createFakeDirectory(server);
  // Pauses are none here.
  const platform: Platform = {
    ...server.platform,
    setTimer(delayMs, run) {
      if (delayMs > 0) return server.platform.setTimer(delayMs, run);
      setImmediate(run);
      return () => undefined;
    },
  };
  const connections = createConnections({ platform, serverUrl: "https://chat.example" });
  const host = await connections.ownHost();
  const today = (): number => Math.floor(server.clock.now() / dayMs);
  const keys = new Map<number, Key>();
  const publish = async (from: number): Promise<void> => {
    const days = Array.from({ length: 4 }, (_, i) => from + i);
    for (const day of days) keys.set(day, keys.get(day) ?? voprf.generateKeyPair());
    const value = { format: 1, days: days.map((day) => ({ day, publicKey: keyOf(day).publicKey })), ext: new Uint8Array() } as const;
    await fake.publishOperator("tokens", encode(tokenKeysCodec, value));
  };
  const keyOf = (day: number): Key => {
    const key = keys.get(day);
    if (key === undefined) throw new Error("no key of that day");
    return key;
  };
  await publish(today());
  const lies: { day?: number; key?: Key; change?: (answer: FakeBody) => FakeBody } = {};
  const batches: number[] = [];
  const issue = (body: { readonly kind: string; readonly blinded?: readonly Uint8Array[] }): FakeBody => {
    const blinded = [...(body.blinded ?? [])];
    batches.push(blinded.length);
    const day = lies.day ?? today();
    const { secretKey, publicKey } = lies.key ?? keyOf(day);
    const { evaluated, proof } = voprf.blindEvaluateBatch(secretKey, publicKey, blinded);
    const answer: FakeBody = { kind: "tokens", day, evaluated, proof };
    return lies.change?.(answer) ?? answer;
  };
  // Of a device's connection the purse reads no more than what is here.
  const device = {
    host,
    closed: false,
    hello: { timeMs: 0 },
    helloAtMs: 0,
    request: async (body: Parameters<typeof issue>[0]) => issue(body),
  } as unknown as RoleConnection<"device">;
  const store = createMemoryStore();
  const purseOn = (on: Store = store, isConnected = true): Purse => {
    const { log } = createDirectory({ store: on, platform, connections });
    const purse = new Purse({ store: on, platform, connections, log });
    if (isConnected) purse.connected(device);
    return purse;
  };
  /** Whether the server would take a token for this. */
  const holds = (bytes: Uint8Array, operation: TokenOperation): boolean => {
    const token: Token = decode(issuedTokenCodec, bytes);
    return [...keys.values()].some(({ secretKey, publicKey }) => {
      const secret = evaluate(secretKey, tokenInput(tokenRealms[operation], token.nonce));
      const expected = tokenAuthenticator(secret, { redeemingHost: host, operation, target });
      return String(tokenKeyId(publicKey)) === String(token.keyId) && String(expected) === String(token.authenticator);
    });
  };
  const spent: Uint8Array[] = [];
  const spend = (purse: Purse, operation: TokenOperation, answer: (token: Uint8Array) => FakeBody = () => ({ kind: "done" })) =>
    purse.spend({ host, operation, target }, async (token) => {
      spent.push(token);
      return answer(token);
    });
  return { server, platform, fake, connections, lies, batches, keys, publish, today, store, device, purseOn, holds, spend, spent };
}

const refused = (code: string): FakeBody => ({ kind: "error", code, retryAfterMs: 0 });

test("[T-2] the first batch is small, each token is given away once and holds, and a later run goes on with what is left", async () => {
  const { purseOn, spend, spent, holds, batches, connections } = await setUp("purse");
  await purseOn().tend();
  const operations = ["create_log", "key_package", "stranger_post"] as const;
  for (const operation of operations) expect(await spend(purseOn(), operation)).toEqual({ kind: "done" });
  expect(operations.map((operation, i) => holds(spent[i] ?? target, operation))).toEqual([true, true, true]);
  expect(new Set(spent.map((token) => decode(issuedTokenCodec, token).nonce.join())).size).toBe(3);
  expect(batches).toEqual([8]);
  await connections.close();
});

test("[T-2] who has none is told so and gets some: asked again with one; spent or unknown ones are replaced", async () => {
  const { purseOn, spend, spent, holds, batches, connections } = await setUp("required");
  const purse = purseOn();
  const want = (token: Uint8Array): FakeBody => (token.length === 0 ? refused("token_required") : { kind: "done" });
  expect(await spend(purse, "create_log", want)).toEqual({ kind: "done" });
  expect(holds(spent.at(-1) ?? target, "create_log")).toBe(true);
  // All of a key that does not hold any more go, and others are got.
  let isFirst = true;
  const answer = await spend(purse, "create_log", () => {
    if (!isFirst) return { kind: "done" };
    isFirst = false;
    return refused("token_invalid");
  });
  expect(answer).toEqual({ kind: "done" });
  expect(batches).toEqual([8, 20]);
  // A server that takes none is not asked for ever.
  const before = spent.length;
  expect(await spend(purse, "stranger_post", () => refused("token_invalid"))).toMatchObject({ code: "token_invalid" });
  expect(spent.length - before).toBe(3);
  await connections.close();
});

test("[T-2] [E-151] a key of one's own, of another day, or a proof that does not hold: none of it is kept, and nothing is spent", async () => {
  const lies: ((made: Awaited<ReturnType<typeof setUp>>) => void)[] = [
    ({ lies: lie }) => (lie.key = voprf.generateKeyPair()),
    ({ lies: lie, today, keys }) => {
      lie.day = today() + 1;
      lie.key = keys.get(today() + 1) ?? voprf.generateKeyPair();
    },
    ({ lies: lie, keys, today }) => {
      lie.day = today() - 1;
      keys.set(today() - 1, voprf.generateKeyPair());
    },
    ({ lies: lie }) => (lie.change = (answer) => ({ ...answer, proof: new Uint8Array(64) })),
    ({ lies: lie }) => (lie.change = (answer) => ({ ...answer, evaluated: (answer["evaluated"] as Uint8Array[]).toReversed() })),
    ({ lies: lie }) => (lie.change = (answer) => ({ ...answer, evaluated: (answer["evaluated"] as Uint8Array[]).slice(1) })),
    ({ lies: lie }) => (lie.change = (answer) => ({ ...answer, evaluated: (answer["evaluated"] as Uint8Array[]).map(() => target) })),
  ];
  for (const [i, lie] of lies.entries()) {
    const made = await setUp(`lie ${String(i)}`);
    lie(made);
    const purse = made.purseOn();
    // By this device's clock another day is no day: one of both clocks is wrong.
    const code = i === 1 ? "clock_off" : "token_required";
    expect(await made.spend(purse, "create_log", () => refused("token_required"))).toMatchObject({ code });
    expect(made.spent).toEqual([new Uint8Array(0)]);
    // It is not asked again and again.
    expect(made.batches).toEqual([8]);
    await made.connections.close();
  }
});

test("[T-2] tokens of a key hold for its day and the next; the keys of later days are looked up when they come", async () => {
  const { server, purseOn, spend, spent, publish, today, batches, holds, connections } = await setUp("days");
  const purse = purseOn();
  await purse.tend();
  const first = today();
  server.clock.advance(dayMs);
  await spend(purse, "create_log");
  expect(batches).toEqual([8]);
  server.clock.advance(4 * dayMs);
  await publish(today());
  await purse.tend();
  await spend(purse, "create_log");
  expect(spent.map((token) => holds(token, "create_log"))).toEqual([true, true]);
  expect(batches).toEqual([8, 20]);
  expect(today()).toBe(first + 5);
  await connections.close();
});

test("[T-2] what the server refuses is not asked for again at once: it may be the day's last, or no server with tokens", async () => {
  const { purseOn, spend, spent, lies, batches, connections } = await setUp("refused");
  lies.change = () => refused("unsupported");
  const purse = purseOn();
  for (let i = 0; i < 3; i++) expect(await spend(purse, "stranger_post")).toEqual({ kind: "done" });
  expect(spent).toEqual([new Uint8Array(0), new Uint8Array(0), new Uint8Array(0)]);
  expect(batches).toEqual([8]);
  await connections.close();
});

test("[T-2] an act that comes before the device is connected waits for that, and not for ever", async () => {
  const { server, purseOn, spend, spent, device, store, holds, connections } = await setUp("early");
  const purse = purseOn(store, false);
  const want = (token: Uint8Array): FakeBody => {
    // Asked without, and then connected.
    if (token.length === 0) setImmediate(() => purse.connected(device));
    return token.length === 0 ? refused("token_required") : { kind: "done" };
  };
  expect(await spend(purse, "knock", want)).toEqual({ kind: "done" });
  expect(holds(spent.at(-1) ?? target, "knock")).toBe(true);
  const offline = purseOn(createMemoryStore(), false);
  const waits = spend(offline, "knock", () => {
    // Nobody connects within ten seconds of its clock.
    setImmediate(() => setImmediate(() => server.clock.advance(11_000)));
    return refused("token_required");
  });
  expect(await waits).toMatchObject({ code: "token_required" });
  await connections.close();
});

test("[T-2] by a clock that is days off, of which its person is told, the server's day is today", async () => {
  const made = await setUp("days off");
  const off: Platform = { ...made.platform, nowMs: () => made.platform.nowMs() + 3 * dayMs };
  const connections = createConnections({ platform: off, serverUrl: "https://chat.example" });
  const { log } = createDirectory({ store: createMemoryStore(), platform: off, connections });
  const purse = new Purse({ store: createMemoryStore(), platform: off, connections, log });
  // Its clock was set wrong when it was connected already.
  purse.connected(made.device);
  const want = (token: Uint8Array): FakeBody => (token.length === 0 ? refused("token_required") : { kind: "done" });
  expect(await made.spend(purse, "create_log", want)).toEqual({ kind: "done" });
  expect(made.holds(made.spent.at(-1) ?? target, "create_log")).toBe(true);
  await Promise.all([connections.close(), made.connections.close()]);
});

test("[T-2] of a day's last tokens there are fewer than a batch: they are got all the same", async () => {
  const { purseOn, spend, spent, lies, batches, holds, connections } = await setUp("last");
  lies.change = (answer) => ((batches.at(-1) ?? 0) > 3 ? { ...refused("rate_limited"), retryAfterMs: 600_000 } : answer);
  expect(await spend(purseOn(), "create_log")).toEqual({ kind: "done" });
  expect(batches.slice(0, 3)).toEqual([8, 4, 2]);
  expect(spent.map((token) => holds(token, "create_log"))).toEqual([true]);
  await connections.close();
});

test("[T-2] where too many ask at once whoever needs one waits the moment that the server names, and has one", async () => {
  const { server, purseOn, spend, spent, lies, batches, holds, connections } = await setUp("busy");
  lies.change = (answer) => (batches.length === 1 ? { ...refused("rate_limited"), retryAfterMs: 1000 } : answer);
  const want = (token: Uint8Array): FakeBody => {
    if (token.length === 0) setImmediate(() => server.clock.advance(1000));
    return token.length === 0 ? refused("token_required") : { kind: "done" };
  };
  expect(await spend(purseOn(), "knock", want)).toEqual({ kind: "done" });
  expect([batches.length, holds(spent.at(-1) ?? target, "knock")]).toEqual([2, true]);
  await connections.close();
});

test("[T-2] a server that had no tokens and asks for one gives some out: they are got at once, and never in a circle", async () => {
  const { purseOn, spend, spent, lies, batches, holds, connections } = await setUp("turned on");
  lies.change = () => refused("unsupported");
  const purse = purseOn();
  expect(await spend(purse, "knock")).toEqual({ kind: "done" });
  const want = (token: Uint8Array): FakeBody => (token.length === 0 ? refused("token_required") : { kind: "done" });
  expect(await spend(purse, "knock", want)).toMatchObject({ code: "token_required" });
  expect(batches.length).toBe(3);
  lies.change = (answer) => answer;
  expect(await spend(purse, "knock", want)).toEqual({ kind: "done" });
  expect(holds(spent.at(-1) ?? target, "knock")).toBe(true);
  await connections.close();

  // Whoever was refused by a clock that was days ahead does not wait for its time.
  const other = await setUp("set back");
  other.lies.change = () => refused("account_suspended");
  const early = other.purseOn();
  await early.tend();
  other.lies.change = (answer) => answer;
  other.server.clock.advance(-2 * dayMs);
  await early.tend();
  expect(other.batches).toEqual([8, 8]);
  await other.connections.close();
});

test("[T-2] [E-151] what was said of a day first counts: another key for it, in the record of everybody, is none, also after a restart", async () => {
  const { purseOn, spend, spent, keys, today, publish, batches, connections } = await setUp("another key");
  await purseOn().tend();
  const known = keys.get(today());
  keys.delete(today());
  await publish(today());
  const want = (token: Uint8Array): FakeBody => (token.length === 0 ? refused("token_required") : refused("token_invalid"));
  // Those of the first key are none for this server now, and of the other none are taken.
  const purse = purseOn();
  expect(await spend(purse, "create_log", want)).toMatchObject({ code: "token_required" });
  expect([spent.length, batches]).toEqual([2, [8, 8]]);
  expect(keys.get(today())?.publicKey).not.toEqual(known?.publicKey);
  await connections.close();
});

test("[T-2] while the key cannot be proven none are asked for, which would be counted", async () => {
  const { server, purseOn, spend, batches, connections } = await setUp("unproven");
  const { respond } = server;
  server.respond = (connection, body) => (body.kind === "lookup_operator" ? refused("internal") : respond(connection, body));
  const purse = purseOn();
  expect(await spend(purse, "create_log", () => refused("token_required"))).toMatchObject({ code: "token_required" });
  expect(batches).toEqual([]);
  server.respond = respond;
  expect(await spend(purse, "create_log")).toEqual({ kind: "done" });
  expect(batches).toEqual([8]);
  await connections.close();
});

test("[T-2] whoever comes by a busy link leaves the person their share, and the day's last, which their other devices have too", async () => {
  const { purseOn, spend, holds, spent, lies, batches, connections } = await setUp("share");
  const perDay = 150;
  let given = 0;
  lies.change = (answer) => {
    const count = (answer["evaluated"] as Uint8Array[]).length;
    if (given + count > perDay) return { kind: "error", code: "rate_limited", retryAfterMs: 3_600_000 };
    given += count;
    return answer;
  };
  const purse = purseOn();
  let letIn = 0;
  while (await purse.areSpare("stranger_post", 3)) {
    for (let i = 0; i < 3; i++) await spend(purse, i === 0 ? "key_package" : "stranger_post");
    letIn += 1;
  }
  expect([letIn, batches.slice(0, -1), batches.at(-1)]).toEqual([13, [8, 20, 20, 40, 40], 100]);
  expect(perDay - given).toBe(22);
  // More come, and get none; nor are any asked for again and again.
  for (let i = 0; i < 20; i++) expect(await purse.areSpare("stranger_post", 3)).toBe(false);
  expect(batches).toHaveLength(6);
  // What the person does goes on, to the day's last.
  spent.length = 0;
  for (let i = 0; i < 30; i++) await spend(purse, "stranger_post");
  expect(spent.every((token) => token.length > 0 && holds(token, "stranger_post"))).toBe(true);
  expect(perDay - given).toBeLessThan(22);
  await connections.close();
});

test("[T-2] where nothing costs a token somebody is let in by a link without one", async () => {
  const { purseOn, lies, batches, connections } = await setUp("free");
  lies.change = () => refused("unsupported");
  const purse = purseOn();
  for (let i = 0; i < 3; i++) expect(await purse.areSpare("stranger_post", 33)).toBe(true);
  expect(batches.length).toBeLessThan(3);
  await connections.close();
});
