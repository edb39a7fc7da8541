import { expect, test } from "vitest";
import { createLog, createTestLog, entryBytes, none, openLog, random, register, runServer, signCard, zeros } from "./testing/fixtures.ts";
import { TestClient } from "./testing/test-client.ts";

test("two peers append to a log and both read it in one order", async () => {
  const server = await runServer();
  const alice = await TestClient.connect(server.url, "log");
  const bob = await TestClient.connect(server.url, "log");
  const log = createTestLog();
  await createLog(alice, log);
  expect(await openLog(bob, log)).toBe("opened");
  const blob = entryBytes(512);
  expect(await alice.outcome({ kind: "append", logId: log.logId, epochId: 0, entryKind: "message", blob })).toBe("accepted");
  expect(await bob.outcome({ kind: "append", logId: log.logId, epochId: 0, entryKind: "message", blob: entryBytes(512) })).toBe("accepted");
  const forAlice = await alice.take(2);
  const forBob = await bob.take(2);
  expect(forBob).toEqual(forAlice);
  expect(forBob[0]).toMatchObject({ kind: "entry", seq: 1, epochId: 0, blob: blob });
});

test("an account is made, found, and its device gets what is posted to it", async () => {
  const server = await runServer();
  const { account, client } = await register(server, "alice");
  const inboxId = random(32);
  expect(await client.outcome({ kind: "card", card: await signCard(account.device, inboxId) })).toBe("done");
  const keyPackages = [random(300), random(300)];
  expect(
    await client.ask({ kind: "publish_key_packages", lastResort: false, notAfterMs: Date.now() + 20 * 86_400_000, keyPackages }),
  ).toMatchObject({
    kind: "key_packages",
    oneTime: 2,
  });
  const lookup = await TestClient.connect(server.url, "lookup");
  expect(await lookup.ask({ kind: "lookup_username", username: "alice", fromVersion: 0, knownSize: 0 })).toMatchObject({
    kind: "account",
    states: [account.signedState],
  });
  const { accountId, device } = account;
  expect(await lookup.ask({ kind: "take_key_package", accountId, deviceId: device.deviceId, token: none })).toMatchObject({
    kind: "key_package",
    keyPackage: keyPackages[0],
    lastResort: false,
  });
  const post = await TestClient.connect(server.url, "post");
  const blob = random(2000);
  expect(await post.outcome({ kind: "post", inboxId, capability: zeros, blob, token: none })).toBe("done");
  expect(await client.outcome({ kind: "read_inbox", afterSeq: 0 })).toBe("done");
  expect(await client.take(1)).toMatchObject([{ kind: "item", seq: 1, blob: blob }]);
  expect(await client.ask({ kind: "inspect" })).toMatchObject({ kind: "holdings" });
});
