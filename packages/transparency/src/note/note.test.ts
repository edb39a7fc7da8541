import { fromHex, toHex, utf8Bytes } from "@latchkey/codec";
import { ed25519 } from "@noble/curves/ed25519.js";
import { describe, expect, it } from "vitest";
import {
  addSignatures,
  cosignCheckpoint,
  createVerifier,
  encodeCheckpoint,
  formatNote,
  formatSignatureLine,
  formatVkey,
  maxNoteSignatures,
  nobleSignatures,
  noteSignatureTypes,
  openCheckpoint,
  openNote,
  parseCheckpoint,
  parseNote,
  parseSignatureLines,
  parseVkey,
  signCheckpoint,
  signNote,
  TransparencyError,
  verifyNoteSignatures,
} from "../index.ts";
import type { Checkpoint, Note, Verifier } from "../index.ts";

// Examples of C2SP signed-note, tlog-checkpoint and tlog-cosignature, and of the documentation of golang.org/x/mod/sumdb/note.
const exampleKey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const exampleNote =
  "This is an example message.\n\n\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
const neumannKey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const neumannText = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const neumannSecret = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"; // the type, then the seed
const neumannLine = "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
const poem =
  "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned \u00e8 subito sera.\n\n\u2014 quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n";
const cosigned =
  "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\u2014 witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";

const logSeed = new Uint8Array(32).fill(1);
const witnessSeeds = [2, 3].map((fill) => new Uint8Array(32).fill(fill));
const origin = "chat.example/latchkey";
const logKey = createVerifier({ name: origin, type: noteSignatureTypes.ed25519, publicKey: ed25519.getPublicKey(logSeed) });
const witnessKeys = witnessSeeds.map((seed, i) =>
  createVerifier({ name: `w${i}.example`, type: noteSignatureTypes.cosignatureV1, publicKey: ed25519.getPublicKey(seed) }),
);
const checkpoint: Checkpoint = { origin, size: 42, root: new Uint8Array(32).fill(9), extensions: [] };

const signed = (): Promise<Note> => signCheckpoint({ checkpoint, name: origin, secretKey: logSeed, signatures: nobleSignatures });
async function cosignedNote(times: readonly number[]): Promise<Note> {
  const note = await signed();
  const lines = await Promise.all(
    times.map((timeSeconds, i) =>
      cosignCheckpoint({
        note,
        name: witnessKeys[i]?.name ?? "",
        secretKey: witnessSeeds[i] ?? logSeed,
        timeSeconds,
        signatures: nobleSignatures,
      }),
    ),
  );
  return addSignatures(note, lines);
}

/** The refusal of `run`, as "code rule". */
async function refusal(run: () => unknown): Promise<string> {
  try {
    await run();
  } catch (error) {
    if (error instanceof TransparencyError) return `${error.code} ${error.rule}`;
    throw error;
  }
  return "accepted";
}

