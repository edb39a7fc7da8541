// D41 | somebody hands a person a file of another messenger that is made up, or made to exhaust who reads it | P
// Source: EXPORT_FORMATS.md; zip bombs (Fifield, WOOT 2019)
// Counter-measure: what is imported is a kind of its own, on this device alone, never anybody's message; parsers take a piece at a time, with bounds on everything, and what is refused leaves nothing
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { importFile } from "@latchkey/client/import";
import { archiveOf } from "@latchkey/client/testing/archives";
import { describe, expect, test, vi } from "vitest";
import { foundPair, foundTrio, say, Scene, settle } from "./testing/scene.ts";

const line = (author: string, text: string): string => `31/01/2024, 17:30 - ${author}: ${text}\n`;

/** Takes all the room that is left. */
function fill(folder: string): void {
  for (const size of [1_048_576, 65_536, 4096]) {
    try {
      for (;;) appendFileSync(join(folder, "filler"), Buffer.alloc(size));
    } catch {
      // Full, for pieces of this size.
    }
  }
}

const roomOf = (folder: string): number => {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
};

describe("D41 a file of another messenger that is made up", () => {
  test("[Y-4] [E-291] what it says is nobody's message: no conversation, contact or search has it, and nothing goes to anybody", async () => {
    await using scene = await Scene.open();
    const { ada, ben, id } = await foundTrio(scene);
    await say(ada, id, "the true one");
    const before = await ada.client.conversations();
    const file = new Blob([line("ben", "wire the money to Mallory"), line("\u202Eada", "yes, at once")]);
    const [made] = await importFile(ada.client, { file, fileName: "WhatsApp Chat with ben.txt", ownName: "ada" });
    expect(made).toMatchObject({ title: "ben", lineCount: 2 });
    expect((await ada.client.conversations()).map(({ id: one, title }) => [one, title])).toEqual(
      before.map(({ id: one, title }) => [one, title]),
    );
    expect((await ada.client.search("money")).found).toEqual([]);
    await expect(ada.client.messages(made?.id ?? "", { limit: 1 })).rejects.toMatchObject({ code: "unknown_conversation" });
    await expect(ada.client.send(made?.id ?? "", "an answer")).rejects.toMatchObject({ code: "unknown_conversation" });
    expect((await ada.client.searchImports("money")).map(({ line: found }) => found.author)).toEqual(["ben"]);
    await ada.client.settle();
    await ben.client.settle();
    expect(await ben.client.imports()).toEqual([]);
    expect((await ben.client.search("money")).found).toEqual([]);
  });

  test("[Y-6] what unpacks, nests or goes on without end is refused, and leaves nothing", async () => {
    await using scene = await Scene.open();
    const { ada } = await foundTrio(scene);
    const spaces = Buffer.concat([Buffer.from(line("ben", "x")), Buffer.alloc(64 * 1_048_576, 0x20)]);
    const refused: readonly (readonly [string, string | Uint8Array<ArrayBuffer>])[] = [
      ["unpacks_too_large", archiveOf({ name: "_chat.txt", content: spaces })],
      ["nested", `{"name":"ben","messages":[{"type":"message","text":"x"},${"[".repeat(500_000)}`],
      ["not_whole", `{"name":"ben","messages":[{"type":"message","text":"${"x".repeat(3_000_000)}`],
      ["unknown_format", "x".repeat(5_000_000)],
      ["unknown_format", ""],
    ];
    for (const [code, content] of refused)
      await expect(importFile(ada.client, { file: new Blob([content]), fileName: "x.zip" })).rejects.toMatchObject({
        code,
      });
    expect(await ada.client.imports()).toEqual([]);
  });

  test("[Y-4] [Y-6] [E-291] what it says of files beside it is held against their bytes: none leads anywhere, unpacks without end or is anybody's", async () => {
    await using scene = await Scene.open();
    const { ada, id } = await foundTrio(scene);
    const names = ["bomb.jpg", "longer.jpg", "../result.jpg", "result.jpg", "good.jpg", "good.jpg", "fine.jpg"];
    const text = names.map((name) => line("ben", `${name} (file attached)`)).join("");
    const secret = Buffer.from("what the picture shows, in plain words");
    const archive = archiveOf(
      { name: "a/_chat.txt", content: Buffer.from(text) },
      { name: "a/bomb.jpg", content: Buffer.alloc(64 * 1_048_576) },
      { name: "a/longer.jpg", content: Buffer.alloc(5000, 1), size: 4 },
      { name: "a/../result.jpg", content: secret },
      { name: "result.jpg", content: secret },
      { name: "a/good.jpg", content: secret },
      { name: "a\\good.jpg", content: secret },
      { name: "a/fine.jpg", content: secret },
    );
    const [made] = await importFile(ada.client, { file: new Blob([archive]), fileName: "x.zip" });
    expect(made).toMatchObject({ lineCount: 7, isWhole: true, files: { named: 6, kept: 1, sizeBytes: secret.length } });
    const [fine] = await ada.client.importedLines(made?.id ?? "", { limit: 1 });
    const fileId = fine?.files[0]?.id ?? "";
    expect(await ada.client.importedFile(made?.id ?? "", 6, fileId)).toMatchObject({ url: undefined, isKept: false });
    expect(Buffer.concat(await Array.fromAsync(ada.client.readImportedFile(made?.id ?? "", 6, fileId)))).toEqual(secret);
    expect(await ada.client.listFiles(undefined, { limit: 9 })).toEqual([]);
    await expect(ada.client.fileAccess(made?.id ?? "", "6", fileId)).rejects.toMatchObject({ code: "unknown_conversation" });
    await expect(ada.client.fileAccess(id, "6", fileId)).rejects.toMatchObject({ code: "unknown_message" });
    await ada.client.setFileLimit(0);
    await ada.client.close();
    const profile = scene.profileOf("ada");
    const written = readdirSync(profile, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const texts = written.map(({ parentPath, name }) => readFileSync(join(parentPath, name)));
    expect([texts.some((bytes) => bytes.includes(secret)), texts.some((bytes) => bytes.includes("fine.jpg"))]).toEqual([false, false]);
    const again = await scene.reopen("ada");
    // What looks for files that nobody names has looked before more is kept.
    const [other] = await importFile(again, { file: new Blob([archive]), fileName: "x.zip" });
    expect(other?.files.kept).toBe(1);
    expect(await Array.fromAsync(again.readImportedFile(made?.id ?? "", 6, fileId))).toHaveLength(1);
    const onDisk = (): readonly string[] => readdirSync(join(profile, "files")).filter((name) => name.includes(fileId));
    expect(onDisk()).not.toEqual([]);
    const gone: string[] = [];
    again.subscribe((event) => void (event.kind === "files_gone" && gone.push(...event.fileIds)));
    await again.deleteImport(made?.id ?? "");
    await expect(again.importedFile(made?.id ?? "", 6, fileId)).rejects.toMatchObject({ code: "unknown_conversation" });
    await vi.waitFor(() => expect(onDisk()).toEqual([]));
    expect(gone).toEqual([fileId]);
  });

  test("[Y-6] [E-143] it fills no disk: room stays for what comes and goes, and on a disk that others filled it can be deleted", async (context) => {
    await using scene = await Scene.open();
    const folder = scene.profileOf("ada");
    mkdirSync(folder, { recursive: true });
    const { error, status } = spawnSync("mount", ["-t", "tmpfs", "-o", "size=88m", "tmpfs", folder], { stdio: "ignore" });
    if (error !== undefined || status !== 0) {
      context.skip("mounting a small file system is refused");
      return;
    }
    using _mounted = { [Symbol.dispose]: () => void spawnSync("umount", ["-l", folder]) };
    const { ada, ben, id } = await foundPair(scene);
    const sizes = [...Array.from({ length: 8 }, () => 4_000_000), ...Array.from({ length: 20 }, () => 200_000)];
    const text = sizes.map((_, at) => line("ben", `${String(at)}.jpg (file attached)`)).join("");
    const files = sizes.map((size, at) => ({ name: `${String(at)}.jpg`, content: randomBytes(size), method: 0 }));
    const file = new Blob([archiveOf({ name: "_chat.txt", content: Buffer.from(text) }, ...files)]);
    const [made] = await importFile(ada.client, { file, fileName: "x.zip" });
    expect(made).toMatchObject({ lineCount: sizes.length, isWhole: true, files: { ended: "full" } });
    expect(made?.files.kept).toBeGreaterThan(0);
    expect(roomOf(folder)).toBeGreaterThan(60_000_000);
    await say(ben, id, "can you hear me?");
    await say(ada, id, "yes");
    await settle(ada, ben);
    expect(await ada.texts(id)).toContain("can you hear me?");
    fill(folder);
    await ada.client.deleteImport(made?.id ?? "");
    expect(await ada.client.imports()).toEqual([]);
    await vi.waitFor(() => expect(roomOf(folder)).toBeGreaterThan(1_000_000));
    fill(folder);
    await ada.client.close();
    rmSync(join(folder, "filler"));
    const again = await scene.reopen("ada");
    expect((await again.messages(id, { limit: 9 })).length).toBeGreaterThan(0);
    await again.close();
  });
});
