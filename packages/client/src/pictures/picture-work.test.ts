import { toBase64Url, utf8Bytes } from "@latchkey/codec";
import { createTextContent, encodePicture, entryHead, joinEntry } from "@latchkey/protocol";
import type { BlobReference, NamedBlob } from "@latchkey/protocol";
import { seededRandom } from "@latchkey/testkit";
import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, test } from "vitest";
import type { ClientEvent } from "../api.ts";
import type { ConversationRunner } from "../engine/conversation-runner.ts";
import { putPicture } from "../engine/own-profile.ts";
import type { World } from "../engine/world.ts";
import { encryptBlob } from "../group/blobs.ts";
import type { EncryptedBlob } from "../group/blobs.ts";
import { OwnThings } from "../own/own-things.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import { greyJpeg } from "../testing/pictures.ts";
import { Pictures } from "./pictures.ts";

const random = seededRandom("pictures");
const account = (fill: number): string => toBase64Url(new Uint8Array(32).fill(fill));
const [self, friend, member, stranger, enemy] = [1, 2, 3, 4, 5].map(account) as [string, string, string, string, string];
const picture = greyJpeg({ widthPx: 64 });
const sealed = (plaintext: Uint8Array): EncryptedBlob => encryptBlob({ plaintext, random, sha256 });

/** A person who accepted one, is in a group with another, blocked a third, and never met the fourth; and a host with blobs. */
function scene() {
  const store = createMemoryStore();
  const blobs = new Map<string, Uint8Array>();
  const asked: string[] = [];
  const events: ClientEvent[] = [];
  const introduced: string[] = [];
  let status = 200;
  let isHanging = false;
  let nowMs = 1_700_000_000_000;
  const timers: { readonly delayMs: number; readonly run: () => void }[] = [];
  const platform = {
    random,
    sha256,
    nowMs: () => nowMs,
    setTimer: (delayMs: number, run: () => void) => {
      timers.push({ delayMs, run });
      return () => undefined;
    },
    async fetch(url: string, init: RequestInit): Promise<Response> {
      const id = url.slice(url.lastIndexOf("/") + 1);
      asked.push(`${init.method ?? ""} ${id}`);
      if (isHanging) return await new Promise(() => undefined);
      if (status !== 200) return new Response(null, { status });
      if (init.method === "PUT") {
        const bytes = new Uint8Array(await new Response(init.body).arrayBuffer());
        const there = blobs.get(id);
        if (there !== undefined && !Buffer.from(there).equals(bytes)) return new Response(null, { status: 409 });
        blobs.set(id, bytes);
        return new Response(null, { status: 204 });
      }
      const found = blobs.get(id);
      return found === undefined ? new Response(null, { status: 404 }) : new Response(new Uint8Array(found));
    },
  };
  const ownThings = new OwnThings({ store, platform });
  const roster = { accounts: new Map([[member, []]]) };
  const group = { id: account(9), logId: new Uint8Array(32).fill(9), kind: "group", phase: { kind: "active" } };
  const here = {
    state: group as typeof group & { roster?: typeof roster },
    introduce: () => introduced.push("again"),
    // Who is in it comes to hand when it is loaded.
    load: async () => void (here.state = { ...group, roster }),
  };
  const runner = here as unknown as ConversationRunner;
  const world = {
    store,
    platform,
    ownThings,
    own: { host: "chat.example", accountId: new Uint8Array(32).fill(1), account: { state: { devices: [1] } } },
    connections: { httpUrl: () => "https://chat.example" },
    standings: {
      of: (accountId: Uint8Array) =>
        ({ [self]: "own", [friend]: "accepted", [enemy]: "blocked" })[toBase64Url(accountId)] ?? ("stranger" as const),
    },
    emit: (event: ClientEvent) => events.push(event),
  } as unknown as World;
  const pictures = new Pictures(world);
  pictures.start({ runner: (id) => (id === group.id ? runner : undefined), runners: () => [runner] });
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  return {
    pictures,
    blobs,
    asked,
    events,
    introduced,
    settle,
    group: group as unknown as Parameters<Pictures["told"]>[0],
    answer: (code: number) => (status = code),
    hang: () => (isHanging = true),
    setClock: (byMs: number) => (nowMs += byMs),
    /** Time goes on for so long. */
    wait: (ms: number) => timers.splice(0).forEach(({ delayMs, run }) => delayMs <= ms && run()),
    setOwn: (told: Uint8Array) => ownThings.say([{ kind: "profile", displayName: "Ann", picture: told }]),
    tell: (id: string, told: Uint8Array) =>
      store.transact("write", (tx) => putPicture(tx, new Uint8Array(Buffer.from(id, "base64url")), told)),
    put: ({ reference, ciphertext }: EncryptedBlob) => blobs.set(toBase64Url(reference.blobId), ciphertext),
    /** As an app asks: once, and again when it was fetched. */
    async seen(id: string): Promise<Uint8Array | undefined> {
      const first = await pictures.picture(id);
      await settle();
      return (first ?? (await pictures.picture(id)))?.bytes;
    },
  };
}

