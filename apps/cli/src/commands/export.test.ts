import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Message } from "@latchkey/client";
import { ClientError } from "@latchkey/client";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ann, createFake, groupId, profileOfEachTest, textMessage } from "../run.testing.ts";
import type { Fake } from "../run.testing.ts";

const { run } = profileOfEachTest();
const hasPython = spawnSync("python3", ["--version"]).status === 0;

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "latchkey-export-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const file = { id: "f1", kind: "file", name: "notes.txt", mediaType: "text/plain", sizeBytes: 4, description: "" } as const;

function withMessages(messages: readonly Message[], over: Parameters<typeof createFake>[0] = {}): Fake {
  return createFake({
    messages: (_id, { afterOrder = -1, limit }) => Promise.resolve(messages.filter(({ order }) => order > afterOrder).slice(0, limit)),
    fetchFile: () => Promise.resolve(),
    async *readFile() {
      yield await Promise.resolve(Buffer.from("noted"));
    },
    ...over,
  });
}

function contentOf(path: string, name: string): string {
  const script = "import sys, zipfile; sys.stdout.write(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]).decode())";
  return spawnSync("python3", ["-c", script, path, name], { encoding: "utf8" }).stdout;
}

describe.skipIf(!hasPython)("export", () => {
  test("[Y-1] writes one file, tells what is in it and what is not, and overwrites nothing", async () => {
    const messages = [
      textMessage({ id: "m1", order: 1, text: "hello" }),
      { ...textMessage({ id: "m2", order: 2, text: "look", author: ann }), files: [file] },
      { ...textMessage({ id: "m3", order: 3, text: "once" }), isOnce: true as const },
    ];
    const path = join(folder, "all.zip");
    const { status, stdout } = await run(["export", "--out", path, "--json"], withMessages(messages));
    expect([status, JSON.parse(stdout)]).toEqual([
      0,
      {
        path,
        sizeBytes: expect.any(Number) as number,
        conversations: 1,
        messages: 3,
        files: 1,
        seenOnce: 1,
        timed: 0,
        unsent: 0,
        unreadable: 0,
        expired: 0,
        missingFiles: 0,
      },
    ]);
    expect(contentOf(path, "files/00001-notes.txt")).toBe("noted");
    expect(contentOf(path, "index.html")).toContain("Messages of ann");
    expect((await run(["export", "--out", path], withMessages(messages))).stderr).toMatch(/^latchkey: file_exists: /);
    const named = await run(["export", groupId, "--out", folder, "--without-files"], withMessages(messages));
    expect(named.stdout).toMatch(/latchkey-ann-\d{4}-\d\d-\d\d\.zip\n1 message to be seen once, left out\n$/);
    expect((await run(["export", "nobody", "--out", folder], withMessages(messages))).stderr).toMatch(/unknown_conversation/);
  });

  test("[Y-2] counts files that are not to be had, says that the server was not reached, and leaves nothing of what fails", async () => {
    const messages = [{ ...textMessage({ id: "m1", order: 1, text: "look" }), files: [file] }];
    const offline = withMessages(messages, {
      settle: () => Promise.reject(new ClientError("offline", "No network.", { canRetry: true })),
      fetchFile: () => Promise.reject(new ClientError("offline", "No network.", { canRetry: true })),
    });
    const { status, stdout, stderr } = await run(["export", "--out", join(folder, "a.zip")], offline);
    expect([status, stdout.split("\n")[1], stderr]).toEqual([0, "1 file missing", "latchkey: not all may be here: No network.\n"]);
    rmSync(join(folder, "a.zip"));
    const broken = withMessages([], { messages: () => Promise.reject(new ClientError("storage_denied", "Damaged.")) });
    expect((await run(["export", "--out", join(folder, "b.zip")], broken)).status).toBe(1);
    expect([existsSync(join(folder, "b.zip")), readdirSync(folder)]).toEqual([false, []]);
  });
});
