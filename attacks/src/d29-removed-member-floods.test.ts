// D29 | who was removed writes complaints into the epoch that ended with it, without end | P
// Source: found by trying it, 2026-11-28
// Counter-measure: an epoch takes so many complaints and bytes, beyond the first they come by fair turns, and after seven days next to none (L-16)
import { setTimeout as delay } from "node:timers/promises";
import { createNodePlatform } from "@latchkey/client/node";
import { entryHead, joinEntry } from "@latchkey/protocol";
import { describe, expect, test } from "vitest";
import { Insider } from "./testing/insider.ts";
import { RawLog } from "./testing/raw-log.ts";
import { begun, eventually, foundTrio, hear, say, Scene, settle } from "./testing/scene.ts";
import { linesOf, shows } from "./testing/shown.ts";

const { random } = createNodePlatform();

/** Complaints that are none, on four connections at once, until it is told to stop. */
class Flood {
  accepted = 0;
  refused = 0;
  readonly #logs: RawLog[];
  readonly #runs: Promise<unknown>;
  #isOver = false;

  constructor(scene: Scene, { state: { logId, epoch, chain } }: Insider) {
    this.#logs = Array.from({ length: 4 }, () => new RawLog(scene.server.url));
    const send = async (log: RawLog): Promise<void> => {
      if (epoch === undefined) throw new Error("an epoch");
      const { epochId, access } = epoch;
      await log.ask({ kind: "open", logId, epochId, access, afterSeq: chain.seq, closed: [] });
      while (!this.#isOver) {
        const blobs = Array.from({ length: 50 }, () => joinEntry(entryHead([]), random(1023)));
        const asked = blobs.map(async (blob) => await log.ask({ kind: "append", logId, epochId, entryKind: "complaint", blob }));
        const answers = await Promise.race([Promise.all(asked), this.#stopped()]);
        const taken = answers.filter(({ kind }) => kind === "accepted").length;
        this.accepted += taken;
        this.refused += answers.length - taken;
        if (taken < answers.length) await delay(100);
      }
    };
    this.#runs = Promise.all(this.#logs.map(send));
  }

  async #stopped(): Promise<never[]> {
    while (!this.#isOver) await delay(50);
    return [];
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#runs;
    for (const log of this.#logs) log.close();
  }
}

describe("D29 a flood of complaints by somebody who was removed", () => {
  test("[E-77] ends at what a group of the largest size could need at once; the conversation goes on", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, mal, id } = await foundTrio(scene);
    using insider = await Insider.take(scene, mal, id);
    await ada.client.removeMembers(id, [mal.accountId]);
    await settle(ada, ben);
    const flood = new Flood(scene, insider);
    await eventually(async () => await Promise.resolve(flood.refused > 500), "most are refused");
    expect(flood.accepted).toBeLessThan(2048 + 30);
    await say(ada, id, "still here");
    await hear(ben, id, "still here");
    await flood.stop();
    expect(await ada.alarms()).toEqual([]);
    shows(context, "still here");
  });

  test("[E-77] in the midst of it somebody who cannot read a change is heard, and let back in", async (context) => {
    await using scene = await Scene.open({ complaintsAtOnce: 20 });
    const [ada, ben, cyd, mal] = [
      await scene.person("ada"),
      await scene.person("ben"),
      await scene.person("cyd"),
      await scene.person("mal"),
    ];
    const id = await begun([ada, ben, cyd, mal], "Allotment");
    await settle(ada, ben, cyd, mal);
    using insider = await Insider.take(scene, mal, id);
    scene.operator.setUnreachable("cyd", true);
    const adds = [await insider.keyPackage({ ...insider.own, deviceId: new Uint8Array(16).fill(3) })];
    expect((await insider.post(await insider.forge({ adds, cheats: cyd }))).kind).toBe("accepted");
    const flood = new Flood(scene, insider);
    await ada.client.removeMembers(id, [mal.accountId]);
    await eventually(async () => await Promise.resolve(flood.refused > 100), "the flood is refused");
    scene.operator.setUnreachable("cyd", false);
    await eventually(async () => (await linesOf(cyd, id, "complaint")).length === 1, "cyd says that it cannot read the change");
    await eventually(async () => (await cyd.client.details(id)).conversation.stop === undefined, "cyd is let back in");
    await flood.stop();
    await say(ada, id, "welcome back");
    await hear(cyd, id, "welcome back");
    shows(context, "A change by mal cannot be read by cyd");
  }, 120_000);
});
