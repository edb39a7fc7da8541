import { tokenKeyId } from "@latchkey/protocol/tokens";
import type { TokenOperation } from "@latchkey/protocol/tokens";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ristretto255_oprf } from "@noble/curves/ed25519.js";
import { expect, test } from "vitest";
import { defaultLimits } from "../config.ts";
import type { Rate, ServerContext, ServerLimits } from "../config.ts";
import { dayMs, dayOf } from "../days.ts";
import { StoreError } from "../errors.ts";
import type { RunningServer } from "../server.ts";
import { answer } from "../testing/ask-admin.ts";
import {
  connectDevice,
  createLog,
  createTestLog,
  isOnPostgres,
  none,
  openLog,
  random,
  register,
  runServer,
  signCard,
  temporaryDirectory,
  zeros,
} from "../testing/fixtures.ts";
import { Machine } from "../testing/machine.ts";
import { TestClient } from "../testing/test-client.ts";
import { getTokens, shownKeys, spend, take } from "../testing/token-purse.ts";
import type { OwnToken } from "../testing/token-purse.ts";
import { maxTokenWork, tokenCryptoHere } from "./token-crypto.ts";
import type { TokenCrypto } from "./token-crypto.ts";
import { IssuerKeys } from "./token-keys.ts";
import { TokenService } from "./token-service.ts";

const limits = { tokensPerDay: 20 };
const both = ["logs", "accounts"] as const;

/** A server that asks for tokens, one account with an inbox, and a purse of tokens. */
async function setUp(options: Parameters<typeof runServer>[0] = {}, parts: Parameters<typeof runServer>[1] = {}) {
  const server = await runServer({ limits, ...options }, parts);
  const [log, post, lookup] = await Promise.all([
    TestClient.connect(server.url, "log"),
    TestClient.connect(server.url, "post"),
    TestClient.connect(server.url, "lookup"),
  ]);
  const { account, client: device } = await register(server, "alice");
  const inboxId = random(32);
  await device.ask({ kind: "card", card: await signCard(account.device, inboxId) });
  const keys = await shownKeys(lookup);
  const purse = await getTokens(device, keys, [...both, ...both, ...both, "accounts"]);
  const paid = (operation: TokenOperation, target: Uint8Array, token: OwnToken = take(purse, operation)): Uint8Array =>
    spend(token, { host: server.host, operation, target });
  const create = (logId: Uint8Array, token: Uint8Array, accessHash = zeros): Promise<string> =>
    log.outcome({ kind: "create", logId, accessHash, token });
  const write = (blob: Uint8Array, token: Uint8Array): Promise<string> =>
    post.outcome({ kind: "post", inboxId, capability: zeros, blob, token });
  return { server, log, post, lookup, device, account, inboxId, keys, purse, paid, create, write };
}

test("[T-2] keys of today and the days ahead stand under the operator's label before any is used", async () => {
  const { lookup, keys, device } = await setUp();
  const today = dayOf(Date.now());
  const ahead = keys.days.filter(({ day }) => day >= today);
  expect(ahead.map(({ day }) => day)).toEqual(Array.from({ length: 10 }, (_, i) => today + i));
  expect(new Set(keys.days.map(({ publicKey }) => tokenKeyId(publicKey).join())).size).toBe(keys.days.length);
  await expect(getTokens(device, { ...keys, days: [{ day: today, publicKey: random(32) }] }, ["logs"])).rejects.toThrow();
  await expect(getTokens(device, { ...keys, days: keys.days.map((key) => ({ ...key, day: key.day + 1 })) }, ["logs"])).rejects.toThrow();
  expect(await lookup.outcome({ kind: "lookup_operator", name: "nothing", knownValues: 0, knownSize: 0 })).toBe("not_found");
});

