import type { Picture } from "@latchkey/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createPictures } from "./pictures.ts";

const live = new Set<string>();
let made = 0;

beforeEach(() => {
  vi.spyOn(URL, "createObjectURL").mockImplementation(() => {
    const address = `blob:${String(made++)}`;
    live.add(address);
    return address;
  });
  vi.spyOn(URL, "revokeObjectURL").mockImplementation((address) => {
    live.delete(address);
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  live.clear();
});

const picture: Picture = { bytes: Uint8Array.of(1), mediaType: "image/webp" };
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

test("[X-21] a picture is asked for once, however many show it, told when it comes or goes, and its bytes are let go of", async () => {
  let now: Picture | undefined;
  const asked: string[] = [];
  const pictures = createPictures(async (id) => {
    asked.push(id);
    return now;
  });
  let told = 0;
  const stops = [0, 1].map(() => pictures.subscribe("ann", () => (told += 1)));
  await settle();
  expect([asked, told, pictures.address("ann")]).toEqual([["ann"], 0, undefined]);
  now = picture;
  pictures.hear({ kind: "picture", id: "ann" });
  pictures.hear({ kind: "picture", id: "ben" });
  await settle();
  expect([asked, told, live.size]).toEqual([["ann", "ann"], 2, 1]);
  expect(live.has(pictures.address("ann") ?? "")).toBe(true);
  pictures.hear({ kind: "picture", id: "ann" });
  await settle();
  expect(live.size).toBe(1);
  now = undefined;
  pictures.hear({ kind: "picture", id: "ann" });
  await settle();
  expect([live.size, pictures.address("ann")]).toEqual([0, undefined]);
  for (const stop of stops) stop();
});

test("[X-21] what nothing shows any more stays at hand for a hundred others; a failure is no picture", async () => {
  const pictures = createPictures(async (id) => {
    if (id === "broken") throw new Error("no");
    return picture;
  });
  pictures.subscribe("broken", () => undefined);
  for (let number = 0; number < 300; number++) {
    const stop = pictures.subscribe(String(number), () => undefined);
    await settle();
    stop();
  }
  expect(pictures.address("broken")).toBeUndefined();
  expect(live.size).toBe(100);
  expect([pictures.address("199"), pictures.address("200")].map((address) => address !== undefined)).toEqual([false, true]);
});
