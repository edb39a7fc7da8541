// D41 | somebody hands a person a file of another messenger that is made up, or made to exhaust who reads it | P
// Source: EXPORT_FORMATS.md; zip bombs (Fifield, WOOT 2019)
// Counter-measure: what is imported is a kind of its own, on this device alone, never anybody's message; parsers take a piece at a time, with bounds on everything, and what is refused leaves nothing
import { deflateRawSync } from "node:zlib";
import { importFile } from "@latchkey/client/import";
import { describe, expect, test } from "vitest";
import { foundTrio, say, Scene } from "./testing/scene.ts";

const line = (author: string, text: string): string => `31/01/2024, 17:30 - ${author}: ${text}\n`;

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
    const spaces = deflateRawSync(Buffer.concat([Buffer.from(line("ben", "x")), Buffer.alloc(64 * 1_048_576, 0x20)]));
    const refused: readonly (readonly [string, string | Uint8Array<ArrayBuffer>])[] = [
      ["unpacks_too_large", archiveOf("_chat.txt", spaces)],
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
});

/** A ZIP with one packed file. */
function archiveOf(name: string, packed: Uint8Array): Uint8Array<ArrayBuffer> {
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(8, 8);
  local.writeUInt16LE(name.length, 26);
  const central = Buffer.alloc(46);
  central.writeUInt32LE(0x02014b50, 0);
  central.writeUInt16LE(8, 10);
  central.writeUInt32LE(packed.length, 20);
  central.writeUInt16LE(name.length, 28);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(46 + name.length, 12);
  end.writeUInt32LE(30 + name.length + packed.length, 16);
  return new Uint8Array(Buffer.concat([local, Buffer.from(name), packed, central, Buffer.from(name), end]));
}
