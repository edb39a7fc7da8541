import { beforeEach, describe, expect, test, vi } from "vitest";
import type { AttachedFile, Message } from "@latchkey/client";
import { initialState } from "../state/app-state.ts";
import type { Controller } from "../state/controller.ts";
import { createStore } from "../state/store.ts";
import { emptyTimeline } from "../state/timeline.ts";
import { testMessage } from "../testing/fixtures.ts";
import { FileSource, ShowError } from "./file-source.ts";
import { playerOf } from "./player.ts";
import type { Player } from "./player.ts";

const made: EventTarget[] = [];

/** What of an element that plays is used; what it tells is told a little later, as by a browser. */
class FakeAudio extends EventTarget {
  preload = "";
  src = "";
  currentTime = 0;
  duration = Number.NaN;
  playbackRate = 1;
  defaultPlaybackRate = 1;
  paused = true;
  constructor() {
    super();
    made.push(this);
  }
  #tell(name: string): void {
    queueMicrotask(() => this.dispatchEvent(new Event(name)));
  }
  async play(): Promise<void> {
    if (this.src === "") throw new DOMException("no source", "NotSupportedError");
    if (this.paused) this.#tell("play");
    this.paused = false;
  }
  pause(): void {
    if (!this.paused) this.#tell("pause");
    this.paused = true;
  }
  load(): void {
    this.currentTime = 0;
  }
  removeAttribute(): void {
    this.src = "";
  }
  getAttribute(): string | null {
    return this.src === "" ? null : this.src;
  }
  /** It plays until there. */
  reaches(at: number): void {
    this.currentTime = at;
    this.dispatchEvent(new Event("timeupdate"));
  }
  ends(): void {
    this.paused = true;
    this.dispatchEvent(new Event("ended"));
  }
}

const sound = (id: string, kind: AttachedFile["kind"] = "voice"): AttachedFile => ({
  id,
  kind,
  name: `${id}.webm`,
  mediaType: "audio/webm",
  sizeBytes: 1000,
  description: "",
  durationMs: 9000,
});
const saying = (order: number, ...files: AttachedFile[]): Message => testMessage({ order, files });
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

/** Addresses that come when they are let. */
let addresses: Map<string, PromiseWithResolvers<string>>;
/** The element of the player that was made last. */
const audio = (): FakeAudio => made.at(-1) as FakeAudio;

beforeEach(() => {
  addresses = new Map();
  vi.stubGlobal("Audio", FakeAudio);
  vi.spyOn(FileSource.prototype, "address").mockImplementation(({ file }) => {
    const coming = addresses.get(file.id) ?? Promise.withResolvers<string>();
    addresses.set(file.id, coming);
    return coming.promise;
  });
  vi.spyOn(FileSource.prototype, "why").mockResolvedValue("gone");
  return () => {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  };
});

function playerWith(messages: readonly Message[] = []): Player {
  const store = createStore({ ...initialState, timelines: new Map([["c", { ...emptyTimeline, messages }]]) });
  // Of the app only these are asked for.
  return playerOf({ store, client: {}, listen: () => () => undefined } as unknown as Controller);
}

async function come(id: string): Promise<void> {
  addresses.get(id)?.resolve(`/media/${id}`);
  await settle();
}

