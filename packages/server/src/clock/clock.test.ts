// The whole server, its store and housekeeping, on a machine whose clock is wrong.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { dayMs } from "../days.ts";
import { register } from "../testing/fixtures.ts";
import { Machine, machineStart as start, reasons } from "../testing/machine.ts";
import { TestClient } from "../testing/test-client.ts";

const hourMs = 3_600_000;

/** The day that the last run recorded. */
const recorded = (machine: Machine): string => `${readFileSync(join(machine.dataDirectory, "clock"), "utf8").split("\n")[0] ?? ""}\n`;

test("one start with a clock 40 days ahead removes nothing, dates nothing ahead, says so, and the next start goes on as before", async () => {
  const machine = new Machine();
  const before = await machine.run();
  await machine.append(before, true);
  await before.close();
  expect(recorded(machine)).toBe("2026-11-28\n");
  machine.wallMs += 40 * dayMs;
  const wrong = await machine.run();
  expect(await machine.positions(wrong)).toMatchObject({ firstSeq: 1, lastSeq: 1 });
  await machine.append(wrong);
  await register(wrong, "alice");
  await wrong.close();
  expect(recorded(machine)).toBe("2026-11-28\n");
  machine.wallMs -= 40 * dayMs;
  const after = await machine.run();
  const today = Math.floor(start / dayMs);
  expect(await machine.positions(after)).toEqual({ firstSeq: 1, lastSeq: 2, days: [today, today] });
  await register(after, "bert");
});

test("a clock that jumps while the server runs removes nothing either", async () => {
  const machine = new Machine();
  const server = await machine.run();
  await machine.append(server, true);
  machine.wallMs += 400 * dayMs;
  await machine.append(server);
  await server.close();
  expect(recorded(machine)).toBe("2026-11-28\n");
  machine.wallMs = start;
  const today = Math.floor(start / dayMs);
  expect(await machine.positions(await machine.run())).toEqual({ firstSeq: 1, lastSeq: 2, days: [today, today] });
});

test("a server that was off for 40 days expires what is due when it is told so", async () => {
  const machine = new Machine();
  const before = await machine.run();
  await machine.append(before, true);
  await before.close();
  machine.pass(40 * dayMs);
  const after = await machine.run({ iKnow: ["clock"] });
  await expect.poll(async () => (await machine.positions(after)).firstSeq).toBe(2);
  expect(recorded(machine)).toBe("2027-01-07\n");
});

test("a folder without the recorded day is held against what is stored", async () => {
  const machine = new Machine();
  const before = await machine.run();
  await machine.append(before, true);
  await before.close();
  rmSync(join(machine.dataDirectory, "clock"));
  machine.wallMs += 40 * dayMs;
  expect(await machine.positions(await machine.run())).toMatchObject({ firstSeq: 1, lastSeq: 1 });
  expect(recorded(machine)).toBe("2026-11-28\n");
});

test("entries of a future day, which a wrong clock left, hold up neither what came before nor after them", async () => {
  const machine = new Machine();
  const first = await machine.run();
  await machine.append(first, true);
  await first.close();
  // Somebody insisted on the wrong clock.
  machine.wallMs += 20 * dayMs;
  const wrong = await machine.run({ iKnow: ["clock"] });
  await machine.append(wrong);
  await wrong.close();
  machine.wallMs -= 20 * dayMs;
  const right = await machine.run({ iKnow: ["clock"] });
  await machine.append(right);
  await right.close();
  machine.pass(32 * dayMs);
  const after = await machine.run({ iKnow: ["clock"] });
  // All three came within the first day, by whatever clock.
  await expect.poll(async () => (await machine.positions(after)).firstSeq).toBe(4);
});

test("a server that was off for 40 days keeps what came while it doubted its clock as long as anything, once it believes it", async () => {
  const machine = new Machine();
  const before = await machine.run();
  await machine.append(before, true);
  await before.close();
  machine.pass(40 * dayMs);
  const doubting = await machine.run();
  await machine.append(doubting);
  const { lastSeq } = await machine.positions(doubting);
  expect(lastSeq).toBe(2);
  for (let hour = 0; hour < 25; hour++) {
    machine.pass(3_600_000);
    await machine.positions(doubting);
  }
  expect((await fetch(`${doubting.url}/healthz`)).status).toBe(200);
  await doubting.close();
  // The next start knows of it by what was recorded.
  machine.pass(2 * dayMs);
  const after = await machine.run();
  expect((await machine.positions(after)).firstSeq).toBeLessThanOrEqual(2);
});

