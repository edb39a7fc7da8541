import { decode, encode, equalBytes, toBase64Url } from "@latchkey/codec";
import { createProfileContent, createTextContent, encodePicture, splitEntry } from "@latchkey/protocol";
import type { BlobReference } from "@latchkey/protocol";
import { describe, expect, it } from "vitest";
import { settingsEditCodec } from "./settings-records.ts";
import { SimWorld } from "./sim.testing.ts";
import type { SimDevice } from "./sim.testing.ts";
import type { SettingsEdit } from "./settings-edit.ts";
import type { WantedChange } from "./types.ts";

interface Scene {
  readonly world: SimWorld;
  readonly ada: SimDevice;
  readonly ben: SimDevice;
  readonly cyd: SimDevice;
}

/** Ada and Ben in a group, and Cyd who is not in it yet. */
async function scene(seed: string): Promise<Scene> {
  const world = await SimWorld.create(seed, ["ada", "ben", "cyd"]);
  const [ada, ben, cyd] = world.devices;
  if (ada === undefined || ben === undefined || cyd === undefined) throw new Error("three");
  await ada.found([ben]);
  await world.settle();
  return { world, ada, ben, cyd };
}

const referenceOf = ({ random }: SimWorld): BlobReference => ({
  blobId: random(32),
  key: random(32),
  hash: random(32),
  sizeBytes: 16_384,
});

/** What each entry behind the first so many names. */
const named = ({ log }: SimWorld, from: number): readonly (readonly string[])[] =>
  log.entries.slice(from).map(({ blob }) => (splitEntry(blob)?.blobs ?? []).map(({ blobId }) => toBase64Url(blobId)));

async function set(device: SimDevice, world: SimWorld, settings: SettingsEdit): Promise<void> {
  const nothing = { adds: [], removes: [], removeDevices: [], proofs: new Uint8Array(0), update: false };
  const change: WantedChange = { ...nothing, id: toBase64Url(world.random(8)), settings };
  await device.input({ kind: "change", change });
}

/** Says a text that tells a picture too. */
async function say(device: SimDevice, text: string, picture?: Uint8Array): Promise<void> {
  const { random, nowMs } = device.context;
  const content = createTextContent({ text, picture, salt: random(16), sentAtMs: nowMs });
  await device.input({ kind: "compose", id: toBase64Url(random(32)), purpose: "text", text, content });
}

const picturesOf = (device: SimDevice): Uint8Array | undefined => device.state?.opening.settings.picture;

