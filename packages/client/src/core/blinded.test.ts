import { concatBytes, encode, toBase64Url, toHex, utf8Bytes } from "@latchkey/codec";
import { createCommit, groupContextExtensions, groupId, processMessage } from "@latchkey/mls";
import type { GroupState } from "@latchkey/mls";
import { isLaterEntryKind, settingsOpeningCodec } from "@latchkey/protocol";
import type { SettingsOpening } from "@latchkey/protocol";
import { seededRandom } from "@latchkey/testkit";
import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, it } from "vitest";
import { openEnvelope, sealEnvelope } from "../group/envelope.ts";
import { epochKeys } from "./keys.ts";
import { groupExtension, latchkeyGroupOf } from "./roster.ts";
import { SimWorld } from "./sim.testing.ts";
import type { SimDevice } from "./sim.testing.ts";
import type { ConversationState } from "./types.ts";
import { authenticatedData } from "./view.ts";

const nothing = new Uint8Array(0);
const random = seededRandom("blinded");

function named(world: SimWorld, at: number): SimDevice {
  const device = world.devices[at];
  if (device === undefined) throw new Error("no such device");
  return device;
}

function stateOf(device: SimDevice): ConversationState & { group: GroupState } {
  const { state } = device;
  if (state?.group === undefined) throw new Error("no group");
  return { ...state, group: state.group };
}

async function scene(seed: string): Promise<{ world: SimWorld; ada: SimDevice; ben: SimDevice }> {
  const world = await SimWorld.create(seed, ["ada", "ben"]);
  const [ada, ben] = [named(world, 0), named(world, 1)];
  await ada.found([ben]);
  await world.settle();
  return { world, ada, ben };
}

describe("[M-1] what a group commits to", () => {
  it("its id is random, and its context holds hashes of the log and of the settings", async () => {
    const { world, ada, ben } = await scene("M-1");
    const { group, opening } = stateOf(ada);
    expect(groupId(group)).toHaveLength(32);
    expect(groupId(group)).not.toEqual(world.logId);
    expect(stateOf(ben).opening).toEqual(opening);
    expect(stateOf(ben).roster?.settings).toMatchObject({ name: "Sim", continues: nothing });
  });

  it("[E-32] a Welcome whose bundle opens the hashes otherwise, or names another log, is not followed", async () => {
    const world = await SimWorld.create("M-1 join", ["ada", "ben"]);
    const [ada, ben] = [named(world, 0), named(world, 1)];
    await ada.found([ben]);
    await world.settle([ada]);
    const [item] = ben.inbox;
    if (item === undefined) throw new Error("a Welcome");
    const { opening } = item.post;
    const others: SettingsOpening[] = [
      { ...opening, salt: random(32) },
      { ...opening, settings: { ...opening.settings, name: "Another name" } },
      { ...opening, settings: { ...opening.settings, roles: [{ accountId: ben.self.accountId, role: 3 }] } },
      { ...opening, settings: { ...opening.settings, continues: random(32) } },
    ];
    for (const other of others) {
      ben.inbox = [{ ...item, post: { ...item.post, opening: other } }];
      await expect(ben.join()).rejects.toThrow("no key package fits");
      expect(ben.refusals.at(-1)).toBe("disagrees");
      expect(ben.state).toBeUndefined();
    }
    ben.inbox = [item];
    expect(await ben.join()).toBe(true);
  });

  it("[E-32] a commit that sets settings carries what opens their hashes: without, or with others, nobody follows it", async () => {
    const next = (opening: SettingsOpening): SettingsOpening => ({
      salt: random(32),
      settings: { ...opening.settings, name: "A new name" },
    });
    const other = (opening: SettingsOpening): Uint8Array => encode(settingsOpeningCodec, next(opening));
    for (const wrong of [() => nothing, other, () => random(40)]) {
      const { world, ada, ben } = await scene(`M-1 commit ${String(wrong)}`);
      const { opening } = stateOf(ada);
      await set(world, ada, { to: ben, opening: next(opening), encoded: wrong(opening) });
      expect(stateOf(ben).name).toBe("Sim");
    }
    const { world, ada, ben } = await scene("M-1 commit");
    const opening = next(stateOf(ada).opening);
    await set(world, ada, { to: ben, opening, encoded: encode(settingsOpeningCodec, opening) });
    expect(stateOf(ben)).toMatchObject({ name: "A new name", opening, phase: { kind: "active" } });
    expect([...ben.lines.values()].at(-1)?.body).toEqual({ kind: "renamed", name: "A new name" });
  });

  it("what it goes on with never changes", async () => {
    const { world, ada, ben } = await scene("M-1 continues");
    const { opening } = stateOf(ada);
    const other = { ...opening, settings: { ...opening.settings, continues: random(32) } };
    await set(world, ada, { to: ben, opening: other, encoded: encode(settingsOpeningCodec, other) });
    expect(stateOf(ben).opening).toEqual(opening);
  });
});

