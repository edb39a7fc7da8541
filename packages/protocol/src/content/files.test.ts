import { toHex } from "@latchkey/codec";
import { seededRandom } from "@latchkey/testkit";
import { describe, expect, test } from "vitest";
import { maxFileBytes } from "../files/geometry.ts";
import { ContentError } from "./errors.ts";
import type { FilePart } from "./files.ts";
import { maxFiles } from "./limits.ts";
import { createTextContent, decodeContent } from "./message.ts";
import { decodeMimiContent, encodeContent } from "./mimi.ts";
import type { ExternalPart, MimiContent, NestedPart } from "./mimi.ts";

const random = seededRandom("files");
const head = { salt: random(16), sentAtMs: 1_767_225_600_000 };

function picture(over: Partial<FilePart> = {}): FilePart {
  const looks = { width: 1600, height: 1200, thumbhash: random(21) };
  return {
    kind: "picture",
    host: "chat.example",
    blobId: random(32),
    key: random(32),
    prefix: random(7),
    hash: random(32),
    sizeBytes: 123_456,
    name: "garden.webp",
    mediaType: "image/webp",
    description: "A spade in the garden",
    ...looks,
    ...over,
  };
}

function read(content: Uint8Array): unknown {
  const decoded = decodeContent(content);
  if (decoded.kind !== "text") return decoded.kind;
  const { text, files, isOnce } = decoded;
  return { text, files, ...(isOnce === undefined ? {} : { isOnce }) };
}

/** The content with something changed in the first of its external parts, or around it. */
function altered(
  content: Uint8Array,
  over: Partial<ExternalPart>,
  around: (content: MimiContent) => MimiContent = (same) => same,
): Uint8Array {
  const mimi = decodeMimiContent(content);
  let isDone = false;
  const alter = (part: NestedPart): NestedPart => {
    if (part.kind === "multi") return { ...part, parts: part.parts.map((inner) => alter(inner)) };
    if (part.kind !== "external" || isDone) return part;
    isDone = true;
    return { ...part, ...over };
  };
  return encodeContent(around({ ...mimi, body: alter(mimi.body) }));
}

