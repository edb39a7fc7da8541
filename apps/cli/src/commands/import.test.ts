import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ImportedLine } from "@latchkey/client";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createFake, profileOfEachTest } from "../run.testing.ts";
import type { Fake } from "../run.testing.ts";

const { run } = profileOfEachTest();
let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "latchkey-import-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const whole = {
  id: "i1",
  title: "Ben",
  source: "whatsapp",
  importedAtMs: 1,
  lineCount: 2,
  asideCount: 1,
  fromMs: 1,
  toMs: 2,
  isWhole: true,
  files: { named: 2, kept: 1, sizeBytes: 5, ended: "full" },
} as const;
const line = {
  order: 0,
  sentAtMs: new Date(2024, 0, 31, 17, 30).getTime(),
  author: "Ben\u001b[2J",
  isOwn: false,
  kind: "text",
  text: "hi\u001b[2J",
  fileNames: ["a.jpg", "b.jpg"],
  files: [{ at: 0, id: "f1", kind: "picture", name: "a.jpg", mediaType: "image/jpeg", sizeBytes: 5, description: "" }],
} as const;

function fakeWith(added: ImportedLine[]): Fake {
  return createFake({
    beginImport: () => Promise.resolve("i1"),
    addToImport: (_id, { lines }) => Promise.resolve(void added.push(...lines)),
    finishImport: () => Promise.resolve(whole),
    deleteImport: () => Promise.resolve(),
    imports: () => Promise.resolve([whole]),
    importedLines: (_id, { afterOrder }) =>
      Promise.resolve(afterOrder === undefined ? [line] : afterOrder < 0 ? [line, { ...line, order: 1 }] : []),
    async *readImportedFile() {
      yield await Promise.resolve(Buffer.from("bytes"));
    },
    importAside: () => Promise.resolve([{ why: "bad_date", text: "99/99" }]),
    searchImports: () => Promise.resolve([{ importId: "i1", line, snippet: "hi", hits: [] }]),
  });
}

describe("import", () => {
  test("[Y-4] reads a file into the profile, and what is there can be read, searched and deleted", async () => {
    const path = join(folder, "WhatsApp Chat with Ben.txt");
    writeFileSync(path, "31/01/2024, 17:30 - Ada: hello\n31/01/2024, 17:31 - Ben: hi\n");
    const added: ImportedLine[] = [];
    const fake = fakeWith(added);
    const { status, stdout, stderr } = await run(["import", path, "--own-name", "Ada"], fake);
    expect([status, stdout, stderr]).toEqual([0, "i1 Ben (whatsapp): 2 lines, 1 kept aside, 1 of 2 files, no room for more\n", ""]);
    expect(added.map(({ author, text, isOwn }) => [author, text, isOwn])).toEqual([
      ["Ada", "hello", true],
      ["Ben", "hi", false],
    ]);
    expect((await run(["import", "list"], fake)).stdout).toBe(stdout);
    expect((await run(["import", "read", "i1"], fake)).stdout).toBe(
      "2024-01-31 17:30 Ben\uFFFD[2J: hi\uFFFD[2J\n    [a.jpg]\n    [b.jpg, not here]\n",
    );
    const path2 = join(folder, "a.jpg");
    expect((await run(["import", "save", "i1", "--out", folder], fake)).stdout).toBe(`${path2}\n`);
    expect(readFileSync(path2, "utf8")).toBe("bytes");
    expect((await run(["import", "aside", "i1"], fake)).stdout).toBe("bad_date: 99/99\n");
    expect((await run(["import", "search", "hi"], fake)).stdout).toMatch(/^i1 2024-01-31 17:30 Ben/);
    expect((await run(["import", "delete", "i1"], fake)).stdout).toBe("deleted i1\n");
    expect((await run(["import", "delete", "i2"], fake)).stderr).toMatch(/^latchkey: unknown_conversation: /);
    expect((await run(["import", "read"], fake)).status).toBe(2);
  });

  test("[Y-6] refuses in one line what is no such file", async () => {
    const path = join(folder, "notes.txt");
    writeFileSync(path, "nothing of the kind");
    expect((await run(["import", path], fakeWith([]))).stderr).toMatch(/^latchkey: unknown_format: /);
    expect((await run(["import", join(folder, "none")], fakeWith([]))).stderr).toMatch(/^latchkey: unreadable_file: /);
  });
});
