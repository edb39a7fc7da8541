import { httpPaths } from "@latchkey/protocol";
import { expect, test } from "vitest";
import { defaultLimits } from "../config.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import type { Store } from "../store/store.ts";
import { askForHoldings, fetchHoldings, readHoldings } from "../testing/fetch-holdings.ts";
import { isOnPostgres, none, random, register, runServer, signCard, zeros } from "../testing/fixtures.ts";
import { TestClient } from "../testing/test-client.ts";
import { holdingsTicketMs } from "./holdings-door.ts";
import { inventoryJson } from "./inventory/inventory.ts";
import { worldOfDesk } from "./world-of-desk.ts";

async function ticketOf(client: TestClient<"device">): Promise<Uint8Array> {
  const reply = await client.ask({ kind: "inspect" });
  if (reply.kind !== "holdings") throw new Error(reply.kind);
  return reply.ticket;
}

test("[F-20] [P6] what the person downloads and what the desk is given are the same bytes", async ({ skip }) => {
  skip(isOnPostgres);
  let opened: Store | undefined;
  const openStore = async (directory: string): Promise<Store> => (opened = await openSqliteStore({ directory }));
  const server = await runServer({}, { openStore });
  const { account, client } = await register(server, "alice");
  const inboxId = random(32);
  await client.outcome({ kind: "card", card: await signCard(account.device, inboxId) });
  const post = await TestClient.connect(server.url, "post");
  for (let count = 0; count < 300; count++)
    await post.outcome({ kind: "post", inboxId, capability: zeros, blob: random(1024), token: none });
  if (opened === undefined) throw new Error("no store");
  const unused = new Proxy({}, { get: () => () => Promise.reject(new Error("not asked for")) });
  const world = worldOfDesk({
    store: opened,
    host: server.host,
    rules: unused as never,
    inboxes: unused as never,
    operatorLabels: unused as never,
  });
  const desk = await world.holdingsOf({ accountId: account.accountId });
  const response = await askForHoldings(server.url, client);
  expect(response.headers.get("cache-control")).toBe("no-store");
  const own = new Uint8Array(await response.arrayBuffer());
  expect(own.length).toBeGreaterThan(100 * 1024);
  expect(Buffer.from(desk ?? []).equals(Buffer.from(own))).toBe(true);
  expect(await world.holdingsOf({ accountId: random(32) })).toBeUndefined();
});

test("[F-20] [E-231] a ticket counts once and for a minute, the newest of an account alone, and no other opens anything", async () => {
  let elapsedMs = 0;
  const server = await runServer({}, { passedMs: () => elapsedMs, nowMs: () => 1_790_000_000_000 + elapsedMs });
  const [alice, bobby] = [await register(server, "alice"), await register(server, "bobby")];
  const ticket = await ticketOf(alice.client);
  const first = await fetchHoldings(server.url, ticket);
  expect([first.status, await first.text()]).toEqual([200, expect.stringContaining('"alice"')]);
  const status = async (shown: Uint8Array): Promise<number> => (await fetchHoldings(server.url, shown)).status;
  expect(await status(ticket)).toBe(404);
  const [before, newest] = [await ticketOf(alice.client), await ticketOf(alice.client)];
  const others = await ticketOf(bobby.client);
  expect([await status(before), await status(random(32)), await status(random(31))]).toEqual([404, 404, 400]);
  expect(await (await fetchHoldings(server.url, others)).text()).not.toContain("alice");
  elapsedMs += holdingsTicketMs;
  expect(await status(newest)).toBe(404);
  // Nobody gets one without having proved who they are, and a body without end is not read.
  const stranger = await TestClient.connect(server.url, "device");
  expect(await stranger.outcome({ kind: "inspect" })).toBe("unauthenticated");
  expect((await fetch(server.url + httpPaths.holdings, { method: "POST", body: new Uint8Array(100_000) })).status).toBe(413);
  expect((await fetch(server.url + httpPaths.holdings)).status).toBe(404);
});

test("[F-20] an account has one package under way; whoever stops reading makes room for the next", async () => {
  const server = await runServer({ limits: { rates: { ...defaultLimits.rates, strangerPost: { burst: 99_999, perSecond: 99 } } } });
  const { account, client } = await register(server, "alice");
  const inboxId = random(32);
  const capability = random(32);
  await client.outcome({ kind: "card", card: await signCard(account.device, inboxId) });
  const post = await TestClient.connect(server.url, "post");
  // More than sockets hold by themselves.
  for (let count = 0; count < 400; count++) await post.outcome({ kind: "post", inboxId, capability, blob: random(65_536), token: none });
  const slow = await askForHoldings(server.url, client);
  const busy = await askForHoldings(server.url, client);
  expect([slow.status, busy.status]).toEqual([200, 429]);
  await slow.body?.cancel();
  await expect.poll(async () => (await askForHoldings(server.url, client)).status, { timeout: 10_000 }).toBe(200);
});

test("[F-20] everybody may read what is held of everybody, as columns and files", async () => {
  const server = await runServer();
  const response = await fetch(server.url + httpPaths.inventory);
  expect([response.status, await response.text()]).toEqual([200, inventoryJson]);
  const { client } = await register(server, "alice");
  const { explanations } = JSON.parse(await readHoldings(server.url, client)) as { explanations: Record<string, string> };
  const { columns } = JSON.parse(inventoryJson) as { columns: { package_field: string | null }[] };
  for (const { package_field: field } of columns) if (field !== null) expect(explanations[field]).toBeDefined();
});
