import { concatBytes, fromHex, toHex, utf8Bytes } from "@latchkey/codec";
import { seededRandom } from "@latchkey/testkit";
import { sha256 } from "@noble/hashes/sha2.js";
import { encode } from "cbor2";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ContentError } from "./errors.ts";
import { draftExamples } from "./examples.testing.ts";
import { maxDisplayNameBytes } from "./head.ts";
import {
  createLeaveContent,
  createProfileContent,
  createSyncContent,
  createTextContent,
  decodeContent,
  roomUri,
  senderUri,
} from "./message.ts";
import { maxTextBytes } from "./limits.ts";
import { maxContentBytes } from "../limits.ts";
import { decodeMimiContent, encodeContent, messageIdOf } from "./mimi.ts";
import type { MimiContent, NestedPart } from "./mimi.ts";

const random = seededRandom("content");
const salt = random(16);
const plain: MimiContent = {
  salt,
  replaces: undefined,
  topicId: new Uint8Array(0),
  expires: undefined,
  inReplyTo: undefined,
  extensions: new Map(),
  body: { kind: "single", disposition: 1, language: "", contentType: "text/plain;charset=utf-8", content: utf8Bytes("hi") },
};

function refusal(bytes: Uint8Array): string | undefined {
  try {
    decodeMimiContent(bytes);
  } catch (error) {
    if (error instanceof ContentError) return error.code;
    throw error;
  }
  return undefined;
}

function messageId(id: number): Uint8Array {
  return concatBytes(new Uint8Array([1]), new Uint8Array(31).fill(id));
}

/** CBOR of the seven fields with one replaced, deterministic but for what `value` does. */
function withField(index: number, hex: string): Uint8Array {
  const fields = [encode(salt), "f6", "40", "f6", "f6", "a0", encode([1, "", 0])].map((field) =>
    typeof field === "string" ? field : toHex(field),
  );
  fields[index] = hex;
  return fromHex(`87${fields.join("")}`);
}

describe("the examples of draft-ietf-mimi-content-08", () => {
  test.each(Object.entries(draftExamples))("%s: decodes, encodes to the same bytes, has its message id", (_, example) => {
    const cbor = fromHex(example.cbor);
    const content = decodeMimiContent(cbor);
    expect(toHex(encodeContent(content))).toBe(example.cbor);
    const id = messageIdOf({
      sha256,
      senderUri: String(content.extensions.get(1)),
      roomUri: String(content.extensions.get(2)),
      content: cbor,
      salt: content.salt,
    });
    expect(toHex(id)).toBe(example.id);
  });

  const read = (name: string): ReturnType<typeof decodeContent> => decodeContent(fromHex(draftExamples[name]?.cbor ?? ""));

  test("texts and replies are texts, and what changes a message is none", () => {
    expect(read("original")).toMatchObject({ kind: "text", text: "Hi everyone, we just shipped release 2.0. __Good  work__!" });
    expect(read("reply")).toMatchObject({ kind: "text", inReplyTo: fromHex(draftExamples["original"]?.id ?? "") });
    expect(read("expiring")).toMatchObject({ kind: "text", expires: { relative: false, seconds: 1_644_390_004 } });
    expect(read("multipart-1")).toMatchObject({ kind: "text", text: "# Welcome!" });
    const original = fromHex(draftExamples["original"]?.id ?? "");
    expect(read("reaction")).toMatchObject({ kind: "reaction", inReplyTo: original, emoji: ["\u2764\uFE0F"] });
    for (const name of ["attachment", "conferencing", "multipart-3"]) expect(read(name).kind, name).toBe("unsupported");
    expect(read("edit")).toMatchObject({ kind: "edit" });
    expect(read("delete")).toMatchObject({ kind: "deletion" });
    expect(read("unlike")).toMatchObject({ kind: "deletion", replaces: fromHex(draftExamples["reaction"]?.id ?? "") });
  });
});