describe("[X-21] an entry that tells a picture", () => {
  it("names its blob: a profile message, a text, a commit that sets it, and every commit behind that, one that adds somebody too", async () => {
    const { world, ada, ben, cyd } = await scene("names");
    const [own, ofGroup] = [referenceOf(world), referenceOf(world)];
    const from = world.log.entries.length;
    const { random, nowMs } = ada.context;
    const content = createProfileContent({ displayName: "Ada", picture: encodePicture(own), salt: random(16), sentAtMs: nowMs });
    await ada.input({ kind: "compose", id: "a", purpose: "profile", text: "Ada", content });
    await say(ada, "look", encodePicture(own));
    await say(ada, "without");
    await set(ada, world, { picture: encodePicture(ofGroup) });
    await world.settle();
    await ada.change([cyd], []);
    await world.settle();
    const [ownId, groupId] = [toBase64Url(own.blobId), toBase64Url(ofGroup.blobId)];
    expect(named(world, from)).toEqual([[ownId], [ownId], [], [groupId], [groupId]]);
    for (const device of [ada, ben, cyd]) expect(picturesOf(device)).toEqual(encodePicture(ofGroup));
    expect([...ben.lines.values()].filter(({ body }) => body.kind === "picture_changed")).toHaveLength(1);
  });

  it("[E-106] goes without the name where the host does not have the blob: the text, the commit, and what comes behind, wait for nothing", async () => {
    const { world, ada, ben, cyd } = await scene("lacks");
    const [own, ofGroup] = [referenceOf(world), referenceOf(world)];
    world.log.lacks.add(toBase64Url(own.blobId));
    world.log.lacks.add(toBase64Url(ofGroup.blobId));
    const from = world.log.entries.length;
    await say(ada, "look", encodePicture(own));
    await say(ada, "and so on");
    await world.settle();
    await set(ada, world, { picture: encodePicture(ofGroup) });
    await world.settle();
    await ada.change([cyd], []);
    await world.settle();
    await say(ben, "hello");
    await world.settle();
    expect(named(world, from).flat()).toEqual([]);
    expect([...ada.texts().values()].toSorted()).toEqual(["and so on", "hello", "look"]);
    expect([...ben.texts().values()].toSorted()).toEqual(["and so on", "hello", "look"]);
    expect([...cyd.texts().values()]).toEqual(["hello"]);
    for (const device of [ada, ben, cyd]) {
      expect(picturesOf(device)).toEqual(encodePicture(ofGroup));
      expect([device.alarms, device.state?.outgoing, device.state?.changes, device.state?.staged]).toEqual([[], [], [], undefined]);
    }
  });

  it("[E-106] goes without it over a restart in between, and where the host took the commit that it said it refused", async () => {
    const { world, ada, ben } = await scene("restart");
    const ofGroup = referenceOf(world);
    const id = toBase64Url(ofGroup.blobId);
    world.log.lacks.add(id);
    await set(ada, world, { picture: encodePicture(ofGroup) });
    const first = ada.state?.staged?.entry;
    ada.serve();
    await ada.receive();
    const again = ada.state?.staged?.entry;
    expect([first, again].map((entry) => (entry === undefined ? undefined : splitEntry(entry.blob)?.blobs.length))).toEqual([1, 0]);
    expect(equalBytes(first?.entryId ?? new Uint8Array(0), again?.entryId ?? new Uint8Array(0))).toBe(false);
    await ada.restart(0);
    world.log.lacks.clear();
    // The host appends what it said it lacks a part of: it is this device's own all the same.
    if (first === undefined || ada.state === undefined) throw new Error("a commit");
    const { nextAccessHash = new Uint8Array(0), afterSeq = 0 } = ada.state.staged ?? {};
    world.log.commit({ cursor: 0, opened: new Set([first.epochId]) }, { ...first, nextAccessHash, afterSeq });
    await ada.connect();
    await world.settle();
    for (const device of [ada, ben]) {
      expect(picturesOf(device)).toEqual(encodePicture(ofGroup));
      expect([device.state?.phase.kind, device.alarms, device.state?.staged]).toEqual(["active", [], undefined]);
    }
    await say(ada, "on we go");
    await world.settle();
    expect([...ben.texts().values()]).toEqual(["on we go"]);
  });

  it("[X-13] two who set one at once end with the same, and who may not set it sets nothing", async () => {
    const { world, ada, ben, cyd } = await scene("at once");
    await ada.change([cyd], []);
    await world.settle();
    const owner = ada.state?.opening.settings.roles.length ?? 0;
    const everyone = { editInfo: "everyone" } as const;
    if (owner > 0) await set(ada, world, { rights: everyone });
    await world.settle();
    const [one, other] = [referenceOf(world), referenceOf(world)];
    await set(ada, world, { picture: encodePicture(one) });
    await set(ben, world, { picture: encodePicture(other) });
    await world.settle();
    const chosen = picturesOf(ada);
    expect([encodePicture(one), encodePicture(other)]).toContainEqual(chosen);
    for (const device of [ben, cyd]) expect(picturesOf(device)).toEqual(chosen);
    await set(ada, world, { rights: { editInfo: "owner" } });
    await world.settle();
    await set(cyd, world, { picture: new Uint8Array(0) });
    await world.settle();
    for (const device of [ada, ben, cyd]) expect(picturesOf(device)).toEqual(chosen);
    await set(ada, world, { picture: new Uint8Array(0) });
    await world.settle();
    for (const device of [ada, ben, cyd]) expect(picturesOf(device)).toEqual(new Uint8Array(0));
  });
});

describe("settings that wait, as they are stored", () => {
  it("keep a picture, and read as before where there is none", () => {
    const picture = new Uint8Array(100).fill(7);
    for (const edit of [{ name: "Choir" }, { picture }, { name: "Choir", picture }, { timerS: 5 }, { picture: new Uint8Array(0) }])
      expect(decode(settingsEditCodec, encode(settingsEditCodec, edit))).toMatchObject(edit);
    expect(encode(settingsEditCodec, { name: "A" })).toEqual(Uint8Array.of(1, 1, 0x41, 0, 0, 0, 0, 0));
    expect(encode(settingsEditCodec, { description: "A" })).toEqual(Uint8Array.of(0, 1, 1, 0x41, 0, 0, 0, 0));
    expect(() => decode(settingsEditCodec, Uint8Array.of(8, 0, 0, 0, 0, 0))).toThrow();
  });
});
