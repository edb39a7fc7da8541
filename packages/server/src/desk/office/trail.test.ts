import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { expect, test } from "vitest";
import { DeskPage, beginDesk } from "../../testing/desk-page.ts";
import { runServer, temporaryDirectory } from "../../testing/fixtures.ts";
import { openDeskDatabase } from "./database.ts";
import { Trail } from "./trail.ts";

function ofThree(): { trail: Trail; change: (sql: string) => void } {
  const { sql } = openDeskDatabase(temporaryDirectory());
  const trail = new Trail(sql);
  for (const act of ["one", "two", "three"]) trail.append({ actor: "Ada", act, caseNumber: 7, details: { of: act } }, 1000);
  return { trail, change: (text) => void sql.run(text) };
}

test("[E-172] a trail that was changed, shortened within or reordered shows where", () => {
  const whole = ofThree();
  const { head, ...check } = whole.trail.verify();
  expect(check).toEqual({ entries: 3 });
  expect(head).toBe(whole.trail.list({ after: 2, most: 1 })[0]?.hash);
  for (const [sql, brokenAt] of [
    ["UPDATE trail SET actor = 'Bo' WHERE number = 2", 2],
    ["UPDATE trail SET act = 'nothing' WHERE number = 1", 1],
    ["UPDATE trail SET case_number = 8 WHERE number = 3", 3],
    ["UPDATE trail SET case_number = NULL WHERE number = 3", 3],
    ["UPDATE trail SET details = '{}' WHERE number = 2", 2],
    ["UPDATE trail SET at_ms = 2000 WHERE number = 3", 3],
    ["DELETE FROM trail WHERE number = 2", 2],
    ["UPDATE trail SET number = 9 WHERE number = 3", 3],
  ] as const) {
    const { trail, change } = ofThree();
    change(sql);
    expect(trail.verify().brokenAt, sql).toBe(brokenAt);
  }
});

test("[E-172] a clock that was set back does not change the order of what was done", () => {
  const { trail } = ofThree();
  trail.append({ actor: "Ada", act: "four" }, 500);
  expect(trail.list({ after: 3, most: 5 })).toMatchObject([{ number: 4, atMs: 1000, act: "four" }]);
  expect(trail.verify().brokenAt).toBeUndefined();
});

test("[E-172] the auditor finds what the operator changed on the disk", async () => {
  const dataDirectory = temporaryDirectory();
  const first = await runServer({ dataDirectory });
  const { authenticator } = await beginDesk({ dataDirectory, url: first.url });
  const { port } = first;
  await first.close();
  const database = new DatabaseSync(join(dataDirectory, "desk.sqlite"));
  database.exec("UPDATE trail SET actor = 'Ada' WHERE actor = 'operator'");
  database.close();
  const { url } = await runServer({ dataDirectory, port });
  const page = new DeskPage(url);
  await page.signIn(authenticator);
  expect(await page.ask("trail-verify", {})).toMatchObject({ entries: 0, brokenAt: 1 });
});