describe("content of one's own", () => {
  const head = { salt, sentAtMs: 1_767_225_600_123 };

  test("a text comes back with its head", () => {
    const inReplyTo = messageId(9);
    const bytes = createTextContent({
      ...head,
      text: "Grüße 👋\nline two",
      inReplyTo,
      displayName: "Zoë",
      appendSecret: { generation: 1_767_225_600_000, secret: messageId(7) },
      expires: { relative: true, seconds: 60 },
    });
    expect(decodeContent(bytes)).toEqual({
      kind: "text",
      text: "Grüße 👋\nline two",
      salt,
      sentAtMs: 1_767_225_600_123,
      displayName: "Zoë",
      appendSecret: { generation: 1_767_225_600_000, secret: messageId(7) },
      inReplyTo,
      expires: { relative: true, seconds: 60 },
      forwardedHops: 0,
    });
  });

  test("the encoding of a text is frozen", () => {
    const bytes = createTextContent({ salt: new Uint8Array(16), sentAtMs: 1, text: "hi" });
    expect(toHex(bytes)).toBe(
      "875000000000000000000000000000000000f640f6f6a16d6c617463686b65792e73656e740185016001781e746578742f6d61726b646f776e3b76617269616e743d47464d2d4d494d49426869",
    );
  });

  test("leave and profile come back as such", () => {
    const leaf = new Uint8Array(32).fill(9);
    expect(decodeContent(createLeaveContent({ ...head, leaf }))).toMatchObject({ kind: "leave", salt, leaf });
    expect(decodeContent(createLeaveContent({ ...head, leaf: leaf.slice(1) }))).toMatchObject({ kind: "unsupported" });
    expect(decodeContent(createProfileContent({ ...head, displayName: "Ann" }))).toMatchObject({ kind: "profile", displayName: "Ann" });
    const payload = new Uint8Array([1, 2, 3]);
    expect(decodeContent(createSyncContent({ ...head, payload }))).toMatchObject({ kind: "sync", payload, salt });
  });

  test("HTML is sent as the draft wants it and shown as it was written", () => {
    const text = 'a <b>bold</b> <script src="x"> 1 < 2 <https://example.com/> <!-- c -->';
    const bytes = createTextContent({ ...head, text });
    const sent = decodeMimiContent(bytes).body;
    expect(sent.kind === "single" && new TextDecoder().decode(sent.content)).toBe(
      'a &lt;b>bold&lt;/b> &lt;script src="x"> 1 < 2 <https://example.com/> &lt;!-- c -->',
    );
    expect(decodeContent(bytes)).toMatchObject({ kind: "text", text });
  });

  test.each(["&lt;b>", "&amp;lt;b>", "&amp;amp;lt;/b>", "&LT;b <i", "&amp;&lt;b", "<&lt;b>", "&lt; b", "&amp;"])(
    "%s comes back as it was written: nobody's letters become a tag",
    (text) => {
      expect(decodeContent(createTextContent({ ...head, text }))).toMatchObject({ kind: "text", text });
    },
  );

  test("any text comes back, whatever entities it holds", () => {
    const piece = fc.oneof(
      fc.string({ unit: "grapheme", minLength: 1 }),
      fc.constantFrom("&", "amp;", "lt;", "&lt;", "<", "b", "/", "LT;", "AMP;"),
    );
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1 }), (pieces) => {
        const text = pieces.join("").toWellFormed();
        expect(decodeContent(createTextContent({ ...head, text }))).toMatchObject({ kind: "text", text });
      }),
    );
  });

  test("an unpaired surrogate becomes the replacement character instead of breaking the message", () => {
    expect(decodeContent(createTextContent({ ...head, text: "a\ud800b" }))).toMatchObject({ kind: "text", text: "a\ufffdb" });
  });

  test("the largest text fits, one byte more does not, and nothing is not a text", () => {
    expect(decodeContent(createTextContent({ ...head, text: "x".repeat(maxTextBytes) }))).toMatchObject({ kind: "text" });
    expect(() => createTextContent({ ...head, text: "x".repeat(maxTextBytes + 1) })).toThrow(ContentError);
    expect(() => createTextContent({ ...head, text: "" })).toThrow(ContentError);
    expect(() => createProfileContent({ ...head, displayName: "x".repeat(maxDisplayNameBytes + 1) })).toThrow(ContentError);
  });

  test("[X-21] [E-106] what leads to a picture has 96 to 256 bytes, or none for a picture that is taken away; of any other length it is not there", () => {
    for (const size of [0, 96, 256]) {
      const content = createProfileContent({ ...head, displayName: "Ann", picture: new Uint8Array(size).fill(7) });
      expect(decodeContent(content)).toMatchObject({ kind: "profile", picture: new Uint8Array(size).fill(7) });
    }
    for (const size of [1, 95, 257]) {
      expect(() => createProfileContent({ ...head, displayName: "Ann", picture: new Uint8Array(size) })).toThrow(ContentError);
      const extensions = new Map<string, unknown>([["latchkey.picture", new Uint8Array(size)]]);
      expect(decodeContent(encodeContent({ ...plain, extensions }))).toMatchObject({ kind: "text", picture: undefined });
    }
  });

  test("foreign values in our extensions are ignored", () => {
    const bytes = encodeContent({
      ...plain,
      extensions: new Map<string, unknown>([
        ["latchkey.append", new Uint8Array(39)],
        ["latchkey.name", 7],
        ["latchkey.picture", new Uint8Array(95)],
        ["latchkey.sent", -4],
      ]),
    });
    expect(decodeContent(bytes)).toMatchObject({
      kind: "text",
      text: "hi",
      displayName: undefined,
      picture: undefined,
      appendSecret: undefined,
      sentAtMs: undefined,
    });
  });

  test("URIs hold host and id", () => {
    expect(senderUri("chat.example", new Uint8Array(32))).toBe(`mimi://chat.example/u/${"A".repeat(43)}`);
    expect(roomUri("localhost:8080", new Uint8Array(32))).toBe(`mimi://localhost:8080/r/${"A".repeat(43)}`);
  });
});

