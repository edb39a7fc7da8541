import { describe, expect, it } from "vitest";
import { latin1 } from "../media/testing/pictures.ts";
import type { PreparedPicture } from "../media/prepare-picture.ts";
import type { PreparedVideo } from "../media/prepare-video.ts";
import { make } from "./make.ts";
import type { Makers } from "./make.ts";

const jpeg = new File([latin1("\u00ff\u00d8\u00ff\u00e0 and so on")], "IMG_1.JPG", { type: "image/jpeg" });
const mp4 = new File([latin1("\0\0\0\u0018ftypisom\0\0\0\0isommp42")], "film.mp4", { type: "video/mp4" });
const heic = new File([latin1("\0\0\0\u0018ftypheic\0\0\0\0mif1heic")], "IMG_2.HEIC", { type: "" });
const small = new Blob(["small"], { type: "image/webp" });
const picture: PreparedPicture = {
  kind: "picture",
  blob: small,
  mediaType: "image/webp",
  width: 4,
  height: 3,
  thumbhash: new Uint8Array(8),
  isAnimated: false,
};

function makers(prepared: { picture?: PreparedPicture; video?: PreparedVideo }): Makers {
  const none = (): never => {
    throw new Error("nothing of this file is to be decoded");
  };
  return {
    picture: async () => ({ prepared: prepared.picture ?? none(), preview: small }),
    video: async () => prepared.video ?? none(),
  };
}

const of = (file: File, isUnchanged = false): Parameters<typeof make>[0] => ({ file, name: file.name, isUnchanged });

describe("a picture", () => {
  it("goes as what was made of it, under an ending that fits", async () => {
    expect(await make(of(jpeg), "standard", makers({ picture }))).toMatchObject({
      kind: "made",
      file: { kind: "picture", name: "IMG_1.webp", mediaType: "image/webp", sizeBytes: 5, width: 4, height: 3, content: small },
      preview: small,
      metadata: "removed",
    });
  });

  it.each([
    ["IMG_20260312_083015.jpg", "picture.webp"],
    ["Screenshot 2026-03-12 at 08.30.jpeg", "picture.webp"],
    ["1773300615123.jpg", "picture.webp"],
    ["Harbour 2026.jpg", "Harbour 2026.webp"],
    ["IMG_1234.JPG", "IMG_1234.webp"],
  ])("that is called %s goes as %s: its name does not say when it was made", async (name, sent) => {
    const file = new File([jpeg], name, { type: "image/jpeg" });
    expect(await make(of(file), "standard", makers({ picture }))).toMatchObject({ file: { name: sent } });
    expect(await make(of(file, true), "standard", makers({}))).toMatchObject({ file: { name } });
  });

  it("that is to go unchanged is not looked into, and keeps what stands in it", async () => {
    expect(await make(of(jpeg, true), "standard", makers({}))).toMatchObject({
      file: { kind: "file", name: "IMG_1.JPG", mediaType: "image/jpeg", content: jpeg },
      asFile: undefined,
      metadata: "kept",
    });
  });

  it.each([
    ["heic", "heic"],
    ["canvas_blocked", "blocked"],
    ["too_many_pixels", "large"],
    ["too_large", "large"],
    ["undecodable", "undecodable"],
    ["not_what_it_says", "undecodable"],
  ] as const)("that is %s goes as a file, and it is said why: %s", async (reason, asFile) => {
    const prepared: PreparedPicture = { kind: "as_file", reason, blob: small, metadata: "removed" };
    expect(await make(of(heic), "standard", makers({ picture: prepared }))).toMatchObject({
      file: { kind: "file", name: "IMG_2.HEIC", mediaType: "image/heic", content: small, sizeBytes: 5 },
      asFile,
      metadata: "removed",
    });
  });
});

describe("a film", () => {
  const recording = { blob: small, metadata: "removed", durationMs: 2000 } as const;
  it("has its size, its length and a picture of it", async () => {
    const poster = { blob: small, thumbhash: new Uint8Array(6) };
    const video: PreparedVideo = { kind: "video", width: 8, height: 6, poster, ...recording };
    expect(await make(of(mp4), "high", makers({ video }))).toMatchObject({
      file: { kind: "video", mediaType: "video/mp4", width: 8, height: 6, durationMs: 2000, thumbhash: poster.thumbhash },
      preview: small,
    });
  });

  it("whose name says when it was made has a plain one, where it says so nowhere else", async () => {
    const file = new File([mp4], "VID_20260312_083015.mp4", { type: "video/mp4" });
    const video: PreparedVideo = { kind: "video", width: 8, height: 6, poster: undefined, ...recording };
    expect(await make(of(file), "standard", makers({ video }))).toMatchObject({ file: { name: "film.mp4" } });
    const kept: PreparedVideo = { ...video, metadata: "kept" };
    expect(await make(of(file), "standard", makers({ video: kept }))).toMatchObject({ file: { name: file.name } });
  });

  it("without a picture is a sound", async () => {
    const video: PreparedVideo = { kind: "audio", peaks: new Uint8Array(64), ...recording };
    expect(await make(of(mp4), "high", makers({ video }))).toMatchObject({ file: { kind: "audio", durationMs: 2000 }, preview: undefined });
  });

  it("that cannot be opened goes as a file", async () => {
    const video: PreparedVideo = { kind: "as_file", reason: "too_slow", blob: mp4, metadata: "kept" };
    expect(await make(of(mp4), "high", makers({ video }))).toMatchObject({
      file: { kind: "file", content: mp4 },
      asFile: "undecodable",
      metadata: "kept",
    });
  });
});

describe("another file", () => {
  it("goes as it is, and nothing of it is decoded", async () => {
    const page = new File(["<!doctype html><script>1</script>"], "photo.jpg", { type: "image/jpeg" });
    expect(await make(of(page), "standard", makers({}))).toMatchObject({
      file: { kind: "file", mediaType: "text/html", content: page },
      preview: undefined,
      asFile: undefined,
      metadata: undefined,
    });
  });

  it("that is not there any more is gone", async () => {
    const gone = new File(["x"], "x");
    gone.slice = () => {
      throw new DOMException("gone", "NotFoundError");
    };
    expect(await make(of(gone), "standard", makers({}))).toEqual({ kind: "gone" });
  });
});
