import { decode, equalBytes } from "@latchkey/codec";
import { isInSuspendedList, suspendedLabelCodec, suspendedListCodec, suspendedListHash } from "@latchkey/protocol";
import type { SuspendedList } from "@latchkey/protocol";
import { createHash } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { dayMs } from "../days.ts";
import { Refusal } from "../errors.ts";
import { openStore } from "../store/sqlite/sqlite-store.ts";
import { random, temporaryDirectory } from "../testing/fixtures.ts";
import { inProcessChannel } from "../testing/in-process-channel.ts";
import { folderShelf, storeShelf } from "./suspended-shelf.ts";
import { PublicSuspensions } from "./public-suspensions.ts";

const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash("sha256").update(bytes).digest());
const [oscar, olga] = [random(32), random(32)];

/** A server, as far as the list needs one. */
class Around {
  readonly directory: string = temporaryDirectory();
  readonly published: Uint8Array[] = [];
  suspended: Uint8Array[] = [];
  shared: Uint8Array | undefined;
  nowMs: number = 20_000 * dayMs;
  isOff = false;

  /** @param node where several have a store of `setting` */
  open(node?: { isTurn: boolean }): Promise<PublicSuspensions> {
    return PublicSuspensions.open({
      shelf:
        node === undefined
          ? folderShelf(this.directory)
          : {
              isShared: true,
              read: async () => this.shared,
              keep: async (bytes) => {
                this.shared = bytes;
              },
            },
      turn: { take: async () => node?.isTurn ?? true },
      host: "chat.example",
      labels: {
        newest: () => Promise.resolve(this.published.at(-1)),
        publish: (_name, value) => {
          if (this.isOff) return Promise.reject(new Refusal("clock_off"));
          this.published.push(value);
          return Promise.resolve();
        },
      },
      suspended: () => this.suspended,
      nowMs: () => this.nowMs,
    });
  }

  /** What somebody fetches, whose hash is the label's. */
  shown(list: PublicSuspensions): SuspendedList {
    const decoded = decode(suspendedListCodec, list.list ?? expect.fail("a list"));
    const { listHash } = decode(suspendedLabelCodec, this.published.at(-1) ?? expect.fail("a label"));
    if (!equalBytes(suspendedListHash(sha256, decoded), listHash)) throw new Error("another list than the label says");
    return decoded;
  }
}

describe("[F-12] the public list of suspended accounts", () => {
  test("is there once somebody was suspended, has another salt each time, and is made anew at most once a day", async () => {
    const around = new Around();
    const list = await around.open();
    await list.tend();
    expect([list.list, around.published]).toEqual([undefined, []]);
    around.suspended = [oscar];
    await Promise.all([list.tend(), list.tend()]);
    const first = around.shown(list);
    expect([first.entries.length, isInSuspendedList(sha256, first, oscar), isInSuspendedList(sha256, first, olga)]).toEqual([
      256,
      true,
      false,
    ]);
    around.suspended = [olga];
    await list.tend();
    expect(around.shown(list)).toEqual(first);
    around.nowMs += dayMs;
    await list.tend();
    const second = around.shown(list);
    expect([isInSuspendedList(sha256, second, oscar), isInSuspendedList(sha256, second, olga)]).toEqual([false, true]);
    expect(second.salt).not.toEqual(first.salt);
    // Nobody is suspended any more: the list goes on, and its size says nothing of it.
    around.suspended = [];
    around.nowMs += dayMs;
    await list.tend();
    expect(around.shown(list).entries).toHaveLength(256);
    around.nowMs += dayMs;
    await list.tend();
    expect(around.published).toHaveLength(3);
  });

  test("is the same after a restart; one that could not be published is, when that goes again; a lost or damaged one is made anew", async () => {
    const around = new Around();
    around.suspended = [oscar];
    around.isOff = true;
    const list = await around.open();
    await expect(list.tend()).rejects.toThrow("clock_off");
    const kept = list.list;
    const again = await around.open();
    expect(again.list).toEqual(kept);
    around.isOff = false;
    await again.tend();
    around.shown(again);
    expect(again.list).toEqual(kept);
    const third = await around.open();
    await third.tend();
    expect([third.list, around.published.length]).toEqual([kept, 1]);
    const path = join(around.directory, "suspended-list");
    for (const damage of [(): void => writeFileSync(path, "?"), (): void => rmSync(path)]) {
      damage();
      const restored = await around.open();
      await restored.tend();
      expect(isInSuspendedList(sha256, around.shown(restored), oscar)).toBe(true);
    }
    expect(around.published).toHaveLength(3);
    // Also where nobody is suspended any more: the record names a list, and whoever looks for it finds one.
    around.suspended = [];
    rmSync(path);
    const empty = await around.open();
    await empty.tend();
    expect(isInSuspendedList(sha256, around.shown(empty), oscar)).toBe(false);
    expect(around.published).toHaveLength(4);
  });

  test("of several nodes one makes it, and all give out the one whose hash is the label's, also when it is another one's turn", async () => {
    const around = new Around();
    around.suspended = [oscar];
    const turns = [{ isTurn: true }, { isTurn: false }];
    const [first, second] = await Promise.all(turns.map((turn) => around.open(turn)));
    if (first === undefined || second === undefined) throw new Error("there are two");
    await second.tend();
    expect([second.list, around.published]).toEqual([undefined, []]);
    await first.tend();
    await second.tend();
    expect(around.shown(second)).toEqual(around.shown(first));
    for (const turn of turns) turn.isTurn = !turn.isTurn;
    around.suspended = [olga];
    around.nowMs += dayMs;
    await first.tend();
    expect(around.published).toHaveLength(1);
    await second.tend();
    await first.tend();
    expect(around.published).toHaveLength(2);
    expect(isInSuspendedList(sha256, around.shown(first), olga)).toBe(true);
    // The first gives out what the second has made, and labels nothing anew.
    for (const turn of turns) turn.isTurn = !turn.isTurn;
    await first.tend();
    expect(around.published).toHaveLength(2);
    expect((await around.open({ isTurn: false })).list).toEqual(second.list);
  });

  test("a store keeps what a folder keeps, for all of its nodes", async () => {
    const directory = temporaryDirectory();
    const store = await openStore(inProcessChannel({ directory }, {}));
    onTestFinished(() => store.close());
    for (const shelf of [folderShelf(directory), storeShelf(store)]) {
      expect(await shelf.read()).toBeUndefined();
      for (const bytes of [random(10_000), random(3)]) {
        await shelf.keep(bytes);
        expect(await shelf.read()).toEqual(bytes);
      }
    }
    expect(await storeShelf(store).read()).toHaveLength(3);
  });
});
