import { CodecError, concatBytes, encode } from "@latchkey/codec";
import { describe, expect, it } from "vitest";
import { decodeArchive, encodeArchive, maxArchiveBlobBytes } from "./archive.ts";
import { JoinerWorld } from "./shared.testing.ts";

describe("[R-5] an archive", () => {
  it("of a hundred messages is small, comes back as it was written, and no damaged one is read as another or throws anything else", async () => {
    const world = await JoinerWorld.create("archive", { history: "100_messages" });
    for (let at = 0; at < 100; at++) await world.text(at % 3 === 0 ? "ada" : "ben", `message number ${String(at)} of a hundred`);
    await world.join("ada", "cyd");
    const archive = await world.archive("ada");
    const bytes = encodeArchive(archive);
    expect(encodeArchive(decodeArchive(bytes))).toEqual(bytes);
    expect(bytes.length).toBeLessThan(65_536);
    expect(bytes.length).toBeLessThan(maxArchiveBlobBytes);
    for (let size = 0; size < bytes.length; size += 97) expect(() => decodeArchive(bytes.slice(0, size))).toThrow(CodecError);
    expect(() => decodeArchive(concatBytes(bytes, new Uint8Array(1)))).toThrow(CodecError);
    for (let at = 0; at < bytes.length; at += 1009) {
      const damaged = bytes.slice();
      damaged[at] = (damaged[at] ?? 0) ^ 0x55;
      let read;
      try {
        read = decodeArchive(damaged);
      } catch (error) {
        expect(error).toBeInstanceOf(CodecError);
        continue;
      }
      expect(encodeArchive(read)).toEqual(damaged);
      const found = await world.verify("cyd", read);
      // Whatever was damaged: nothing that nobody said is shown.
      if (found.kind === "verified")
        for (const { content } of found.past)
          if (content.kind === "text") expect(content.text).toMatch(/^message number \d+ of a hundred$/);
    }
  });

  it("outside of its bounds is not written and not read", async () => {
    const world = await JoinerWorld.create("bounds", { history: "30_days" });
    await world.text("ada", "one");
    await world.join("ada", "cyd");
    const archive = await world.archive("ada");
    const [entry, message] = [archive.entries[0], archive.messages[0]];
    if (entry === undefined || message === undefined) throw new Error("an entry");
    const many = <T>(item: T, count: number): T[] => Array.from({ length: count }, () => item);
    expect(() => encodeArchive({ ...archive, entries: many(entry, 8193) })).toThrow(CodecError);
    expect(() => encodeArchive({ ...archive, entries: [] })).toThrow(CodecError);
    expect(() => encodeArchive({ ...archive, messages: many({ ...message, content: new Uint8Array(1) }, 4097) })).toThrow(CodecError);
    expect(() => encodeArchive({ ...archive, records: new Uint8Array(1_048_577) })).toThrow(CodecError);
    expect(() => encodeArchive({ ...archive, messages: many({ ...message, content: new Uint8Array(500_000) }, 9) })).toThrow(CodecError);
    expect(() => decodeArchive(encode({ write: (w) => w.bytes(new Uint8Array(1 << 20)), read: () => 0 }, 0))).toThrow(CodecError);
  });
});
