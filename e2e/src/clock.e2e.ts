import { afterEach, beforeEach, expect, test } from "vitest";
import { createFolder, latchkey, startServerProcess } from "./testing/processes.ts";
import type { CommandResult, ServerProcess, TemporaryFolder } from "./testing/processes.ts";

// A device whose clock is wrong, against a real server: what it is told, and that it goes on once the clock is right.

const dayMs = 86_400_000;

let folder: TemporaryFolder;
let server: ServerProcess;

beforeEach(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** A command of `name`'s profile, by a clock that is ahead. */
function run(name: string, aheadMs: number, ...args: string[]): Promise<CommandResult> {
  return latchkey([...args, "--json", "--accept-requests", "--home", folder.at(name), "--server", server.url], { clockAheadMs: aheadMs });
}

test("a wrong clock makes no account, is named and never called offline, and the same command works once it is right; one that goes wrong later takes nothing", async () => {
  const refused = await run("benedict", 40 * dayMs + 60_000, "register", "benedict");
  expect([refused.status, refused.stderr]).toEqual([
    1,
    expect.stringMatching(/^\{"error":\{"code":"clock_skew","message":"This device's clock is 40 days ahead of the server's\. [^\n]+\n$/),
  ]);
  expect(await run("benedict", 0, "register", "benedict")).toMatchObject({ status: 0 });
  // By its own clock the card is out of date now, and all its key packages have expired.
  const late = await run("benedict", 40 * dayMs, "read");
  expect([late.status, late.stderr]).toEqual([
    0,
    expect.stringMatching(/^\{"notice":\{"code":"clock_skew","message":"This device's clock is 40 days ahead/),
  ]);
  expect(await run("annabel", 0, "register", "annabel")).toMatchObject({ status: 0 });
  expect(await run("annabel", 0, "send", "benedict", "Still there")).toMatchObject({ status: 0, stderr: "" });
  const read = await run("benedict", 0, "read");
  expect([read.status, read.stdout]).toEqual([0, expect.stringContaining("Still there")]);
  // A command that is done keeps nobody waiting.
});
