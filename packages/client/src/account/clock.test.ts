import { decode } from "@latchkey/codec";
import { decodeKeyPackage } from "@latchkey/mls";
import { accountStateCodec, deviceCardCodec, signedCodec } from "@latchkey/transparency";
import { expect, test } from "vitest";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import { createConnections } from "../transport/connection-manager.ts";
import { createFakeServer } from "../transport/fake-server.testing.ts";
import { clockFailure } from "./clock.ts";
import { createDirectory } from "./directory.ts";
import { createFakeDirectory } from "./fake-directory.testing.ts";
import type { FakeDirectory } from "./fake-directory.testing.ts";
import { maintainKeyPackages } from "./key-packages.ts";
import { loadOwnAccount } from "./own-account.ts";
import { registerAccount } from "./registration.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** A device whose clock is off by what the test says. */
function device() {
  const server = createFakeServer("clock");
  const directory = createFakeDirectory(server);
  const clock = { aheadMs: 0 };
  const platform = { ...server.platform, nowMs: () => server.clock.now() + clock.aheadMs };
  const store = createMemoryStore();
  const connections = createConnections({ platform, serverUrl: "https://chat.example" });
  const proofs = createDirectory({ store, platform, connections });
  return {
    server,
    directory,
    clock,
    register: () => registerAccount({ store, platform, connections, directory: proofs, username: "ann" }),
    async maintain(): Promise<void> {
      const account = await store.transact("read", (tx) => loadOwnAccount(tx));
      if (account === undefined) throw new Error("no account");
      await connections.once("device", "chat.example", (connection) => maintainKeyPackages({ store, platform, account, connection }));
    },
    cardUntilMs(): number {
      const [card = new Uint8Array()] = directory.cards.values();
      return decode(deviceCardCodec, decode(signedCodec, card).body).notAfterMs;
    },
  };
}

const publishedBy = ({ oneTime, lastResort }: FakeDirectory): Uint8Array[] => [...oneTime, lastResort?.message ?? new Uint8Array()];

test("[A-1] an account is not made by a clock that is off: nothing is reserved, the difference is named, and it is made once the clock is right", async () => {
  for (const [aheadMs, sentence] of [
    [40 * dayMs, "40 days ahead of"],
    [3 * hourMs, "3 hours ahead of"],
    [-7 * 60_000, "7 minutes behind"],
  ] as const) {
    const here = device();
    here.clock.aheadMs = aheadMs;
    await expect(here.register()).rejects.toMatchObject({
      code: "clock_skew",
      canRetry: true,
      message: expect.stringMatching(`^This device's clock is ${sentence} the server's\\. Correct [^\n]+\\.$`),
    });
    expect(here.directory.log).toEqual([]);
    here.clock.aheadMs = 0;
    expect(await here.register()).toMatchObject({ status: "registered" });
    expect(here.directory.oneTime.length).toBeGreaterThan(0);
  }
});

test("an account that a clock ahead dated, and that the server refuses, is made anew once the clock is right", async () => {
  const here = device();
  here.directory.refuse.set("publish", "clock_off");
  await expect(here.register()).rejects.toMatchObject({ code: "clock_skew", canRetry: true });
  here.server.clock.advance(1000);
  const retried = here.register();
  await expect(retried).rejects.toMatchObject({ code: "clock_skew" });
  here.directory.refuse.delete("publish");
  const account = await here.register();
  const [state = new Uint8Array()] = account.record.states;
  expect(decode(accountStateCodec, decode(signedCodec, state).body).timeMs).toBe(here.server.clock.now());
});

test("[A-5] while the clock is off nothing is published that holds for weeks; what it had made is made anew once it is right", async () => {
  const here = device();
  await here.register();
  here.directory.cards.clear();
  here.directory.oneTime.splice(0);
  here.server.clock.advance(20 * dayMs);
  here.clock.aheadMs = 13 * hourMs;
  await expect(here.maintain()).rejects.toMatchObject({ code: "clock_skew" });
  here.clock.aheadMs = -3 * dayMs;
  await expect(here.maintain()).rejects.toMatchObject({ code: "clock_skew" });
  expect(here.directory.cards.size + here.directory.oneTime.length).toBe(0);
  here.clock.aheadMs = hourMs;
  await here.maintain();
  expect(here.cardUntilMs()).toBeLessThan(here.server.clock.now() + 30 * dayMs);
});

test("a card that the server refuses for its date is not sent again: the next one has another date", async () => {
  const here = device();
  await here.register();
  // Both clocks are ahead, this device's and the server's, and the server's is set right first.
  here.server.clock.advance(40 * dayMs);
  here.directory.refuse.set("card", "clock_off");
  await expect(here.maintain()).rejects.toMatchObject({ code: "clock_skew", canRetry: true });
  here.clock.aheadMs = -1000;
  here.directory.refuse.delete("card");
  here.directory.cards.clear();
  await here.maintain();
  expect(here.cardUntilMs()).toBe(here.server.clock.now() - 1000 + 29 * dayMs);
});

test("[A-5] key packages and a card that were made while both clocks were ahead are replaced once they are right", async () => {
  const here = device();
  await here.register();
  const nowMs = here.server.clock.now();
  // The clock of the fake server only goes forward: these are made in ten days, and it is today again by both clocks.
  const helloMs = { offset: 10 * dayMs };
  const { respond } = here.server;
  here.server.autoHello = false;
  const greet = async (work: Promise<void>): Promise<void> => {
    const before = here.server.connections.length;
    await expect.poll(() => here.server.connections.length).toBeGreaterThan(before - 1);
    await new Promise((resolve) => setImmediate(resolve));
    here.server.last().hello({ timeMs: nowMs + helloMs.offset });
    await work;
  };
  here.server.respond = (connection, body) => (body.kind === "ping" ? { kind: "done" } : respond(connection, body));
  here.clock.aheadMs = 10 * dayMs;
  here.directory.oneTime.splice(0);
  here.directory.lastResort = undefined;
  here.directory.loseRequest.add("publish_key_packages");
  await greet(here.maintain()).catch(() => undefined);
  helloMs.offset = 0;
  here.clock.aheadMs = 0;
  await greet(here.maintain());
  expect(here.cardUntilMs()).toBeLessThanOrEqual(nowMs + 29 * dayMs);
  const packages = publishedBy(here.directory).map((message) => decodeKeyPackage(message));
  expect(packages.length).toBeGreaterThan(50);
  for (const { leafNode } of packages) {
    if (leafNode.source.kind !== "key-package") throw new Error("a leaf of a key package");
    expect(Number(leafNode.source.lifetime.notBefore) * 1000).toBeLessThanOrEqual(nowMs);
  }
});

test("a difference of clocks is told in the largest unit that fits", () => {
  expect(clockFailure(90 * 60_000).message).toContain("90 minutes ahead of");
  expect(clockFailure(-50 * hourMs).message).toContain("2 days behind");
});