test("[T-1] a log, a stranger's item, a link inbox and a knock cost one each, and go without it only where somebody may have no account", async () => {
  const { create, write, paid, post, inboxId } = await setUp();
  const logId = random(32);
  expect(await create(logId, paid("create_log", logId))).toBe("opened");
  const item = random(700);
  expect(await write(item, none)).toBe("token_required");
  expect(await write(item, paid("stranger_post", inboxId))).toBe("done");
  const linkId = random(32);
  const open = { kind: "open_link_inbox", linkId, readHash: random(32), key: random(1216), notAfterMs: Date.now() + dayMs } as const;
  expect(await post.outcome({ ...open, token: none })).toBe("token_required");
  expect(await post.outcome({ ...open, token: paid("link_inbox", linkId) })).toBe("done");
  const knock = { kind: "knock", linkId, blob: random(100) } as const;
  expect(await post.outcome({ ...knock, token: none })).toBe("token_required");
  expect(await post.outcome({ ...knock, token: paid("knock", linkId) })).toBe("done");
});

test("[T-1] spent is spent: with the same request it is a retry, with any other it is refused, also after a restart", async () => {
  const dataDirectory = temporaryDirectory();
  const first = await setUp({ dataDirectory, host: "tokens.example" });
  const [logId, otherId, item] = [random(32), random(32), random(900)];
  const logToken = take(first.purse, "create_log");
  const itemToken = take(first.purse, "stranger_post");
  const ofLog = first.paid("create_log", logId, logToken);
  const ofItem = first.paid("stranger_post", first.inboxId, itemToken);
  expect([await first.create(logId, ofLog), await first.create(logId, ofLog)]).toEqual(["opened", "opened"]);
  expect([await first.write(item, ofItem), await first.write(item, ofItem)]).toEqual(["done", "done"]);
  expect(await first.write(random(900), ofItem)).toBe("token_invalid");
  expect(await first.create(otherId, first.paid("create_log", otherId, logToken))).toBe("token_invalid");
  await first.server.close();

  const server = await runServer({ limits, dataDirectory, host: "tokens.example" });
  const [log, post] = [await TestClient.connect(server.url, "log"), await TestClient.connect(server.url, "post")];
  const create = (id: Uint8Array, token: Uint8Array) => log.outcome({ kind: "create", logId: id, accessHash: zeros, token });
  const write = (blob: Uint8Array) => post.outcome({ kind: "post", inboxId: first.inboxId, capability: zeros, blob, token: ofItem });
  expect(await create(logId, ofLog)).toBe("opened");
  expect(await create(otherId, first.paid("create_log", otherId, logToken))).toBe("token_invalid");
  expect([await write(item), await write(random(900))]).toEqual(["done", "token_invalid"]);
  // What was not spent holds after it.
  expect(await create(otherId, first.paid("create_log", otherId))).toBe("opened");
});

test("[T-1] what failed spent nothing, and of many at once with one token one comes through", async () => {
  const { create, paid, purse, write, inboxId, post } = await setUp();
  const [logId, token] = [random(32), take(purse, "create_log")];
  expect(await create(logId, none)).toBe("opened");
  expect(await create(logId, paid("create_log", logId, token), random(32))).toBe("log_exists");
  expect(await create(logId, paid("create_log", logId, token), random(32))).toBe("log_exists");
  const one = take(purse, "stranger_post");
  const unknown = random(32);
  const elsewhere = { kind: "post", inboxId: unknown, capability: zeros, blob: random(600) } as const;
  expect(await post.outcome({ ...elsewhere, token: paid("stranger_post", unknown, one) })).toBe("not_found");
  const many = take(purse, "stranger_post");
  const outcomes = await Promise.all(Array.from({ length: 12 }, () => write(random(600), paid("stranger_post", inboxId, many))));
  expect(outcomes.toSorted()).toEqual(["done", ...Array.from({ length: 11 }, () => "token_invalid")]);
});

