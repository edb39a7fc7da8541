import { describe, expect, test } from "vitest";
import { defaultLimits } from "../config.ts";
import type { ServerLimits } from "../config.ts";
import { sha256 } from "../hash.ts";
import type { RunningServer } from "../server.ts";
import { none, random, register, runServer, signCard, zeros } from "../testing/fixtures.ts";
import { readHoldings } from "../testing/fetch-holdings.ts";
import { TestClient } from "../testing/test-client.ts";

describe("[I-1] append capabilities", () => {
  const rates = { ...defaultLimits.rates, strangerPost: { burst: 4, perSecond: 0 } };
  const generation = Date.now();

  async function withCapability(limits: Partial<ServerLimits>): Promise<{
    server: RunningServer;
    client: TestClient<"device">;
    send: (capability: Uint8Array, blob?: Uint8Array) => Promise<string>;
    capability: Uint8Array;
  }> {
    const server = await runServer({ limits });
    const { account, client } = await register(server, "alice");
    const inboxId = random(32);
    const capability = random(32);
    expect(await client.outcome({ kind: "set_inbox_capability", generation, hash: sha256(capability) })).toBe("not_found");
    await client.outcome({ kind: "card", card: await signCard(account.device, inboxId) });
    expect(await client.ask({ kind: "set_inbox_capability", generation, hash: sha256(capability) })).toEqual({
      kind: "inbox_capability",
      generation,
    });
    const post = await TestClient.connect(server.url, "post");
    const send = (shown: Uint8Array, blob = random(100)): Promise<string> =>
      post.outcome({ kind: "post", inboxId, capability: shown, blob, token: none });
    return { server, client, send, capability };
  }

  test("[E-47] who fills the strangers' part keeps no contact out, and gets in with no wrong capability", async () => {
    const { client, send, capability } = await withCapability({ maxStrangerItems: 3, maxStrangerBytes: 250, maxInboxItems: 2 });
    expect([await send(zeros), await send(random(32))]).toEqual(["done", "done"]);
    expect([await send(zeros), await send(random(32))]).toEqual(["inbox_full", "inbox_full"]);
    const blob = random(5000);
    expect(await send(capability, blob)).toBe("done");
    // A retry stores nothing twice, whatever it shows.
    expect([await send(capability, blob), await send(zeros, blob)]).toEqual(["done", "done"]);
    expect([await send(capability), await send(capability)]).toEqual(["done", "inbox_full"]);
    // Whose room an item took is all that the device hears of it.
    expect(await client.outcome({ kind: "read_inbox", afterSeq: 0 })).toBe("done");
    const items = await client.take(4);
    expect(items).toMatchObject(["strangers", "strangers", "contacts", "contacts"].map((part) => ({ kind: "item", part })));
    expect([...new Set(items.flatMap((item) => Object.keys(item)))].toSorted()).toEqual(["blob", "day", "kind", "part", "seq"]);
    expect(await client.outcome({ kind: "erase_inbox", uptoSeq: 1 })).toBe("done");
    expect([await send(capability), await send(zeros)]).toEqual(["inbox_full", "done"]);
  });

  test("[E-47] a new one takes the place of the old, which is a stranger's from then on; a late word of an old one changes nothing", async () => {
    const { client, send, capability } = await withCapability({ maxStrangerItems: 0 });
    const next = random(32);
    const set = (at: number, shown: Uint8Array): Promise<unknown> =>
      client.ask({ kind: "set_inbox_capability", generation: at, hash: sha256(shown) });
    expect(await send(capability)).toBe("done");
    expect(await set(generation + 1, next)).toEqual({ kind: "inbox_capability", generation: generation + 1 });
    expect(await set(generation, capability)).toEqual({ kind: "inbox_capability", generation: generation + 1 });
    expect([await send(capability), await send(next)]).toEqual(["inbox_full", "done"]);
    // A device whose clock is wrong is not kept out by that for longer than a day.
    const ahead = await set(Number.MAX_SAFE_INTEGER, capability);
    expect(ahead).toMatchObject({ kind: "inbox_capability" });
    const { generation: counted } = ahead as { generation: number };
    expect(counted).toBeGreaterThan(generation);
    expect(counted).toBeLessThanOrEqual(Date.now() + 86_400_000);
  });

  test("[E-47] strangers have a rate of their own, also those who show a wrong capability", async () => {
    const { send, capability } = await withCapability({ rates });
    expect([await send(zeros), await send(random(32)), await send(zeros), await send(random(32))]).toEqual([
      "done",
      "done",
      "done",
      "done",
    ]);
    expect([await send(zeros), await send(random(32))]).toEqual(["rate_limited", "rate_limited"]);
    expect(await send(capability)).toBe("done");
  });

  test("what lies in an inbox is bounded by its bytes too, contacts' and strangers' each for itself", async () => {
    const { send, capability } = await withCapability({ maxInboxBytes: 1000, maxStrangerBytes: 500 });
    const outcomes = [];
    for (const shown of [capability, capability, capability, zeros, zeros]) outcomes.push(await send(shown, random(400)));
    expect(outcomes).toEqual(["done", "done", "inbox_full", "done", "inbox_full"]);
  });

  test("the package that shows what the server holds has the hash, never the capability", async () => {
    const { server, client, send, capability } = await withCapability({});
    await send(capability);
    await send(zeros);
    const text = await readHoldings(server.url, client);
    const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");
    expect(JSON.parse(text)).toMatchObject({
      devices: [
        {
          inbox_capability: { generation, sha256: base64(sha256(capability)) },
          inbox_items: [{ part: "contacts" }, { part: "strangers" }],
        },
      ],
    });
    expect(text).not.toContain(base64(capability));
  });
});
