import { expect, test } from "vitest";
import { sha256 as hashOf } from "../../hash.ts";
import { random, temporaryDirectory } from "../../testing/fixtures.ts";
import { ArrivalTable } from "./arrivals.ts";
import { openDeskDatabase } from "./database.ts";

const hourMs = 3_600_000;
const none = new Uint8Array();

test("[V-2] [E-173] of an opened report what never came goes on missing and is not taken any more, until its receipt goes", () => {
  const { sql, close } = openDeskDatabase(temporaryDirectory());
  const arrivals = new ArrivalTable(sql);
  const [reportId, hash, sealed, receipt] = [random(16), random(32), random(500), random(100)];
  const [came, late] = [random(1000), random(2000)];
  const attachments = [came, late].map((bytes) => ({ hash: hashOf(bytes), sizeBytes: bytes.length }));
  arrivals.add({ reportId, hash, sealed, attachments, receipt, day: 100, nowMs: 0, spent: undefined });
  expect(arrivals.addFile(hashOf(came), came)).toBe(true);
  expect(arrivals.addFile(hashOf(came), came)).toBe(true);
  expect(arrivals.next(hourMs - 1, none)).toBeUndefined();
  expect(arrivals.next(hourMs, none)?.files).toEqual([{ hash: hashOf(came), bytes: came }]);
  arrivals.opened(reportId);
  expect(arrivals.known(reportId, hash)).toEqual({ receipt, missing: [hashOf(late)] });
  for (const bytes of [came, late]) {
    expect(arrivals.sizeOf(hashOf(bytes))).toBeUndefined();
    expect(arrivals.addFile(hashOf(bytes), bytes)).toBe(false);
  }
  expect(arrivals.sizeBytes()).toBe(0);
  arrivals.expire(161);
  expect(arrivals.known(reportId, hash)).toBeUndefined();
  expect(sql.all("SELECT id FROM arrival_files")).toEqual([]);
  close();
});

test("[V-1] a file that two reports announced goes to the one that still waits for it", () => {
  const { sql, close } = openDeskDatabase(temporaryDirectory());
  const arrivals = new ArrivalTable(sql);
  const bytes = random(1000);
  const attachments = [{ hash: hashOf(bytes), sizeBytes: bytes.length }];
  const [opened, waiting] = [random(16), random(16)];
  for (const reportId of [opened, waiting]) {
    const rest = { sealed: random(500), receipt: random(100), day: 100, nowMs: 0, spent: undefined };
    arrivals.add({ reportId, hash: reportId, attachments, ...rest });
  }
  arrivals.opened(opened);
  expect(arrivals.addFile(hashOf(bytes), bytes)).toBe(true);
  expect([arrivals.missing(opened), arrivals.missing(waiting)]).toEqual([[hashOf(bytes)], []]);
  close();
});
