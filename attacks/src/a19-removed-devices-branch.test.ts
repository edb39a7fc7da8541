// A19 | a removed device's own branch "proves" that the true devices left | P
// Source: found by trying, 2026-11-27
// Counter-measure: that a device left is proven by the public log that the group names, and by nothing beside it (M-2, B1)
import { equalBytes } from "@latchkey/codec";
import type { LeafIndex } from "@latchkey/mls";
import { describe, expect, test } from "vitest";
import { FalseRecord } from "./testing/false-record.ts";
import type { ShownAccount } from "./testing/false-record.ts";
import { forgeState, newestState } from "./testing/forge.ts";
import { Insider } from "./testing/insider.ts";
import { eventually, foundTrio, hear, host, say, Scene, settle } from "./testing/scene.ts";
import type { Person } from "./testing/scene.ts";
import { shows, skipped } from "./testing/shown.ts";

const quorum = { host, witnesses: 3, threshold: 2 };

interface Stolen {
  readonly ada: Person;
  readonly ben: Person;
  readonly id: string;
  readonly insider: Insider;
  /** The leaf of the phone that Ben kept. */
  readonly phone: LeafIndex;
  /** What the log has of Ben's account now, and what it had before he removed the tablet. */
  readonly record: FalseRecord;
  readonly before: FalseRecord;
  /** His account until then with one more state, by which the tablet throws out the phone. */
  readonly branch: ShownAccount;
}

/** Ben removed his tablet, which is stolen; whoever has it is with Mal, who is a member. */
async function stolen(scene: Scene): Promise<Stolen> {
  const record = await FalseRecord.create({ ...quorum, url: scene.server.url });
  scene.operator.override(record.override());
  const { ada, ben, mal, id } = await foundTrio(scene);
  const tablet = await scene.device(ben, "ben-tablet");
  const bens = async (): Promise<number> =>
    (await ada.client.details(id)).members.find(({ person }) => person.accountId === ben.accountId)?.deviceCount ?? 0;
  await eventually(async () => (await bens()) === 2, "the tablet is in");
  const [account, before] = [record.named("ben"), record.fork()];
  const listed = (await ben.client.devices()).find(({ isThisDevice }) => !isThisDevice);
  await ben.client.removeDevice(listed?.deviceId ?? "");
  await eventually(async () => (await bens()) === 1, "the tablet is out");
  await settle(ada, ben, mal);
  // The tablet signs what its owner signed the other way round, on the state in which it still was a device: every signature holds.
  const { deviceId, secretKey } = await Insider.deviceKeyOf(scene, tablet);
  const devices = newestState(account).state.devices.filter((device) => equalBytes(device.deviceId, deviceId));
  const state = await forgeState(account, { devices, signer: { kind: "device", deviceId } }, secretKey);
  const branch = { ...account, states: [...account.states, state] };
  const insider = await Insider.take(scene, mal, id);
  return { ada, ben, id, insider, phone: insider.leafOf(ben), record, before, branch };
}

/** Mal's commit that removes the phone, with this as the proof that it left. */
async function remove({ insider, phone }: Stolen, directoryProofs: Uint8Array): Promise<void> {
  expect((await insider.post(await insider.forge({ removes: [phone] }), { directoryProofs })).kind).toBe("accepted");
}

describe("A19 a removed device speaks for its account", () => {
  test("its branch beside the true log's proof, or in a log of the operator's own: the owner stays, and the change is skipped by all alike", async (context) => {
    await using scene = await Scene.open();
    const all = await stolen(scene);
    const { ada, ben, id, insider, record, branch } = all;
    using _ = insider;
    const madeUp = await FalseRecord.create({ ...quorum, url: scene.server.url });
    await madeUp.publish(branch);
    await remove(all, await record.departure(branch));
    await remove(all, await madeUp.departure(branch));
    // With the true log's word for whose keys those are.
    await remove(all, await madeUp.departure(branch, { logOf: record }));
    await say(ada, id, "still three");
    await hear(ben, id, "still three");
    await say(ben, id, "still here");
    await hear(ada, id, "still here");
    for (const person of [ada, ben]) {
      expect((await person.client.details(id)).members).toHaveLength(3);
      expect(new Set(await skipped(person, id))).toEqual(new Set(["mal"]));
      expect(await person.alarms()).toEqual([]);
    }
    shows(context, "mal sent a change that nobody can use; nothing came of it");
  });

  test("the same change counts where the log that the group names has the branch, signed by its quorum: only its word makes the difference", async (context) => {
    await using scene = await Scene.open();
    const all = await stolen(scene);
    const { ada, id, insider, before, branch } = all;
    using _ = insider;
    await before.publish({ ...branch, states: branch.states.slice(-1), pops: [], bindings: [] });
    await remove(all, await before.departure(before.named("ben")));
    await eventually(async () => (await ada.client.details(id)).members.length === 2, "it counts");
    expect(await skipped(ada, id)).toEqual([]);
    shows(context, "ben is out of the conversation");
  });
});
