import { expect, test } from "vitest";
import { joinParts } from "../media/bytes.ts";
import { gifHeader, gifPicture, hex, webp, webpHeader, webpPixel } from "../media/testing/pictures.ts";
import { lookAt, lookAtParts } from "./look.ts";

const gif = (width: number, height: number): Uint8Array => joinParts([gifHeader(width, height), gifPicture(0)]);

test("a picture of more bytes than a browser should hold is not shown, as one that never ends; nor one that moves and is as large as a still may be", () => {
  expect(lookAt(gif(640, 480), 1_000_000).shownAs).toBe("picture");
  expect(lookAt(gif(640, 480), 128 * 1_048_576 + 1)).toEqual({ shownAs: "large", mediaType: "application/octet-stream" });
  expect(lookAt(gif(8000, 8000), 1_000_000).shownAs).toBe("large");
  expect(lookAt(webp(webpHeader(0, 8000, 8000), webpPixel), 1_000_000).shownAs).toBe("picture");
  expect(lookAt(webp(webpHeader(0x02, 8000, 8000), webpPixel), 1_000_000).shownAs).toBe("large");
});

test("of a GIF that says little of its size its first picture is waited for", async () => {
  const picture = hex("2c 0000 0000 d859 d859 00 08 ff");
  expect((await lookAtParts([gifHeader(10, 10), picture, new Uint8Array(100)], 1_000_000)).shownAs).toBe("large");
});