test("a server that is on for a day now and then expires everything in its time: what came in a doubt as of its end, and nothing else waits for it", async () => {
  const machine = new Machine();
  for (let run = 0; run < 4; run++) {
    machine.passedMs = 0;
    const server = await machine.run({ retentionDays: 7 });
    await machine.append(server, run === 0);
    machine.pass(25 * hourMs);
    // The clock is believed now, and what is due is removed: of the third message, which came on the 12th day, not before the 21st.
    expect(await reasons(server)).toEqual([]);
    if (run === 3) await expect.poll(async () => (await machine.positions(server)).firstSeq).toBe(3);
    await server.close();
    machine.pass(6 * dayMs - 25 * hourMs);
  }
});

test("a server that is switched off every night believes its clock after a day of running, over its starts", async () => {
  const machine = new Machine();
  const before = await machine.run();
  await machine.append(before, true);
  await before.close();
  machine.pass(10 * dayMs);
  const health: number[] = [];
  for (let day = 0; day < 3; day++) {
    // The second clock begins anew with the machine.
    machine.passedMs = 0;
    const server = await machine.run();
    for (let hour = 0; hour < 14; hour++) {
      machine.pass(3_600_000);
      await machine.positions(server);
    }
    health.push((await fetch(`${server.url}/healthz`)).status);
    await server.close();
    machine.pass(10 * 3_600_000);
  }
  expect(health).toEqual([503, 200, 200]);
});

test("[E-98] a wrong digit in the file clock dates nothing ahead and holds nothing up; a day before there were computers hangs nothing", async () => {
  const machine = new Machine();
  const before = await machine.run();
  await register(before, "alice");
  await before.close();
  for (const [day, name] of [
    ["2036-11-28", "bert"],
    ["0001-01-01", "carol"],
  ] as const) {
    writeFileSync(join(machine.dataDirectory, "clock"), `${day}\n`);
    machine.pass(60_000);
    const server = await machine.run();
    await register(server, name);
    expect(await reasons(server)).toEqual([]);
    await server.close();
    expect(await machine.newestEntryMs()).toBe(machine.wallMs);
    expect(recorded(machine)).toBe("2026-11-28\n");
  }
});

test("[E-97] a clock that is 10 hours ahead at the start of the machine leaves the public record where time was", async () => {
  const machine = new Machine();
  const before = await machine.run();
  await register(before, "alice");
  await before.close();
  machine.pass(hourMs);
  machine.passedMs = 0;
  machine.wallMs += 10 * hourMs;
  const wrong = await machine.run();
  await register(wrong, "bert");
  await wrong.close();
  machine.wallMs -= 10 * hourMs;
  expect(await machine.newestEntryMs()).toBeLessThanOrEqual(machine.wallMs);
  const right = await machine.run();
  await register(right, "carol");
  expect(await reasons(right)).toEqual([]);
  await right.close();
  expect(await machine.newestEntryMs()).toBeLessThanOrEqual(machine.wallMs);
});

test("[D-2] a public record that is dated ahead waits for its time, and says until when", async () => {
  const machine = new Machine();
  // Nothing speaks against the clock of a first start.
  machine.wallMs += 10 * hourMs;
  const first = await machine.run();
  const { account, client } = await register(first, "alice");
  await client.close();
  machine.wallMs -= 10 * hourMs;
  expect(await reasons(first)).toEqual([
    { code: "record_ahead", message: expect.stringMatching(/dated 10 hours ahead .* until 2026-11-28 21:55 UTC/) },
  ]);
  // The entry that began it, and the one of the account.
  const aheadMs = start + 10 * hourMs + 1;
  await expect(register(first, "bert")).rejects.toThrow("clock_off");
  // What is there already is answered as ever.
  const again = await TestClient.connect(first.url, "device");
  const { signedState: state, pops, bindings } = account;
  expect(await again.ask({ kind: "publish", state, pops, bindings })).toMatchObject({ kind: "published" });
  await again.close();
  await first.close();
  expect(await machine.newestEntryMs()).toBe(aheadMs);
  machine.pass(9 * hourMs + 55 * 60_000 + 2);
  const after = await machine.run();
  expect(await reasons(after)).toEqual([]);
  await register(after, "carol");
  await after.close();
  expect(await machine.newestEntryMs()).toBe(aheadMs + 1);
});

test("[D-2] while the machine's clock is behind the server's time nothing is published", async () => {
  const machine = new Machine();
  const server = await machine.run();
  await register(server, "alice");
  machine.wallMs -= 10 * dayMs;
  await expect(register(server, "bert")).rejects.toThrow("clock_off");
  expect((await reasons(server)).map(({ code }) => code)).toEqual(["clock", "record_ahead"]);
  machine.wallMs += 10 * dayMs;
  await register(server, "carol");
});