describe("C2SP signed-note", () => {
  it("the example of the specification opens under its key", async () => {
    const { note, verified } = await openNote(utf8Bytes(exampleNote), [parseVkey(exampleKey)], nobleSignatures);
    expect(note.text).toBe("This is an example message.\n");
    expect(verified).toEqual([{ name: "example.com/foo", keyId: 0x530d903a }]);
    expect(formatNote(note)).toBe(exampleNote);
  });

  it("the note of the Go package is made, byte by byte, and opens", async () => {
    const secretKey = new Uint8Array(Buffer.from(neumannSecret, "base64")).slice(1);
    const note = await signNote({ text: neumannText, name: "PeterNeumann", secretKey, signatures: nobleSignatures });
    expect(formatNote(note)).toBe(`${neumannText}\n${neumannLine}`);
    expect(formatVkey({ name: "PeterNeumann", type: 1, publicKey: ed25519.getPublicKey(secretKey) })).toBe(neumannKey);
    expect((await openNote(formatNote(note), [parseVkey(neumannKey)], nobleSignatures)).verified.length).toBe(1);
  });

  it("a text with empty lines is split at the last one", () => {
    const note = parseNote(poem);
    expect(note.text.endsWith("\n\ned \u00e8 subito sera.\n")).toBe(true);
    expect(note.signatures.length).toBe(1);
    expect(formatNote(note)).toBe(poem);
  });

  it("signatures of unknown keys are ignored, and a note without a known one is refused", async () => {
    const [example, neumann] = [parseVkey(exampleKey), parseVkey(neumannKey)];
    const both = formatNote(addSignatures(parseNote(exampleNote), parseSignatureLines(neumannLine)));
    expect((await openNote(both, [example], nobleSignatures)).verified.length).toBe(1);
    expect(await refusal(() => openNote(exampleNote, [neumann], nobleSignatures))).toBe("signature C2SP signed-note");
    // The same name or the same id alone is another key.
    const renamed: Verifier = { ...example, name: "example.com/bar" };
    const renumbered: Verifier = { ...example, keyId: 1 };
    expect(await verifyNoteSignatures(parseNote(both), [renamed, renumbered], nobleSignatures)).toEqual([]);
  });

  it("a known key's signature that does not verify refuses the whole note, also beside a good one", async () => {
    const example = parseVkey(exampleKey);
    const [line] = parseNote(exampleNote).signatures;
    const forged = { name: example.name, keyId: example.keyId, signature: new Uint8Array(64) };
    expect(await refusal(() => openNote(exampleNote.replace("This", "That"), [example], nobleSignatures))).toBe(
      "signature C2SP signed-note",
    );
    const note: Note = { text: parseNote(exampleNote).text, signatures: line === undefined ? [] : [line, forged] };
    expect(await refusal(() => openNote(formatNote(note), [example], nobleSignatures))).toBe("signature C2SP signed-note");
    const short: Note = { ...note, signatures: [{ ...forged, signature: new Uint8Array(63) }] };
    expect(await refusal(() => openNote(formatNote(short), [example], nobleSignatures))).toBe("malformed C2SP signed-note");
    expect(await refusal(() => verifyNoteSignatures(note, [example, example], nobleSignatures))).toBe("malformed C2SP signed-note");
  });

  const good = "text\n\n\u2014 name AAAAAAE=\n";
  it.each([
    ["nothing", ""],
    ["no signature", "text\n"],
    ["no signature after the empty line", "text\n\n"],
    ["no empty line", "text\n\u2014 name AAAAAAE=\n"],
    ["no last newline", good.slice(0, -1)],
    ["a hyphen for the dash", good.replace("\u2014", "-")],
    ["no space", good.replace("\u2014 ", "\u2014")],
    ["two spaces", good.replace("\u2014 ", "\u2014  ")],
    ["an empty name", good.replace("name", "")],
    ["a name with a plus", good.replace("name", "na+me")],
    ["a name with a no-break space", good.replace("name", "na\u00a0me")],
    ["a name of 256 bytes", good.replace("name", "n".repeat(256))],
    ["base64 without padding", good.replace("=", "")],
    ["base64 with other last bits", good.replace("AAAAAAE=", "AAAAAAF=")],
    ["base64url", good.replace("AAAAAAE=", "AAA-AAE=")],
    ["a key id alone", good.replace("AAAAAAE=", "AAAAAA==")],
    ["a third part", good.replace("=\n", "= x\n")],
    ["a carriage return", good.replace("text", "te\rxt")],
    ["a zero byte", good.replace("text", "te\u0000xt")],
    ["half a surrogate pair", good.replace("text", "te\ud800xt")],
    ["more after the signatures", `${good}more\n`],
    ["too many signatures", good + "\u2014 name AAAAAAE=\n".repeat(maxNoteSignatures)],
    ["too long a text", "x".repeat(131_072) + good],
  ])("%s is refused", (_, input) => {
    expect(() => parseNote(good)).not.toThrow();
    expect(() => parseNote(input)).toThrow(TransparencyError);
  });

  it("bytes that are no UTF-8 are refused, and a byte order mark is text", () => {
    expect(() => parseNote(Uint8Array.of(0xff, ...utf8Bytes(good)))).toThrow(TransparencyError);
    expect(parseNote(utf8Bytes(`\ufeff${good}`)).text).toBe("\ufefftext\n");
  });

  it("what cannot be written is refused", async () => {
    const key = { secretKey: logSeed, signatures: nobleSignatures };
    await expect(signNote({ text: "no newline", name: "n", ...key })).rejects.toThrow(TransparencyError);
    await expect(signNote({ text: "text\n", name: "a b", ...key })).rejects.toThrow(TransparencyError);
    await expect(signNote({ text: "te\txt\n", name: "n", ...key })).rejects.toThrow(TransparencyError);
  });
});

