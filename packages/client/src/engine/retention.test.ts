import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, it } from "vitest";
import { Alarms } from "../directory/alarms.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import { noteRetention } from "./retention.ts";

const host = "chat.example";

describe("[E-13] how long the server promises to keep entries", () => {
  it("is told when it is less than before, once, with both; not when it is first heard, stays or grows", async () => {
    const store = createMemoryStore();
    const alarms = new Alarms({ store, platform: { nowMs: () => 1, sha256 }, emit: () => undefined });
    const hear = async (days: number): Promise<readonly string[]> => {
      await noteRetention({ store, alarms }, { host, days });
      return alarms.list().map(({ failure }) => `${failure.code}: ${failure.message}`);
    };
    for (const days of [30, 30, 60]) expect(await hear(days)).toEqual([]);
    const told = await hear(7);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(/^retention_shorter: .* 7 days; it was 60 until now/u);
    for (const days of [7, 60, 7]) expect(await hear(days)).toEqual(told);
    await noteRetention({ store, alarms }, { host: "other.example", days: 3 });
    expect(alarms.list()).toHaveLength(1);
  });
});