test("[T-1] [E-152] a token of another use, place, realm, host, issuer or key, altered or made up, is none", async () => {
  const { server, create, write, paid, purse, inboxId } = await setUp();
  const logId = random(32);
  const [ofLogs, ofAccounts] = [take(purse, "create_log"), take(purse, "stranger_post")];
  const foreign = await setUp({ host: "other.example" });
  const bad = [
    paid("create_log", random(32), ofLogs),
    paid("link_inbox", logId, ofLogs),
    paid("create_log", logId, ofAccounts),
    spend(ofLogs, { host: "other.example", operation: "create_log", target: logId }),
    spend({ ...ofLogs, keyId: random(8) }, { host: server.host, operation: "create_log", target: logId }),
    spend({ ...ofLogs, nonce: random(32) }, { host: server.host, operation: "create_log", target: logId }),
    foreign.paid("create_log", logId),
    spend(take(foreign.purse, "create_log"), { host: server.host, operation: "create_log", target: logId }),
    random(100),
    Uint8Array.of(0xf4),
  ];
  for (const token of bad) expect(await create(logId, token)).toBe("token_invalid");
  expect(await write(random(600), paid("stranger_post", inboxId, ofLogs))).toBe("token_invalid");
  expect(await openLog(await TestClient.connect(server.url, "log"), { logId, access: zeros })).toBe("unknown_log");
});

test("[T-1] one-time key packages cost one; without it the last-resort one is given, and with none of that a token is asked for", async () => {
  const { device, account, lookup, purse, paid } = await setUp();
  const { accountId } = account;
  const { deviceId } = account.device;
  const [oneTime, lastResort] = [random(700), random(700)];
  const takeOne = (token: Uint8Array) => lookup.ask({ kind: "take_key_package", accountId, deviceId, token });
  const publish = (isLast: boolean, keyPackage: Uint8Array) =>
    device.ask({ kind: "publish_key_packages", lastResort: isLast, notAfterMs: Date.now() + dayMs, keyPackages: [keyPackage] });
  await publish(false, oneTime);
  expect(await takeOne(none)).toMatchObject({ code: "token_required" });
  await publish(true, lastResort);
  expect(await takeOne(none)).toMatchObject({ keyPackage: lastResort, lastResort: true });
  const token = take(purse, "key_package");
  expect(await takeOne(paid("key_package", deviceId, token))).toMatchObject({ keyPackage: oneTime, lastResort: false });
  await publish(false, random(700));
  expect(await takeOne(paid("key_package", deviceId, token))).toMatchObject({ code: "token_invalid" });
});

test("[T-2] a device is given what its account has left for the day, counted over restarts; nothing before it has said who it is", async () => {
  const dataDirectory = temporaryDirectory();
  const clock = { nowMs: Date.now() };
  const parts = { nowMs: () => clock.nowMs };
  const { server, device, account, keys } = await setUp({ dataDirectory, host: "tokens.example" }, parts);
  const ask = (client: TestClient<"device">, count: number) =>
    client.ask({ kind: "issue_tokens", blinded: Array.from({ length: count }, () => blinded()) });
  expect(await ask(device, 14)).toMatchObject({ kind: "error", code: "rate_limited" });
  expect(await ask(device, 13)).toMatchObject({ kind: "tokens" });
  const stranger = await TestClient.connect(server.url, "device");
  expect(await ask(stranger, 1)).toMatchObject({ code: "unauthenticated" });
  expect(await device.ask({ kind: "issue_tokens", blinded: [random(32).fill(0xff)] })).toMatchObject({ code: "rate_limited" });
  await server.close();
  const again = await runServer({ limits, dataDirectory, host: "tokens.example" }, parts);
  const client = await TestClient.connect(again.url, "device");
  expect(await connectDevice(client, account.accountId, account.device)).toBe("done");
  const refused = await ask(client, 1);
  expect(refused).toMatchObject({ code: "rate_limited" });
  if (refused.kind === "error") expect(refused.retryAfterMs).toBe((dayOf(clock.nowMs) + 1) * dayMs - clock.nowMs);
  clock.nowMs += dayMs;
  expect(await ask(client, 1)).toMatchObject({ kind: "tokens", day: dayOf(clock.nowMs) });
  expect(await client.ask({ kind: "issue_tokens", blinded: [zeros] })).toMatchObject({ code: "malformed" });
  expect((await shownKeys(await TestClient.connect(again.url, "lookup"))).days).toEqual(keys.days);
});