describe("what cannot be shown", () => {
  const single = (contentType: string, content: Uint8Array = utf8Bytes("x"), disposition = 1): NestedPart => ({
    kind: "single",
    disposition,
    language: "",
    contentType,
    content,
  });
  const kindOf = (body: NestedPart): string => decodeContent(encodeContent({ ...plain, body })).kind;

  test("other media types, other charsets, bad UTF-8, empty bodies are unsupported", () => {
    expect(kindOf(single("text/html"))).toBe("unsupported");
    expect(kindOf(single("text/plain;charset=utf-16"))).toBe("unsupported");
    expect(kindOf(single("text/plain", new Uint8Array([0xff])))).toBe("unsupported");
    expect(kindOf(single("text/plain", new Uint8Array(0)))).toBe("unsupported");
    expect(kindOf({ kind: "null", disposition: 1, language: "" })).toBe("unsupported");
    expect(kindOf(single("text/plain", utf8Bytes("x"), 6))).toBe("unsupported");
    expect(kindOf(single('Text/Plain; Charset="UTF-8"', utf8Bytes("x"), 200))).toBe("text");
  });

  test("parts follow their semantics", () => {
    const multi = (semantics: "chooseOne" | "singleUnit" | "processAll", ...parts: NestedPart[]): ReturnType<typeof decodeContent> =>
      decodeContent(encodeContent({ ...plain, body: { kind: "multi", disposition: 1, language: "", semantics, parts } }));
    const [a, b, image] = [single("text/plain", utf8Bytes("a")), single("text/plain", utf8Bytes("b")), single("image/png")];
    expect(multi("chooseOne", image, b, a)).toMatchObject({ kind: "text", text: "b" });
    expect(multi("processAll", a, image, b)).toMatchObject({ kind: "text", text: "a\n\nb" });
    expect(multi("singleUnit", a, b)).toMatchObject({ kind: "text", text: "a\n\nb" });
    expect(multi("singleUnit", a, image)).toMatchObject({ kind: "unsupported" });
  });
});