describe("[X-23] a message with files", () => {
  test("says them again as they were said, with words and without, alone and many", () => {
    const many = Array.from({ length: maxFiles }, (_, at) =>
      picture({ kind: at % 2 === 0 ? "picture" : "file", name: `${String(at)}.bin` }),
    );
    const voice = picture({
      kind: "voice",
      mediaType: "audio/webm",
      width: undefined,
      height: undefined,
      durationMs: 4000,
      peaks: random(64),
    });
    for (const [text, files] of [
      ["", [picture()]],
      ["look", [picture()]],
      ["", many],
      ["all of it", many],
      ["", [voice]],
      ["", [picture({ sizeBytes: 0, name: "", description: "" })]],
      ["", [picture({ sizeBytes: maxFileBytes })]],
    ] as const)
      expect(read(createTextContent({ ...head, text, files }))).toEqual({ text, files });
  });

  test("is the same bytes as ever", () => {
    const fill = (byte: number, length: number): Uint8Array => new Uint8Array(length).fill(byte);
    const file = picture({ blobId: fill(1, 32), key: fill(2, 32), prefix: fill(3, 7), hash: fill(4, 32), thumbhash: fill(5, 21) });
    const content = createTextContent({ salt: fill(9, 16), sentAtMs: head.sentAtMs, text: "look", files: [file] });
    expect(toHex(content)).toBe(
      "875009090909090909090909090909090909f640f6f6a26d6c617463686b65792e73656e741b0000019b76daa8006e6c617463686b65792e6d656469" +
        "618186011906401904b0f655050505050505050505050505050505050505050505f685016003028285016001781e746578742f6d61726b646f776e3b" +
        "76617269616e743d47464d2d4d494d49446c6f6f6b8f0460026a696d6167652f77656270784968747470733a2f2f636861742e6578616d706c652f76" +
        "312f626c6f62732f41514542415145424151454241514542415145424151454241514542415145424151454241514542415145001a0001e24019f0a5" +
        "582002020202020202020202020202020202020202020202020202020202020202024703030303030303400158200404040404040404040404040404" +
        "040404040404040404040404040404040404754120737061646520696e207468652067617264656e6b67617264656e2e77656270",
    );
  });

  test("[X-8] one picture, video or voice can be seen once; two, or a file, cannot", () => {
    const once = createTextContent({ ...head, text: "", files: [picture()], isOnce: true });
    expect(read(once)).toMatchObject({ isOnce: true });
    for (const files of [[picture(), picture()], [picture({ kind: "file" })]])
      expect(() => createTextContent({ ...head, text: "", files, isOnce: true })).toThrow(ContentError);
    // Said of what it cannot be said of, it is as if it were not said.
    const two = createTextContent({ ...head, text: "", files: [picture(), picture()] });
    const lied = altered(two, {}, (mimi) => ({ ...mimi, extensions: new Map([...mimi.extensions, ["latchkey.once", true]]) }));
    expect(read(lied)).not.toHaveProperty("isOnce");
  });

  test("what cannot be files of one message is not made", () => {
    const [one] = [picture()];
    for (const files of [
      Array.from({ length: maxFiles + 1 }, () => picture()),
      [one, one],
      [picture({ host: "Chat.example" })],
      [picture({ key: random(16) })],
      [picture({ prefix: random(12) })],
      [picture({ sizeBytes: maxFileBytes + 1 })],
      [picture({ sizeBytes: 1.5 })],
      [picture({ mediaType: "image/webp; charset=x" })],
      [picture({ name: "n".repeat(256) })],
    ])
      expect(() => createTextContent({ ...head, text: "", files })).toThrow(ContentError);
  });

  const content = createTextContent({ ...head, text: "look", files: [picture()] });

  test.each([
    ["another cipher", { encryptionAlgorithm: 2 }],
    ["another hash", { hashAlgorithm: 2 }],
    ["a short hash", { contentHash: random(31) }],
    ["a short key", { key: random(31) }],
    ["a long nonce", { nonce: random(12) }],
    ["additional data", { aad: random(1) }],
    ["an address over plain http", { url: `http://chat.example/v1/blobs/${"A".repeat(43)}` }],
    ["an address with a user", { url: `https://a@chat.example/v1/blobs/${"A".repeat(43)}` }],
    ["an address with a way up", { url: `https://chat.example/v1/blobs/../${"A".repeat(43)}` }],
    ["an address with a question", { url: `https://chat.example/v1/blobs/${"A".repeat(43)}?a` }],
    ["an address of something else", { url: `https://chat.example/v1/directory/${"A".repeat(43)}` }],
    ["an id that is none", { url: `https://chat.example/v1/blobs/${"A".repeat(42)}B` }],
    ["more bytes than a file has", { sizeBytes: maxFileBytes + 1 }],
  ])("with %s is one that cannot be shown", (_, over) => {
    expect(read(altered(content, over))).toBe("unsupported");
  });

  test("with a part of another kind among its files cannot be shown, whatever its words are", () => {
    const other: NestedPart = { kind: "single", disposition: 1, language: "", contentType: "application/x-other", content: random(3) };
    const mixed = altered(content, {}, (mimi) =>
      mimi.body.kind === "multi" ? { ...mimi, body: { ...mimi.body, parts: [...mimi.body.parts, other] } } : mimi,
    );
    expect(read(mixed)).toBe("unsupported");
  });

  test("[E-133] whose looks are out of bounds has none, and a type that is none is of no kind that is known", () => {
    const bad = [
      [9, 1600, 1200, null, null, null],
      [1, -1, 1200, 2 ** 40, random(4), random(65)],
      [1, 1.5, "1200", Number.NaN, "hash", []],
      "none",
      null,
    ];
    for (const looks of bad) {
      const lied = altered(content, {}, (mimi) => ({ ...mimi, extensions: new Map([...mimi.extensions, ["latchkey.media", [looks]]]) }));
      expect(read(lied)).toMatchObject({ files: [{ name: "garden.webp" }] });
      const [file] = (read(lied) as { files: FilePart[] }).files;
      expect([file?.thumbhash, file?.durationMs, file?.peaks]).toEqual([undefined, undefined, undefined]);
    }
    expect(read(altered(content, { contentType: "Image/WebP; q=1" }))).toMatchObject({ files: [{ mediaType: "image/webp" }] });
    expect(read(altered(content, { contentType: "<b>" }))).toMatchObject({ files: [{ mediaType: "application/octet-stream" }] });
    const long = read(altered(content, { filename: "n".repeat(5000), description: "d".repeat(5000) })) as { files: FilePart[] };
    expect(long.files.map(({ name, description }) => [name.length, description.length])).toEqual([[255, 1500]]);
  });
});