test("[T-2] a token holds for the day of its key and the next, and what was spent is forgotten once it does not", async () => {
  const clock = { nowMs: Date.now() };
  const { create, purse, paid, lookup, keys } = await setUp({}, { nowMs: () => clock.nowMs });
  const [one, other, late] = [take(purse, "create_log"), take(purse, "create_log"), take(purse, "create_log")];
  const [first, second, third] = [random(32), random(32), random(32)];
  expect(await create(first, paid("create_log", first, one))).toBe("opened");
  clock.nowMs += dayMs;
  expect(await create(second, paid("create_log", second, other))).toBe("opened");
  expect(await create(third, paid("create_log", third, one))).toBe("token_invalid");
  clock.nowMs += dayMs;
  expect(await create(third, paid("create_log", third, late))).toBe("token_invalid");
  // Fewer than two days are left ahead: the next ones are shown before their day.
  clock.nowMs += 6 * dayMs;
  expect(await create(third, paid("create_log", third, late))).toBe("token_invalid");
  const days = (await shownKeys(lookup)).days.map(({ day }) => day);
  expect(days.at(-1)).toBe(dayOf(clock.nowMs) + 9);
  expect(keys.days.at(-1)?.day).toBe(dayOf(clock.nowMs) + 1);
});

test("[T-1] where the operator turns them off nothing costs one, and none are given out", async () => {
  const server = await runServer({ limits: { tokensPerDay: 0 } });
  const { client } = await register(server, "alice");
  await createLog(await TestClient.connect(server.url, "log"), createTestLog());
  expect(await client.outcome({ kind: "issue_tokens", blinded: [blinded()] })).toBe("unsupported");
  const lookup = await TestClient.connect(server.url, "lookup");
  expect(await lookup.ask({ kind: "lookup_operator", name: "tokens", knownValues: 0, knownSize: 0 })).toMatchObject({ value: [] });
});

test("[T-1] an address has few logs without one, whatever it creates with them", async () => {
  const { create, paid } = await setUp({ limits: { ...limits, rates: ratesWith({ burst: 2, perSecond: 0.0001 }) } });
  const ids = [random(32), random(32), random(32), random(32)];
  const outcomes: string[] = [];
  for (const id of ids.slice(0, 3)) outcomes.push(await create(id, none));
  outcomes.push(await create(ids[3] ?? zeros, paid("create_log", ids[3] ?? zeros)));
  expect(outcomes).toEqual(["opened", "opened", "token_required", "opened"]);
});

test("[T-2] [A-10] an account that is suspended is given none, and goes on once it is not; what it has it may spend", async () => {
  const dataDirectory = temporaryDirectory();
  const { device, create, paid } = await setUp({ dataDirectory });
  const ask = (): Promise<string> => device.outcome({ kind: "issue_tokens", blinded: [blinded()] });
  await answer(dataDirectory, "suspend", { name: "alice" });
  expect(await ask()).toBe("account_suspended");
  const logId = random(32);
  expect(await create(logId, paid("create_log", logId))).toBe("opened");
  await answer(dataDirectory, "resume", { name: "alice" });
  expect(await ask()).toBe("tokens");
});

test("[T-1] [E-53] while the record is dated ahead and takes no key nothing costs a token, and afterwards it does again", async () => {
  const machine = new Machine();
  // Nothing speaks against the clock of a first start.
  machine.wallMs += 2 * dayMs;
  const options = { limits: { tokensPerDay: 20 } };
  const wrong = await machine.run(options);
  const { account, client } = await register(wrong, "alice");
  const inboxId = random(32);
  expect(await client.outcome({ kind: "card", card: await signCard(account.device, inboxId, machine.wallMs) })).toBe("done");
  await shownKeys(await TestClient.connect(wrong.url, "lookup"));
  await wrong.close();
  machine.wallMs -= 2 * dayMs;
  const held = await machine.run(options);
  const device = await TestClient.connect(held.url, "device");
  expect(await connectDevice(device, account.accountId, account.device)).toBe("done");
  expect(await device.outcome({ kind: "issue_tokens", blinded: [blinded()] })).toBe("unsupported");
  const write = async (server: RunningServer): Promise<string> =>
    (await TestClient.connect(server.url, "post")).outcome({ kind: "post", inboxId, capability: zeros, blob: random(600), token: none });
  expect(await write(held)).toBe("done");
  await createLog(await TestClient.connect(held.url, "log"), createTestLog());
  await held.close();
  machine.pass(3 * dayMs);
  const later = await machine.run(options);
  await shownKeys(await TestClient.connect(later.url, "lookup"));
  expect(await write(later)).toBe("token_required");
});

