import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { utf8Bytes } from "@latchkey/codec";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { ImportCalls } from "../api/imports.ts";
import { archiveAt } from "../files/node-files.ts";
import type { Store } from "../store/store.ts";
import { archiveOf } from "../testing/archives.ts";
import { importFile } from "./import.ts";
import { textLine } from "./parsed.ts";
import type { ImportOptions } from "./import.ts";
import { goOnErasing } from "./calls.ts";
import type { ImportsAccess } from "./imports.ts";
import { importedAtMs as nowMs, openImports, zipOf } from "./imports.testing.ts";

let store: Store;
let imports: ImportCalls;
let access: ImportsAccess;
beforeEach(() => {
  ({ store, imports, access } = openImports());
});

const line = (at: number): string =>
  `31/01/2024, 10:${String(at % 60).padStart(2, "0")} - ${at % 2 === 0 ? "Ada" : "Ben"}: message ${String(at)}\n`;
const chatOf = (count: number): string => Array.from({ length: count }, (_, at) => line(at)).join("");

async function run(content: BlobPart, over: Partial<ImportOptions> = {}): ReturnType<typeof importFile> {
  return await importFile(imports, { file: new Blob([content]), fileName: "WhatsApp Chat with Ben.txt", ...over });
}

/** What the profile has, by the beginnings of its keys. */
async function keys(): Promise<string[]> {
  return await store.transact("read", async (tx) => [...new Set((await tx.scan({ prefix: "" })).map(([key]) => key.split("/")[0] ?? ""))]);
}