/** Ada, who owns the group, commits settings; `encoded` is what lies in the envelope. */
async function set(
  world: SimWorld,
  ada: SimDevice,
  params: { to: SimDevice; opening: SettingsOpening; encoded: Uint8Array },
): Promise<void> {
  const { to, opening, encoded } = params;
  const state = stateOf(ada);
  const { group, logId, epoch, chain } = state;
  if (epoch === undefined) throw new Error("an epoch");
  const { host, conversationKind } = latchkeyGroupOf(groupContextExtensions(group));
  const required = groupContextExtensions(group).filter((extension) => extension.type !== 0xf1a7);
  const created = await createCommit(group, {
    groupContextExtensions: [...required, groupExtension(sha256, { host, conversationKind, logId, opening })],
    authenticatedData: authenticatedData({ context: ada.context, state, effects: [], groups: [] }, undefined),
    random,
    nowSeconds: BigInt(Math.floor(ada.context.nowMs / 1000)),
  });
  const nextAccessHash = sha256(epochKeys(created.next, logId, 0).access);
  const body = {
    seq: chain.seq,
    mlsMessage: created.message,
    directoryProofs: nothing,
    settings: encoded,
    complaint: nothing,
    leaves: nothing,
  };
  const place = { key: epoch.envelope, logId, epochId: epoch.epochId, kind: "commit" as const };
  const { blob } = sealEnvelope({ ...place, nextAccessHash, body, random, sha256 });
  const { day } = world.log.entries.at(-1) ?? { day: 0 };
  const event = { logId, seq: chain.seq + 1, epochId: epoch.epochId, entryKind: "commit" as const, day, nextAccessHash, blob };
  await to.input({ kind: "entry", event });
}

describe("what members sign", () => {
  it("[L-10] holds neither the log nor its heads, nor the name, nor who is in the group", async () => {
    const world = await SimWorld.create("signed", ["ada", "ben", "cyd"]);
    const [ada, ben, cyd] = [named(world, 0), named(world, 1), named(world, 2)];
    await ada.found([ben]);
    await world.settle([ada, ben]);
    await ada.say("one");
    await world.settle([ada, ben]);
    await ben.disconnect(0);
    await ada.say("two");
    await ada.change([cyd], []);
    await world.settle([ada, cyd]);
    await cyd.say("three");
    await world.settle([ada, cyd]);
    await ada.change([], [cyd]);
    await ada.say("four");
    await world.settle([ada]);

    const signed: { readonly kind: string; readonly bytes: Uint8Array }[] = [];
    const begun = stateOf(ben).chain.seq;
    for (const event of world.log.entries.filter((entry) => entry.seq > begun)) {
      const { epoch, group, logId } = stateOf(ben);
      if (epoch === undefined) throw new Error("an epoch");
      const { entryKind: kind } = event;
      if (isLaterEntryKind(kind)) throw new Error("a kind of this version");
      const opened = openEnvelope({ ...event, key: epoch.envelope, logId, kind });
      if (opened.kind !== "inline") throw new Error("inline");
      const processed = await processMessage(group, opened.body.mlsMessage);
      const context = concatBytes(...groupContextExtensions(group).map(({ data }) => data), groupId(group));
      // A commit is signed as it stands, with the context before it.
      if (processed.kind === "application")
        signed.push({ kind: "message", bytes: concatBytes(processed.evidence.content, processed.evidence.context) });
      else signed.push({ kind: "commit", bytes: concatBytes(opened.body.mlsMessage, context) });
      await ben.input({ kind: "entry", event });
    }
    expect(signed.map(({ kind }) => kind)).toEqual(["message", "commit", "message", "commit", "message"]);

    const { opening, recentHeads } = stateOf(ben);
    const secrets = [
      world.logId,
      utf8Bytes(toBase64Url(world.logId)),
      ...world.log.entries.map(({ head }) => head),
      ...recentHeads,
      utf8Bytes("Sim"),
      opening.salt,
    ];
    const people = world.devices.map(({ self }) => self.accountId);
    for (const { kind, bytes } of signed) {
      // A commit names whom it adds and who made it, in their leaves; nothing else names anybody.
      const hidden = [...secrets, ...(kind === "message" ? people : [ben.self.accountId])];
      for (const secret of hidden) expect(toHex(bytes).includes(toHex(secret)), `${kind} holds ${toHex(secret)}`).toBe(false);
    }
  });
});
