import { spokenVersions } from "@latchkey/protocol";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runServer } from "./testing/fixtures.ts";
import { playSession } from "./testing/session.ts";
import type { RecordedSession } from "./testing/session.ts";

const folder = join(import.meta.dirname, "testing", "sessions");
const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
// Written by record-session.ts, and by nobody else.
const load = (name: string): RecordedSession => JSON.parse(readFileSync(join(folder, name), "utf8")) as RecordedSession;

describe("[E-74] clients of earlier versions", () => {
  test("every version that is spoken has a recorded client", () => {
    const versions = Array.from({ length: spokenVersions.max - spokenVersions.min + 1 }, (_, at) => `v${spokenVersions.min + at}.json`);
    expect(names).toEqual(expect.arrayContaining(versions));
  });

  test.each(names)("the client of %s registers, creates, appends, commits, reads and posts as it did, byte for byte", async (name) => {
    const session = load(name);
    const server = await runServer({ host: session.host }, { nowMs: () => session.nowMs });
    await expect(playSession(server.url, session)).resolves.toBeUndefined();
  });

  test("a recording that differs in one byte is noticed", async () => {
    const session = load(names[0] ?? "");
    const at = session.steps.findLastIndex((step) => "receive" in step && step.isWhole);
    const steps = session.steps.map((step, index) =>
      index === at && "receive" in step
        ? { ...step, receive: `${step.receive.slice(0, -1)}${step.receive.endsWith("0") ? "1" : "0"}` }
        : step,
    );
    const server = await runServer({ host: session.host }, { nowMs: () => session.nowMs });
    await expect(playSession(server.url, { ...session, steps })).rejects.toThrow("expected");
  });
});
