import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ClientError } from "@latchkey/client";
import type { MessageInfo } from "@latchkey/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ben, conversation, createFake, groupId, isIn, runWith, textMessage } from "../run.testing.ts";

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "latchkey-info-"));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const group = { ...conversation(groupId, "group", "Village"), memberCount: 2 };
const message = { ...textMessage({ id: "m1", order: 1, text: "hello" }), conversationId: groupId };

describe("[R-3] latchkey info --ask", () => {
  test("asks who has read a message, waits for the answers, and tells them", async () => {
    let asked = 0;
    const answers = createFake({
      findMessage: () => Promise.resolve(message),
      details: () => Promise.resolve({ conversation: group, members: [], epoch: 1, cipherSuite: "X25519 (classical)", ...isIn }),
      whoHasRead: () => {
        asked += 1;
        return Promise.resolve();
      },
      messageInfo: (): Promise<MessageInfo> =>
        Promise.resolve({
          message,
          claimedAtMs: 1,
          arrivedAtMs: 1,
          versions: [],
          reactions: [],
          deliveredTo: [],
          readBy: asked > 0 ? [ben] : [],
          refused: [],
        }),
    });
    const run = async (...args: readonly string[]) => runWith(home, ["info", "m1", ...args, "--server", "http://localhost:8080"], answers);
    expect((await run()).stdout).not.toContain("read by");
    const { status, stdout } = await run("--ask");
    expect([status, asked]).toEqual([0, 1]);
    expect(stdout).toContain("read by ben");
  });

  test("says why it cannot be asked", async () => {
    const fake = createFake({
      findMessage: () => Promise.resolve(message),
      whoHasRead: () => Promise.reject(new ClientError("rate_limited", "Who has read is asked once an hour: do it again in 20 minutes.")),
    });
    const { status, stderr } = await runWith(home, ["info", "m1", "--ask", "--server", "http://localhost:8080"], fake);
    expect(status).toBe(1);
    expect(stderr).toContain("once an hour");
  });
});
