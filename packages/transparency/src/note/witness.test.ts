import { utf8Bytes } from "@latchkey/codec";
import { ed25519 } from "@noble/curves/ed25519.js";
import { describe, expect, it } from "vitest";
import {
  createVerifier,
  emptyRoot,
  encodeAddCheckpoint,
  encodeWitnessSize,
  formatNote,
  IncrementalTree,
  judgeAddCheckpoint,
  leafHash,
  newHashes,
  nobleSignatures,
  noteSignatureTypes,
  parseAddCheckpoint,
  parseSignatureLines,
  parseWitnessSize,
  proveConsistency,
  signCheckpoint,
  TransparencyError,
} from "../index.ts";
import type { AddCheckpoint, AddCheckpointVerdict, CosignedHead, HashReader, Note } from "../index.ts";

// The example of C2SP tlog-witness.
const example = `old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
\u2014 example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
`;
const exampleAnswer = `\u2014 witness.example/w1 CMp+6LWBU0anHGH5aNDTJkH/gj79sG+T6+iP2ThYN5krrDJbR1HDnucjL39QsZTSvVjyQLrdk3DXDqI5G2HgLatVs0pWh6Up69HVOw==
\u2014 witness.example/w1 I7rEps0pvK2UqkS2gSpVUDhrhVtQV9lgF6pRrWAvjJHjyWpW7VcE3SiOlVlbQNt64vWhO+DlkL0+UfzuOBMh9ChdMkP1vi/lCAsmlw==
\u2014 witness.example/w2 AWui8Sk55XjYLOijihBjhqEH6nS1ndDymE0a+6idX7pLcnoB+dhnz0854aLZgrrKbYKA7nC3HNJhm/kWl7oJlqU3rXXvpysAdyP3wQ==
`;

describe("C2SP tlog-witness, the texts", () => {
  it("the example of the specification is read and written", () => {
    const request = parseAddCheckpoint(utf8Bytes(example));
    expect(request.oldSize).toBe(20_852_014);
    expect(request.proof.length).toBe(4);
    expect(request.checkpoint.size).toBe(20_852_163);
    expect(request.note.signatures.length).toBe(2);
    expect(encodeAddCheckpoint(request)).toBe(example);
  });

  it("the example of an answer is read", () => {
    expect(parseSignatureLines(exampleAnswer).map(({ name, signature }) => [name, signature.length])).toEqual([
      ["witness.example/w1", 72],
      ["witness.example/w1", 72],
      ["witness.example/w2", 72],
    ]);
    for (const bad of ["", "\n", exampleAnswer.slice(0, -1), `\n${exampleAnswer}`, `${exampleAnswer}\n`]) {
      expect(() => parseSignatureLines(bad)).toThrow(TransparencyError);
    }
  });

  it("the size in a conflict is read and written", () => {
    expect(parseWitnessSize(utf8Bytes(encodeWitnessSize(20_852_014)))).toBe(20_852_014);
    for (const bad of ["", "1", "01\n", "-1\n", "1\n\n", "x\n", "9007199254740992\n"]) {
      expect(() => parseWitnessSize(bad)).toThrow(TransparencyError);
    }
  });

  it.each([
    ["nothing", ""],
    ["no old size", example.replace(/^old 20852014\n/, "")],
    ["two spaces", example.replace("old ", "old  ")],
    ["a leading zero", example.replace("old 2", "old 02")],
    ["a negative size", example.replace("old 2", "old -2")],
    ["an old size above the checkpoint's", example.replace("20852014", "20852164")],
    ["no empty line", example.replace("\n\nexample", "\nexample")],
    ["a short hash", example.replace("PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=", "PlRN")],
    ["64 hashes", example.replace("\nPlRN", `${"\nPlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=".repeat(60)}\nPlRN`)],
    ["a note that is no checkpoint", "old 0\n\ntext\n\n\u2014 name AAAAAAE=\n"],
    ["a carriage return", example.replace("\n", "\r\n")],
  ])("%s is refused", (_, body) => {
    expect(() => parseAddCheckpoint(body)).toThrow(TransparencyError);
  });
});

const seed = new Uint8Array(32).fill(1);
const origin = "chat.example/latchkey";
const key = createVerifier({ name: origin, type: noteSignatureTypes.ed25519, publicKey: ed25519.getPublicKey(seed) });

