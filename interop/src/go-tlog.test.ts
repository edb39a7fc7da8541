import { utf8Bytes } from "@latchkey/codec";
import {
  addSignatures,
  cosignCheckpoint,
  createVerifier,
  encodeEntryBundle,
  entriesTilePath,
  formatNote,
  formatVkey,
  IncrementalTree,
  leafHash,
  newHashes,
  newTiles,
  nobleSignatures,
  noteSignatureTypes,
  openCheckpoint,
  parseVkey,
  proveConsistency,
  proveInclusion,
  signCheckpoint,
  signNote,
  tileBytes,
  tileHashReader,
  tilePath,
  tileWidth,
  verifyConsistency,
  verifyInclusion,
  vrfPublicKey,
} from "@latchkey/transparency";
import type { HashReader, Note } from "@latchkey/transparency";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildGoChecker, goMissing } from "./go.ts";
import type { GoChecker } from "./go.ts";

/** What go-tlog/main.go answers. */
interface Output {
  readonly notes: readonly { error?: string; verified: string[]; times: number[]; origin?: string; size: number; root?: string }[];
  /** Empty for a proof or tree that holds, else the error. */
  readonly inclusions: readonly string[];
  readonly consistencies: readonly string[];
  readonly trees: readonly string[];
  readonly made: {
    readonly vkey: string;
    readonly checkpoint: string;
    readonly fromRoot: string;
    readonly inclusions: readonly (readonly string[] | null)[];
    readonly consistency: readonly string[] | null;
    readonly tiles: Readonly<Record<string, string>>;
  };
}

const missing = goMissing();
if (missing !== undefined) process.stderr.write(`the checks by Go's sumdb are skipped: ${missing}\n`);

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
const bytes = (encoded: string): Uint8Array => new Uint8Array(Buffer.from(encoded, "base64"));
const flip = (hash: Uint8Array): Uint8Array => hash.with(7, (hash[7] ?? 0) ^ 0x10);

const origin = "chat.example/latchkey";
const logSeed = new Uint8Array(32).fill(1);
const witnessSeeds = [2, 3, 4].map((fill) => new Uint8Array(32).fill(fill));
// A VRF's public key is that of the same seed in Ed25519.
const logVkey = formatVkey({ name: origin, type: noteSignatureTypes.ed25519, publicKey: vrfPublicKey(logSeed) });
const witnessVkeys = witnessSeeds.map((seed, i) =>
  formatVkey({ name: `w${i}.example/witness`, type: noteSignatureTypes.cosignatureV1, publicKey: vrfPublicKey(seed) }),
);

const maxSize = 70_000;
const entryAt = (index: number): Uint8Array => utf8Bytes(`entry ${index} `.repeat(index % 5));
const stored = new Map<string, Uint8Array>();
const read: HashReader = async (ids) => ids.map(({ level, index }) => stored.get(`${level}/${index}`) ?? new Uint8Array(32));
const roots = new Map<number, Uint8Array>();

const proofSizes = [1, 2, 3, 7, 8, 255, 256, 257, 1000, 65_536, 65_537, maxSize];
const treeSizes = [1, 2, 255, 256, 257, 700, 1025];
const rootOf = (size: number): Uint8Array => roots.get(size) ?? new Uint8Array(32);

async function cosignedCheckpoint(size: number, times: readonly number[]): Promise<Note> {
  const checkpoint = { origin, size, root: rootOf(size), extensions: [] };
  const note = await signCheckpoint({ checkpoint, name: origin, secretKey: logSeed, signatures: nobleSignatures });
  const lines = await Promise.all(
    times.map((timeSeconds, i) =>
      cosignCheckpoint({
        note,
        name: `w${i}.example/witness`,
        secretKey: witnessSeeds[i] ?? logSeed,
        timeSeconds,
        signatures: nobleSignatures,
      }),
    ),
  );
  return addSignatures(note, lines);
}

async function tilesOf(size: number): Promise<Record<string, string>> {
  const tiles: Record<string, string> = {};
  for (const tile of newTiles(0, size)) {
    tiles[tilePath(tile.level, tile.index, tile.width)] = base64(await tileBytes(tile, read));
    if (tile.level > 0) continue;
    const entries = Array.from({ length: tile.width }, (_, i) => entryAt(tile.index * tileWidth + i));
    tiles[entriesTilePath(tile.index, tile.width)] = base64(encodeEntryBundle(entries));
  }
  return tiles;
}

