// E4 | whoever can send somebody chosen messages learns what their backup has by its size | P
// Source: Fábrega, Fernandez Pérez, Namavari, Nassi, Agarwal, Ristenpart, "Injection Attacks Against End-to-End Encrypted Applications", IEEE S&P 2024
// Counter-measure: nothing is compressed, or left out for being there already; chunks of four sizes, written once a day (B-1, B-2, B-4)
import { randomBytes } from "node:crypto";
import { historyChunkBytes } from "@latchkey/protocol";
import { describe, expect, test } from "vitest";
import { backUp } from "./testing/backups.ts";
import { foundPair, say, Scene, settle } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

/** Sizes of the chunks that somebody's device brought, in their order. */
function chunksOf(scene: Scene, person: string): readonly number[] {
  return scene.operator.seen.flatMap((seen) =>
    seen.person === person && seen.body?.kind === "put_history_chunk" ? [seen.body.chunk.length] : [],
  );
}

describe("E4 backups", () => {
  test("[B-2] messages that say what was said before make as much of a backup as others do", async (context) => {
    const words = (): readonly string[] => Array.from({ length: 6 }, () => randomBytes(1500).toString("hex"));
    const secret = words();
    const sizes: (readonly number[])[] = [];
    // What somebody sends to find out: right, and wrong.
    for (const guesses of [secret, words()]) {
      await using scene = await Scene.open();
      const { ada, ben, id } = await foundPair(scene);
      for (const text of secret) await say(ada, id, text);
      for (const text of guesses) await say(ben, id, text);
      await settle(ada, ben);
      await backUp(ada);
      sizes.push(chunksOf(scene, "ada"));
    }
    // Compressed, or with what is there already left out, the one would be of a smaller size than the other.
    expect(sizes[0]?.[0]).toBe(65_536);
    expect(sizes[1]).toEqual(sizes[0]);
    for (const size of sizes.flat()) expect(historyChunkBytes).toContain(size);
    shows(context, "a chunk's size says which of four it is, and not what is like what");
  });
});
