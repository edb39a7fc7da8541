import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { SimWorld } from "@latchkey/client/testing";
import type { SimDevice } from "@latchkey/client/testing";
import type { CipherSuiteId } from "@latchkey/mls";
import type { Figure, Scenario } from "../scenario.ts";
import { summarize } from "../statistics.ts";

const suites: readonly (readonly [CipherSuiteId, string])[] = [
  [0x0001, "X25519"],
  [0xf001, "X-Wing"],
];
/** Added in one commit, and removed in one (spec M-5). */
const together = 50;
/** Devices that renew their leaves before it is measured again. */
const renewedFirst = 16;

/** An entry that does but name a blob. */
const smallestEntry = 512;

setFlagsFromString("--expose-gc");
// V8 gives it out only so.
const collect = runInNewContext("gc") as () => void;

/** The client's own machine of a conversation, without a network: what a device computes that takes part in a large group. */
export const clientGroups: Scenario = {
  name: "client-groups",
  summary: "a device in a group of 1,000: founding, joining, 50 added, 50 removed, rights changed, a leaf renewed; X25519 and X-Wing",
  async run({ isQuick }) {
    const size = isQuick ? 60 : 1000;
    const figures: Figure[] = [];
    for (const [suite, name] of suites) figures.push(...(await measure({ suite, name, size, times: isQuick ? 1 : 3 })));
    return { parameters: { devices: size, addedTogether: together, suites: suites.map(([, name]) => name) }, figures };
  },
};

async function measure(params: { suite: CipherSuiteId; name: string; size: number; times: number }): Promise<Figure[]> {
  const { suite, name, size, times } = params;
  const figures: Figure[] = [];
  const record = (what: string, unit: string, values: readonly number[]): void => {
    figures.push({ name: `${name}, ${String(size)} devices: ${what}`, unit, ...summarize(values) });
  };
  const names = Array.from({ length: size + 2 * together * times }, (_, at) => `device ${String(at)}`);
  const world = await SimWorld.create(`bench ${name}`, names, { suite });
  const [founder, ...others] = world.devices;
  if (founder === undefined) throw new Error("somebody founds the group");
  const members = others.slice(0, size - 1);
  record("founding it, its founder", "CPU s", [
    await cpuOf(async () => {
      await founder.found(members);
      await founder.connect();
      await run(founder);
    }),
  ]);
  if (founder.state?.memberCount !== size) throw new Error("not everybody is in the group");

  // Of the last commit, whose Welcome has the whole tree.
  const last = members.slice(-(times + 1));
  const joins: number[] = [];
  const states: number[] = [];
  for (const joiner of last) {
    const before = memoryMiB();
    joins.push(
      await cpuOf(async () => {
        if (!(await joiner.join())) throw new Error("no Welcome came");
      }),
    );
    states.push(memoryMiB() - before);
    if (joiner.state?.memberCount !== size) throw new Error(`it did not join: ${joiner.refusals.join()}`);
  }
  record("joining it", "CPU s", joins);
  record("memory of a device's state and its records", "MiB", states);
  const [reader] = last;
  if (reader === undefined) throw new Error("somebody reads");
  await reader.connect();
  await run(reader);

  const newcomers = others.slice(size - 1);
  const measureChanges = async (tree: string, from: number): Promise<void> => {
    const changes: readonly (readonly [string, (at: number) => Promise<void>])[] = [
      ["50 are added", (at) => founder.change(newcomers.slice((from + at) * together, (from + at + 1) * together), [])],
      ["50 are removed", (at) => founder.change([], newcomers.slice((from + at) * together, (from + at + 1) * together))],
      ["rights are changed", (at) => set(founder, world, from + at)],
      ["a leaf is renewed", () => renew(founder, 0)],
    ];
    for (const [what, change] of changes) {
      const [byAuthor, byReader, bytes]: [number[], number[], number[]] = [[], [], []];
      for (let at = 0; at < times; at += 1) {
        let fetched = 0;
        const seq = reader.state?.chain.seq ?? 0;
        byAuthor.push(
          await cpuOf(async () => {
            await change(at);
            fetched = bytesOf(founder.state?.staged?.entry);
            await run(founder);
          }),
        );
        byReader.push(await cpuOf(() => run(reader)));
        if (reader.state?.phase.kind !== "active" || reader.state.chain.seq !== founder.state?.chain.seq || reader.state.chain.seq === seq)
          throw new Error(`${what}: it was not followed`);
        bytes.push(fetched / 1024);
      }
      record(`${tree}, ${what}, its author`, "CPU s", byAuthor);
      record(`${tree}, ${what}, each reader`, "CPU s", byReader);
      record(`${tree}, ${what}, what each reader fetches`, "KiB", bytes);
    }
  };
  await measureChanges("cold tree", 0);
  // Those whose turn is first (spec R-6), as they would in a day.
  const first = [...(founder.state.renewal.order ?? [])].slice(0, renewedFirst);
  const renewing = world.devices.filter(({ self }) =>
    first.includes(founder.state?.roster?.accounts.get(self.account)?.[0]?.leafIndex ?? -1),
  );
  for (const device of renewing) if (device.state === undefined) await device.join();
  for (const [hours, device] of renewing.entries()) {
    await device.connect();
    await run(device);
    await renew(device, hours);
    await run(device);
    if (device.state?.renewal.order.at(-1) !== device.state?.roster?.own?.leafIndex) throw new Error("it did not renew its leaf");
  }
  await run(founder);
  await run(reader);
  await measureChanges(`after ${String(renewing.length)} renewals`, times);
  return figures;
}

/** Everything happens that concerns this device. */
async function run(device: SimDevice): Promise<void> {
  while (device.serve() || device.stream() || (await device.receive())) {
    // Until nothing is on its way.
  }
}

async function set(device: SimDevice, world: SimWorld, at: number): Promise<void> {
  const post = at % 2 === 0 ? "administrators" : "everyone";
  const nothing = { adds: [], removes: [], removeDevices: [], proofs: new Uint8Array(0), update: false };
  await device.input({ kind: "change", change: { ...nothing, id: `set ${String(world.pick(65_536))}`, settings: { rights: { post } } } });
}

/** Half a year later its leaf is due. */
async function renew(device: SimDevice, hours: number): Promise<void> {
  device.jump(183 * 86_400_000 + hours * 3_600_000);
  await device.input({ kind: "timer", name: "renew" });
}

/** What a reader gets of a commit: its entry, and the blob that the entry is in where it is large; trees and records are for joiners. */
function bytesOf(entry: NonNullable<NonNullable<SimDevice["state"]>["staged"]>["entry"] | undefined): number {
  if (entry === undefined) throw new Error("it was not made");
  const [first] = entry.blobs;
  return entry.blob.length + (entry.blob.length <= smallestEntry ? (first?.ciphertext.length ?? 0) : 0);
}

async function cpuOf(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

function memoryMiB(): number {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 2 ** 20;
}
