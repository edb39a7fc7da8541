import { decode, equalBytes } from "@latchkey/codec";
import { isInSuspendedList, suspendedLabelCodec, suspendedListCodec, suspendedListHash } from "@latchkey/protocol";
import type { SuspendedList } from "@latchkey/protocol";
import { createHash } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { dayMs } from "../days.ts";
import { Refusal } from "../errors.ts";
import { random, temporaryDirectory } from "../testing/fixtures.ts";
import { PublicSuspensions } from "./public-suspensions.ts";

const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash("sha256").update(bytes).digest());
const [oscar, olga] = [random(32), random(32)];

/** A server, as far as the list needs one. */
class Around {
  readonly directory: string = temporaryDirectory();
  readonly published: Uint8Array[] = [];
  suspended: Uint8Array[] = [];
  nowMs: number = 20_000 * dayMs;
  isOff = false;

  open(): PublicSuspensions {
    return new PublicSuspensions({
      directory: this.directory,
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
    const list = around.open();
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
    const list = around.open();
    await expect(list.tend()).rejects.toThrow("clock_off");
    const kept = list.list;
    const again = around.open();
    expect(again.list).toEqual(kept);
    around.isOff = false;
    await again.tend();
    around.shown(again);
    expect(again.list).toEqual(kept);
    const third = around.open();
    await third.tend();
    expect([third.list, around.published.length]).toEqual([kept, 1]);
    const path = join(around.directory, "suspended-list");
    for (const damage of [(): void => writeFileSync(path, "?"), (): void => rmSync(path)]) {
      damage();
      const restored = around.open();
      await restored.tend();
      expect(isInSuspendedList(sha256, around.shown(restored), oscar)).toBe(true);
    }
    expect(around.published).toHaveLength(3);
    // Also where nobody is suspended any more: the record names a list, and whoever looks for it finds one.
    around.suspended = [];
    rmSync(path);
    const empty = around.open();
    await empty.tend();
    expect(isInSuspendedList(sha256, around.shown(empty), oscar)).toBe(false);
    expect(around.published).toHaveLength(4);
  });
});