test("[T-2] a server that was restored from a backup of before it renewed its keys has those again that it had shown", async ({ skip }) => {
  skip(isOnPostgres);
  const clock = { nowMs: Date.now() };
  const dataDirectory = temporaryDirectory();
  const first = await setUp({ dataDirectory, host: "tokens.example" }, { nowMs: () => clock.nowMs });
  await first.server.close();
  const database = new DatabaseSync(join(dataDirectory, "accounts.sqlite"));
  database.exec("DELETE FROM token_keys");
  database.close();
  const again = await runServer({ limits, dataDirectory, host: "tokens.example" }, { nowMs: () => clock.nowMs });
  const [log, lookup] = [await TestClient.connect(again.url, "log"), await TestClient.connect(again.url, "lookup")];
  const logId = random(32);
  const token = first.paid("create_log", logId);
  expect(await log.outcome({ kind: "create", logId, accessHash: zeros, token })).toBe("opened");
  expect((await shownKeys(lookup)).days).toEqual(first.keys.days);
});

test("[T-2] what too many ask for at once is not counted, and a renewal that fails leaves the key of today, which is shown", async () => {
  const [today, counted, labels] = [20_000, [0], [] as Uint8Array[]];
  const never = new Promise<never>(() => undefined);
  const crypto: TokenCrypto = { ...tokenCryptoHere, issue: () => never };
  let kept = 20_000;
  const forget = ({ maxItems }: { maxItems: number }): Promise<number> => {
    const count = Math.min(kept, maxItems);
    kept -= count;
    return Promise.resolve(count);
  };
  const clock = { nowMs: today * dayMs };
  let isFull = false;
  const keys = new IssuerKeys({
    store: { tokenSeeds: ({ fresh }) => Promise.resolve([...fresh]), forgetTokens: forget, forgetTokensOfLogs: forget },
    labels: {
      newest: () => Promise.resolve(labels.at(-1)),
      publish: (_name, value) => (isFull ? Promise.reject(new StoreError("full")) : Promise.resolve(void labels.push(value))),
    },
    crypto,
    secret: random(32),
  });
  const context = { limits: { tokensPerDay: 1_000_000 }, rules: { isRestricted: () => false }, nowMs: () => clock.nowMs };
  const service = new TokenService({
    store: { countTokens: ({ count }) => Promise.resolve(Boolean((counted[0] = (counted[0] ?? 0) + count))) },
    keys,
    crypto,
    context: context as unknown as ServerContext,
    admission: { admit: () => undefined, limit: () => expect.fail("no limit") },
  });
  const batch = Array.from({ length: 100 }, () => blinded());
  const asked = Array.from({ length: maxTokenWork / 100 }, () => service.issue(random(32), batch));
  for (const one of asked) one.catch(() => undefined);
  await expect.poll(() => counted[0]).toBe(maxTokenWork);
  await expect(service.issue(random(32), batch)).rejects.toMatchObject({ code: "rate_limited", retryAfterMs: 1000 });
  expect(counted[0]).toBe(maxTokenWork);
  // However many were spent, all are forgotten, some at a time.
  expect(kept).toBe(0);
  isFull = true;
  // Two days ahead of the last of the ten that are shown, and beyond them.
  const days = [today + 9, today + 10];
  const outcomes = [];
  for (const day of days) {
    clock.nowMs = day * dayMs;
    outcomes.push(await service.isAsked().catch((error: unknown) => error));
  }
  expect(outcomes).toEqual([true, new StoreError("full")]);
});

/** An element as a client asks with. */
function blinded(): Uint8Array {
  return ristretto255_oprf.voprf.blind(random(32)).blinded;
}

function ratesWith(withoutToken: Rate): ServerLimits["rates"] {
  return { ...defaultLimits.rates, withoutToken };
}
