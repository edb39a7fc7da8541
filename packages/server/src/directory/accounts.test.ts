import { decode } from "@latchkey/codec";
import { closeCodes, reservationMs } from "@latchkey/protocol";
import { accountIdOf, signedCodec, verifyAccountChain, verifyDeviceCard, verifyUsernameBinding } from "@latchkey/transparency";
import { describe, expect, test } from "vitest";
import { defaultLimits } from "../config.ts";
import type { RunningServer } from "../server.ts";
import {
  connectDevice,
  createAccount,
  createDevice,
  deviceEntry,
  nextState,
  none,
  random,
  register,
  runServer,
  signBinding,
  signCard,
  signPop,
  signState,
  temporaryDirectory,
  zeros,
} from "../testing/fixtures.ts";
import type { TestAccount } from "../testing/fixtures.ts";
import { readHoldings } from "../testing/fetch-holdings.ts";
import { TestClient } from "../testing/test-client.ts";
import { nodeSignatures } from "./signatures.ts";

type Device = TestClient<"device">;

const reserve = (client: Device, username: string, invitation = ""): Promise<string> =>
  client.outcome({ kind: "reserve", username, invitation, token: none });

const publish = (
  client: Device,
  account: Pick<TestAccount, "signedState">,
  pops: Uint8Array[] = [],
  bindings: Uint8Array[] = [],
): Promise<string> => client.outcome({ kind: "publish", state: account.signedState, pops, bindings });

const byDevice = (account: TestAccount): { seed: Uint8Array; signer: { kind: "device"; deviceId: Uint8Array } } => ({
  seed: account.device.seed,
  signer: { kind: "device", deviceId: account.device.deviceId },
});

async function fresh(options: Parameters<typeof runServer>[0] = {}): Promise<{ server: RunningServer; client: Device }> {
  const server = await runServer(options);
  return { server, client: await TestClient.connect(server.url, "device") };
}

