import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AttachedFile, Message } from "@latchkey/client";
import { ClientError } from "@latchkey/client";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createFake, profileOfEachTest, textMessage } from "../run.testing.ts";
import type { Fake } from "../run.testing.ts";

const { run } = profileOfEachTest();

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "latchkey-save-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function file(id: string, name: string): AttachedFile {
  return { id, kind: "file", name, mediaType: "text/plain", sizeBytes: 10, description: "" };
}

function withFiles(
  files: readonly AttachedFile[],
  read: (id: string) => AsyncIterable<Uint8Array> = contentOf,
  over: Partial<Message> = {},
): Fake {
  const message: Message = { ...textMessage({ id: "m1", order: 1, text: "look" }), files, ...over };
  return createFake({
    findMessage: () => Promise.resolve(message),
    readFile: (_conversationId: string, _messageId: string, id: string) => read(id),
  });
}

async function* contentOf(id: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from("content ");
  yield Buffer.from(id);
}

describe("save", () => {
  test("writes all files of a message by their own names, with a number where something has it, and overwrites nothing", async () => {
    writeFileSync(join(folder, "a.tar.gz"), "mine");
    const fake = withFiles([file("f1", "a.tar.gz"), file("f2", "a.tar.gz"), file("f3", "b")]);
    const { status, stdout } = await run(["save", "m1", "--out", folder], fake);
    const paths = ["a.tar (1).gz", "a.tar (2).gz", "b"].map((name) => join(folder, name));
    expect([status, stdout]).toEqual([0, `${paths.join("\n")}\n`]);
    expect(paths.map((path) => readFileSync(path, "utf8"))).toEqual(["content f1", "content f2", "content f3"]);
    expect(readFileSync(join(folder, "a.tar.gz"), "utf8")).toBe("mine");
    expect(readdirSync(folder).length).toBe(4);
  });

  test("writes one of them under a name, and refuses one that exists, in JSON too", async () => {
    const fake = withFiles([file("f1", "a"), file("f2", "b")]);
    const path = join(folder, "new name");
    const { status, stdout } = await run(["save", "m1", "--file", "2", "--out", path, "--json"], fake);
    expect([status, JSON.parse(stdout)]).toEqual([0, { messageId: "m1", fileId: "f2", name: "b", sizeBytes: 10, path }]);
    writeFileSync(path, "mine");
    const again = await run(["save", "m1", "--file", "2", "--out", path], fake);
    expect([again.status, readFileSync(path, "utf8")]).toEqual([1, "mine"]);
    expect(again.stderr).toMatch(/^latchkey: file_exists: /);
    expect((await run(["save", "m1", "--out", join(folder, "both")], fake)).status).toBe(2);
    expect((await run(["save", "m1", "--file", "3", "--out", folder], fake)).stderr).toMatch(/no_file/);
    expect((await run(["save", "m1", "--file", "x", "--out", folder], fake)).status).toBe(2);
    expect((await run(["save", "m1", "--out", join(folder, "nowhere/")], fake)).stderr).toMatch(/no_folder/);
    expect((await run(["save", "m1", "--out", folder], withFiles([]))).stderr).toMatch(/no_file/);
  });

  test("[X-8] does not save what is to be seen once, and does not open it", async () => {
    const opened: string[] = [];
    const read = (id: string): AsyncIterable<Uint8Array> => {
      opened.push(id);
      return contentOf(id);
    };
    const fake = withFiles([{ ...file("f1", "a.jpg"), kind: "picture" }], read, { isOnce: true });
    const { status, stderr } = await run(["save", "m1", "--out", folder], fake);
    expect([status, readdirSync(folder), opened]).toEqual([1, [], []]);
    expect(stderr).toMatch(/^latchkey: not_permitted: /);
  });

  test("leaves nothing of a file that does not come to its end", async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("half");
      throw new ClientError("server_lied", "A part of this arrived damaged.");
    }
    const fake = withFiles([file("f1", "a")], broken);
    const { status, stderr } = await run(["save", "m1", "--out", folder], fake);
    expect([status, readdirSync(folder)]).toEqual([1, []]);
    expect(stderr).toMatch(/server_lied/);
    mkdirSync(join(folder, "a"));
    await run(["save", "m1", "--out", folder], withFiles([file("f1", "a")]));
    expect(readdirSync(folder).toSorted()).toEqual(["a", "a (1)"]);
    expect(existsSync(join(folder, "a (1)"))).toBe(true);
  });

  test("removes what one left that was killed, and nothing of one that runs", async () => {
    const { pid } = spawnSync(process.execPath, ["--eval", ""]);
    const partOf = (id: number): string => `.latchkey-${String(id)}-00112233445566aa.part`;
    const names = [partOf(pid), partOf(process.pid), partOf(process.ppid), `${partOf(pid)}x`, ".latchkey-x.part"];
    for (const name of names) writeFileSync(join(folder, name), "half");
    await run(["save", "m1", "--out", folder], withFiles([file("f1", "a")]));
    expect(readdirSync(folder).toSorted()).toEqual([...names.slice(1), "a"].toSorted());
    const [, running] = names;
    let seen: readonly string[] = [];
    async function* looking(): AsyncGenerator<Uint8Array> {
      seen = readdirSync(folder).filter((name) => name !== running && name.startsWith(`.latchkey-${String(process.pid)}-`));
      yield Buffer.from("content");
    }
    await run(["save", "m1", "--out", folder], withFiles([file("f1", "b")], looking));
    expect(seen.length).toBe(1);
  });
});
