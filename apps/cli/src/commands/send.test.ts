import { readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Message, NewFile } from "@latchkey/client";
import { describe, expect, test } from "vitest";
import { ann, conversation, createFake, groupId, profileOfEachTest, textMessage } from "../run.testing.ts";
import type { Fake } from "../run.testing.ts";

const { run } = profileOfEachTest();

describe("send", () => {
  const pending: Message = { ...textMessage({ id: "m1", order: 1, text: "hi", author: ann }), delivery: { kind: "pending" } };

  function sendingFake(fate: Message | undefined): Fake {
    const fake = createFake({
      startConversation: () => Promise.resolve(conversation("direct-1", "direct", "ben")),
      send() {
        if (fate !== undefined) setTimeout(() => fake.emit({ kind: "message", message: fate, isNew: true }), 5);
        return Promise.resolve(pending);
      },
    });
    return fake;
  }

  test("starts a direct conversation, waits for the server and prints what became of it", async () => {
    const fake = sendingFake({ ...pending, delivery: { kind: "accepted", atMs: 5 } });
    const { status, stdout } = await run(["send", "ben", "hi"], fake);
    expect([status, stdout]).toEqual([0, "accepted\n"]);
    expect(fake.calls).toContainEqual(["startConversation", { to: ["ben"] }]);
    expect(fake.calls).toContainEqual(["send", "direct-1", "hi"]);
    expect(fake.calls.slice(-2).map(([name]) => name)).toEqual(["settle", "close"]);
  });

  test("sends to a conversation by its id, text from standard input", async () => {
    const fake = sendingFake({ ...pending, delivery: { kind: "accepted", atMs: 5 } });
    const { status, stdout } = await run(["send", groupId, "-", "--json"], fake);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ id: "m1", delivery: { kind: "accepted" } });
    expect(fake.calls).toContainEqual(["send", groupId, "from a pipe"]);
  });

  test("sends files with what is said of them, and says how far they are where somebody looks on", async () => {
    const fake = sendingFake({ ...pending, delivery: { kind: "accepted", atMs: 5 } });
    const path = fileURLToPath(import.meta.url);
    const both = await run(["send", "ben", "--file", path, "--file", path, "--caption", "look"], fake);
    expect([both.status, both.stdout]).toEqual([0, "accepted\n"]);
    const [, , text, options] = fake.calls.find(([name]) => name === "send") ?? [];
    expect(text).toBe("look");
    const [file] = (options as { files: NewFile[] }).files;
    expect(file).toMatchObject({
      name: "send.test.ts",
      mediaType: "application/octet-stream",
      kind: "file",
      sizeBytes: statSync(path).size,
    });
    expect(Buffer.concat(await Array.fromAsync(file?.content as AsyncIterable<Uint8Array>)).equals(readFileSync(path))).toBe(true);
    for (const args of [
      ["hi", "--file", path],
      ["--caption", "of nothing"],
      ["hi", "--caption", "of nothing"],
    ])
      expect((await run(["send", "ben", ...args], fake)).status, args.join(" ")).toBe(2);
    for (const missing of [`${path}.none`, dirname(path)])
      expect((await run(["send", "ben", "--file", missing], fake)).stderr).toMatch(/unreadable_file/);
  });

  test("text may begin with a dash after two dashes", async () => {
    const fake = sendingFake({ ...pending, delivery: { kind: "accepted", atMs: 5 } });
    expect((await run(["send", "ben", "--", "-5 degrees"], fake)).status).toBe(0);
    expect(fake.calls).toContainEqual(["send", "direct-1", "-5 degrees"]);
  });

  test("without text, reads a pipe, and asks for text where somebody types", async () => {
    const fake = sendingFake({ ...pending, delivery: { kind: "accepted", atMs: 5 } });
    expect((await run(["send", "ben"], fake, { isTyped: false })).status).toBe(0);
    expect(fake.calls).toContainEqual(["send", "direct-1", "from a pipe"]);
    expect((await run(["send", "ben"], fake)).status).toBe(2);
  });

  test.each(["-h", "--help", "--json"])("sends %s after two dashes", async (text) => {
    const fake = sendingFake({ ...pending, delivery: { kind: "accepted", atMs: 5 } });
    expect(await run(["send", "ben", "--", text], fake)).toMatchObject({ status: 0, stdout: "accepted\n" });
    expect(fake.calls).toContainEqual(["send", "direct-1", text]);
  });

  test("fails when the message failed, with the client's reason", async () => {
    const failure = { code: "message_too_large", message: "Too large.", canRetry: false } as const;
    const { status, stdout, stderr } = await run(["send", "ben", "hi"], sendingFake({ ...pending, delivery: { kind: "failed", failure } }));
    expect([status, stdout, stderr]).toEqual([1, "failed\n", "latchkey: message_too_large: Too large.\n"]);
  });

  test("fails as offline when the time is over, the message still pending", async () => {
    const { status, stdout, stderr } = await run(["send", "ben", "hi", "--timeout", "0.05"], sendingFake(undefined));
    expect([status, stdout]).toEqual([1, "pending\n"]);
    expect(stderr).toMatch(/^latchkey: offline: /);
  });

  test("[E-69] tells what stops the conversation when the time is over", async () => {
    const failure = { code: "directory_unproven", message: "It cannot be found out now.", canRetry: true } as const;
    const stopped = { ...conversation(groupId, "group", "Picnic"), stop: { failure, by: undefined, removable: [] } };
    const fake = createFake({ conversations: () => Promise.resolve([stopped]), send: () => Promise.resolve(pending) });
    const { status, stderr } = await run(["send", groupId, "hi", "--timeout", "0.05"], fake);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^latchkey: directory_unproven: It cannot be found out now\. The message is kept/);
  });

  test("tells an alarm that pauses the conversation, now or earlier", async () => {
    const fake = sendingFake(undefined);
    const failure = { code: "profile_restored", message: "An old copy.", canRetry: false } as const;
    setTimeout(() => fake.emit({ kind: "alarm", failure, conversationId: "another" }), 5);
    setTimeout(() => fake.emit({ kind: "alarm", failure, conversationId: groupId }), 10);
    const now = await run(["send", "ben", "hi"], fake);
    expect([now.status, now.stderr]).toEqual([1, "latchkey: profile_restored: An old copy.\n"]);
    const alarm: Message = { ...textMessage({ id: "a", order: 1, text: "" }), body: { kind: "alarm", reason: "An old copy." } };
    const paused = createFake({
      conversations: () => Promise.resolve([{ ...conversation(groupId, "group", "Picnic"), status: "paused" }]),
      messages: () => Promise.resolve([alarm]),
    });
    const later = await run(["send", groupId, "hi"], paused);
    expect([later.status, later.stderr]).toEqual([1, "latchkey: paused: sending is paused in this conversation: An old copy.\n"]);
    expect(paused.calls.map(([name]) => name)).not.toContain("send");
  });

  test("has nothing to send", async () => {
    expect((await run(["send", "ben", "  "])).status).toBe(2);
  });
});