describe("hostile content", () => {
  const bytes = encodeContent({
    ...plain,
    extensions: new Map<number | string, unknown>([
      [1, "mimi://a.example/u/b"],
      ["x", [1, "two"]],
    ]),
  });

  test("cut at any byte, or with one more, it is malformed", () => {
    for (let at = 0; at < bytes.length; at++) expect(refusal(bytes.subarray(0, at)), String(at)).toBe("malformed");
    expect(refusal(concatBytes(bytes, new Uint8Array(1)))).toBe("malformed");
  });

  test("damaged or random bytes are refused or read, never anything else", () => {
    const noise = seededRandom("noise");
    for (let round = 0; round < 2000; round++) {
      const [where = 0, what = 0] = noise(2);
      const damaged = bytes.slice();
      damaged[where % damaged.length] = what;
      refusal(damaged);
      refusal(noise(1 + (what % 64)));
      expect(decodeContent(damaged).kind).toBeTypeOf("string");
    }
  });

  test.each([
    [
      "bytes, text, arrays and maps of huge stated lengths",
      ["5b7fffffffffffffff", "7b7fffffffffffffff", "9b7fffffffffffffff", "bb7fffffffffffffff", "9affffffff", "5bffffffffffffffff"],
    ],
    ["indefinite lengths", ["5f4101ff", "7f6161ff", "9fff", "bfff"]],
    ["reserved and break codes", ["1c", "5c", "ff", "f800", "fc"]],
    ["long integers and lengths", ["1801", "190001", "580100", "780161"]],
    ["duplicate keys", ["a201000100", "a2616100616100"]],
    ["keys out of order", ["a202000100", "a220000100"]],
    ["keys that are no integer or text", ["a1f97e0000", "a1f500", "a1410000", "a1800000", "a1f93e0000"]],
    ["an empty or over-long key, an integer key beyond 2^53", ["a16000", `a1790100${"61".repeat(256)}00`, "a11b002000000000000000"]],
    ["NaN other than the one", ["a10ffb7ff8000000000000", "a10ff97e01", "a10ffa7fc00000"]],
    [
      "floats longer than needed",
      [
        "a10ffb3ff8000000000000",
        "a10ffa3fc00000",
        "a10ffa33800000",
        "a10ffa38802000",
        "a10ffa00000000",
        "a10ffa7f800000",
        "a10ffbfff0000000000000",
      ],
    ],
    ["malformed UTF-8", ["a10f61ff", "a10f62c328"]],
    ["a sender URI that is no text", ["a10101", "a10280"]],
    ["no map at all", ["80", "f6", "00", "f7"]],
  ])("refused as extensions: %s", (_, values) => {
    for (const value of values) expect(refusal(withField(5, value)), value).toBe("malformed");
  });

  test.each([
    ["1.0 as a half", "a10ff93c00", 1],
    ["65536.0 as a single", "a10ffa47800000", 65_536],
    ["9e15 as a double", "a10ffb433ff973cafa8000", 9e15],
    ["the largest single", "a10ffa7f7fffff", 3.402_823_466_385_288_6e38],
    ["a single with a bit more than a half holds", "a10ffa33000001", 2.980_232_594_040_899e-8],
    ["the smallest single", "a10ffa00000001", 1.401_298_464_324_817e-45],
    ["a double that no single is", "a10ffb3ff199999999999a", 1.1],
  ])("[E-61] a float in an extension refuses no message: %s", (_, hex, value) => {
    expect(decodeMimiContent(withField(5, hex)).extensions.get(15)).toBe(value);
  });

  test.each([
    ["1.0", "f93c00", 1],
    ["9e15", "fb433ff973cafa8000", undefined],
    ["9e15 as an integer", "1b001ff973cafa8000", undefined],
    ["the last moment of 2099", "1b000003bb2cc3d7ff", 4_102_444_799_999],
    ["a moment before 1970", "20", undefined],
    ["half a millisecond", "f93800", undefined],
    ["NaN", "f97e00", undefined],
    ["infinity", "f97c00", undefined],
    ["a number above 2^53", "1bffffffffffffffff", undefined],
    ["bytes", "4101", undefined],
  ])("[E-61] a sent time of %s is read as a sane time or as none", (_, hex, value) => {
    const content = decodeContent(withField(5, `a16d6c617463686b65792e73656e74${hex}`));
    expect(content).toMatchObject({ sentAtMs: value });
    expect(content.kind).not.toBe("malformed");
  });

  test.each([
    ["numbers in an array", `a10f9a0007a120${"00".repeat(500_000)}`],
    ["empty arrays", `a10f9a0003d090${"80".repeat(250_000)}`],
    [
      "entries of a map",
      `ba00030d40${Array.from({ length: 200_000 }, (_, at) => `1a${(65_536 + at).toString(16).padStart(8, "0")}00`).join("")}`,
    ],
  ])("[E-61] too many %s are refused before anything is made of them", (_, hex) => {
    const content = withField(5, hex);
    const before = process.cpuUsage().user;
    expect(refusal(content)).toBe("too_large");
    expect(process.cpuUsage().user - before).toBeLessThan(100_000);
  });

  test("[E-61] a text above 262,144 characters is not shown, in one part or in many", () => {
    const part = (length: number): NestedPart => ({
      kind: "single",
      disposition: 1,
      language: "",
      contentType: "text/plain",
      content: utf8Bytes("x".repeat(length)),
    });
    const parts = Array.from({ length: 5 }, () => part(60_000));
    const many: NestedPart = { kind: "multi", disposition: 1, language: "", semantics: "processAll", parts };
    expect(decodeContent(encodeContent({ ...plain, body: many }))).toMatchObject({ kind: "unsupported" });
    expect(decodeContent(encodeContent({ ...plain, body: part(262_145) }))).toMatchObject({ kind: "unsupported" });
    expect(decodeContent(encodeContent({ ...plain, body: part(262_144) }))).toMatchObject({ kind: "text" });
  });

  test("extensions may nest four levels and not five", () => {
    // The example of section 6.3 of the draft.
    const allowed =
      "a20178186d696d693a2f2f612e6578616d706c652f752f616c6963651901008282421234d82072687474703a2f2f6578616d706c652e636f6d8242345619168b";
    expect(refusal(withField(5, allowed))).toBeUndefined();
    expect(refusal(withField(5, "a10f818180"))).toBeUndefined();
    expect(refusal(withField(5, "a10f81818180"))).toBe("too_deep");
    expect(refusal(withField(5, "a10fc1c1c1c100"))).toBe("too_deep");
    expect(refusal(withField(5, `a10f${"81".repeat(5000)}80`))).toBe("malformed");
  });

  test.each([
    ["salt of the wrong size", 0, "4100"],
    ["salt as text", 0, "7000000000000000000000000000000000"],
    ["replaces of the wrong size", 1, "4101"],
    ["an id with another hash", 1, `5820${"02".repeat(32)}`],
    ["inReplyTo of undefined", 4, "f7"],
    ["expires without a boolean", 3, "820001"],
    ["expires above 32 bits", 3, "82f41b0000000100000000"],
    ["expires that is negative", 3, "82f420"],
    ["expires as a float", 3, "82f4f93c00"],
    ["a disposition above 255", 6, "831901006000"],
    ["a disposition as a float", 6, "83f93c006000"],
    ["an unknown cardinality", 6, "83016004"],
    ["a null part with a field too many", 6, "8401600000"],
    ["a single part without content", 6, "840160016178"],
    ["a multi part of one part", 6, "85016003008183016000"],
    ["unknown part semantics", 6, "850160030382" + "83016000".repeat(2)],
    ["a body that is no array", 6, "a0"],
  ])("refused: %s", (_, index, hex) => {
    expect(refusal(withField(index, hex))).toBe("malformed");
  });

  test("four levels of parts are read, five refused; 1024 parts are read, more refused", () => {
    const leaf: NestedPart = { kind: "null", disposition: 1, language: "" };
    const wrap = (parts: NestedPart[]): NestedPart => ({ kind: "multi", disposition: 1, language: "", semantics: "processAll", parts });
    const four = wrap([wrap([wrap([leaf, leaf]), leaf]), leaf]);
    expect(refusal(encodeContent({ ...plain, body: four }))).toBeUndefined();
    expect(() => encodeContent({ ...plain, body: wrap([four, leaf]) })).toThrow(expect.objectContaining({ code: "too_deep" }));
    const nested = (depth: number): string => (depth === 0 ? "83016000" : `850160030282${nested(depth - 1)}83016000`);
    expect(refusal(withField(6, nested(3)))).toBeUndefined();
    expect(refusal(withField(6, nested(4)))).toBe("too_deep");
    const wide = (count: number): Uint8Array =>
      withField(6, `850160030299${count.toString(16).padStart(4, "0")}${"83016000".repeat(count)}`);
    expect(refusal(wide(1023))).toBeUndefined();
    expect(refusal(wide(1024))).toBe("too_large");
  });

  test("too many bytes are refused before they are parsed", () => {
    expect(refusal(new Uint8Array(maxContentBytes + 1))).toBe("too_large");
    const content = new Uint8Array(maxContentBytes);
    expect(() => encodeContent({ ...plain, body: { ...plain.body, kind: "single", contentType: "", content } })).toThrow(ContentError);
    expect(refusal(withField(2, `591001${"00".repeat(4097)}`))).toBe("too_large");
  });

  test("a key named __proto__ is an extension like any other", () => {
    const bytes = encodeContent({ ...plain, extensions: new Map([["__proto__", "x"]]) });
    expect(decodeMimiContent(bytes).extensions.get("__proto__")).toBe("x");
    expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
  });

  test("errors say nothing of the content", () => {
    const secret = `a10f69${toHex(utf8Bytes("secretive"))}ff`;
    expect(() => decodeMimiContent(withField(5, secret))).toThrow(/^not /);
  });
});