describe("C2SP verifier keys", () => {
  it("round trip in both types, and the type enters the key id", () => {
    for (const key of [logKey, ...witnessKeys]) expect(parseVkey(formatVkey(key))).toEqual(key);
    expect(createVerifier({ ...logKey, type: noteSignatureTypes.cosignatureV1 }).keyId).not.toBe(logKey.keyId);
    expect(formatVkey(parseVkey(exampleKey))).toBe(exampleKey);
  });

  it.each([
    ["nothing", ""],
    ["two parts", "name+530d903a"],
    ["another key id", exampleKey.replace("530d903a", "530d903b")],
    ["upper-case hex", exampleKey.replace("530d903a", "530D903A")],
    ["another name", exampleKey.replace("foo", "bar")],
    ["a name with a space", exampleKey.replace("foo", "f oo")],
    ["no name", exampleKey.replace("example.com/foo", "")],
    ["no key", exampleKey.replace(/\+[^+]*$/, "+")],
    ["another type", exampleKey.replace("+Aeky", "+Buky")],
    ["a short key", exampleKey.slice(0, -4)],
    ["a newline at the end", `${exampleKey}\n`],
    ["a secret key of Go", `PRIVATE+KEY+PeterNeumann+c74f20a3+${neumannSecret}`],
  ])("%s is refused", (_, vkey) => {
    expect(() => parseVkey(vkey)).toThrow(TransparencyError);
  });
});

describe("C2SP checkpoints", () => {
  it("the example of the specification, with a cosignature, is read and written", () => {
    const note = parseNote(cosigned);
    const read = parseCheckpoint(note.text);
    expect(read).toEqual({
      origin: "example.com/behind-the-sofa",
      size: 20_852_163,
      root: fromHex(toHex(new Uint8Array(Buffer.from("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=", "base64")))),
      extensions: [],
    });
    expect(encodeCheckpoint(read)).toBe(note.text);
    expect(note.signatures.map(({ signature }) => signature.length)).toEqual([64, 72]);
    expect(formatNote(note)).toBe(cosigned);
  });

  it("extension lines stay", () => {
    const extended = { ...checkpoint, extensions: ["one", "two \u2014 x"] };
    expect(parseCheckpoint(encodeCheckpoint(extended))).toEqual(extended);
  });

  const text = encodeCheckpoint(checkpoint);
  it.each([
    ["nothing", ""],
    ["no last newline", text.slice(0, -1)],
    ["two lines", "origin\n1\n"],
    ["an empty origin", text.replace(origin, "")],
    ["a leading zero", text.replace("\n42\n", "\n042\n")],
    ["a sign", text.replace("\n42\n", "\n+42\n")],
    ["a size of 2^53", text.replace("\n42\n", "\n9007199254740992\n")],
    ["an empty size", text.replace("\n42\n", "\n\n")],
    ["a root of 31 bytes", text.replace(/\n[^\n]*\n$/, "\nCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQ==\n")],
    ["a root of 33 bytes", text.replace(/\n[^\n]*\n$/, "\nCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJ\n")],
    ["an empty extension", `${text}\n`],
    ["17 extensions", text + "x\n".repeat(17)],
    ["too long a line", `${text}${"x".repeat(4096)}\n`],
  ])("%s is refused", (_, input) => {
    expect(() => parseCheckpoint(input)).toThrow(TransparencyError);
  });

  it("parts that cannot be written are refused", () => {
    for (const bad of [
      { origin: "" },
      { origin: "a\n1" },
      { size: -1 },
      { size: 0.5 },
      { root: new Uint8Array(31) },
      { extensions: [""] },
      { extensions: ["a\nb"] },
    ]) {
      expect(() => encodeCheckpoint({ ...checkpoint, ...bad })).toThrow(TransparencyError);
    }
  });
});