describe("registration", () => {
  test("[A-6] a name is reserved first, by one connection; it is free again when that one ends or ten minutes pass", async () => {
    let nowMs = Date.now();
    const server = await runServer({}, { nowMs: () => nowMs });
    const alice = await TestClient.connect(server.url, "device");
    const mallory = await TestClient.connect(server.url, "device");
    const lookup = await TestClient.connect(server.url, "lookup");
    const availability = async (username: string): Promise<unknown> => lookup.ask({ kind: "check_username", username });
    expect(await availability("alice")).toEqual({ kind: "availability", reason: 0 });
    expect(await reserve(alice, "alice")).toBe("reserved");
    expect(await reserve(alice, "alice")).toBe("reserved");
    expect(await reserve(mallory, "alice")).toBe("username_taken");
    expect(await availability("alice")).toEqual({ kind: "availability", reason: 3 });
    const account = await createAccount("alice", server.host);
    expect(await publish(mallory, account, account.pops, account.bindings)).toBe("no_reservation");
    nowMs += reservationMs + 1;
    expect(await publish(alice, account, account.pops, account.bindings)).toBe("no_reservation");
    expect(await reserve(mallory, "alice")).toBe("reserved");
    await mallory.close();
    await expect.poll(() => reserve(alice, "alice")).toBe("reserved");
    expect(await publish(alice, account, account.pops, account.bindings)).toBe("published");
    expect(await availability("alice")).toEqual({ kind: "availability", reason: 1 });
    expect(await reserve(await TestClient.connect(server.url, "device"), "alice")).toBe("username_taken");
  });

  test("[E-60] nobody registers a name that reads like the service, its staff or this server, whatever it is called", async () => {
    const server = await runServer({ host: "chat.example", serverName: "Blue House" });
    const client = await TestClient.connect(server.url, "device");
    const lookup = await TestClient.connect(server.url, "lookup");
    for (const username of ["admin", "r00t", "_support_", "latchkey", "you", "...", "chat", "chat.example", "blue-house", "blue.h0use"]) {
      expect([username, await reserve(client, username)]).toEqual([username, "username_taken"]);
      expect(await lookup.ask({ kind: "check_username", username })).toEqual({ kind: "availability", reason: 1 });
    }
    expect(await reserve(client, "blue")).toBe("reserved");
  });

  test("[C-3] names of other characters or lengths are refused", async () => {
    const { server, client } = await fresh();
    for (const username of ["", "ab", "a".repeat(33), "Alice", "al ice", "ålice", "alice@host"]) {
      expect(await reserve(client, username)).toBe("invalid_username");
    }
    const lookup = await TestClient.connect(server.url, "lookup");
    expect(await lookup.ask({ kind: "check_username", username: "Alice" })).toEqual({ kind: "availability", reason: 2 });
    expect(await lookup.outcome({ kind: "lookup_username", username: "Alice", fromVersion: 0, knownSize: 0 })).toBe("not_found");
    expect(
      await lookup.outcome({ kind: "lookup_account", accountId: zeros, fromVersion: 0, accountValues: 0, nameValues: 0, knownSize: 0 }),
    ).toBe("not_found");
  });

  test("a server may want an invitation, or no new accounts at all; its hello says so", async () => {
    const invited = await fresh({ registration: "invitation", invitationCodes: ["welcome-1"] });
    expect(invited.client.hello.registration).toBe(1);
    expect(await reserve(invited.client, "alice")).toBe("registration_closed");
    expect(await reserve(invited.client, "alice", "welcome-1")).toBe("reserved");
    const closed = await fresh({ registration: "closed" });
    expect(closed.client.hello.registration).toBe(2);
    expect(await reserve(closed.client, "alice", "welcome-1")).toBe("registration_closed");
  });

  test("one connection cannot sit on many names", async () => {
    const { client } = await fresh();
    const outcomes = [];
    for (const username of ["one1", "two2", "three", "four", "five"]) outcomes.push(await reserve(client, username));
    expect(outcomes).toEqual(["reserved", "reserved", "reserved", "reserved", "rate_limited"]);
  });

  test("[A-1] a first state that is not what it should be is refused", async () => {
    const { server, client } = await fresh();
    await reserve(client, "alice");
    const account = await createAccount("alice", server.host);
    const elsewhere = await createAccount("alice", "elsewhere.example");
    expect(await publish(client, elsewhere, elsewhere.pops, elsewhere.bindings)).toBe("invalid_account_state");
    expect(await publish(client, account, [], account.bindings)).toBe("invalid_account_state");
    expect(await publish(client, account, account.pops, [])).toBe("invalid_account_state");
    const { accountId, device } = account;
    const another = await signBinding({ username: "bob", host: server.host, accountId, status: "bound", device });
    expect(await publish(client, account, account.pops, [another])).toBe("invalid_account_state");
    const forged = await signState(account.state, createDevice().seed);
    expect(await publish(client, { signedState: forged }, account.pops, account.bindings)).toBe("invalid_account_state");
    expect(await publish(client, { signedState: random(200) }, account.pops, account.bindings)).toBe("invalid_account_state");
    expect(await publish(client, account, account.pops, account.bindings)).toBe("published");
  });

  test("[A-2] publishing the same state again is a retry, from any connection and after a restart", async () => {
    const dataDirectory = temporaryDirectory();
    const first = await runServer({ dataDirectory, host: "latchkey.example" });
    const { account, client } = await register(first, "alice");
    expect(await publish(client, account, account.pops, account.bindings)).toBe("published");
    await first.close();
    const second = await runServer({ dataDirectory, host: "latchkey.example" });
    const again = await TestClient.connect(second.url, "device");
    expect(await publish(again, account, account.pops, account.bindings)).toBe("published");
  });
});

