import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Client, FoundMessage, SearchPage } from "@latchkey/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ann, ben, conversation, createFake, runWith } from "../run.testing.ts";
import type { Fake } from "../run.testing.ts";

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "latchkey-search-"));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const direct = { ...conversation("with-ben", "direct", "ben"), peer: ben };
const found = (messageId: string, snippet: string, author = ben): FoundMessage => ({
  conversationId: direct.id,
  messageId,
  order: 1,
  author,
  sentAtMs: new Date(2026, 10, 29, 9, 30).getTime(),
  snippet,
  hits: [],
});
const page = (over: Partial<SearchPage>): SearchPage => ({ found: [], cursor: undefined, unknown: [], indexing: undefined, ...over });

async function run(
  pages: readonly SearchPage[],
  ...args: readonly string[]
): Promise<{ fake: Fake; status: number; stdout: string; stderr: string }> {
  const left = [...pages];
  const answers: Partial<Client> = {
    conversations: () => Promise.resolve([direct]),
    search: () => Promise.resolve(left.shift() ?? page({})),
  };
  const fake = createFake(answers);
  return { fake, ...(await runWith(home, ["search", ...args, "--server", "http://localhost:8080"], fake)) };
}

const asked = (fake: Fake): unknown[] => fake.calls.filter(([name]) => name === "search").map(([, ...args]) => args);

describe("latchkey search", () => {
  test("prints what is found, page by page, the newest first", async () => {
    const { fake, stdout, status } = await run(
      [page({ found: [found("m2", "two\u001b[2J")], cursor: "c" }), page({ found: [found("m1", "one", ann)] })],
      "two words",
      "from:ben",
    );
    expect(status).toBe(0);
    expect(stdout).toBe("m2  2026-11-29 09:30  ben: two\uFFFD[2J\nm1  2026-11-29 09:30  me: one\n");
    expect(asked(fake)).toEqual([
      ["two words from:ben", { conversationId: undefined, limit: 50 }],
      ["", { cursor: "c", limit: 50 }],
    ]);
  });

  test("in one conversation, and no more than were asked for", async () => {
    const { fake, stdout } = await run(
      [page({ found: [found("m2", "two"), found("m1", "one")], cursor: "c" })],
      "o",
      "--in",
      "ben",
      "--limit",
      "1",
    );
    expect(stdout).toBe("m2  2026-11-29 09:30  ben: two\n");
    expect(asked(fake)).toEqual([["o", { conversationId: "with-ben", limit: 1 }]]);
  });

  test("waits for an index that is being made", async () => {
    const { fake, stdout } = await run([page({ indexing: { done: 1, of: 2 } }), page({ found: [found("m1", "one")] })], "o");
    expect(stdout).toContain("m1");
    expect(asked(fake)).toHaveLength(2);
  });

  test("says what it does not know", async () => {
    expect(await run([page({ unknown: ["has:sticker"] })], "has:sticker")).toMatchObject({ status: 1, stdout: "" });
    expect((await run([page({ unknown: ["has:sticker"] })], "has:sticker")).stderr).toContain("has:sticker");
    expect((await run([], "x", "--limit", "0")).status).toBe(2);
    expect((await run([], "x", "--in", "nobody")).stderr).toContain("unknown_conversation");
  });
});
