// npm run sim [-- --seeds COUNT] [--from SEED] [--moves COUNT] [--cast NAME] [--json]: simulated lives, and the shortest form of each
// that breaks a promise.
import { parseArgs } from "node:util";
import { casts, isCast } from "./casts.ts";
import { live, shrink } from "./run.ts";
import { World } from "./world.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    moves: { type: "string", default: "50" },
    cast: { type: "string", default: "daily" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help || !isCast(values.cast)) {
  process.stdout.write(
    `npm run sim [-- --seeds COUNT] [--from SEED] [--moves COUNT] [--cast ${Object.keys(casts).join("|")}] [--json]\n` +
      "Lives COUNT lives from SEED on and prints each that breaks a promise in its shortest form; --json prints every life.\n",
  );
  process.exit(values.help ? 0 : 2);
}

const [from, seeds, count] = [Number(values.from), Number(values.seeds), Number(values.moves)];
const cast = casts[values.cast];
const beginning = await World.begin(cast.people);
let broken = 0;
try {
  for (let seed = from; seed < from + seeds; seed++) {
    const life = { beginning, seed: `${values.cast} ${seed}`, cast, count };
    const lived = await live(life);
    if (values.json) process.stdout.write(`${JSON.stringify(lived)}\n`);
    if (lived.broken.length === 0) continue;
    broken++;
    if (values.json) continue;
    const shortest = await shrink(life, lived);
    process.stdout.write(
      `seed ${seed}, ${shortest.played.length} moves: ${shortest.played.join(", ")}\n  ${shortest.broken.join("\n  ")}\n`,
    );
  }
} finally {
  beginning.remove();
}
if (!values.json) process.stdout.write(`${seeds - broken} of ${seeds} lives kept every promise\n`);
// The connections of the lives, which nobody closes, would keep the process for half a minute.
process.stdout.write("", () => process.exit(broken === 0 ? 0 : 1));
