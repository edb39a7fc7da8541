import { spawnSync } from "node:child_process";
import { messageBytes } from "../peers/contender.ts";
import type { Channel, Contender } from "../peers/contender.ts";
import { installedVersion, startEjabberd, startMosquitto, startProsody } from "../peers/others.ts";
import { startOurs } from "../peers/ours.ts";
import type { Figure, Scenario } from "../scenario.ts";
import { summarize } from "../statistics.ts";

const pairs = 50;
const members = 500;
const inFlight = 4;

const others: readonly { readonly name: string; readonly start: (version: string) => Promise<Contender> }[] = [
  { name: "ejabberd", start: startEjabberd },
  { name: "prosody", start: startProsody },
  { name: "mosquitto", start: startMosquitto },
];

/** CPU of ours beside other messengers' servers, in turn within one run: what the machine does meanwhile falls on all alike. */
export const serverPeers: Scenario = {
  name: "server-peers",
  summary: "ours beside ejabberd, Prosody and Mosquitto, in turn: one to one, and one to 500",
  async run({ isQuick }) {
    const rounds = isQuick ? 2 : 7;
    const [perPair, perRoom] = isQuick ? [20, 10] : [200, 100];
    const missing = install();
    await using stack = new AsyncDisposableStack();
    const contenders = [stack.use(await startOurs())];
    for (const { name, start } of others) {
      const version = installedVersion(name);
      if (version !== undefined) contenders.push(stack.use(await start(version)));
    }
    const oneToOne = await alternate(contenders, rounds, {
      open: (contender) => contender.openPairs(pairs),
      each: perPair,
      units: pairs * perPair,
    });
    for (const contender of contenders) contender.hangUp();
    const room = await alternate(contenders, rounds, {
      open: async (contender) => [await contender.openRoom(members)],
      each: perRoom,
      units: perRoom * members,
    });
    for (const contender of contenders) contender.hangUp();
    return {
      parameters: { pairs, members, inFlight, messageBytes, rounds, notMeasured: missing },
      figures: [
        ...figuresOf("one to one", "CPU s / 10,000 messages", oneToOne),
        ...figuresOf(`one to ${String(members)}`, "CPU s / 10,000 deliveries", room),
      ],
    };
  },
};

/** Installs what is missing, where that is possible; says what is not there. */
function install(): string[] {
  const absent = (): string[] => others.map(({ name }) => name).filter((name) => installedVersion(name) === undefined);
  if (absent().length > 0) {
    if (process.getuid?.() === 0) {
      const args = ["install", "-y", "-qq", "--no-install-recommends", ...absent()];
      spawnSync("apt-get", args, { stdio: "ignore", env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } });
    } else process.stdout.write(`  to install them: sudo apt-get install ${absent().join(" ")}\n`);
  }
  for (const name of absent()) process.stdout.write(`  ${name} is not installed here, and is not measured\n`);
  return absent();
}

/** One round of each contender after the other, again and again; the first warms them all. Resolves to CPU seconds per 10,000 units. */
async function alternate(
  contenders: readonly Contender[],
  rounds: number,
  task: { open: (contender: Contender) => Promise<readonly Channel[]>; each: number; units: number },
): Promise<Map<string, number[]>> {
  const channels = new Map<Contender, readonly Channel[]>();
  for (const contender of contenders) channels.set(contender, await task.open(contender));
  const measured = new Map<string, number[]>(contenders.map(({ label }) => [label, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const [contender, open] of channels) {
      const before = contender.cpuSeconds();
      await Promise.all(open.map((channel) => talk(channel, task.each)));
      const cpu = ((contender.cpuSeconds() - before) / task.units) * 10_000;
      if (round > 0) measured.get(contender.label)?.push(cpu);
    }
  }
  return measured;
}

/** Sends so many, a few at a time, and resolves when the last has reached everybody. */
function talk(channel: Channel, count: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let [sent, delivered] = [0, 0];
  const sendNext = (): void => {
    if (sent >= count) return;
    sent += 1;
    channel.send();
  };
  channel.onDelivered = () => {
    delivered += 1;
    if (delivered === count) resolve();
    else sendNext();
  };
  for (let index = 0; index < inFlight; index++) sendNext();
  return promise;
}

/** Each contender's figure, and ours by theirs, round by round. */
function figuresOf(what: string, unit: string, measured: ReadonlyMap<string, readonly number[]>): Figure[] {
  const [ours] = measured.values();
  return [...measured].flatMap(([label, values]): Figure[] => {
    const figure = { name: `${what}: ${label}`, unit, ...summarize(values) };
    if (ours === undefined || values === ours) return [figure];
    const ratios = values.map((value, index) => (ours[index] ?? Number.NaN) / value);
    return [figure, { name: `${what}: ours by ${label.split(" ")[0] ?? label}`, unit: "times", ...summarize(ratios) }];
  });
}
