import { utf8Bytes } from "@latchkey/codec";
import { describe, expect, it } from "vitest";
import {
  decodeEntryBundle,
  encodeEntryBundle,
  entriesTilePath,
  leafHash,
  newTiles,
  parseTilePath,
  tileHashIds,
  tileHashReader,
  tilePath,
  TransparencyError,
} from "../index.ts";

describe("C2SP tlog-tiles paths", () => {
  it("are those of the specification", () => {
    expect(tilePath(0, 1_234_067)).toBe("tile/0/x001/x234/067");
    expect(tilePath(1, 273, 17)).toBe("tile/1/273.p/17");
    expect(tilePath(63, 0, 1)).toBe("tile/63/000.p/1");
    expect(entriesTilePath(1_234_067, 112)).toBe("tile/entries/x001/x234/067.p/112");
    expect(entriesTilePath(999)).toBe("tile/entries/999");
    expect(entriesTilePath(1000)).toBe("tile/entries/x001/000");
  });

  it("round trip", () => {
    for (const index of [0, 5, 999, 1000, 1_234_067, 999_999_999, Number.MAX_SAFE_INTEGER]) {
      for (const width of [1, 255, 256]) {
        expect(parseTilePath(entriesTilePath(index, width))).toEqual({ kind: "entries", index, width });
        expect(parseTilePath(tilePath(3, index, width))).toEqual({ kind: "hashes", level: 3, index, width });
      }
    }
  });

  it.each([
    "",
    "tile",
    "tile/0",
    "/tile/0/000",
    "tile/0/000/",
    "tile/00/000",
    "tile/64/000",
    "tile/-1/000",
    "tile/0/0",
    "tile/0/0000",
    "tile/0/x000/001",
    "tile/0/001/001",
    "tile/0/x001/x001",
    "tile/0/000.p/0",
    "tile/0/000.p/256",
    "tile/0/000.p/01",
    "tile/0/000.p/",
    "tile/0/000.p/1/2",
    "tile/data/000",
    "tile/0/..",
    "tile/0/x009/x007/x199/x254/x740/992",
    "tile/0/x001/x000/x000/x000/x000/x000/000",
    "tile/0/000\n",
  ])("%j is refused", (path) => {
    expect(() => parseTilePath(path)).toThrow(TransparencyError);
  });

  it("of tiles that cannot be are refused", () => {
    for (const [level, index, width] of [
      [64, 0, 1],
      [0, -1, 1],
      [0, 0, 0],
      [0, 0, 257],
      [0, 0.5, 1],
      [0.5, 0, 1],
      [0, 2 ** 53, 1],
    ] as const) {
      expect(() => tilePath(level, index, width)).toThrow(TransparencyError);
      expect(() => tileHashIds({ level, index, width })).toThrow(TransparencyError);
    }
  });
});

describe("C2SP tlog-tiles", () => {
  it("a tree of 70,000 has the tiles that the specification counts", () => {
    const tiles = newTiles(0, 70_000);
    expect(tiles.filter(({ level, width }) => level === 0 && width === 256).length).toBe(273);
    expect(tiles.filter(({ level, width }) => level === 1 && width === 256).length).toBe(1);
    expect(tiles.filter(({ width }) => width < 256)).toEqual([
      { level: 0, index: 273, width: 112 },
      { level: 1, index: 1, width: 17 },
      { level: 2, index: 0, width: 1 },
    ]);
  });

  it("a tree of 256 has a full tile and one above it; one more entry adds one tile", () => {
    expect(newTiles(0, 256)).toEqual([
      { level: 0, index: 0, width: 256 },
      { level: 1, index: 0, width: 1 },
    ]);
    expect(newTiles(256, 257)).toEqual([{ level: 0, index: 1, width: 1 }]);
    expect(newTiles(257, 257)).toEqual([]);
    expect(newTiles(0, 0)).toEqual([]);
  });

  it("a tile of a wrong length and a subtree outside the tree are refused", async () => {
    const hash = leafHash(utf8Bytes("entry"));
    const read = tileHashReader(3, async () => hash);
    await expect(read([{ level: 0, index: 0 }])).rejects.toThrow(TransparencyError);
    await expect(tileHashReader(1, async () => hash)([{ level: 0, index: 0 }])).resolves.toEqual([hash]);
    for (const id of [
      { level: 0, index: 3 },
      { level: 1, index: 1 },
      { level: 2, index: 0 },
      { level: -1, index: 0 },
      { level: 0, index: -1 },
    ]) {
      await expect(read([id])).rejects.toThrow(TransparencyError);
    }
  });
});

describe("C2SP entry bundles", () => {
  const entries = [utf8Bytes("a"), new Uint8Array(0), new Uint8Array(65_535).fill(1)];

  it("hold entries after their lengths", () => {
    const bundle = encodeEntryBundle(entries);
    expect(bundle.slice(0, 7)).toEqual(Uint8Array.of(0, 1, 97, 0, 0, 0xff, 0xff));
    expect(decodeEntryBundle(bundle, 3)).toEqual(entries);
  });

  it("are refused when cut off, too long or of another count", () => {
    const bundle = encodeEntryBundle([utf8Bytes("one"), utf8Bytes("two")]);
    for (let size = 0; size < bundle.length; size++) expect(() => decodeEntryBundle(bundle.slice(0, size), 2)).toThrow(TransparencyError);
    for (const count of [0, 1, 3]) expect(() => decodeEntryBundle(bundle, count)).toThrow(TransparencyError);
    expect(() => encodeEntryBundle([])).toThrow(TransparencyError);
    expect(() => encodeEntryBundle([new Uint8Array(65_536)])).toThrow(TransparencyError);
    expect(() => encodeEntryBundle(Array.from({ length: 257 }, () => utf8Bytes("x")))).toThrow(TransparencyError);
  });
});
