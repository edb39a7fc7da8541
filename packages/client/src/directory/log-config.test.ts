import { encode } from "@latchkey/codec";
import { configChangeCodec, peekHeadSize } from "@latchkey/transparency";
import type { SignedHead } from "@latchkey/transparency";
import { createPerson } from "@latchkey/transparency/testing";
import type { TestPerson } from "@latchkey/transparency/testing";
import { describe, expect, it } from "vitest";
import { createMemoryStore } from "../store/memory-store.testing.ts";

import { host, hourMs, dayMs, setting, logOf, publish, evidence, codeOf } from "./log.testing.ts";
import type { Setting } from "./log.testing.ts";

describe("[D-2] a changed config", () => {
  const logSeed = new Uint8Array(32).fill(77);

  /** A log that announces another key, and a client that has seen it just before. */
  async function changed(witnesses = 3): Promise<{ here: Setting; ann: TestPerson; index: number; prove: () => Promise<void> }> {
    const here = await setting({ witnesses });
    const ann = await createPerson("ann");
    await publish(here, ann);
    await here.log.proveAccount(await evidence(here, ann));
    await here.record.publish([], { config: here.record.changedConfig({ logSeed }) });
    return { here, ann, index: here.record.size() - 1, prove: async () => void (await here.log.proveAccount(await evidence(here, ann))) };
  }

  /** Time goes on, for the log and for the client. */
  async function pass(here: Setting, ms: number): Promise<void> {
    here.server.clock.advance(ms);
    here.record.setTime(here.server.clock.now());
    await here.record.publish([]);
  }

  /** The host serves the way over the change: two heads under the old key. */
  async function serveChange(here: Setting, index: number, first: SignedHead): Promise<void> {
    const last = await here.record.head();
    const from = peekHeadSize(first);
    const change = encode(configChangeCodec, {
      format: 2,
      index,
      entry: here.record.entries()[index] ?? new Uint8Array(0),
      inclusion: await here.record.inclusion(index, from),
      first,
      last,
      consistency: await here.record.consistency(from),
      ext: new Uint8Array(0),
    });
    const respond = here.server.respondHttp;
    here.server.respondHttp = (url) =>
      url.endsWith(`/config-change/${String(index)}`) ? new Response(new Uint8Array(change)) : respond(url);
  }

  it("[E-54] is announced, and takes effect once it is proven: before, the new key signs nothing, whatever the log's time says", async () => {
    const { here, index, prove } = await changed();
    const first = await here.record.head();
    await prove();
    expect(here.alarms).toEqual(["directory_changed"]);
    await pass(here, 6 * dayMs);
    await prove();
    await serveChange(here, index, first);
    await pass(here, 2 * dayMs);
    here.record.signWith(logSeed);
    // Its last head was cosigned six days after the first.
    await expect(prove()).rejects.toMatchObject({ code: "directory_unproven" });
    here.record.signWith(undefined);
    await serveChange(here, index, first);
    here.record.signWith(logSeed);
    await pass(here, hourMs);
    await prove();
    expect(await here.log.knownSize(host)).toBe(here.record.size());
    expect(here.alarms).toEqual(["directory_changed", "directory_changed"]);
    // Somebody new begins with the config of entry 0 and follows the change.
    const newcomer = logOf(here.server, createMemoryStore());
    await newcomer.advance(host);
    expect(await newcomer.knownSize(host)).toBe(here.record.size());
  });

  it("[E-54] is followed by who slept through it; without the two heads it is refused", async () => {
    const { here, index, prove } = await changed();
    const first = await here.record.head();
    await pass(here, 8 * dayMs);
    here.record.signWith(logSeed);
    await expect(prove()).rejects.toMatchObject({ code: "directory_unproven" });
    here.record.signWith(undefined);
    await serveChange(here, index, first);
    here.record.signWith(logSeed);
    await pass(here, hourMs);
    await prove();
    expect(here.alarms).toEqual(["directory_changed"]);
    expect(await here.log.knownSize(host)).toBe(here.record.size());
  });

  it("[E-53] a head that is dated ahead is waited out: this clock or the log's is wrong, and nobody is accused", async () => {
    const here = await setting();
    const ann = await createPerson("ann");
    here.record.setTime(here.server.clock.now() + 10 * 60_000);
    await here.record.publish(ann.changes);
    const ahead = await evidence(here, ann);
    expect(await here.log.proveAccount(ahead).catch((error: unknown) => error)).toMatchObject({ code: "clock_skew", canRetry: true });
    expect(here.alarms).toEqual([]);
    here.server.clock.advance(6 * 60_000);
    expect(await codeOf(here.log.proveAccount(ahead))).toBe("resolved");
  });
});