describe("[X-21] whose pictures are fetched", () => {
  test("those of who is accepted and of who is in a group with this person, once they are shown; not a stranger's, nor a blocked person's", async () => {
    const { seen, tell, put, asked, events, blobs } = scene();
    const blob = sealed(picture);
    put(blob);
    for (const id of [friend, member, stranger, enemy]) await tell(id, encodePicture(blob.reference));
    expect(asked).toEqual([]);
    expect(await seen(stranger)).toBeUndefined();
    expect(await seen(enemy)).toBeUndefined();
    expect(asked).toEqual([]);
    expect(await seen(friend)).toEqual(picture);
    expect(events).toEqual([{ kind: "picture", id: friend }]);
    // It is kept: the host need not have it any more.
    blobs.clear();
    expect(await seen(member)).toEqual(picture);
    expect(asked).toHaveLength(1);
    await tell(friend, new Uint8Array(0));
    expect(await seen(friend)).toBeUndefined();
  });

  test("[E-106] of what a member tells that leads to no picture nothing is shown, and nobody else's is spoiled by it", async () => {
    const { seen, tell, put, asked, settle } = scene();
    const good = sealed(picture);
    put(good);
    const other = { ...good.reference, key: random(32) };
    const told: Readonly<Record<string, BlobReference>> = {
      "a blob that is not there": { ...good.reference, blobId: random(32) },
      "another hash": { ...good.reference, hash: random(32) },
      "another size": { ...good.reference, sizeBytes: 65_536 },
      "another key": other,
    };
    const files: Readonly<Record<string, Uint8Array>> = {
      "30,000 pixels": withSize(greyJpeg({ widthPx: 8 }), 30_000),
      "an SVG": utf8Bytes("<svg xmlns='http://www.w3.org/2000/svg'/>"),
      nothing: new Uint8Array(0),
    };
    for (const [what, bytes] of Object.entries(files)) {
      const blob = sealed(bytes);
      put(blob);
      (told as Record<string, BlobReference>)[what] = blob.reference;
    }
    for (const [what, reference] of Object.entries(told)) {
      await tell(member, encodePicture(reference));
      expect([what, await seen(member)]).toEqual([what, undefined]);
    }
    const before = asked.length;
    for (const wrong of [new Uint8Array(96), encodePicture({ ...good.reference, sizeBytes: 1_048_576 })]) {
      await tell(member, wrong);
      expect(await seen(member)).toBeUndefined();
    }
    await settle();
    expect(asked).toHaveLength(before);
    await tell(friend, encodePicture(good.reference));
    expect(await seen(friend)).toEqual(picture);
    // Kept is what was verified: who says that it has another size or key spoils it for themselves alone.
    await tell(member, encodePicture(other));
    expect(await seen(member)).toBeUndefined();
    expect(await seen(friend)).toEqual(picture);
  });
});

describe("[E-106] who changes their picture a thousand times a minute", () => {
  test("has twelve of them fetched in an hour, and the newest once it is over; everybody else's come meanwhile", async () => {
    const { seen, tell, put, asked, events, setClock, wait } = scene();
    let newest = sealed(picture);
    for (let change = 0; change < 1000; change++) {
      // Each is another blob under another key.
      newest = sealed(picture);
      put(newest);
      await tell(member, encodePicture(newest.reference));
      if (change % 10 === 0) expect(await seen(member)).toEqual(change < 120 ? picture : undefined);
      setClock(60);
    }
    expect(asked).toHaveLength(12);
    const friends = sealed(greyJpeg({ widthPx: 32 }));
    put(friends);
    await tell(friend, encodePicture(friends.reference));
    expect(await seen(friend)).toEqual(greyJpeg({ widthPx: 32 }));
    expect(await seen(member)).toBeUndefined();
    events.length = 0;
    setClock(3_600_000);
    wait(3_600_000);
    expect(events).toEqual([{ kind: "picture", id: member }]);
    expect(await seen(member)).toEqual(picture);
    expect(asked).toHaveLength(14);
  });
});

