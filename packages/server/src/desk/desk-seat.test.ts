// The desk of several servers on one database: it is at one of them, the others say so, and it is begun anew where that one is lost.
import { encode } from "@latchkey/codec";
import { reportPaths, sealedReportCodec } from "@latchkey/protocol/reports";
import { cpSync, existsSync, readFileSync, rmSync } from "node:fs";
import { createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { ServerOptions } from "../config.ts";
import { dayMs } from "../days.ts";
import { deskPaths } from "../http/app.ts";
import type { RunningServer } from "../server.ts";
import { answer, ask } from "../testing/ask-admin.ts";
import { DeskPage, beginDesk } from "../testing/desk-page.ts";
import { runServer, temporaryDirectory } from "../testing/fixtures.ts";
import { findPostgres, keptSettings, startPostgres } from "../testing/postgres.ts";
import type { TestPostgres } from "../testing/postgres.ts";
import { TestReporter } from "../testing/test-reporter.ts";
import type { Store } from "../store/store.ts";
import { DeskSeat } from "./desk-seat.ts";
import { OfficeKeeper } from "./office/office-keeper.ts";
import { testWorld } from "./office/office.testing.ts";

const host = "nodes.example.org";
const origin = `https://${host}`;

/** What leads requests to one of two servers by their paths, as the operator's proxy does. */
async function startProxy(toDesk: RunningServer, toOther: RunningServer): Promise<string> {
  const proxy = createServer((request, response) => {
    const { port } = deskPaths.some((path) => request.url?.startsWith(path)) ? toDesk : toOther;
    const { method, url: path, headers } = request;
    const passed = httpRequest({ host: "127.0.0.1", port, method, path, headers }, (answered) => {
      response.writeHead(answered.statusCode ?? 502, answered.headers);
      answered.pipe(response);
    });
    request.pipe(passed);
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}

describe.skipIf(findPostgres() === undefined)("the desk of several servers on one database", () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres(keptSettings);
  });
  afterAll(() => postgres.stop());

  async function startTwo() {
    const folders = { here: temporaryDirectory(), there: temporaryDirectory() };
    const database = { at: postgres.url, acceptLoss: true, schema: `d${String(process.hrtime.bigint())}` };
    const start = (dataDirectory: string, options: Partial<ServerOptions> = {}): Promise<RunningServer> =>
      runServer({ host, database, dataDirectory, ...options });
    const here = await start(folders.here);
    cpSync(join(folders.here, "directory"), join(folders.there, "directory"), { recursive: true });
    return { folders, start, here, there: await start(folders.there) };
  }
  const reportsAt = async ({ url }: RunningServer): Promise<{ status: number; retryAfter: string | null }> => {
    const { status, headers } = await fetch(url + reportPaths.reports, { method: "POST", body: "A" });
    return { status, retryAfter: headers.get("retry-after") };
  };

  test("[E-179] is at one of them: there everything goes on; another one says that it is elsewhere, and begins none", async () => {
    const { folders, here, there } = await startTwo();
    for (const server of [here, there]) expect((await reportsAt(server)).status).toBe(404);
    const { authenticator } = await beginDesk({ dataDirectory: folders.here, url: here.url, origin });
    const refused = { status: 409, body: { code: "not_now", message: expect.stringContaining("--i-know lost-desk") } };
    expect(await ask(folders.there, "desk-start", { name: "Eve" })).toMatchObject(refused);
    expect(existsSync(join(folders.there, "desk"))).toBe(false);
    await expect.poll(() => reportsAt(there), { timeout: 15_000 }).toEqual({ status: 503, retryAfter: "30" });
    for (const path of deskPaths) expect((await fetch(`${there.url}${path}`)).status, path).toBe(503);
    expect((await fetch(`${there.url}/v1/info`)).status).toBe(200);

    // Through the proxy it makes no difference where somebody is connected.
    const url = await startProxy(here, there);
    const reporter = await TestReporter.of({ url: there.url, host });
    const sealed = await reporter.seal(reporter.report());
    expect((await reporter.send(sealed)).status).toBe(503);
    const body = encode(sealedReportCodec, sealed).slice();
    expect((await fetch(url + reportPaths.reports, { method: "POST", body })).status).toBe(200);
    const staff = new DeskPage(url);
    await staff.signIn(authenticator);
    await expect.poll(async () => (await staff.ask("case-list", {})).cases.length).toBe(1);
    expect((await fetch(`${url}/v1/info`)).status).toBe(200);
  });

  test("[E-179] is moved with its files, or begun anew once the operator says that it is lost; the one of before stays closed then", async () => {
    const { folders, start, here, there } = await startTwo();
    await beginDesk({ dataDirectory: folders.here, url: here.url, origin });
    const first = await TestReporter.of({ url: here.url, host });
    expect((await first.send(await first.seal(first.report()))).status).toBe(200);
    await here.close();
    await there.close();
    const kept = temporaryDirectory();
    for (const name of ["desk.sqlite", "desk"]) {
      cpSync(join(folders.here, name), join(kept, name), { recursive: true });
      cpSync(join(folders.here, name), join(folders.there, name), { recursive: true });
      rmSync(join(folders.here, name), { recursive: true });
    }
    const moved = await start(folders.there);
    expect(await answer(folders.there, "desk-staff")).toMatchObject({ staff: [{ name: "Ada" }] });
    const again = await TestReporter.of({ url: moved.url, host });
    expect(again.keys).toEqual(first.keys);
    expect((await again.send(await again.seal(again.report()))).status).toBe(200);
    await moved.close();

    // That one is gone for good.
    const untold = await start(folders.here);
    expect(await ask(folders.here, "desk-start", { name: "Eve" })).toMatchObject({ status: 409 });
    await untold.close();
    const told = await start(folders.here, { iKnow: ["lost-desk"] });
    const { page } = await beginDesk({ dataDirectory: folders.here, url: told.url, name: "Eve", origin });
    const later = async (): Promise<TestReporter> => await TestReporter.of({ url: told.url, host });
    await expect.poll(async () => (await later()).keys, { timeout: 15_000 }).not.toEqual(first.keys);
    const anew = await later();
    expect((await anew.send(await anew.seal(anew.report()))).status).toBe(200);
    await expect.poll(async () => (await page.ask("case-list", {})).cases.length).toBe(1);

    // It comes back after all.
    const back = await start(folders.there);
    expect(await ask(folders.there, "desk-staff")).toMatchObject({ status: 409, body: { code: "not_now" } });
    expect((await reportsAt(back)).status).toBe(503);
    expect((await later()).keys).toEqual(anew.keys);
    expect(readFileSync(join(folders.there, "desk", "seat"), "utf8")).toBe(readFileSync(join(kept, "desk", "seat"), "utf8"));
    await told.close();
    const stays = await start(folders.here);
    expect(await answer(folders.here, "desk-staff")).toMatchObject({ staff: [{ name: "Eve" }] });
    await stays.close();
  });
});

