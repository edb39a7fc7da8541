import { seededRandom } from "@latchkey/testkit";
import { expect, test } from "vitest";
import { createNodePlatform } from "../platform/node.ts";
import { bytes, dayMs } from "../timeline/saying.testing.ts";
import { kept, read, withDevice } from "./kept.testing.ts";
import { Device, lost } from "./scene.testing.ts";

const { random } = createNodePlatform();

/** Two devices of one account with the same lines, which both write when they please, over a network that loses answers, on disks that fail. */
async function bothWrite(seed: string): Promise<{ device: Device; second: Device; id: string }> {
  const draw = seededRandom(seed);
  const isNow = (part: number): boolean => (draw(1)[0] ?? 0) < part * 256;
  const { host, device, id } = await kept();
  const { first, second: own } = withDevice(device.own, random(16));
  const second = new Device(host, own);
  second.converse(3);
  await second.say(id, 16, "first");
  device.refreshed = () => first;
  const both = [device, second];
  const fail = (part: number): void => {
    host.answered = () => {
      if (isNow(part)) throw lost;
    };
    for (const one of both)
      one.writing = () => {
        if (isNow(part / 4)) throw lost;
      };
  };
  const acts: readonly ((one: Device) => Promise<unknown>)[] = [
    (one) => one.backups.keep(undefined),
    (one) => one.backups.write(true),
    (one) => one.backups.look(),
    async (one) => {
      await one.backups.close();
      one.open();
    },
  ];
  for (let turn = 0; turn < 30; turn++) {
    const one = isNow(0.5) ? device : second;
    const act = acts[(draw(1)[0] ?? 0) % 10] ?? ((who: Device) => who.backups.write(false));
    fail(0.2);
    await act(one).catch(() => undefined);
    fail(0);
    for (const each of both) {
      await each.say(id, 32 + turn * 16, `at ${String(turn)}`);
      if (turn % 4 === 3) await each.change(id, (timeline) => timeline.hide([Buffer.from(bytes((turn - 1) * 16)).toString("base64url")]));
    }
    if (isNow(0.3)) for (const each of both) each.clock.advance(dayMs);
  }
  for (const one of both) await one.backups.close();
  for (const one of both) one.open();
  for (const one of [...both, ...both]) await one.backups.write(false);
  return { device, second, id };
}

test.each(Array.from({ length: 12 }, (_, seed) => `two writers ${String(seed)}`))(
  "[B-4] [E-311] of devices that both write one keeps the backup in the end, whole and with its count, and nobody is told of an older one: %s",
  async (seed) => {
    const { device, second, id } = await bothWrite(seed);
    const keepers: Device[] = [];
    for (const one of [device, second]) if ((await one.backups.state()).keptBy === "this") keepers.push(one);
    expect(keepers).toHaveLength(1);
    const [keeper = device] = keepers;
    const fresh = await read(keeper);
    expect(await fresh.texts(id)).toEqual(await keeper.texts(id));
    const messages = (await keeper.lines(id)).length;
    expect(await fresh.backups.state()).toMatchObject({ found: { messages, restored: messages, missing: 0, unreadable: 0 } });
    expect([...device.alarms, ...second.alarms]).not.toContain("backup_rolled_back");
  },
);
