import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { utf8Bytes } from "@latchkey/codec";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { ImportedConversation, PlacedLine } from "../api/imports.ts";
import { archiveAt } from "../files/node-files.ts";
import { readSealedFile } from "../files/reading.ts";
import { archiveOf } from "../testing/archives.ts";
import type { ToldFile } from "../testing/archives.ts";
import { readDirectory } from "../zip/read-zip.ts";
import { ArchiveFiles } from "./archive-files.ts";
import type { FilesTarget } from "./archive-files.ts";
import { importFile } from "./import.ts";
import type { ImportOptions, ImportProgress } from "./import.ts";
import { openImports, zipOf } from "./imports.testing.ts";
import type { ImportScene } from "./imports.testing.ts";
import { maxFileNames } from "./stored.ts";

let scene: ImportScene;
beforeEach(() => {
  scene = openImports();
});

async function run(archive: Uint8Array<ArrayBuffer>, over: Partial<ImportOptions> = {}): Promise<readonly ImportedConversation[]> {
  return await importFile(scene.imports, { file: new Blob([archive]), fileName: "WhatsApp Chat - Ben.zip", ...over });
}

async function linesOf({ id }: Pick<ImportedConversation, "id"> = { id: "" }): Promise<readonly PlacedLine[]> {
  return await scene.imports.importedLines(id, { limit: 500 });
}

/** What a file of a line has in it, by what reads it elsewhere. */
async function contentOf(id: string, { order, files }: PlacedLine, which = 0): Promise<Buffer> {
  const fileId = files[which]?.id ?? "";
  const access = await scene.imports.importedFile(id, order, fileId);
  expect([access.url, access.isKept]).toEqual([undefined, false]);
  const pieceOf = async (index: number): Promise<Uint8Array> => (await scene.fileStore.piece(access.id, index)) ?? new Uint8Array(0);
  return Buffer.concat(await Array.fromAsync(readSealedFile(access, pieceOf)));
}

const kept = async (): Promise<number> => (await scene.fileStore.list()).length;
/** A line for each name, as Android writes it. */
const chatOf = (...names: readonly string[]): string => names.map((name) => `31/01/2024, 10:00 - Ada: ${name} (file attached)\n`).join("");
const picture = new Uint8Array(randomBytes(300_000));

