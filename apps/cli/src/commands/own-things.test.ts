import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Client } from "@latchkey/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ann, ben, conversation, createFake, groupId, runWith, textMessage } from "../run.testing.ts";
import type { Fake } from "../run.testing.ts";

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "latchkey-own-"));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const done = (): Promise<void> => Promise.resolve();
const direct = { ...conversation("with-ben", "direct", "ben"), peer: ben };
const group = conversation(groupId, "group", "Picnic");
const shown = { ...group, draft: "bread", own: { ...group.own, mutedUntil: "always" as const, pinnedPlace: 0, otherDraft: "wine" } };
const answers: Partial<Client> = {
  conversations: () => Promise.resolve([shown, direct, { ...conversation("to-self", "direct", "ann"), peer: ann }]),
  findMessage: (id) => Promise.resolve(textMessage({ id, order: 1, text: "hello" })),
  starred: () => Promise.resolve([textMessage({ id: "m1", order: 1, text: "hello" })]),
  mute: done,
  archive: done,
  pinConversation: done,
  markUnread: done,
  star: done,
  deleteConversation: done,
  saveDraft: done,
  decideDraft: done,
};
const run = async (...args: readonly string[]): Promise<{ fake: Fake; status: number; stdout: string; stderr: string }> => {
  const fake = createFake(answers);
  return { fake, ...(await runWith(home, [...args, "--server", "http://localhost:8080"], fake)) };
};

describe("[X-18] what a person sets for themselves", () => {
  test.each<readonly [readonly string[], readonly unknown[]]>([
    [
      ["mute", "ben"],
      ["mute", "with-ben", "always"],
    ],
    [
      ["mute", groupId, "off"],
      ["mute", groupId, undefined],
    ],
    [
      ["archive", "me"],
      ["archive", "to-self", true],
    ],
    [
      ["archive", "ben", "--remove"],
      ["archive", "with-ben", false],
    ],
    [
      ["top", "ben"],
      ["pinConversation", "with-ben", 0],
    ],
    [
      ["top", "ben", "--place", "3"],
      ["pinConversation", "with-ben", 2],
    ],
    [
      ["top", "ben", "--remove"],
      ["pinConversation", "with-ben", undefined],
    ],
    [
      ["unread", "ben"],
      ["markUnread", "with-ben", true],
    ],
    [
      ["clear", "ben"],
      ["deleteConversation", "with-ben"],
    ],
    [
      ["star", "m1"],
      ["star", groupId, "m1", true],
    ],
    [
      ["star", "m1", "--remove"],
      ["star", groupId, "m1", false],
    ],
    [
      ["draft", "ben", "on my way"],
      ["saveDraft", "with-ben", "on my way"],
    ],
    [
      ["draft", "ben", "--take"],
      ["decideDraft", "with-ben", true],
    ],
    [
      ["draft", "ben", "--drop"],
      ["decideDraft", "with-ben", false],
    ],
  ])("latchkey %j", async (args, call) => {
    const { fake, status } = await run(...args);
    expect(status).toBe(0);
    expect(fake.calls).toContainEqual(call);
  });

  test("a mute for a time ends then", async () => {
    const before = Date.now();
    const { fake } = await run("mute", "ben", "1h");
    const until = fake.calls.find(([name]) => name === "mute")?.[2];
    expect(until).toBeGreaterThanOrEqual(before + 3_600_000);
    expect(until).toBeLessThanOrEqual(Date.now() + 3_600_000);
  });

  test.each([
    [["mute", "ben", "tomorrow"]],
    [["top", "ben", "--place", "0"]],
    [["top", "ben", "--place", "1", "--remove"]],
    [["draft", "ben", "hello", "--take"]],
  ])("latchkey %j is typed wrongly, and sets nothing", async (args) => {
    const { fake, status } = await run(...args);
    expect(status).toBe(2);
    expect(fake.calls).toEqual([]);
  });

  test("a conversation that is not there is not begun", async () => {
    const { fake, status, stderr } = await run("mute", "cyd");
    expect([status, stderr]).toEqual([1, expect.stringContaining("unknown_conversation")]);
    expect(fake.calls.some(([name]) => name === "startConversation" || name === "mute")).toBe(false);
  });

  test("is shown in the list, the drafts of both devices in full", async () => {
    expect((await run("conversations")).stdout).toContain("Picnic  2 members  on top  muted  draft\n");
    expect((await run("draft", groupId)).stdout).toBe("bread\non another device: wine\n");
    expect(JSON.parse((await run("draft", groupId, "--json")).stdout)).toEqual({
      conversationId: groupId,
      draft: "bread",
      otherDraft: "wine",
    });
    expect(JSON.parse((await run("star", "m1", "--json")).stdout)).toEqual({ id: "m1", isStarred: true });
    expect((await run("starred")).stdout).toContain("m1  ");
  });
});
