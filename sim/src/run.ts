import { hash } from "node:crypto";
import type { Cast } from "./casts.ts";
import type { Sent } from "./network.ts";
import { brokenPromises, givenIn } from "./promises.ts";
import { calm, play } from "./script.ts";
import { World } from "./world.ts";
import type { Beginning } from "./world.ts";

/** One life from a seed, and what it showed. */
export interface Life {
  readonly seed: string;
  readonly played: readonly string[];
  /** Broken promises in words; nothing when all were kept. */
  readonly broken: readonly string[];
  /** How many requests reached the server, and what they were: the same in every life from this seed. */
  readonly requests: number;
  readonly fingerprint: string;
  /** How many messages people have that somebody gave them who was there before (spec R-5). */
  readonly given: number;
  /** What each person's client refused, for whoever looks for the reason of a failure. */
  readonly refusals: Readonly<Record<string, readonly string[]>>;
}

/** Lives one life: `count` moves drawn by the seed, then calm, then every promise is checked. */
export async function live(params: { beginning: Beginning; seed: string; cast: Cast; count: number }): Promise<Life> {
  const { beginning, seed, cast, count } = params;
  const world = await World.open(beginning, seed);
  for (const name of cast.hostile) world.named(name).isHonest = false;
  try {
    const played = await play(world, cast.moves, count);
    await calm(world);
    const broken = await brokenPromises(world, { mayLose: cast.mayLose });
    const refusals = Object.fromEntries([...world.people.values()].map((person) => [person.name, person.refusals]));
    return { seed, played, broken, ...workOf(world.network.sent), given: await givenIn(world), refusals };
  } finally {
    await world.close();
  }
}

function workOf(sent: readonly Sent[]): Pick<Life, "requests" | "fingerprint"> {
  const all = sent.map(({ who, role, kind, bytes }) => `${who} ${role} ${kind} ${bytes}`).join("\n");
  return { requests: sent.length, fingerprint: hash("sha256", all).slice(0, 16) };
}

/**
 * The shortest beginning of a failing life that fails as well, found by halving the number of moves. The seed draws the same moves
 * however many are played.
 */
export async function shrink(params: Parameters<typeof live>[0], failed: Life): Promise<Life> {
  let shortest = failed;
  let least = 0;
  while (least + 1 < shortest.played.length) {
    const middle = Math.floor((least + shortest.played.length) / 2);
    const tried = await live({ ...params, count: middle });
    if (tried.broken.length > 0) shortest = tried;
    else least = middle;
  }
  return shortest;
}