describe("files beside the text of an archive", () => {
  test("[Y-5] of WhatsApp lie beside it, and are kept sealed for the lines that name them, once each", async () => {
    const chat = [
      "31/01/2024, 10:00 - Ada: IMG-20240131-WA0001.jpg (file attached)",
      "with words",
      "31/01/2024, 10:01 - Ben: \u200E<attached: 00000002-AUDIO-2024-01-31-10-01-00.opus>",
      "31/01/2024, 10:02 - Ben: IMG-20240131-WA0001.jpg (file attached)",
      "31/01/2024, 10:03 - Ben: lost.pdf (file attached)",
    ].join("\n");
    const archive = await zipOf({
      "_chat.txt": chat,
      "IMG-20240131-WA0001.jpg": picture,
      "00000002-AUDIO-2024-01-31-10-01-00.opus": "sound",
      "of nobody.jpg": "x",
    });
    const [made] = await run(archive);
    const sizeBytes = picture.length + 5;
    expect(made).toMatchObject({ lineCount: 4, isWhole: true, files: { named: 4, kept: 3, sizeBytes, ended: undefined } });
    const id = made?.id ?? "";
    const [first, sound, again, lost] = await linesOf(made);
    expect(first).toMatchObject({ text: "with words", files: [{ at: 0, kind: "picture", mediaType: "image/jpeg", sizeBytes: 300_000 }] });
    expect(sound?.files).toMatchObject([{ kind: "voice", mediaType: "audio/ogg" }]);
    expect(lost).toMatchObject({ fileNames: ["lost.pdf"], files: [] });
    expect([await kept(), again?.files[0]?.id]).toEqual([2, first?.files[0]?.id]);
    if (first === undefined || sound === undefined) throw new Error("no lines");
    expect((await contentOf(id, first)).equals(picture)).toBe(true);
    expect((await contentOf(id, sound)).toString()).toBe("sound");
    for (const { id: file } of await scene.fileStore.list())
      for (const index of await scene.fileStore.pieces(file))
        expect(Buffer.from((await scene.fileStore.piece(file, index)) ?? []).includes(picture.subarray(0, 64))).toBe(false);
    expect(Buffer.concat(await Array.fromAsync(scene.imports.readImportedFile(id, 0, first.files[0]?.id ?? ""))).equals(picture)).toBe(
      true,
    );
    await expect(scene.imports.importedFile(id, 3, first.files[0]?.id ?? "")).rejects.toMatchObject({ code: "unknown_message" });
    expect((await scene.imports.searchImports("lost"))[0]?.line.files).toEqual([]);
    await scene.fileStore.drop(sound.files[0]?.id ?? "", 0);
    const torn = Array.fromAsync(scene.imports.readImportedFile(id, 1, sound.files[0]?.id ?? ""));
    await expect(torn).rejects.toMatchObject({ code: "file_gone" });
    await scene.imports.deleteImport(id);
    expect(await scene.store.transact("read", (tx) => tx.scan({ prefix: "" }))).toEqual([]);
    await expect.poll(kept).toBe(0);
  });

  test("[Y-5] of Telegram lie in folders below it, of one chat or of all, and of nothing that had to go", async () => {
    const message = { type: "message", date_unixtime: "1706695200", from: "Tim", text: "" };
    const messages = [
      { ...message, photo: "photos/a.jpg" },
      { ...message, file: "voice_messages/b.ogg", media_type: "voice_message", mime_type: "audio/ogg" },
      { ...message, file_name: "Plän.pdf", file: "files/Pla\u0308n (1).pdf" },
      { ...message, file: "(File not included. Change data exporting settings to download.)", file_name: "film.mp4" },
      { ...message, photo: "photos/a.jpg", self_destruct_period_seconds: 9 },
    ];
    const archive = await zipOf({
      "Export/result.json": JSON.stringify({ name: "Tim", messages }),
      "Export/photos/a.jpg": "picture",
      "Export\\voice_messages\\b.ogg": "voice",
      "Export/files/Pl\u00E4n (1).pdf": "plan",
      "photos/a.jpg": "another",
    });
    const [made] = await run(archive, { fileName: "Export.zip" });
    expect(made).toMatchObject({ source: "telegram", files: { named: 4, kept: 3 } });
    const lines = await linesOf(made);
    const told = lines.map(({ files }) => files.map(({ name, kind }) => `${kind} ${name}`));
    expect(told).toEqual([["picture a.jpg"], ["voice b.ogg"], ["file Plän.pdf"], [], []]);
    const [first] = lines;
    if (first === undefined) throw new Error("no lines");
    expect((await contentOf(made?.id ?? "", first)).toString()).toBe("picture");
  });

  test("[Y-5] of Signal lie under the hash of their hash and key, with an ending or none", async () => {
    const [plaintextHash, localKey] = [randomBytes(32), randomBytes(64)];
    const name = createHash("sha256").update(plaintextHash).update(localKey).digest("hex");
    const locatorInfo = { plaintextHash: plaintextHash.toString("base64"), localKey: localKey.toString("base64") };
    const item = (attachments: readonly object[]): string =>
      JSON.stringify({
        chatItem: { chatId: "1", authorId: "1", dateSent: "1706695200000", incoming: {}, standardMessage: { attachments } },
      });
    const frames = [
      JSON.stringify({ version: "1", backupTimeMs: "1706695200000" }),
      JSON.stringify({ recipient: { id: "1", contact: { profileGivenName: "Sue" } } }),
      JSON.stringify({ chat: { id: "1", recipientId: "1" } }),
      item([
        { pointer: { contentType: "image/png", locatorInfo } },
        { pointer: { fileName: "none.png", contentType: "image/png", locatorInfo: { plaintextHash: "***", localKey: 7 } } },
      ]),
      item([{ pointer: { contentType: "audio/aac", locatorInfo }, flag: "VOICE_MESSAGE" }]),
    ];
    const archive = await zipOf({ "export/main.jsonl": frames.join("\n"), [`export/files/${name.slice(0, 2)}/${name}.png`]: "picture" });
    const [made] = await run(archive);
    expect(made).toMatchObject({ source: "signal", asideCount: 0, files: { named: 3, kept: 2 } });
    const lines = await linesOf(made);
    expect(lines.map(({ files }) => files.map(({ at, kind }) => [at, kind]))).toEqual([[[0, "picture"]], [[0, "picture"]]]);
  });

  test("[Y-6] of which a line names more than are kept are counted, and cost no word", async () => {
    const names = Array.from({ length: maxFileNames + 2 }, (_, at) => `${String(at)}.jpg`);
    const hashes = names.map(() => ({ plaintextHash: randomBytes(32), localKey: randomBytes(64) }));
    const attachments = hashes.map(({ plaintextHash, localKey }, at) => ({
      pointer: {
        fileName: names[at],
        contentType: "image/jpeg",
        locatorInfo: { plaintextHash: plaintextHash.toString("base64"), localKey: localKey.toString("base64") },
      },
    }));
    const item = (said: object): object => ({
      chatItem: { chatId: "1", authorId: "1", dateSent: "1706695200000", incoming: {}, standardMessage: said },
    });
    const frames = [
      { version: "1", backupTimeMs: "1706695200000" },
      { recipient: { id: "1", contact: { profileGivenName: "Sue" } } },
      { chat: { id: "1", recipientId: "1" } },
      item({ text: { body: "precious" } }),
      item({ attachments }),
    ];
    const beside = hashes.map(({ plaintextHash, localKey }): [string, string] => {
      const name = createHash("sha256").update(plaintextHash).update(localKey).digest("hex");
      return [`files/${name.slice(0, 2)}/${name}`, name];
    });
    const lines = frames.map((frame) => JSON.stringify(frame)).join("\n");
    const [made] = await run(await zipOf({ "main.jsonl": lines, ...Object.fromEntries(beside) }));
    expect(made).toMatchObject({ lineCount: 2, isWhole: true, files: { named: maxFileNames + 2, kept: maxFileNames, ended: undefined } });
    expect((await linesOf(made)).map(({ text, files }) => [text, files.length])).toEqual([
      ["precious", 0],
      ["", maxFileNames],
    ]);
    expect(await kept()).toBe(maxFileNames);
  });

  test("[Y-6] whose type is called as what every object has are files, and end nothing", async () => {
    const words = Object.getOwnPropertyNames(Object.prototype);
    const types = words.flatMap((word) => [word, `${word}/x`]);
    const message = { type: "message", date_unixtime: "1706695200", from: "Tim", text: "precious" };
    const messages = types.map((mime_type, at) => ({ ...message, file: `${String(at)}.${mime_type}`, mime_type }));
    const beside = types.map((type, at): [string, string] => [`${String(at)}.${type}`, "x"]);
    const archive = await zipOf({ "result.json": JSON.stringify({ name: "Tim", messages }), ...Object.fromEntries(beside) });
    const [made] = await run(archive, { fileName: "Export.zip" });
    expect(made).toMatchObject({ lineCount: types.length, files: { named: types.length, kept: types.length } });
    expect(new Set((await linesOf(made)).flatMap(({ files }) => files.map(({ kind }) => kind)))).toEqual(new Set(["file"]));
  });

  test("[Y-6] that lie about their size or content, are nested, packed without end or unreadable are counted, and end nothing", async () => {
    const zeros = Buffer.alloc(40 * 1_048_576);
    const hostile: readonly ToldFile[] = [
      { name: "longer.jpg", content: utf8Bytes("x".repeat(9000)), size: 10 },
      { name: "shorter.jpg", content: utf8Bytes("x"), size: 10 },
      { name: "other.jpg", content: utf8Bytes("x"), crc: 7 },
      { name: "bomb.jpg", content: zeros },
      { name: "huge.mp4", content: utf8Bytes("x"), size: 0xffff_fffe },
      { name: "garbage.jpg", content: utf8Bytes("x"), method: 0, size: 5 },
      { name: "secret.jpg", content: utf8Bytes("x"), flags: 1 },
    ];
    const good = { name: "nested.zip", content: archiveOf({ name: "_chat.txt", content: utf8Bytes(chatOf("a.jpg")) }) };
    const text = { name: "_chat.txt", content: utf8Bytes(chatOf(...hostile.map(({ name }) => name), good.name)) };
    const [made] = await run(archiveOf(text, ...hostile, good));
    expect(made).toMatchObject({ lineCount: 8, files: { named: 8, kept: 1, ended: undefined } });
    expect((await linesOf(made)).at(-1)?.files).toMatchObject([{ name: "nested.zip", kind: "file", mediaType: "application/zip" }]);
    expect(await kept()).toBe(1);
  });

  test("[Y-6] of which two have one name, or that lie elsewhere than below the text, are none that a line names", async () => {
    const message = (photo: string): object => ({ type: "message", text: "x", photo });
    const paths = ["../up.jpg", "/etc/passwd", "photos//a.jpg", "photos/./a.jpg", "..\\up.jpg", "twice.jpg", "below.jpg", "result.json"];
    const text = JSON.stringify({ name: "x", messages: paths.map((path) => message(path)) });
    const content = utf8Bytes("x");
    const names = ["up.jpg", "a/../up.jpg", "/etc/passwd", "a//etc/passwd", "a/photos/a.jpg", "a/twice.jpg", "a\\twice.jpg", "a/below.jpg"];
    const [made] = await run(archiveOf({ name: "a/result.json", content: utf8Bytes(text) }, ...names.map((name) => ({ name, content }))));
    expect((await linesOf(made)).map(({ files }) => files.length)).toEqual([0, 0, 0, 0, 0, 0, 1, 0]);
    expect(made?.files).toMatchObject({ named: 8, kept: 1 });
  });

  test("[Y-6] that all lie in one place unpack to no more than an archive of its size can have", async () => {
    const names = Array.from({ length: 120 }, (_, at) => `${String(at)}.mp4`);
    const content = utf8Bytes("x");
    const films = names.map((name, at) => ({ name, content, size: 4 * 1_048_576, ...(at === 0 ? {} : { liesAt: 1 }) }));
    const archive = new Blob([archiveOf({ name: "_chat.txt", content }, ...films)]);
    const [text, ...files] = await readDirectory(archive);
    if (text === undefined) throw new Error("no text");
    const beside = new ArchiveFiles(archive, [text, ...files], text);
    for (const [order, path] of names.entries()) beside.name("i", order, { fileNames: [path] }, [{ path, mediaType: "", isVoice: false }]);
    const asked: string[] = [];
    const target: FilesTarget = {
      async keepImportedFile(_id, { name }) {
        asked.push(name);
        return "kept";
      },
      stopImportedFiles: () => Promise.resolve(),
      imports: () => Promise.resolve([]),
    };
    await beside.keep(target, { signal: undefined, came: () => undefined, breathe: () => Promise.resolve() });
    // 256 MiB, of 480 that it says.
    expect(asked).toEqual(names.slice(0, 64));
  });

  test("[Y-5] that very many lines name are there for all of them", async () => {
    const archive = await zipOf({ "_chat.txt": chatOf(...Array.from({ length: 1200 }, () => "sticker.webp")), "sticker.webp": "x" });
    const [made] = await run(archive);
    expect(made?.files).toMatchObject({ named: 1200, kept: 1200, sizeBytes: 2 });
    expect(await kept()).toBe(2);
  });

  test("[Y-6] for which there is no room are counted; smaller ones are kept, and all words", async () => {
    scene = openImports({ mostBytes: 3_000_000 });
    const names = ["a.jpg", "film.mp4", "larger.mp4", "b.jpg"];
    const [a, film, larger, b] = [picture, randomBytes(5_000_000), randomBytes(5_000_001), picture];
    const archive = await zipOf({ "_chat.txt": chatOf(...names), "a.jpg": a, "film.mp4": film, "larger.mp4": larger, "b.jpg": b });
    const [made] = await run(archive);
    expect(made).toMatchObject({ lineCount: 4, isWhole: true, files: { named: 4, kept: 2, sizeBytes: 600_000, ended: "full" } });
    expect((await linesOf(made)).map(({ files }) => files.length)).toEqual([1, 0, 0, 1]);
    expect(await kept()).toBe(2);
  });

  test("[Y-6] are taken over until the person stops it, also in the middle of one: words and files that are there stay, none in part", async () => {
    const stop = new AbortController();
    const film = randomBytes(40 * 1_048_576);
    const archive = await zipOf({ "_chat.txt": chatOf("a.jpg", "film.mp4", "b.jpg"), "a.jpg": "a", "film.mp4": film, "b.jpg": "b" });
    const begun = scene.fileStore.begin;
    Object.assign(scene.fileStore, {
      begin: async (id: string, totalBytes: number, day: number) => {
        await begun(id, totalBytes, day);
        if (totalBytes > film.length) setTimeout(() => stop.abort(), 0);
      },
    });
    const steps = new Set<string>();
    const [made] = await run(archive, {
      signal: stop.signal,
      came: ({ step, files, ofFiles }) => steps.add(`${step} ${String(files)}/${String(ofFiles)}`),
    });
    expect(made).toMatchObject({ lineCount: 3, isWhole: true, files: { named: 3, kept: 1, ended: "stopped" } });
    expect([...steps]).toEqual(["lines 0/0", "files 0/3", "files 1/3", "files 2/3", "files 3/3"]);
    expect(await kept()).toBe(1);
  });

  test("[Y-6] go with their import where it is stopped before, undone, or deleted meanwhile", async () => {
    const archive = await zipOf({ "_chat.txt": chatOf("a.jpg", "b.jpg"), "a.jpg": "a", "b.jpg": "b" });
    await expect(run(archive, { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: "AbortError" });
    let files = 0;
    const came: ImportOptions["came"] = (progress) => (files = progress.files);
    const breathe = (): Promise<void> => (files === 1 ? Promise.reject(new Error("undone")) : Promise.resolve());
    await expect(run(archive, { came, breathe })).rejects.toThrow("undone");
    const erase = async (): Promise<void> => {
      for (const { id } of files === 1 ? await scene.imports.imports() : []) await scene.imports.deleteImport(id);
    };
    await expect(run(archive, { came, breathe: erase })).rejects.toMatchObject({ name: "ImportError", code: "deleted" });
    expect(await scene.imports.imports()).toEqual([]);
    await expect.poll(kept).toBe(0);
  });

  test.each(["lines", "files"] as const)(
    "[Y-6] are not those of one chat of an account that is deleted while its %s come: all others are brought in",
    async (step) => {
      const message = { type: "message", date_unixtime: "1706695200", from: "Tim", text: "precious" };
      const chat = (name: string): object => ({
        name,
        messages: Array.from({ length: 1000 }, (_, at) => ({ ...message, ...(at < 3 ? { file: `${name}${String(at)}` } : {}) })),
      });
      const beside = ["A", "B", "C"].flatMap((name) => [0, 1, 2].map((at): [string, string] => [`${name}${String(at)}`, name]));
      const archive = await zipOf({
        "result.json": JSON.stringify({ chats: { list: ["A", "B", "C"].map(chat) } }),
        ...Object.fromEntries(beside),
      });
      let progress: ImportProgress | undefined;
      const breathe = async (): Promise<void> => {
        const isThen = step === "lines" ? (progress?.lines ?? 0) > 500 : progress?.step === "files" && progress.files === 4;
        if (!isThen) return;
        const [goes] = (await scene.imports.imports()).filter(({ title }) => title === (step === "lines" ? "A" : "B"));
        if (goes !== undefined) await scene.imports.deleteImport(goes.id);
      };
      const made = await run(archive, { fileName: "Export.zip", came: (now) => (progress = now), breathe });
      const left = step === "lines" ? ["B", "C"] : ["A", "C"];
      expect(made.map(({ title, isWhole, lineCount, files }) => [title, isWhole, lineCount, files.kept])).toEqual(
        left.map((title) => [title, true, 1000, 3]),
      );
      expect((await scene.imports.imports()).map(({ title }) => title).toSorted()).toEqual(left);
      await expect.poll(kept).toBe(6);
    },
  );

  test("[Y-6] of an archive that is changed or taken away meanwhile are counted, and cost no word", async () => {
    const folder = mkdtempSync(join(tmpdir(), "latchkey-import-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, "x.zip");
    writeFileSync(path, await zipOf({ "_chat.txt": chatOf("a.jpg", "b.jpg"), "a.jpg": "a", "b.jpg": "b" }));
    let files = 0;
    const breathe = async (): Promise<void> => {
      if (files === 1) rmSync(path);
    };
    const [made] = await importFile(scene.imports, {
      file: await archiveAt(path),
      fileName: "x.zip",
      came: (progress) => (files = progress.files),
      breathe,
    });
    expect(made).toMatchObject({ lineCount: 2, isWhole: true, files: { named: 2, kept: 1, ended: undefined } });
  });

  test("[Y-6] [E-291] a page that hands over more than a line has names for, or another's lines, gets nothing kept", async () => {
    const id = await scene.imports.beginImport({ title: "x", source: "whatsapp" });
    const line = { sentAtMs: 1, author: "", isOwn: false, kind: "text", text: "", fileNames: ["a"] } as const;
    await scene.imports.addToImport(id, { lines: [line], aside: [], asideCount: 0 });
    const content = utf8Bytes("x");
    const archive = new Blob([archiveOf({ name: "a", content, method: 0 })]);
    const entry = { sizeBytes: 1, packedBytes: 1, isPacked: false, crc: 0x8cdc1683, localAt: 0 };
    const file = { archive, entry, name: "a", kind: "file", mediaType: "", places: [{ order: 0, at: 0 }] } as const;
    const keep = (places: readonly { readonly order: number; readonly at: number }[]) =>
      scene.imports.keepImportedFile(id, { ...file, places });
    expect(await keep([{ order: 1, at: 0 }])).toBe("unnamed");
    expect(await keep([{ order: 0, at: maxFileNames }])).toBe("unnamed");
    expect(await keep([])).toBe("unreadable");
    expect(await keep(Array.from({ length: 1001 }, () => ({ order: 0, at: 0 })))).toBe("unreadable");
    expect(await kept()).toBe(0);
    expect(await keep(file.places)).toBe("kept");
    expect(await keep(file.places)).toBe("unnamed");
    await scene.imports.finishImport(id);
    await expect(keep(file.places)).rejects.toMatchObject({ code: "not_permitted" });
    expect(await kept()).toBe(1);
  });
});