const stored = new Map<string, Uint8Array>();
const read: HashReader = async (ids) => ids.map(({ level, index }) => stored.get(`${level}/${index}`) ?? emptyRoot());
const roots: Uint8Array[] = [emptyRoot()];
const tree = new IncrementalTree();
for (let size = 0; size < 20; size++) {
  const leaf = leafHash(utf8Bytes(`entry ${size}`));
  for (const { level, index, hash } of await newHashes(size, leaf, read)) stored.set(`${level}/${index}`, hash);
  tree.append(leaf);
  roots.push(tree.root());
}
const headOf = (size: number): CosignedHead => ({ size, root: roots[size] ?? emptyRoot() });

async function requestOf(
  oldSize: number,
  size: number,
  change: Partial<CosignedHead> & { secretKey?: Uint8Array } = {},
): Promise<AddCheckpoint> {
  const { secretKey = seed, ...head } = change;
  const checkpoint = { origin, ...headOf(size), ...head, extensions: [] };
  const note: Note = await signCheckpoint({ checkpoint, name: origin, secretKey, signatures: nobleSignatures });
  return { oldSize, proof: await proveConsistency(oldSize, size, read), note };
}

async function judge(request: AddCheckpoint | string, latest?: CosignedHead): Promise<AddCheckpointVerdict> {
  return await judgeAddCheckpoint({
    body: typeof request === "string" ? request : encodeAddCheckpoint(request),
    logOf: (name) => (name === origin ? { keys: [key], latest } : undefined),
    signatures: nobleSignatures,
  });
}

describe("C2SP tlog-witness, the verdict", () => {
  it("cosigns the first checkpoint, a larger one, and the same once more", async () => {
    for (const [from, to] of [
      [0, 0],
      [0, 5],
      [5, 5],
      [5, 20],
      [8, 20],
    ] as const) {
      const request = await requestOf(from, to);
      const verdict = await judge(request, from === 0 ? undefined : headOf(from));
      expect(verdict).toMatchObject({ kind: "cosign", checkpoint: { origin, size: to } });
      expect(verdict.kind === "cosign" && formatNote(verdict.note)).toBe(formatNote(request.note));
    }
  });

  it("names the size that it has when another was expected", async () => {
    expect(await judge(await requestOf(5, 20), headOf(8))).toEqual({ kind: "conflict", status: 409, latestSize: 8 });
    expect(await judge(await requestOf(5, 20))).toEqual({ kind: "conflict", status: 409, latestSize: 0 });
    expect(await judge(await requestOf(5, 7), headOf(8))).toEqual({ kind: "conflict", status: 409, latestSize: 8 });
  });

  it("refuses what is malformed, unknown, unsigned or inconsistent, each with its status", async () => {
    const good = await requestOf(5, 20);
    const signature = (note: Note): Note => ({
      ...note,
      signatures: note.signatures.map((line) => ({ ...line, signature: line.signature.with(9, 1) })),
    });
    const zero = new Uint8Array(32);
    const cases: [AddCheckpoint | string, number, number | undefined][] = [
      ["old x\n\n", 400, 5],
      [{ ...good, oldSize: 21 }, 400, 5],
      [encodeAddCheckpoint(good).replace(origin, "chat.example/other"), 404, 5],
      [{ ...good, note: signature(good.note) }, 403, 5],
      [await requestOf(5, 20, { secretKey: zero }), 403, 5],
      [{ ...good, proof: good.proof.slice(1) }, 422, 5],
      [{ ...good, proof: good.proof.with(0, zero) }, 422, 5],
      [await requestOf(5, 20, { root: zero }), 422, 5],
      [await requestOf(5, 5, { root: zero }), 422, 5],
      [await requestOf(0, 0, { root: zero }), 422, undefined],
      [{ ...(await requestOf(0, 5)), proof: [zero] }, 422, undefined],
    ];
    for (const [request, status, latest] of cases) {
      expect(await judge(request, latest === undefined ? undefined : headOf(latest))).toEqual({ kind: "refused", status });
    }
  });

  it("refuses a fork of what it cosigned, even with a proof that is consistent in itself", async () => {
    const forked: CosignedHead = { size: 5, root: leafHash(utf8Bytes("another history")) };
    expect(await judge(await requestOf(5, 20), forked)).toEqual({ kind: "refused", status: 422 });
  });
});