describe("C2SP cosignatures", () => {
  const open = (note: Note | string, witnesses = witnessKeys, of = origin): ReturnType<typeof openCheckpoint> =>
    openCheckpoint({
      note: typeof note === "string" ? note : formatNote(note),
      origin: of,
      log: logKey,
      witnesses,
      signatures: nobleSignatures,
    });

  it("a signed and cosigned checkpoint opens, with the times of its witnesses", async () => {
    const opened = await open(await cosignedNote([1_679_315_147, 1_679_315_148]));
    expect(opened.checkpoint).toEqual(checkpoint);
    expect(opened.cosignatures.map(({ name, timeSeconds }) => [name, timeSeconds])).toEqual([
      ["w0.example", 1_679_315_147],
      ["w1.example", 1_679_315_148],
    ]);
    expect((await open(await signed())).cosignatures).toEqual([]);
  });

  it("signs the header, the time and the whole text", async () => {
    const note = await signed();
    const [seed = logSeed] = witnessSeeds;
    const line = await cosignCheckpoint({ note, name: "w0.example", secretKey: seed, timeSeconds: 7, signatures: nobleSignatures });
    expect(toHex(line.signature.slice(0, 8))).toBe("0000000000000007");
    const message = utf8Bytes(`cosignature/v1\ntime 7\n${note.text}`);
    expect(ed25519.verify(line.signature.slice(8), message, ed25519.getPublicKey(seed))).toBe(true);
    expect(parseSignatureLines(formatSignatureLine(line))).toEqual([line]);
  });

  it("any flipped bit in text, log signature, time or cosignature is refused", async () => {
    const note = await cosignedNote([1000]);
    for (const [i, line] of note.signatures.entries()) {
      for (let at = 0; at < line.signature.length; at += 5) {
        const changed = { ...line, signature: line.signature.with(at, (line.signature[at] ?? 0) ^ 1) };
        const result = await refusal(() => open({ ...note, signatures: note.signatures.with(i, changed) }));
        expect(result).toMatch(/^(signature|malformed) C2SP/);
      }
    }
    expect(await refusal(() => open({ ...note, text: note.text.replace("42", "43") }))).toBe("signature C2SP signed-note");
  });

  it("another origin, an unsigned checkpoint, and a log key in place of a witness are refused", async () => {
    const note = await cosignedNote([1000]);
    expect(await refusal(() => open(note, witnessKeys, "chat.example/other"))).toBe("proof C2SP tlog-checkpoint");
    expect(await refusal(() => open({ ...note, signatures: note.signatures.slice(1) }))).toBe("signature C2SP tlog-checkpoint");
    const [line] = note.signatures;
    const [witness] = witnessKeys;
    const posing = line === undefined || witness === undefined ? [] : [line, { ...line, name: witness.name, keyId: witness.keyId }];
    expect(await refusal(() => open({ ...note, signatures: posing }))).toBe("malformed C2SP tlog-cosignature");
  });

  it("of one witness the newest counts, and a time above 2^53 is refused", async () => {
    const [early, late] = await Promise.all([cosignedNote([1000]), cosignedNote([2000])]);
    const both = { ...late, signatures: [...late.signatures, ...early.signatures.slice(1)] };
    expect((await open(both)).cosignatures.map(({ timeSeconds }) => timeSeconds)).toEqual([2000]);
    const [, line] = late.signatures;
    const future = line === undefined ? [] : [{ ...line, signature: line.signature.with(1, 0xff) }];
    expect(await refusal(() => open(addSignatures(late, future)))).toBe("malformed C2SP tlog-cosignature");
  });

  it("only checkpoints are cosigned, at times in range", async () => {
    const note = await signed();
    const cosign = (text: string, timeSeconds: number, name = "w"): (() => Promise<unknown>) => {
      return () => cosignCheckpoint({ note: { text }, name, secretKey: logSeed, timeSeconds, signatures: nobleSignatures });
    };
    expect(await refusal(cosign("text\n", 1))).toBe("malformed C2SP tlog-checkpoint");
    expect(await refusal(cosign(note.text, -1))).toBe("malformed C2SP tlog-cosignature");
    expect(await refusal(cosign(note.text, 1.5))).toBe("malformed C2SP tlog-cosignature");
    expect(await refusal(cosign(note.text, 1, "a b"))).toBe("malformed C2SP signed-note");
  });
});