test("[E-179] a desk that was begun anew elsewhere while it ran ends within its next minute", async () => {
  const directory = temporaryDirectory();
  const seat = {
    isLost: false,
    take: () => (seat.isLost ? Promise.reject(new Error("another one has it")) : Promise.resolve()),
    isElsewhere: () => Promise.resolve(seat.isLost),
  };
  const office = new OfficeKeeper(
    { directory, host, publicUrl: origin, maxSealedBytes: 1_000_000, maxCaseBytes: 1_000_000, reportsPerDay: 20 },
    { world: testWorld(), seat, reportBug: () => undefined },
  );
  onTestFinished(() => office.close());
  const times = { nowMs: 20_000 * dayMs, passedMs: 1000, isDoubted: false };
  await office.begin({ name: "Ada", nowMs: times.nowMs });
  await office.tick(times);
  expect([office.isBegun, await office.isElsewhere()]).toEqual([true, false]);
  seat.isLost = true;
  await expect(office.tick(times)).rejects.toThrow("another one has it");
  expect([office.isBegun, await office.isElsewhere()]).toEqual([false, true]);
  expect(await office.tick(times)).toBe(0);
  await expect(office.begin({ name: "Ada", nowMs: times.nowMs })).rejects.toThrow("another one has it");
});

test("[E-179] that another desk is lost is said once: two servers that are both told so do not take it from each other again and again", async () => {
  const settings: Record<string, string> = {};
  let term = 0;
  const store = {
    takeLease: () => Promise.resolve({ kind: "taken" as const, term: ++term }),
    giveBackLease: () => Promise.resolve({ isWanted: false }),
    admin: {
      rules: () => Promise.resolve({ settings: { ...settings } }),
      setSetting({ name, value }: { name: string; value: string }) {
        settings[name] = value;
        return Promise.resolve();
      },
    },
  };
  let elapsedMs = 0;
  const seatOf = (holder: string): DeskSeat =>
    new DeskSeat({
      dataDirectory: temporaryDirectory(),
      store: store as unknown as Pick<Store, "takeLease" | "giveBackLease" | "admin">,
      holder,
      isLost: true,
      elapsedMs: () => elapsedMs,
    });
  const [one, other] = [seatOf("one"), seatOf("other")];
  await one.take();
  await other.take();
  elapsedMs += 60_000;
  expect([await one.isElsewhere(), await other.isElsewhere()]).toEqual([true, false]);
  // As with each minute.
  await expect(one.take()).rejects.toMatchObject({ code: "data_unusable" });
  elapsedMs += 60_000;
  expect([await one.isElsewhere(), await other.isElsewhere()]).toEqual([true, false]);
});

test("[E-2] however many ask who has the desk while the database is silent, it is asked once", async () => {
  let asked = 0;
  const answers: (() => void)[] = [];
  const rules = async (): Promise<{ settings: Record<string, string> }> => {
    asked += 1;
    await new Promise<void>((resolve) => answers.push(resolve));
    return { settings: { desk: "another" } };
  };
  const seat = new DeskSeat({
    dataDirectory: temporaryDirectory(),
    store: { admin: { rules } } as unknown as Pick<Store, "takeLease" | "giveBackLease" | "admin">,
    holder: "one",
    isLost: false,
    elapsedMs: () => 0,
  });
  const all = Array.from({ length: 1000 }, () => seat.isElsewhere());
  for (const answer of answers) answer();
  expect([new Set(await Promise.all(all)), asked]).toEqual([new Set([true]), 1]);
});
