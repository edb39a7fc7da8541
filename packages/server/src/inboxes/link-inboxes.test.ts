import { maxKnockBytes, maxKnocks } from "@latchkey/protocol";
import type { PostReply } from "@latchkey/protocol";
import { describe, expect, test } from "vitest";
import { defaultLimits } from "../config.ts";
import type { ServerContext, ServerOptions } from "../config.ts";
import { dayMs } from "../days.ts";
import { sha256 } from "../hash.ts";
import { createCounters } from "../metrics.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import { none, random, readMetrics, runServer, temporaryDirectory } from "../testing/fixtures.ts";
import { TestClient } from "../testing/test-client.ts";
import { LinkInboxes } from "./link-inboxes.ts";

const openStoreIn = (directory: string): ReturnType<typeof openSqliteStore> => openSqliteStore({ directory });

describe("[I-5] link inboxes", () => {
  // oxlint-disable-next-line typescript/explicit-function-return-type -- a bundle of this file's own
  async function withLink(options: Partial<ServerOptions> = {}) {
    const server = await runServer(options);
    const notAfterMs = Date.now() + 7 * dayMs;
    const post = await TestClient.connect(server.url, "post");
    const [linkId, readKey, key] = [random(32), random(32), random(1216)];
    const open = { kind: "open_link_inbox", linkId, readHash: sha256(readKey), key, notAfterMs, token: none } as const;
    expect(await post.outcome(open)).toBe("done");
    const knock = (blob = random(100)): Promise<string> => post.outcome({ kind: "knock", linkId, blob, token: none });
    const read = (afterSeq = 0): Promise<PostReply> => post.ask({ kind: "read_knocks", linkId, readKey, afterSeq });
    return { server, post, linkId, readKey, key, open, knock, read };
  }

  test("whoever has the id gets the key and knocks; whoever has the read key reads, clears and closes", async () => {
    const { post, linkId, readKey, key, knock, read } = await withLink();
    expect(await post.ask({ kind: "take_link_key", linkId })).toEqual({ kind: "link_key", key });
    const blobs = [random(200), random(maxKnockBytes)];
    // The same bytes again are a retry.
    for (const blob of [...blobs, ...blobs]) expect(await knock(blob)).toBe("done");
    const waiting = blobs.map((blob, at) => ({ seq: at + 1, blob }));
    expect(await read()).toEqual({ kind: "knocks", knocks: waiting, isMore: false });
    expect(await post.outcome({ kind: "erase_knocks", linkId, readKey, seqs: [1, 77] })).toBe("done");
    expect(await read()).toEqual({ kind: "knocks", knocks: waiting.slice(1), isMore: false });
    expect(await read(2)).toEqual({ kind: "knocks", knocks: [], isMore: false });
    expect(await post.outcome({ kind: "close_link_inbox", linkId, readKey })).toBe("done");
    expect([await knock(), await post.outcome({ kind: "take_link_key", linkId })]).toEqual(["not_found", "not_found"]);
  });

  test("[E-111] without the read key nothing is read, cleared or closed; an inbox that is there is no other's", async () => {
    const { post, linkId, knock, open, read } = await withLink();
    await knock();
    const readKey = random(32);
    for (const request of [
      { kind: "read_knocks", linkId, readKey, afterSeq: 0 },
      { kind: "erase_knocks", linkId, readKey, seqs: [1] },
      { kind: "close_link_inbox", linkId, readKey },
    ] as const)
      expect(await post.outcome(request)).toBe("wrong_access_key");
    expect(await post.outcome(open)).toBe("done");
    expect(await post.outcome({ ...open, readHash: sha256(readKey) })).toBe("log_exists");
    expect(await post.outcome({ ...open, key: random(1216) })).toBe("log_exists");
    expect(await read()).toMatchObject({ kind: "knocks", knocks: [{ seq: 1 }] });
  });

  test("[E-111] 256 knocks wait at most; what was cleared makes room, and a page of them fits its frame", async () => {
    const target = { burst: 1000, perSecond: 1 };
    const limits = { targets: { ...defaultLimits.targets, strangerPost: target } };
    const { post, linkId, readKey, knock, read } = await withLink({ limits });
    const flood = await Promise.all(Array.from({ length: maxKnocks + 10 }, () => knock(random(maxKnockBytes))));
    expect(flood.filter((outcome) => outcome === "done")).toHaveLength(maxKnocks);
    expect(new Set(flood)).toEqual(new Set(["done", "inbox_full"]));
    let [afterSeq, pages, isMore] = [0, 0, true];
    for (; isMore; pages++) {
      const page = await read(afterSeq);
      if (page.kind !== "knocks") throw new Error("no page");
      afterSeq = page.knocks.at(-1)?.seq ?? Number.NaN;
      isMore = page.isMore;
    }
    expect([afterSeq, pages]).toEqual([maxKnocks, 5]);
    const seqs = Array.from({ length: maxKnocks }, (_, at) => at + 1);
    expect(await post.outcome({ kind: "erase_knocks", linkId, readKey, seqs })).toBe("done");
    expect([await knock(), await read()]).toMatchObject(["done", { knocks: [{ seq: maxKnocks + 1 }] }]);
  });

  test("[E-111] a link that nobody has finds nothing, and one address opens and knocks no faster than its rates", async () => {
    const rates = { ...defaultLimits.rates, createLog: { burst: 2, perSecond: 0.001 }, strangerPost: { burst: 2, perSecond: 0.001 } };
    const { post, open, knock } = await withLink({ limits: { rates } });
    const another = (): Promise<string> => post.outcome({ ...open, linkId: random(32) });
    expect([await another(), await another()]).toEqual(["done", "rate_limited"]);
    expect(await post.outcome({ kind: "knock", linkId: random(32), blob: random(100), token: none })).toBe("not_found");
    expect([await knock(), await knock()]).toEqual(["done", "rate_limited"]);
  });

  test("there are so many at once in all; each is there until its day is over, 30 days at most, and goes then with what waits", async () => {
    const { server, post, open, knock } = await withLink({ limits: { maxLinkInboxes: 1 } });
    expect(await post.outcome({ ...open, linkId: random(32) })).toBe("storage_full");
    expect(await post.outcome({ ...open, linkId: random(32), notAfterMs: Date.now() - 2 * dayMs })).toBe("clock_off");
    expect(await knock()).toBe("done");
    expect(await readMetrics(server)).toMatch(/latchkey_link_inboxes_opened_total 1\n[^]*latchkey_knocks_stored_total 1\n/u);
    const clock = { ms: Date.now() };
    const store = await openStoreIn(temporaryDirectory());
    // Only what these methods ask of a server's context.
    const context = { nowMs: () => clock.ms, limits: defaultLimits } as ServerContext;
    const links = new LinkInboxes({ store, context, counters: createCounters() });
    await links.open({ ...open, notAfterMs: clock.ms + 300 * dayMs, spent: undefined });
    await links.knock({ linkId: open.linkId, blob: random(50), spent: undefined });
    clock.ms += 31 * dayMs;
    expect([await links.purge(), await links.key(open.linkId)]).toEqual([0, open.key]);
    clock.ms += dayMs;
    await expect(links.key(open.linkId)).rejects.toThrow("not_found");
    expect([await links.purge(), await links.purge()]).toEqual([1, 0]);
    expect(await store.readKnocks({ linkId: open.linkId, afterSeq: 0, maxItems: 10 })).toEqual({ knocks: [], isMore: false });
    await store.close();
  });
});
