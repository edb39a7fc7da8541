import { ClientError } from "@latchkey/client";
import type { Client, MessagePage } from "@latchkey/client";
import { describe, expect, test } from "vitest";
import { ann, ben, conversation, createFake, groupId, profileOfEachTest, textMessage } from "../run.testing.ts";
import { mergeByTime } from "./read.ts";

const { run } = profileOfEachTest();

describe("read", () => {
  const stored = [textMessage({ id: "a", order: 1, text: "one" }), textMessage({ id: "b", order: 2, text: "two\nlines" })];

  test("prints what is stored, oldest first, and marks it read", async () => {
    const fake = createFake({ messages: () => Promise.resolve(stored) });
    const { status, stdout } = await run(["read"], fake);
    expect(status).toBe(0);
    expect(stdout.replaceAll(/\[[^\]]*\]/g, "[time]")).toBe("[time] Picnic | ben: one\n[time] Picnic | ben: two\n    lines\n");
    expect(fake.calls).toContainEqual(["markRead", groupId, 2]);
  });

  test("prints one JSON object a line", async () => {
    const { stdout } = await run(["read", "--json"], createFake({ messages: () => Promise.resolve(stored) }));
    const lines = stdout.trimEnd().split("\n");
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual(stored.map((message): unknown => JSON.parse(JSON.stringify(message))));
  });

  test("shows what is stored while offline, and fails", async () => {
    const fake = createFake({
      messages: () => Promise.resolve(stored),
      settle: () => Promise.reject(new ClientError("offline", "The server cannot be reached now.")),
    });
    const { status, stdout, stderr } = await run(["read", "--conversation", groupId], fake);
    expect(status).toBe(1);
    expect(stdout.split("\n")).toHaveLength(4);
    expect(stderr).toBe("latchkey: offline: http://localhost:8080: The server cannot be reached now.\n");
  });

  test("[E-74] says why the server is not reached, where it is not the network", async () => {
    const cause = {
      code: "app_outdated",
      message: "This version of Latchkey is too old for the server. Update it.",
      canRetry: true,
    } as const;
    const fake: ReturnType<typeof createFake> = createFake({
      messages: () => Promise.resolve(stored),
      settle() {
        fake.emit({ kind: "connection", connection: { kind: "offline", sinceMs: 0, waitingCount: 0, nextTryMs: 0, cause } });
        return new Promise(() => undefined);
      },
    });
    const { status, stderr } = await run(["read", "--conversation", groupId], fake);
    expect([status, stderr]).toEqual([1, `latchkey: app_outdated: http://localhost:8080: ${cause.message}\n`]);
  });

  test("[I-4] says beside the messages that people wait to be accepted", async () => {
    const list = [{ id: "account-ben", person: ben, receivedAtMs: 0, count: 1, state: "asks" as const }];
    const fake = createFake({ messages: () => Promise.resolve(stored), requests: () => Promise.resolve({ list, dropped: 0 }) });
    const { stderr, stdout } = await run(["read"], fake);
    expect(stderr).toBe('latchkey: 1 request waits: see "latchkey requests"\n');
    expect(stdout).not.toContain("request");
  });

  test("[I-4] requests are listed, accepted, declined and blocked by name; a bot's option goes to the client", async () => {
    const list = [{ id: "account-ben", person: ben, receivedAtMs: 0, count: 1, state: "asks" as const }];
    const answers = {
      requests: () => Promise.resolve({ list, dropped: 3 }),
      acceptRequest: () => Promise.resolve(conversation(groupId, "group", "Picnic")),
      declineRequest: () => Promise.resolve(),
      block: () => Promise.resolve(),
      blocked: () => Promise.resolve([ben]),
      unblock: () => Promise.resolve(),
    };
    const { stdout } = await run(["requests"], createFake(answers));
    expect(stdout).toMatch(/^ben {2}asks to write to you {2}.*\nand 3 more, dropped because there were too many at once\n$/);
    const fake = createFake(answers);
    await run(["requests", "accept", "ben"], fake);
    await run(["requests", "decline", "@ben"], fake);
    await run(["requests", "block", "ben"], fake);
    await run(["unblock", "ben"], fake);
    const made = fake.calls.map(([name, id]) => [name, id]).filter(([, id]) => id === "account-ben");
    expect(made.map(([name]) => name)).toEqual(["acceptRequest", "declineRequest", "block", "unblock"]);
    expect((await run(["requests", "accept", "eve"], fake)).stderr).toMatch(/^latchkey: unknown_request: /);
    expect((await run(["requests", "forget", "ben"], fake)).status).toBe(2);
    expect((await run(["conversations", "--accept-requests"], fake)).opened).toMatchObject([{ requests: "accept" }]);
  });

  test("knows the conversation that it is asked for", async () => {
    const id = `-${"a".repeat(41)}A`;
    const fake = createFake({ conversations: () => Promise.resolve([conversation(id, "group", "Picnic")]) });
    expect((await run(["read", "--conversation", id], fake)).stderr).toBe("");
    expect((await run(["read", `--conversation=${id}`, "--no-such-option-as-this"], fake)).status).toBe(2);
    expect((await run(["read", "--conversation", "nothing"])).stderr).toMatch(/^latchkey: unknown_conversation: /);
  });

  test("follows: each message once, own ones when their fate is known, until it is stopped", async () => {
    const fake = createFake({ messages: () => Promise.resolve(stored) });
    const own = { ...textMessage({ id: "c", order: 3, text: "mine", author: ann }), delivery: { kind: "pending" } as const };
    const { status, stdout, stderr } = await run(["read", "--follow"], fake, {
      async stopRequested() {
        await new Promise((done) => setTimeout(done, 20));
        fake.emit({ kind: "message", message: own, isNew: true });
        fake.emit({ kind: "message", message: { ...own, delivery: { kind: "accepted", atMs: 1 } }, isNew: false });
        fake.emit({ kind: "message", message: stored[1] ?? own, isNew: true });
        fake.emit({ kind: "connection", connection: { kind: "offline", sinceMs: 0, waitingCount: 0, nextTryMs: 0 } });
        fake.emit({ kind: "connection", connection: { kind: "online" } });
        await new Promise((done) => setTimeout(done, 20));
        return "SIGTERM" as const;
      },
    });
    expect(status).toBe(143);
    expect(stdout.match(/mine/g)).toHaveLength(1);
    expect(stdout.match(/two/g)).toHaveLength(1);
    expect(stderr).toBe("latchkey: offline, trying again\nlatchkey: online again\n");
  });

  test("--since prints every page, and then the cursor to go on with", async () => {
    const pages = new Map([
      [undefined, { messages: [stored[0]], cursor: "one", hasMore: true }],
      ["one", { messages: [stored[1]], cursor: "two", hasMore: false }],
      ["two", { messages: [], cursor: "two", hasMore: false }],
    ]);
    const since = (cursor?: string): ReturnType<Client["since"]> => Promise.resolve(pages.get(cursor) as MessagePage);
    const fake = createFake({ since });
    const { status, stdout } = await run(["read", "--since", "start", "--json"], fake);
    const lines = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as object);
    expect([status, lines]).toMatchObject([0, [{ id: "a" }, { id: "b" }, { cursor: "two" }]]);
    expect(fake.calls.map(([name]) => name)).not.toContain("markRead");
    expect((await run(["read", "--since", "two"], fake)).stdout).toBe("cursor two\n");
    expect((await run(["read", "--since", "two", "--follow"], fake)).status).toBe(2);
  });

  test("merges conversations by time, each in its own order whatever its clocks say", () => {
    const first = [textMessage({ id: "a", order: 1, text: "", at: 10 }), textMessage({ id: "b", order: 2, text: "", at: 5 })];
    const second = [textMessage({ id: "c", order: 1, text: "", at: 7 }), textMessage({ id: "d", order: 2, text: "", at: 12 })];
    expect(mergeByTime([first, second]).map(({ id }) => id)).toEqual(["c", "a", "b", "d"]);
  });
});