describe.skipIf(missing !== undefined)(`golang.org/x/mod/sumdb ${missing ?? "note and tlog"}`, () => {
  let checker: GoChecker | undefined;
  // The shape is that of go-tlog/main.go, which is built from this repository.
  const run = (input: unknown): Output => checker?.run(input) as Output;

  beforeAll(async () => {
    checker = buildGoChecker();
    const tree = new IncrementalTree();
    for (let size = 0; size < maxSize; size++) {
      const leaf = leafHash(entryAt(size));
      for (const { level, index, hash } of await newHashes(size, leaf, read)) stored.set(`${level}/${index}`, hash);
      tree.append(leaf);
      if (proofSizes.includes(size + 1) || treeSizes.includes(size + 1)) roots.set(size + 1, tree.root());
    }
  }, 300_000);
  afterAll(() => checker?.remove());

  it("opens our checkpoints with all cosignatures, and refuses them changed", async () => {
    const note = await cosignedCheckpoint(1000, [1_679_315_147, 1_700_000_000, 1]);
    const text = formatNote(note);
    const plain = formatNote(
      await signNote({ text: "first\n\n\u00e8 second\n", name: origin, secretKey: logSeed, signatures: nobleSignatures }),
    );
    const later = note.signatures.map((line, i) => (i === 2 ? { ...line, signature: line.signature.with(7, 7) } : line));
    const known = { logVkey, witnessVkeys, isCheckpoint: true };
    const { notes } = run({
      notes: [
        { ...known, note: text },
        { ...known, note: text, witnessVkeys: witnessVkeys.slice(0, 1) },
        { ...known, note: plain, isCheckpoint: false },
        { ...known, note: text.replace("\n1000\n", "\n1001\n") },
        { ...known, note: formatNote({ ...note, signatures: later }) },
      ],
    });
    const names = [origin, "w0.example/witness", "w1.example/witness", "w2.example/witness"];
    const head = { origin, size: 1000, root: base64(rootOf(1000)) };
    expect(notes).toEqual([
      { verified: names, times: [1_679_315_147, 1_700_000_000, 1], ...head },
      { verified: names.slice(0, 2), times: [1_679_315_147], ...head },
      { verified: [origin], times: [], size: 0 },
      { verified: [], times: [], size: 0, error: expect.stringContaining("invalid signature for key") },
      { verified: [], times: [], size: 0, error: expect.stringContaining("invalid signature for key") },
    ]);
  });

  it("verifies our inclusion and consistency proofs, and refuses each with one bit flipped", async () => {
    const inclusions: { index: number; size: number; root: string; leaf: string; proof: string[] }[] = [];
    const consistencies: { from: number; to: number; fromRoot: string; toRoot: string; proof: string[] }[] = [];
    const wanted = { inclusions: [] as boolean[], consistencies: [] as boolean[] };
    for (const size of proofSizes) {
      for (const index of new Set([0, 1, size >> 1, size - 2, size - 1].filter((at) => at >= 0 && at < size))) {
        const proof = await proveInclusion(index, size, read);
        const common = { index, size, root: base64(rootOf(size)), leaf: base64(leafHash(entryAt(index))) };
        inclusions.push({ ...common, proof: proof.map(base64) });
        wanted.inclusions.push(true);
        for (const [i, hash] of proof.entries()) {
          inclusions.push({ ...common, proof: proof.with(i, flip(hash)).map(base64) });
          wanted.inclusions.push(false);
        }
      }
      for (const from of proofSizes.filter((other) => other <= size)) {
        const proof = await proveConsistency(from, size, read);
        const common = { from, to: size, fromRoot: base64(rootOf(from)), toRoot: base64(rootOf(size)) };
        consistencies.push({ ...common, proof: proof.map(base64) });
        wanted.consistencies.push(true);
        for (const [i, hash] of proof.entries()) {
          consistencies.push({ ...common, proof: proof.with(i, flip(hash)).map(base64) });
          wanted.consistencies.push(false);
        }
      }
    }
    const output = run({ inclusions, consistencies });
    expect(output.inclusions.map((error) => error === "")).toEqual(wanted.inclusions);
    expect(output.consistencies.map((error) => error === "")).toEqual(wanted.consistencies);
    expect(wanted.inclusions.length + wanted.consistencies.length).toBeGreaterThan(800);
  });

  it("reads whole trees from our tiles and entry bundles, and refuses a tile with one bit flipped", async () => {
    const trees = await Promise.all(treeSizes.map(async (size) => ({ size, root: base64(rootOf(size)), tiles: await tilesOf(size) })));
    const [path = ""] = Object.keys(await tilesOf(700));
    const changed = trees
      .filter(({ size }) => size === 700)
      .map((tree) => ({ ...tree, tiles: { ...tree.tiles, [path]: base64(flip(bytes(tree.tiles[path] ?? ""))) } }));
    const output = run({ trees: [...trees, ...changed] });
    expect(output.trees.slice(0, trees.length)).toEqual(trees.map(() => ""));
    expect(output.trees.slice(trees.length)).toEqual([expect.stringMatching(/./)]);
  });

  it("makes checkpoints, proofs and tiles that we take, byte for byte those that we make", async () => {
    const [size, from] = [700, 257];
    const { made } = run({ make: { name: origin, entries: Array.from({ length: size }, (_, i) => base64(entryAt(i))), from } });
    const { checkpoint } = await openCheckpoint({
      note: made.checkpoint,
      origin,
      log: parseVkey(made.vkey),
      witnesses: witnessVkeys.map(parseVkey),
      signatures: nobleSignatures,
    });
    expect(checkpoint).toEqual({ origin, size, root: rootOf(size), extensions: [] });
    expect(formatVkey(createVerifier(parseVkey(made.vkey)))).toBe(made.vkey);
    for (const [index, proof] of made.inclusions.entries()) {
      const hashes = (proof ?? []).map(bytes);
      verifyInclusion({ index, size, leafHash: leafHash(entryAt(index)), proof: hashes, root: checkpoint.root });
      expect(hashes).toEqual(await proveInclusion(index, size, read));
    }
    expect(made.inclusions.length).toBe(size);
    const proof = (made.consistency ?? []).map(bytes);
    verifyConsistency({ from, to: size, fromRoot: bytes(made.fromRoot), toRoot: checkpoint.root, proof });
    expect(proof).toEqual(await proveConsistency(from, size, read));
    const own = Object.entries(await tilesOf(size)).filter(([path]) => !path.startsWith("tile/entries/"));
    expect(Object.keys(made.tiles).toSorted()).toEqual(own.map(([path]) => path).toSorted());
    expect(own.filter(([path, tile]) => made.tiles[path] !== tile).map(([path]) => path)).toEqual([]);
    const reader = tileHashReader(size, async (tile) => bytes(made.tiles[tilePath(tile.level, tile.index, tile.width)] ?? ""));
    expect(await proveConsistency(from, size, reader)).toEqual(proof);
  });
});
