import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Client, ScheduledMessage } from "@latchkey/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ben, conversation, createFake, runWith, textMessage } from "../run.testing.ts";
import type { Fake } from "../run.testing.ts";

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "latchkey-later-"));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const atMs = new Date("2027-01-02T09:00").getTime();
const one: ScheduledMessage = { id: "s1", conversationId: "with-ben", text: "good morning", atMs, state: "waits", failure: undefined };
const done = (): Promise<void> => Promise.resolve();
const answers: Partial<Client> = {
  conversations: () => Promise.resolve([{ ...conversation("with-ben", "direct", "ben"), peer: ben }]),
  findMessage: (id) => Promise.resolve(textMessage({ id, order: 1, text: "hello" })),
  schedule: () => Promise.resolve(one),
  scheduled: () => Promise.resolve([one, { ...one, id: "s2", state: "late" }]),
  changeScheduled: done,
  cancelScheduled: done,
  sendScheduledNow: done,
  remind: done,
  reminders: () => Promise.resolve([{ message: textMessage({ id: "m1", order: 1, text: "hello" }), atMs, isDue: true }]),
};
const run = async (...args: readonly string[]): Promise<{ fake: Fake; status: number; stdout: string; stderr: string }> => {
  const fake = createFake(answers);
  return { fake, ...(await runWith(home, [...args, "--server", "http://localhost:8080"], fake)) };
};

describe("[X-15] what is to be said at a time", () => {
  test.each<readonly [readonly string[], readonly unknown[]]>([
    [
      ["later", "ben", "good morning", "--at", "2027-01-02 09:00"],
      ["schedule", "with-ben", "good morning", { atMs }],
    ],
    [
      ["later", "--change", "s1", "--text", "good night"],
      ["changeScheduled", "s1", { text: "good night", atMs: undefined }],
    ],
    [
      ["later", "--cancel", "s1"],
      ["cancelScheduled", "s1"],
    ],
    [
      ["later", "--now", "s1"],
      ["sendScheduledNow", "s1"],
    ],
    [
      ["remind", "m1", "off"],
      ["remind", textMessage({ id: "m1", order: 1, text: "" }).conversationId, "m1", undefined],
    ],
  ])("%j asks the client so", async (asked, call) => {
    const { fake, status, stderr } = await run(...asked);
    expect([status, stderr]).toEqual([0, ""]);
    expect(fake.calls).toContainEqual(call);
  });

  test("a span counts from now, and lists say what is late and what is due", async () => {
    const { fake } = await run("remind", "m1", "2h");
    const [, , , at] = fake.calls.find(([name]) => name === "remind") ?? [];
    expect(Number(at) - Date.now()).toBeGreaterThan(7_100_000);
    expect((await run("scheduled", "ben")).stdout).toBe(
      "s1  with-ben  2027-01-02 09:00  waits  good morning\ns2  with-ben  2027-01-02 09:00  late  good morning\n",
    );
    expect((await run("reminders")).stdout).toMatch(/^m1 {2}2027-01-02 09:00 {2}due {2}/u);
  });

  test.each<readonly string[]>([
    ["later", "ben", "good morning"],
    ["later", "ben", "good morning", "--at", "tomorrow"],
    ["later", "--change", "s1"],
    ["later", "--now", "s1", "--cancel", "s1"],
    ["later"],
    ["remind", "m1", "soon"],
  ])("%s %s %s %s is no command, and nothing is asked", async (...asked) => {
    const { fake, status } = await run(...asked);
    expect(status).toBe(2);
    expect(fake.calls.some(([name]) => ["schedule", "changeScheduled", "sendScheduledNow", "remind"].includes(String(name)))).toBe(false);
  });
});
