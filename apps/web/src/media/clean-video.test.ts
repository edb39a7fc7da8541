import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { joinParts } from "./bytes.ts";
import { cleanVideo } from "./clean-video.ts";
import { movePlaces } from "./film-places.ts";
import { contains, hex, latin1 } from "./testing/pictures.ts";

const box = (type: string, ...parts: readonly Uint8Array[]): Uint8Array => {
  const content = joinParts(parts);
  const size = content.length + 8;
  return joinParts([Uint8Array.of(0, size >> 16, (size >> 8) & 0xff, size & 0xff), latin1(type), content]);
};
const brands = box("ftyp", latin1("isom\0\0\0\0mp42"));
const film = box("mdat", latin1("the film"));
/** Made and changed at some time, then something else. */
const head = (type: string, when: string): Uint8Array => box(type, hex("00000000"), hex(when), hex(when), hex("0000000100000258"));
const longHead = (type: string, when: string): Uint8Array => box(type, hex("01000000"), hex(when), hex(when), hex("0000000100000258"));
const place = box("udta", box("\u00a9xyz", latin1("+52.5200+013.4050/ secret")));
const names = box("meta", latin1("secret"));
const blanked = (whole: Uint8Array): Uint8Array => joinParts([whole.subarray(0, 4), latin1("free"), new Uint8Array(whole.length - 8)]);
const handler = (name: string): Uint8Array => box("hdlr", hex("00000000 00000000"), latin1("vide"), new Uint8Array(12), latin1(name));
const media = box("mdia", longHead("mdhd", "0000000000000000"), handler("\0".repeat(13)), box("minf", latin1("tables")));
const empty = box("moov");
/** Each of them describes a film of nothing. */
const manyBoxes = new Uint8Array(8 * 20_001).map((_, at) => empty[at % 8] ?? 0);
const clean = async (bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array | undefined> => {
  const cleaned = await cleanVideo(new Blob([bytes]));
  return cleaned === undefined ? undefined : new Uint8Array(await cleaned.arrayBuffer());
};

describe("a film", () => {
  const plain = joinParts([brands, box("moov", head("mvhd", "00000000"), box("trak", head("tkhd", "00000000"), media)), film]);

  test("that says nothing but itself stays byte by byte", async () => {
    expect(await clean(plain)).toEqual(plain);
  });

  test("no longer says where, when and with what it was recorded, and nothing in it moves", async () => {
    const when = "e2d3c4b5";
    const told = joinParts([
      brands,
      place,
      film,
      box("uuid", latin1("sixteen bytes of secret")),
      box(
        "moov",
        head("mvhd", when),
        names,
        box(
          "trak",
          head("tkhd", when),
          place,
          box("mdia", longHead("mdhd", `00000000${when}`), handler("secret camera"), box("minf", latin1("tables"))),
        ),
        place,
      ),
      box("free", latin1("secret")),
    ]);
    const cleaned = (await clean(told)) ?? new Uint8Array(0);
    expect(cleaned).toEqual(
      joinParts([
        brands,
        blanked(place),
        film,
        blanked(box("uuid", latin1("sixteen bytes of secret"))),
        box("moov", head("mvhd", "00000000"), blanked(names), box("trak", head("tkhd", "00000000"), blanked(place), media), blanked(place)),
        blanked(box("free", latin1("secret"))),
      ]),
    );
    expect(contains(cleaned, "secret")).toBe(false);
    expect(await clean(cleaned as Uint8Array<ArrayBuffer>)).toEqual(cleaned);
  });

  test("may have a box of 64 bits, and a last one that says no length", async () => {
    const long = joinParts([hex("00000001"), latin1("mdat"), hex("0000000000000014"), latin1("film")]);
    const open = joinParts([hex("00000000"), latin1("mdat"), latin1("the rest")]);
    const whole = joinParts([plain, long, open]);
    expect(await clean(whole)).toEqual(whole);
  });

  describe("that is described at its end", () => {
    const table = (type: string, width: 4 | 8, places: readonly number[], count = places.length): Uint8Array => {
      const bytes = new Uint8Array(8 + places.length * width);
      const view = new DataView(bytes.buffer);
      view.setUint32(4, count);
      for (const [at, place] of places.entries())
        if (width === 4) view.setUint32(8 + 4 * at, place);
        else view.setBigUint64(8 + 8 * at, BigInt(place));
      return box(type, bytes);
    };
    const track = (...tables: readonly Uint8Array[]): Uint8Array => box("trak", box("mdia", box("minf", box("stbl", ...tables))));
    const described = (...tracks: readonly Uint8Array[]): Uint8Array => box("moov", head("mvhd", "00000000"), ...tracks);
    /** The same box, its length in 64 bits. */
    const long64 = (whole: Uint8Array): Uint8Array => {
      const head = new Uint8Array(16);
      head.set([0, 0, 0, 1, ...whole.subarray(4, 8)]);
      new DataView(head.buffer).setBigUint64(8, BigInt(whole.length + 8));
      return joinParts([head, whole.subarray(8)]);
    };
    const behind = box("mdat", latin1("more of it"));
    const [filmAt, moovAt] = [brands.length, brands.length + film.length];

    test("is described before it, and all of it is found where it is then", async () => {
      const at = (by: number, moovBytes: number): Uint8Array =>
        described(
          track(table("stco", 4, [filmAt + 8 + by, moovAt - 1 + by, moovAt + moovBytes + 8, 3])),
          track(table("co64", 8, [filmAt + by, moovAt + moovBytes])),
        );
      const { length } = at(0, 0);
      const cleaned = await clean(joinParts([brands, film, at(0, length), behind]));
      expect(cleaned).toEqual(joinParts([brands, at(length, length), film, behind]));
      expect(await clean(new Uint8Array(cleaned ?? []))).toEqual(cleaned);
    });

    test.each([
      ["a table says another length than it has", [described(track(table("stco", 4, [filmAt, filmAt], 3)))]],
      ["a table is cut off", [described(track(box("stco", new Uint8Array(7))))]],
      ["a track has no table", [described(track(table("stco", 4, [filmAt])), track())]],
      ["there is no track", [described()]],
      ["places are said in another way too", [described(track(table("stco", 4, [filmAt]), box("saio", new Uint8Array(12))))]],
      ["it goes on in parts", [described(track(table("stco", 4, [filmAt])), box("mvex"))]],
      ["there are parts of it", [described(track(table("stco", 4, [filmAt]))), box("moof"), behind]],
      ["a track has more tables than films have", [described(track(...Array.from({ length: 5000 }, () => table("stco", 4, []))))]],
      ["its tables are not whole", [described(track(table("stco", 4, [filmAt]), latin1("abc")))]],
      ["a picture stands in what describes it", [described(track(table("stco", 4, [filmAt, moovAt + 8])))]],
      ["its description is said to be as long in 64 bits", [long64(described(track(table("stco", 4, [filmAt]))))]],
      ["it is described twice", [described(track(table("stco", 4, [filmAt]))), described(track(table("stco", 4, [filmAt])))]],
      ["its description has no length", [joinParts([hex("00000000"), described(track(table("stco", 4, [filmAt]))).subarray(4)])]],
    ])("stays where %s", async (_, rest) => {
      const whole = joinParts([brands, film, ...rest]);
      expect(await clean(whole)).toEqual(whole);
    });

    test("is none where a picture stands in what is made zeros", async () => {
      const free = box("free", latin1("a picture"));
      const at = (place: number): Uint8Array => joinParts([brands, film, free, described(track(table("co64", 8, [filmAt, place])))]);
      expect(await clean(new Uint8Array(at(moovAt + 8)))).toBeUndefined();
      expect(await clean(new Uint8Array(at(moovAt - 1)))).toBeDefined();
    });

    test("has every picture and sound where its tables say, whatever stands around them", async () => {
      const sample = fc.uint8Array({ minLength: 1, maxLength: 30 });
      const other = fc.constantFrom(box("free", latin1("secret")), box("wide"), place, box("uuid", latin1("0123456789abcdefsecret")));
      /** Films in boxes of either length, with pictures one behind the other, and other boxes between them. */
      const piece = fc.oneof(
        { weight: 3, arbitrary: fc.record({ samples: fc.array(sample, { maxLength: 5 }), isLong: fc.boolean() }) },
        { weight: 1, arbitrary: other.map((bytes) => ({ bytes })) },
      );
      const layout = fc.record({
        before: fc.array(piece, { maxLength: 4 }),
        after: fc.array(piece, { maxLength: 3 }),
        tracks: fc.integer({ min: 1, max: 3 }),
        is64: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
      });
      await fc.assert(
        fc.asyncProperty(layout, async ({ before, after, tracks, is64 }) => {
          const placesOf = (
            moovBytes: number,
          ): { bytes: Uint8Array[]; places: { at: number; sample: Uint8Array }[]; moovIndex: number } => {
            const bytes: Uint8Array[] = [brands];
            const places: { at: number; sample: Uint8Array }[] = [];
            let [at, moovIndex] = [brands.length, 0];
            const put = (part: Uint8Array): void => {
              bytes.push(part);
              at += part.length;
            };
            for (const one of [...before, undefined, ...after]) {
              if (one === undefined) {
                moovIndex = bytes.length;
                put(new Uint8Array(moovBytes));
              } else if ("bytes" in one) put(one.bytes);
              else {
                const short = box("mdat", ...one.samples);
                const whole = one.isLong ? long64(short) : short;
                let within = at + (one.isLong ? 16 : 8);
                for (const bytesOf of one.samples) {
                  places.push({ at: within, sample: bytesOf });
                  within += bytesOf.length;
                }
                put(whole);
              }
            }
            return { bytes, places, moovIndex };
          };
          const moovFor = (places: readonly { at: number }[]): Uint8Array =>
            described(
              ...Array.from({ length: tracks }, (_, index) => {
                const own = places.filter((_, at) => at % tracks === index).map(({ at }) => at);
                return track(is64[index] === true ? table("co64", 8, own) : table("stco", 4, own));
              }),
            );
          const { length } = moovFor(placesOf(0).places);
          const made = placesOf(length);
          made.bytes[made.moovIndex] = moovFor(made.places);
          const cleaned = (await clean(joinParts(made.bytes))) ?? new Uint8Array(0);
          expect(cleaned).toHaveLength(made.bytes.reduce((sum, part) => sum + part.length, 0));
          expect(contains(cleaned, "secret")).toBe(made.places.some(({ sample: one }) => contains(one, "secret")));
          const moovAt = String.fromCharCode(...cleaned).indexOf("moov") - 4;
          const said = placesSaid(cleaned.subarray(moovAt, moovAt + length), tracks);
          for (const [index, { sample: one }] of made.places.entries()) {
            const now = said[index % tracks]?.[Math.floor(index / tracks)] ?? -1;
            expect(cleaned.subarray(now, now + one.length)).toEqual(one);
          }
        }),
        { numRuns: 300 },
      );
    });

    /** What the tables of tracks say, by track: they stand behind each other, each behind its type. */
    function placesSaid(moov: Uint8Array, tracks: number): readonly (readonly number[])[] {
      const text = String.fromCharCode(...moov);
      const view = new DataView(moov.buffer, moov.byteOffset, moov.length);
      const found: number[][] = [];
      for (let at = text.indexOf("trak"); found.length < tracks; at = text.indexOf("trak", at + 1)) {
        const table32 = text.indexOf("stco", at);
        const next = text.indexOf("trak", at + 1);
        const is32 = table32 >= 0 && (next < 0 || table32 < next);
        const from = is32 ? table32 : text.indexOf("co64", at);
        found.push(
          Array.from({ length: view.getUint32(from + 8) }, (_, index) =>
            is32 ? view.getUint32(from + 12 + 4 * index) : Number(view.getBigUint64(from + 12 + 8 * index)),
          ),
        );
      }
      return found;
    }

    test("stays where a place would be larger than its table can say, and so do the others", () => {
      const moov = described(track(table("stco", 4, [8, 0xffff_fff0])));
      const before = moov.slice();
      expect(movePlaces(moov, { from: 0, to: 0xffff_ffff, by: 16 })).toBe(false);
      expect(moov).toEqual(before);
      expect(movePlaces(moov, { from: 0, to: 0xffff_ffff, by: 15 })).toBe(true);
      expect(moov).toEqual(described(track(table("stco", 4, [23, 0xffff_ffff]))));
    });
  });

  test.each([
    ["nothing", new Uint8Array(0)],
    ["another file", latin1("\u0089PNG\r\n\u001a\n and so on")],
    ["no description of it", joinParts([brands, film])],
    ["a box that is longer than the file", joinParts([plain, hex("000000ff"), latin1("mdat")])],
    ["a box that is shorter than its head", joinParts([plain, hex("00000007"), latin1("mdat")])],
    ["bytes behind its end", joinParts([plain, latin1("PK")])],
    ["a track that is longer than what it is in", joinParts([brands, box("moov", hex("000000ff"), latin1("trak"))])],
    ["more boxes than a film in parts has", manyBoxes],
    ["a short handler", joinParts([brands, box("moov", box("hdlr", new Uint8Array(23)))])],
    ["a short head", joinParts([brands, box("moov", box("mvhd", new Uint8Array(19)))])],
  ])("with %s is none", async (_, bytes) => {
    expect(await clean(new Uint8Array(bytes))).toBeUndefined();
  });

  test("is left as it is when the time is over, and where what describes it is larger than any", async () => {
    expect(await cleanVideo(new Blob([plain]), AbortSignal.abort())).toBeUndefined();
    const filling = new Uint8Array(64 * 1024 * 1024 - 7);
    const large = (type: string): Blob => new Blob([new Uint8Array(plain), hex("04000001"), latin1(type), filling]);
    expect(await cleanVideo(large("moov"))).toBeUndefined();
    const half = joinParts([hex("02000000"), latin1("moov"), box("free"), hex("01fffff0"), latin1("abcd")]);
    const halves = Array.from({ length: 3 }, () => [half, filling.subarray(0, 0x0200_0000 - half.length)]).flat();
    expect(await cleanVideo(new Blob([brands, ...halves] as BlobPart[]))).toBeUndefined();
    const blankedFree = await cleanVideo(large("free"));
    expect(blankedFree?.size).toBe(plain.length + 8 + filling.length);
    expect(await blankedFree?.slice(0, plain.length + 8).bytes()).toEqual(joinParts([plain, hex("04000001"), latin1("free")]));
    expect(await cleanVideo(large("mdat"))).toHaveProperty("size", plain.length + 8 + filling.length);
  });

  test("is read no deeper than films are", async () => {
    const nested = Array.from({ length: 3000 }).reduce<Uint8Array>((inside) => box("trak", inside), new Uint8Array(0));
    const whole = joinParts([brands, box("moov", nested)]);
    expect(await clean(whole)).toEqual(whole);
  });

  test("keeps its length, whatever stands in it", async () => {
    const inner = fc.oneof(
      fc.constantFrom(place, names, media, head("mvhd", "01020304")),
      fc
        .tuple(fc.constantFrom("trak", "mdia", "udta", "abcd", "tkhd"), fc.uint8Array({ maxLength: 40 }))
        .map(([type, data]) => box(type, data)),
      fc.uint8Array({ maxLength: 12 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(inner, { maxLength: 6 }), fc.array(inner, { maxLength: 3 }), async (inside, outside) => {
        const bytes = joinParts([brands, box("moov", ...inside), ...outside]);
        const cleaned = await clean(bytes);
        if (cleaned === undefined) return;
        expect(cleaned).toHaveLength(bytes.length);
        expect(contains(cleaned, "secret")).toBe(false);
      }),
      { numRuns: 300 },
    );
  });
});