describe("[X-21] telling one's own", () => {
  const entryOf = (blobs: readonly NamedBlob[]): Uint8Array =>
    joinEntry(entryHead(blobs), createTextContent({ text: "x", salt: random(16), sentAtMs: 1 }));

  test("a conversation is told once the host has it, under another id than the devices know", async () => {
    const { pictures, group, settle, introduced, blobs, setOwn } = scene();
    expect([pictures.idIn(group), pictures.told(group)]).toEqual([new Uint8Array(0), undefined]);
    const reference = await pictures.make(picture);
    await setOwn(reference);
    expect(pictures.told(group)).toBeUndefined();
    await settle();
    expect(introduced).toEqual(["again"]);
    const told = pictures.told(group) ?? new Uint8Array(0);
    expect(told.subarray(0, 32)).toEqual(pictures.idIn(group));
    expect(told.subarray(0, 32)).not.toEqual(reference.subarray(0, 32));
    expect([...blobs.keys()]).toEqual([reference, told].map((bytes) => toBase64Url(bytes.subarray(0, 32))));
  });

  test("[E-106] where something else lies under its id, or the host takes nothing, it is not told, and an entry that names it goes", async () => {
    const { pictures, group, settle, introduced, blobs, asked, setOwn, answer } = scene();
    await setOwn(await pictures.make(picture));
    blobs.set(toBase64Url(pictures.idIn(group)), random(512));
    expect(pictures.told(group)).toBeUndefined();
    await settle();
    expect([pictures.told(group), introduced]).toEqual([undefined, []]);
    const named = { blobId: pictures.idIn(group), hash: random(32), sizeBytes: 16_384 };
    expect(await pictures.bring(group, entryOf([named]), true)).toBe(false);
    answer(507);
    expect(await pictures.bring(group, entryOf([named]), true)).toBe(false);
    answer(200);
    blobs.clear();
    const before = asked.length;
    expect(await pictures.bring(group, entryOf([named]), true)).toBe(true);
    // Nothing is brought that is there, that is not this device's, or is too large to be a picture.
    expect(await pictures.bring(group, entryOf([named]), false)).toBe(false);
    const others = [random(32), random(32)].map((blobId, at) => ({ blobId, hash: random(32), sizeBytes: at === 0 ? 512 : 4_194_304 }));
    expect(await pictures.bring(group, entryOf(others), true)).toBe(false);
    expect(await pictures.bring(group, random(7), true)).toBe(false);
    expect(asked).toHaveLength(before + 1);
  });

  test("a clock that is set, ahead or back, neither keeps it from being offered again nor has it offered without end", async () => {
    const { pictures, group, settle, blobs, asked, setOwn, setClock } = scene();
    await setOwn(await pictures.make(picture));
    blobs.set(toBase64Url(pictures.idIn(group)), random(512));
    const offered = async (): Promise<number> => {
      const before = asked.length;
      for (let at = 0; at < 20; at++) {
        pictures.told(group);
        await settle();
      }
      return asked.length - before;
    };
    expect(await offered()).toBe(1);
    const years = 10 * 365 * 86_400_000;
    for (const byMs of [-years, years]) {
      setClock(byMs);
      expect(await offered()).toBe(1);
    }
    // Set back by less than the pause, it is no longer than twice as long.
    setClock(-3_000_000);
    expect(await offered()).toBe(0);
    setClock(7_200_000);
    expect(await offered()).toBe(1);
  });

  test("[E-106] where the host takes it and never answers, an entry that names it goes after some seconds", async () => {
    const { pictures, group, settle, setOwn, asked, hang, wait } = scene();
    await setOwn(await pictures.make(picture));
    hang();
    const before = asked.length;
    const named = { blobId: pictures.idIn(group), hash: random(32), sizeBytes: 16_384 };
    const outcomes: boolean[] = [];
    const bringing = pictures.bring(group, entryOf([named]), false).then((outcome) => outcomes.push(outcome));
    await settle();
    expect([asked.length, outcomes]).toEqual([before + 1, []]);
    wait(15_000);
    await bringing;
    expect(outcomes).toEqual([false]);
  });
});

/** A JPEG that says that it has so many pixels a side. */
function withSize(jpeg: Uint8Array, sizePx: number): Uint8Array {
  const at = jpeg.findIndex((byte, place) => byte === 0xff && jpeg[place + 1] === 0xc0) + 5;
  const bytes = jpeg.slice();
  new DataView(bytes.buffer).setUint16(at, sizePx);
  new DataView(bytes.buffer).setUint16(at + 2, sizePx);
  return bytes;
}