describe("importing a file", () => {
  test("[Y-4] makes a conversation of this device alone, with every line at its place, and erases it without a trace", async () => {
    const [done] = await run(chatOf(1234), { ownName: "Ada" });
    expect(done).toMatchObject({ title: "Ben", source: "whatsapp", lineCount: 1234, asideCount: 0, isWhole: true, importedAtMs: nowMs });
    expect(await imports.imports()).toEqual([done]);
    const id = done?.id ?? "";
    const last = await imports.importedLines(id, { limit: 3 });
    expect(last.map(({ order, text, isOwn }) => [order, text, isOwn])).toEqual([
      [1231, "message 1231", false],
      [1232, "message 1232", true],
      [1233, "message 1233", false],
    ]);
    const orders = async (range: Parameters<ImportCalls["importedLines"]>[1]): Promise<number[]> =>
      (await imports.importedLines(id, range)).map(({ order }) => order);
    expect(await orders({ beforeOrder: 201, limit: 2 })).toEqual([199, 200]);
    expect(await orders({ afterOrder: 198, limit: 3 })).toEqual([199, 200, 201]);
    expect(await orders({ afterOrder: -1, limit: 2 })).toEqual([0, 1]);
    expect(await orders({ afterOrder: 5000, limit: 2 })).toEqual([]);
    expect((await orders({ limit: 9999 })).length).toBe(500);
    await imports.deleteImport(id);
    expect(await keys()).toEqual([]);
    await expect(imports.importedLines(id, { limit: 1 })).rejects.toMatchObject({ code: "unknown_conversation" });
    await expect(imports.importedLines("../x", { limit: 1 })).rejects.toMatchObject({ code: "unknown_conversation" });
  });

  test("[Y-4] its lines are found by any part of their words, names and files, the last first, in one import or in all", async () => {
    const [ben] = await run(
      `${chatOf(500)}31/01/2024, 11:00 - Zoë: Über den <b>Fluss</b>\n31/01/2024, 11:01 - Ada: plan.pdf (file attached)\n`,
    );
    await run(line(7), { fileName: "Other.txt" });
    const found = async (query: string, over = {}): Promise<string[]> =>
      (await imports.searchImports(query, over)).map(({ snippet }) => snippet);
    expect(await found("message 7")).toContain("message 7");
    expect((await found("essage 49", { importId: ben?.id })).slice(0, 2)).toEqual(["message 499", "message 498"]);
    expect(await found("uber FLUSS")).toEqual(["Über den <b>Fluss</b>"]);
    expect(await found("zoe")).toEqual(["Über den <b>Fluss</b>"]);
    expect(await found("plan.pdf")).toEqual(["plan.pdf"]);
    expect([await found("nowhere"), await found(""), (await found("message", { limit: 5 })).length]).toEqual([[], [], 5]);
  });

  test("[Y-5] takes the text out of an archive, whatever lies beside it", async () => {
    const plain = await zipOf({ "IMG-1.jpg": "x", "_chat.txt": chatOf(3), "notes.txt": "no" });
    expect(await run(plain, { fileName: "WhatsApp Chat - Ben.zip" })).toMatchObject([{ title: "Ben", lineCount: 3 }]);
    const packed = archiveOf({ name: "WhatsApp Chat with Eve.txt", content: utf8Bytes(chatOf(5000)) });
    expect(await run(packed, { fileName: "x.zip" })).toMatchObject([{ title: "Eve", lineCount: 5000 }]);
    const telegram = await zipOf({ "export/result.json": JSON.stringify({ name: "Tim", messages: [{ type: "message", text: "hi" }] }) });
    expect(await run(telegram)).toMatchObject([{ title: "Tim", source: "telegram", lineCount: 1 }]);
  });

  test("[Y-6] an archive that unpacks without end, lies about itself or is none is refused, and nothing of it stays", async () => {
    const bomb = archiveOf({ name: "_chat.txt", content: Buffer.concat([utf8Bytes(line(1)), Buffer.alloc(100 * 1_048_576, 0x20)]) });
    expect(bomb.length).toBeLessThan(200_000);
    await expect(run(bomb)).rejects.toMatchObject({ name: "ImportError", code: "unpacks_too_large" });
    const good = archiveOf({ name: "_chat.txt", content: utf8Bytes(chatOf(50)) });
    const cut = good.slice(0, 60);
    await expect(run(cut)).rejects.toMatchObject({ code: "bad_archive" });
    await expect(run(archiveOf({ name: "_chat.txt", content: utf8Bytes(chatOf(5)), flags: 1 }))).rejects.toMatchObject({
      code: "unknown_format",
    });
    await expect(run(archiveOf({ name: "_chat.txt", content: utf8Bytes(chatOf(5)), method: 99 }))).rejects.toMatchObject({
      code: "unknown_format",
    });
    await expect(run(await zipOf({ "a.txt": "x", "b.txt": "y" }))).rejects.toMatchObject({ code: "unknown_format" });
    for (let at = 0; at < good.length; at++) {
      const broken = good.slice();
      broken[at] = (broken[at] ?? 0) ^ 0xff;
      const done = await run(broken).then(
        (list) => list,
        (error: unknown) => {
          expect(error).toMatchObject({ name: "ImportError" });
          return [];
        },
      );
      for (const { id } of done) await imports.deleteImport(id);
    }
    expect(await keys()).toEqual([]);
  });

  test("[Y-6] counts what it keeps aside, keeps the first thousand of it, and refuses what is nothing else", async () => {
    const stray = Array.from({ length: 1500 }, (_, at) => `99/99/2024, 10:00 - Ada: ${String(at)}\n`).join("");
    const [done] = await run(`${line(1)}${stray}${line(2)}`);
    expect(done).toMatchObject({ lineCount: 2, asideCount: 1500 });
    const aside = await imports.importAside(done?.id ?? "");
    expect([aside.length, aside[0]]).toEqual([1000, { why: "bad_date", text: "99/99/2024, 10:00 - Ada: 0" }]);
    await expect(run("nothing of the kind")).rejects.toMatchObject({ code: "unknown_format" });
    await expect(run(stray)).rejects.toMatchObject({ code: "unknown_format" });
    await expect(run("")).rejects.toMatchObject({ code: "unknown_format" });
    expect((await imports.imports()).length).toBe(1);
  });

  test("[Y-6] a file that is changed or taken away while it is read is refused in one word, and nothing of it stays", async () => {
    const folder = mkdtempSync(join(tmpdir(), "latchkey-import-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, "chat.txt");
    for (const take of [() => truncateSync(path, 10), () => rmSync(path)]) {
      writeFileSync(path, chatOf(20_000));
      const file = await archiveAt(path);
      let pieces = 0;
      const breathe = async (): Promise<void> => {
        if (pieces++ === 8) take();
      };
      await expect(importFile(imports, { file, fileName: "chat.txt", breathe })).rejects.toMatchObject({
        name: "ImportError",
        code: "unreadable_file",
      });
      await expect(importFile(imports, { file, fileName: "chat.txt" })).rejects.toMatchObject({ code: "unreadable_file" });
    }
    expect(await keys()).toEqual([]);
  });

  test("[Y-6] what is broken off in the middle leaves nothing; a program that was killed leaves a part that says so", async () => {
    let pieces = 0;
    const breathe = (): Promise<void> => (pieces++ > 8 ? Promise.reject(new Error("stopped")) : Promise.resolve());
    await expect(run(chatOf(20_000), { breathe })).rejects.toThrow("stopped");
    expect(await keys()).toEqual([]);
    const id = await imports.beginImport({ title: "\u202EBen\n", source: "signal" });
    await imports.addToImport(id, { lines: [], aside: [], asideCount: 0 });
    expect(await imports.imports()).toMatchObject([{ id, title: "Ben", isWhole: false }]);
  });

  test("[Y-4] one whose deletion is broken off anywhere is there no more, and what is left of it goes with the next start", async () => {
    const { transact } = store;
    for (let written = 1; ; written++) {
      const [done] = await run(chatOf(21_000));
      const id = done?.id ?? "";
      let left = written;
      const killed: Store["transact"] = async (mode, body) => {
        if (mode === "write" && left-- === 0) throw new Error("killed");
        return await transact(mode, body);
      };
      Object.assign(store, { transact: killed });
      const isDone = await imports.deleteImport(id).then(
        () => true,
        () => false,
      );
      Object.assign(store, { transact });
      expect(await imports.imports()).toEqual([]);
      await expect(imports.importedLines(id, { limit: 1 })).rejects.toMatchObject({ code: "unknown_conversation" });
      expect((await keys()).length > 0).toBe(!isDone);
      await goOnErasing(access);
      expect(await keys()).toEqual([]);
      if (isDone) return expect(written).toBeGreaterThan(3);
    }
  });

  test("[Y-6] however long its lines are, no record has more than 65,536 units of them, or one line; each is read, found and erased at its place", async () => {
    const id = await imports.beginImport({ title: "Long", source: "telegram" });
    const lengths = Array.from({ length: 450 }, (_, at) => (at % 9 === 4 ? 65_536 : at % 9 === 5 ? 30_000 : 10));
    const lines = lengths.map((length, at) => textLine({ text: `${String(at)} ${"ﷺ".repeat(length)}` }));
    for (let at = 0; at < lines.length; at += 70)
      await imports.addToImport(id, { lines: lines.slice(at, at + 70), aside: [], asideCount: 0 });
    const sizes = await store.transact("read", async (tx) => (await tx.scan({ prefix: "import-lines/" })).map(([, value]) => value.length));
    expect(Math.max(...sizes)).toBeLessThan(210_000);
    expect(sizes.length).toBeLessThan(160);
    const orders: number[] = [];
    for (let afterOrder = -1; ;) {
      const some = await imports.importedLines(id, { afterOrder, limit: 37 });
      afterOrder = some.at(-1)?.order ?? -1;
      if (some.length === 0) break;
      for (const { order, text } of some) expect(text.split(" ")[0]).toBe(String(order));
      orders.push(...some.map(({ order }) => order));
    }
    expect(orders).toEqual(lines.map((_, at) => at));
    expect((await imports.searchImports("313")).map(({ line: found }) => found.order)).toEqual([313]);
    await imports.deleteImport(id);
    expect(await keys()).toEqual([]);
  });

  test("[Y-6] [E-291] what a page hands over is bounded whatever it is", async () => {
    const id = await imports.beginImport({ title: "", source: "telegram" });
    const long = {
      sentAtMs: Number.NaN,
      author: `\u202E${"a".repeat(999)}`,
      isOwn: false,
      kind: "text",
      text: "\uD800".repeat(70_000),
      fileNames: Array.from({ length: 99 }, () => "x/".repeat(999)),
    } as const;
    await imports.addToImport(id, {
      lines: [long, { ...long, sentAtMs: 1e20 }, { ...long, sentAtMs: -1 }],
      aside: [{ why: "too_long", text: "y".repeat(9999) }],
      asideCount: -5,
    });
    const [first, ...rest] = await imports.importedLines(id, { limit: 9 });
    expect([first?.sentAtMs, first?.author, first?.text.length, first?.text.isWellFormed(), first?.fileNames.length]).toEqual([
      undefined,
      "a".repeat(64),
      65_536,
      true,
      30,
    ]);
    expect(rest.map(({ sentAtMs }) => sentAtMs)).toEqual([undefined, undefined]);
    expect((await imports.importAside(id))[0]?.text.length).toBe(1000);
    await imports.finishImport(id);
    await expect(imports.addToImport(id, { lines: [], aside: [], asideCount: 0 })).rejects.toMatchObject({ code: "not_permitted" });
  });
});
