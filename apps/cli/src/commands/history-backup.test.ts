import type { HistoryBackup } from "@latchkey/client";
import { describe, expect, test } from "vitest";
import { createFake, profileOfEachTest } from "../run.testing.ts";

const { run } = profileOfEachTest();

const none: HistoryBackup = {
  keptBy: "nobody",
  deviceId: undefined,
  written: undefined,
  writing: undefined,
  leftOut: 0,
  failure: undefined,
  isToBeErased: false,
  found: undefined,
};
const kept: HistoryBackup = {
  ...none,
  keptBy: "this",
  deviceId: "d",
  written: { atMs: Date.UTC(2026, 10, 30, 12), messages: 1234, sizeBytes: 2_097_152 },
  leftOut: 2,
};
const found = {
  stage: "offered",
  atMs: Date.UTC(2026, 10, 29, 12),
  messages: 99,
  done: 0,
  total: 7,
  restored: 0,
  missing: 0,
  unreadable: 0,
} as const;

describe("[B-4] latchkey history-backup", () => {
  test("says how it stands, and that the server was looked at for it", async () => {
    let isAsked = false;
    const fake = createFake({
      historyBackup: (options) => {
        isAsked = options?.isAsked === true;
        return Promise.resolve(kept);
      },
    });
    const { status, stdout } = await run(["history-backup"], fake);
    expect([status, isAsked]).toEqual([0, true]);
    expect(stdout).toContain("this device keeps the backup\n");
    expect(stdout).toContain("1234 messages, 2.0 MiB at the server");
    expect(stdout).toContain("2 messages are too long to be in it");
  });

  test("turns it on with the words of the profile, else with those of standard input; and off", async () => {
    const said: (string | undefined)[] = [];
    const calls = {
      keepHistoryBackup: (phrase?: string) => Promise.resolve(void said.push(phrase)),
      writeHistoryBackup: () => Promise.resolve(kept),
      dropHistoryBackup: () => Promise.resolve(void said.push("off")),
      historyBackup: () => Promise.resolve({ ...none, isToBeErased: true }),
    };
    const account = await createFake({}).client.account();
    const withWords = (hasRecoveryPhrase: boolean) =>
      createFake({ ...calls, account: () => Promise.resolve(account === undefined ? undefined : { ...account, hasRecoveryPhrase }) });
    expect((await run(["history-backup", "on"], withWords(true))).status).toBe(0);
    const typed = withWords(false);
    expect(
      (await run(["history-backup", "on"], typed, { isTyped: false, readStdin: () => Promise.resolve("  one two\nthree ") })).status,
    ).toBe(0);
    expect((await run(["history-backup", "on"], typed, { isTyped: false, readStdin: () => Promise.resolve(" ") })).status).toBe(2);
    const off = await run(["history-backup", "off"], withWords(true));
    expect(off.stdout).toBe("no backup is kept\nthe server is still to be told to erase it\n");
    expect(said).toEqual([undefined, "one two three", "off"]);
  });

  test("[B-6] reads one into the profile, looks for it by the words where it is told to, and says what was missing", async () => {
    const calls: string[] = [];
    const fake = createFake({
      findHistoryBackup: (phrase) => {
        calls.push(phrase);
        return Promise.resolve({ ...none, found });
      },
      restoreHistoryBackup: () => Promise.resolve({ ...none, found: { ...found, stage: "done" } }),
      writeHistoryBackup: () =>
        Promise.resolve({ ...none, found: { ...found, stage: "done", done: 7, restored: 90, missing: 1, unreadable: 2 } }),
    });
    const { status, stdout } = await run(["history-backup", "restore", "--phrase"], fake, {
      isTyped: false,
      readStdin: () => Promise.resolve("one two"),
    });
    expect([status, calls]).toEqual([0, ["one two"]]);
    expect(stdout).toContain("90 messages came from the backup of ");
    expect(stdout).toContain("1 of its 7 parts are missing at the server, or were changed there");
    expect(stdout).toContain("2 entries of it cannot be read by this version");
    const offered = await run(["history-backup"], createFake({ historyBackup: () => Promise.resolve({ ...none, keptBy: "gone", found }) }));
    expect(offered.stdout).toContain("with 99 messages can be read: latchkey history-backup restore");
    expect(offered.stdout).toContain("only a device that knows of it could tell");
  });

  test("writes where it is kept here alone, and knows no other word", async () => {
    let isAnew: boolean | undefined;
    const at = (state: HistoryBackup) =>
      createFake({
        historyBackup: () => Promise.resolve(state),
        writeHistoryBackup: (options) => {
          isAnew = options?.isAnew;
          return Promise.resolve(kept);
        },
      });
    expect((await run(["history-backup", "write", "--anew"], at(kept))).status).toBe(0);
    expect(isAnew).toBe(true);
    expect((await run(["history-backup", "write"], at({ ...none, keptBy: "other" }))).status).toBe(1);
    expect((await run(["history-backup", "later"], at(kept))).status).toBe(2);
  });
});