describe("changes of an account", () => {
  test("[A-1] a device adds another one, and a look-up gives the whole chain with all that verifies it", async () => {
    const server = await runServer();
    const { account, client } = await register(server, "alice");
    const laptop = createDevice();
    const devices = [deviceEntry(account.device), deviceEntry(laptop)].sort((a, b) => Buffer.compare(a.deviceId, b.deviceId));
    const next = await nextState(account, { devices }, byDevice(account));
    expect(await publish(client, next)).toBe("invalid_account_state");
    expect(await publish(client, next, [await signPop(laptop, account.accountId)])).toBe("published");
    const lookup = await TestClient.connect(server.url, "lookup");
    const found = await lookup.ask({ kind: "lookup_username", username: "alice", fromVersion: 0, knownSize: 0 });
    if (found.kind !== "account") throw new Error(found.kind);
    const verified = await verifyAccountChain({
      previous: undefined,
      signedStates: found.states,
      pops: found.pops,
      signatures: nodeSignatures,
    });
    expect(verified.accountId).toEqual(account.accountId);
    expect(verified.state.devices).toHaveLength(2);
    const [signedBinding = none] = found.bindings;
    await verifyUsernameBinding({ account: verified, signedBinding, signatures: nodeSignatures });
    const rest = await lookup.ask({
      kind: "lookup_account",
      accountId: account.accountId,
      fromVersion: 1,
      accountValues: 1,
      nameValues: 0,
      knownSize: 0,
    });
    expect(rest).toMatchObject({ kind: "account", states: [next.signedState] });
    const second = await TestClient.connect(server.url, "device");
    expect(await connectDevice(second, account.accountId, laptop)).toBe("done");
  });

  test("[A-2] of two next states one wins, and the loser is told", async () => {
    const server = await runServer();
    const { account, client } = await register(server, "alice");
    const other = await TestClient.connect(server.url, "device");
    const one = await nextState(account, { timeMs: 2 }, byDevice(account));
    const two = await nextState(account, { timeMs: 3 }, byDevice(account));
    const outcomes = await Promise.all([publish(client, one), publish(other, two)]);
    expect(outcomes.sort()).toEqual(["account_conflict", "published"]);
    const gap = await nextState({ ...account, state: { ...account.state, version: 7 } }, {}, byDevice(account));
    expect(await publish(client, gap)).toBe("account_conflict");
  });

  test("[A-1] only the recovery key replaces the recovery key; a stranger changes nothing", async () => {
    const server = await runServer();
    const { account, client } = await register(server, "alice");
    const recoveryKey = createDevice().publicKey;
    expect(await publish(client, await nextState(account, { recoveryKey }, byDevice(account)))).toBe("invalid_account_state");
    const stranger = createDevice();
    const signer = { kind: "device", deviceId: stranger.deviceId } as const;
    expect(await publish(client, await nextState(account, {}, { seed: stranger.seed, signer }))).toBe("invalid_account_state");
    const byRecovery = { seed: account.recovery.seed, signer: { kind: "recovery" } } as const;
    expect(await publish(client, await nextState(account, { recoveryKey }, byRecovery))).toBe("published");
  });

  test("[A-6] twenty changes a day, not more", async () => {
    const server = await runServer();
    const { account, client } = await register(server, "alice");
    let before: Parameters<typeof nextState>[0] = account;
    const outcomes: string[] = [];
    for (let i = 0; i < 20; i++) {
      const next = await nextState(before, { timeMs: i }, byDevice(account));
      outcomes.push(await publish(client, next));
      before = next;
    }
    // Making the account was the first change of the day.
    expect(outcomes).toEqual([...Array.from({ length: 19 }, () => "published"), "too_many_updates"]);
  });

  test("a changed name is bound and the old one released, which waits for its owner", async () => {
    const server = await runServer();
    const { account, client } = await register(server, "alice");
    const { accountId, device } = account;
    const next = await nextState(account, { username: "alicia" }, byDevice(account));
    const sign = (username: string, status: "bound" | "released"): Promise<Uint8Array> =>
      signBinding({ username, host: server.host, accountId, status, device });
    const bindings = [await sign("alicia", "bound"), await sign("alice", "released")];
    expect(await publish(client, next, [], bindings)).toBe("no_reservation");
    await reserve(client, "alicia");
    expect(await publish(client, next, [], bindings.slice(0, 1))).toBe("invalid_account_state");
    expect(await publish(client, next, [], bindings)).toBe("published");
    const lookup = await TestClient.connect(server.url, "lookup");
    expect(await lookup.outcome({ kind: "lookup_username", username: "alice", fromVersion: 0, knownSize: 0 })).toBe("absent");
    expect(await lookup.outcome({ kind: "lookup_username", username: "alicia", fromVersion: 0, knownSize: 0 })).toBe("account");
    expect(await reserve(client, "alice")).toBe("username_taken");
  });

  test("a device taken out of the account is disconnected, and what was kept for it is erased", async () => {
    const server = await runServer();
    const { account, client } = await register(server, "alice");
    const inboxId = random(32);
    await client.outcome({ kind: "card", card: await signCard(account.device, inboxId) });
    const replacement = createDevice();
    const next = await nextState(account, { devices: [deviceEntry(replacement)] }, byDevice(account));
    const other = await TestClient.connect(server.url, "device");
    expect(await publish(other, next, [await signPop(replacement, account.accountId)])).toBe("published");
    expect(await client.closed).toBe(closeCodes.deviceRemoved);
    const post = await TestClient.connect(server.url, "post");
    expect(await post.outcome({ kind: "post", inboxId, capability: zeros, blob: random(9), token: none })).toBe("not_found");
    const back = await TestClient.connect(server.url, "device");
    expect(await connectDevice(back, account.accountId, account.device)).toBe("unauthenticated");
  });

  test("a deleted account is final", async () => {
    const server = await runServer();
    const { account, client } = await register(server, "alice");
    const deleted = await nextState(account, { status: "deleted" }, byDevice(account));
    const { accountId, device } = account;
    const released = await signBinding({ username: "alice", host: server.host, accountId, status: "released", device });
    const other = await TestClient.connect(server.url, "device");
    expect(await publish(other, deleted, [], [released])).toBe("published");
    expect(await client.closed).toBe(closeCodes.deviceRemoved);
    expect(await publish(other, await nextState(deleted, { status: "active" }, byDevice(account)))).toBe("invalid_account_state");
  });
});