describe("the player of sounds", () => {
  test("plays from where it was left, stops, goes to a place, and keeps its rate from one to the next", async () => {
    const player = playerWith();
    const [one, two] = [saying(1, sound("a")), saying(2, sound("b"))];
    player.toggle(one, sound("a"));
    expect(player.store.get().current).toMatchObject({ isPlaying: true, at: 0, length: 9 });
    await come("a");
    expect([audio().src, audio().paused]).toEqual(["/media/a", false]);
    audio().duration = 9.5;
    audio().dispatchEvent(new Event("durationchange"));
    audio().reaches(4);
    player.nextRate();
    expect([audio().playbackRate, player.store.get().rate, player.store.get().current]).toMatchObject([1.5, 1.5, { at: 4, length: 9.5 }]);
    player.toggle(one, sound("a"));
    await settle();
    expect([audio().paused, player.store.get().current?.isPlaying]).toEqual([true, false]);
    player.toggle(two, sound("b"));
    await come("b");
    expect([audio().src, audio().currentTime, audio().playbackRate, player.placeOf(sound("a"))]).toEqual(["/media/b", 0, 1.5, 4]);
    player.seek(two, sound("b"), 7);
    expect(audio().currentTime).toBe(7);
    player.seek(one, sound("a"), 2);
    await settle();
    expect([audio().src, audio().currentTime]).toEqual(["/media/a", 2]);
    player.nextRate();
    player.nextRate();
    expect(audio().playbackRate).toBe(1);
    player.end();
    expect([audio().src, player.store.get().current, player.placeOf(sound("b"))]).toEqual(["", undefined, 7]);
  });

  test("pressed again while the address comes, it is stopped, and the one before does not play in its name", async () => {
    const player = playerWith();
    const [one, two] = [saying(1, sound("a")), saying(2, sound("b"))];
    player.toggle(one, sound("a"));
    await come("a");
    audio().reaches(3);
    player.toggle(two, sound("b"));
    player.toggle(two, sound("b"));
    await settle();
    expect([audio().paused, player.store.get().current]).toMatchObject([true, { file: { id: "b" }, isPlaying: false }]);
    await come("b");
    expect([audio().src, audio().paused, player.placeOf(sound("a")), player.placeOf(sound("b"))]).toEqual(["/media/a", true, 3, 0]);
    player.toggle(two, sound("b"));
    await settle();
    expect([audio().src, audio().paused, player.store.get().current?.isPlaying]).toEqual(["/media/b", false, true]);
  });

  test("of several that are pressed one after the other the last one plays, from where that one was to be", async () => {
    const player = playerWith();
    const names = ["a", "b", "c"];
    for (const [at, name] of names.entries()) player.toggle(saying(at, sound(name)), sound(name));
    player.seek(saying(2, sound("c")), sound("c"), 5);
    for (const name of names.toReversed()) await come(name);
    expect([audio().src, audio().currentTime, names.map((name) => player.placeOf(sound(name)))]).toEqual(["/media/c", 5, [0, 0, 5]]);
  });

  test("goes on with the next voice message, but not past a text, not with one to be seen once, and not after other sounds", async () => {
    const messages = [
      saying(1, sound("a")),
      saying(2, sound("b")),
      testMessage({ order: 3 }),
      saying(4, sound("d")),
      testMessage({ order: 5, files: [sound("e")], isOnce: true }),
    ];
    const player = playerWith(messages);
    player.toggle(saying(1, sound("a")), sound("a"));
    await come("a");
    audio().reaches(9);
    audio().ends();
    await come("b");
    expect([audio().src, player.placeOf(sound("a"))]).toEqual(["/media/b", 0]);
    for (const [order, id] of [
      [2, "b"],
      [4, "d"],
    ] as const) {
      if (audio().src !== `/media/${id}`) player.toggle(saying(order, sound(id)), sound(id));
      await come(id);
      audio().ends();
      await settle();
      expect(player.store.get().current).toMatchObject({ file: { id }, isPlaying: false });
    }
    const song = sound("a", "audio");
    player.toggle(saying(1, song), song);
    await settle();
    audio().ends();
    expect(player.store.get().current).toMatchObject({ file: { id: "a" }, isPlaying: false });
  });

  test("says why one does not play, of that one alone, and tries it again when it is pressed", async () => {
    const player = playerWith();
    player.toggle(saying(1, sound("a")), sound("a"));
    addresses.get("a")?.reject(new ShowError("not_accepted"));
    await settle();
    expect(player.store.get().current).toMatchObject({ failure: "not_accepted", isPlaying: false });
    player.toggle(saying(2, sound("b")), sound("b"));
    addresses.get("b")?.reject(new Error("the worker is gone"));
    await settle();
    expect(player.store.get().current).toMatchObject({ failure: "failed", isPlaying: false });
    addresses.delete("a");
    player.toggle(saying(1, sound("a")), sound("a"));
    await come("a");
    audio().dispatchEvent(new Event("error"));
    await settle();
    expect(player.store.get().current).toMatchObject({ file: { id: "a" }, failure: "gone" });
    // What was found out late about the one before is not said of the next.
    player.toggle(saying(1, sound("a")), sound("a"));
    await settle();
    audio().dispatchEvent(new Event("error"));
    player.toggle(saying(3, sound("c")), sound("c"));
    await come("c");
    expect(player.store.get().current).toMatchObject({ file: { id: "c" }, failure: undefined, isPlaying: true });
  });
});