describe("the device's connection", () => {
  test("[C-5] connect is a signature over this connection's nonce, host and role", async () => {
    const server = await runServer();
    const { account } = await register(server, "alice");
    const one = await TestClient.connect(server.url, "device");
    const two = await TestClient.connect(server.url, "device");
    expect(one.hello.nonce).not.toEqual(two.hello.nonce);
    expect(await connectDevice(one, account.accountId, createDevice())).toBe("unauthenticated");
    expect(await connectDevice(one, zeros, account.device)).toBe("unauthenticated");
    const stolen = { ...createDevice(), deviceId: account.device.deviceId };
    expect(await connectDevice(one, account.accountId, stolen)).toBe("unauthenticated");
    expect(await one.outcome({ kind: "inspect" })).toBe("unauthenticated");
    expect(await one.outcome({ kind: "read_inbox", afterSeq: 0 })).toBe("unauthenticated");
    expect(await one.outcome({ kind: "count_key_packages" })).toBe("unauthenticated");
    expect(await connectDevice(one, account.accountId, account.device)).toBe("done");
    expect(await connectDevice(one, account.accountId, account.device)).toBe("not_allowed_here");
  });

  test("the newest connection of a device replaces the one before", async () => {
    const server = await runServer();
    const { account, client } = await register(server, "alice");
    const second = await TestClient.connect(server.url, "device");
    expect(await connectDevice(second, account.accountId, account.device)).toBe("done");
    expect(await client.closed).toBe(closeCodes.replaced);
    expect(await second.outcome({ kind: "ping" })).toBe("done");
  });

  test("[A-1] an account is not dated ahead of the server's clock; one that was before goes on", async () => {
    let nowMs = Date.now();
    const server = await runServer({}, { nowMs: () => nowMs });
    const client = await TestClient.connect(server.url, "device");
    await client.ask({ kind: "reserve", username: "alice", invitation: "", token: none });
    const made = await createAccount("alice", server.host);
    const dated = async (timeMs: number) => {
      const state = { ...made.state, timeMs };
      const signedState = await signState(state, made.device.seed);
      const accountId = accountIdOf(decode(signedCodec, signedState).body);
      const binding = await signBinding({ username: "alice", host: server.host, accountId, status: "bound", device: made.device });
      return { ...made, state, signedState, accountId, bindings: [binding] };
    };
    const ahead = await dated(nowMs + 2 * 3_600_000);
    expect(await publish(client, ahead, ahead.pops, ahead.bindings)).toBe("clock_off");
    const account = await dated(nowMs + 3_590_000);
    expect(await publish(client, account, account.pops, account.bindings)).toBe("published");
    // The server's own clock was ahead, by less than holds up the public record (D-2): what it took then is taken to continue.
    nowMs -= 240_000;
    expect(await publish(client, await nextState(account, { timeMs: nowMs + 40 * 86_400_000 }, byDevice(account)))).toBe("clock_off");
    expect(await publish(client, await nextState(account, {}, byDevice(account)))).toBe("published");
  });

  test("a card is the device's own, signed by it and not out of date", async () => {
    const server = await runServer();
    const { account, client } = await register(server, "alice");
    const card = (bytes: Uint8Array): Promise<string> => client.outcome({ kind: "card", card: bytes });
    expect(await card(await signCard(account.device, random(32), Date.now() - 1000))).toBe("clock_off");
    expect(await card(await signCard(account.device, random(32), Date.now() + 60 * 86_400_000))).toBe("clock_off");
    expect(await card(await signCard(createDevice(), random(32)))).toBe("invalid_account_state");
    expect(await card(random(100))).toBe("invalid_account_state");
    expect(await client.outcome({ kind: "read_inbox", afterSeq: 0 })).toBe("not_found");
    const inboxId = random(32);
    expect(await card(await signCard(account.device, inboxId))).toBe("done");
    const bob = await register(server, "bob");
    expect(await bob.client.outcome({ kind: "card", card: await signCard(bob.account.device, inboxId) })).toBe("not_allowed_here");
  });

  test("[A-5] key packages: taken once each, then the last-resort one; expired ones never", async () => {
    const day = 86_400_000;
    let nowMs = Date.now();
    const server = await runServer({}, { nowMs: () => nowMs });
    const { account, client } = await register(server, "alice");
    const { accountId, device } = account;
    await client.outcome({ kind: "card", card: await signCard(device, random(32), nowMs + 20 * day) });
    const lookup = await TestClient.connect(server.url, "lookup");
    const take = (): Promise<unknown> => lookup.ask({ kind: "take_key_package", accountId, deviceId: device.deviceId, token: none });
    expect(await take()).toEqual({ kind: "error", code: "no_key_package", retryAfterMs: 0 });
    const packages = Array.from({ length: 3 }, () => random(400));
    const lastResort = random(400);
    const add = (keyPackages: Uint8Array[], isLastResort: boolean, notAfterMs: number): Promise<unknown> =>
      client.ask({ kind: "publish_key_packages", lastResort: isLastResort, notAfterMs, keyPackages });
    expect(await add(packages, false, nowMs + 10 * day)).toEqual({ kind: "key_packages", oneTime: 3, lastResortNotAfterMs: 0 });
    expect(await add([lastResort], true, nowMs + 14 * day)).toMatchObject({ oneTime: 3 });
    expect(await add([lastResort, random(5)], true, nowMs + 14 * day)).toMatchObject({ kind: "error", code: "malformed" });
    // Made by a clock days ahead, they would be of no use to anybody yet.
    expect(await add([random(400)], false, nowMs + 32 * day)).toMatchObject({ kind: "error", code: "clock_off" });
    const taken = await Promise.all([take(), take(), take()]);
    expect(taken).toMatchObject(packages.map((keyPackage) => ({ kind: "key_package", keyPackage, lastResort: false })));
    const fourth = await lookup.ask({ kind: "take_key_package", accountId, deviceId: device.deviceId, token: none });
    expect(fourth).toMatchObject({ kind: "key_package", keyPackage: lastResort, lastResort: true });
    if (fourth.kind !== "key_package") throw new Error(fourth.kind);
    const states = { previous: undefined, signedStates: [account.signedState], pops: account.pops, signatures: nodeSignatures };
    await verifyDeviceCard({ account: await verifyAccountChain(states), signedCard: fourth.card, nowMs, signatures: nodeSignatures });
    expect(await add(packages, false, nowMs + 10 * day)).toMatchObject({ oneTime: 0 });
    nowMs += 15 * day;
    expect(await take()).toMatchObject({ kind: "error", code: "no_key_package" });
    expect(await client.ask({ kind: "count_key_packages" })).toEqual({ kind: "key_packages", oneTime: 0, lastResortNotAfterMs: 0 });
    expect(await lookup.outcome({ kind: "take_key_package", accountId: zeros, deviceId: device.deviceId, token: none })).toBe("not_found");
  });

  test("the inbox: what waited, then what comes, each item once; erased items do not come back", async () => {
    const server = await runServer({ limits: { maxStrangerItems: 5 } });
    const { account, client } = await register(server, "alice");
    const inboxId = random(32);
    await client.outcome({ kind: "card", card: await signCard(account.device, inboxId) });
    const post = await TestClient.connect(server.url, "post");
    const blobs = Array.from({ length: 5 }, () => random(1000));
    const send = (blob: Uint8Array): Promise<string> => post.outcome({ kind: "post", inboxId, capability: zeros, blob, token: none });
    for (const blob of blobs.slice(0, 3)) expect(await send(blob)).toBe("done");
    expect(await send(blobs[0] ?? none)).toBe("done");
    expect(await client.outcome({ kind: "read_inbox", afterSeq: 1 })).toBe("done");
    for (const blob of blobs.slice(3)) expect(await send(blob)).toBe("done");
    expect(await send(random(9))).toBe("inbox_full");
    expect(await client.take(4)).toMatchObject(blobs.slice(1).map((blob, index) => ({ kind: "item", seq: index + 2, blob })));
    expect(await client.outcome({ kind: "erase_inbox", uptoSeq: 4 })).toBe("done");
    expect(await send(random(9))).toBe("done");
    expect(await client.take(1)).toMatchObject([{ seq: 6 }]);
    expect(await client.outcome({ kind: "read_inbox", afterSeq: 0 })).toBe("done");
    expect(await client.take(2)).toMatchObject([{ seq: 5 }, { seq: 6 }]);
    await post.settle();
    expect(client.events).toEqual([]);
  });

  test("a thousand waiting items come in order", async () => {
    const often = { burst: 5000, perSecond: 50 };
    const server = await runServer({ limits: { targets: { ...defaultLimits.targets, strangerPost: often, strangerPostInAll: often } } });
    const { account, client } = await register(server, "alice");
    const inboxId = random(32);
    await client.outcome({ kind: "card", card: await signCard(account.device, inboxId) });
    const post = await TestClient.connect(server.url, "post");
    const count = 1000;
    const items = Array.from(
      { length: count },
      () => ({ kind: "post", inboxId, capability: zeros, blob: random(1024), token: none }) as const,
    );
    await Promise.all(items.map((item) => post.outcome(item)));
    await client.outcome({ kind: "read_inbox", afterSeq: 0 });
    const events = await client.take(count);
    expect(events.map((event) => (event.kind === "item" ? event.seq : 0))).toEqual(Array.from({ length: count }, (_, index) => index + 1));
  });

  test("[P6] a device reads what the server holds about its account, every field explained, and nothing of others", async () => {
    const server = await runServer();
    const { account, client } = await register(server, "alice");
    await register(server, "bobby");
    const inboxId = random(32);
    await client.outcome({ kind: "card", card: await signCard(account.device, inboxId) });
    await client.ask({
      kind: "publish_key_packages",
      lastResort: false,
      notAfterMs: Date.now() + 9 * 86_400_000,
      keyPackages: [random(300)],
    });
    const text = await readHoldings(server.url, client);
    const holdings = JSON.parse(text) as Record<string, unknown>;
    const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");
    expect(holdings).toMatchObject({
      host: server.host,
      account_id: base64(account.accountId),
      version: 0,
      usernames: [{ username: "alice", status: "bound" }],
      states: [{ version: 0, state: base64(account.signedState) }],
      directory: [
        { label: "account", value: base64(account.accountId), values: [{ version: 1, opening: expect.stringMatching(/^[\w-]{43}$/) }] },
        { label: "username", value: "alice", values: [{ version: 1 }] },
      ],
      devices: [
        { device_id: base64(account.device.deviceId), inbox_id: base64(inboxId), key_packages: [{ kind: "one-time", taken: false }] },
      ],
    });
    const explained = holdings["explanations"] as Record<string, string>;
    for (const field of Object.keys(holdings))
      expect(field === "explanations" || field === "format" || field in explained, field).toBe(true);
    expect(text).not.toContain("bobby");
  });
});
