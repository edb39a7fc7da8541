import { describe, expect, it } from "vitest";
import type { ConversationState, Input } from "../core/types.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import { RestoredServers } from "./restored-servers.ts";
import type { Watched, World } from "./world.ts";

const host = "chat.example";
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** A profile with a conversation here and one elsewhere, to which the log's statements are these numbers: when it was restored. */
function setting() {
  const store = createMemoryStore();
  const clock = { nowMs: 100 * dayMs };
  const told: string[] = [];
  let opened = 0;
  const log = {
    openRestored: async (of: string, note: Uint8Array) => {
      opened += 1;
      const [days = 0, isSigned = 0] = note;
      if (isSigned === 0 || of !== host) return undefined;
      return { origin: "", size: 1, copiedMs: days * dayMs - hourMs, restoredMs: days * dayMs, isRecordWhole: true };
    },
  };
  const world = { store, platform: { nowMs: () => clock.nowMs }, directory: { log } } as unknown as World;
  const conversations = [host, "other.example"].map((at): Watched => {
    const note = async (input: Input): Promise<void> =>
      void told.push(`${at} ${input.kind === "server_restored" ? String((input.copiedMs + hourMs) / dayMs) : input.kind}`);
    const state = { host: at } as unknown as ConversationState;
    return {
      id: at,
      state,
      load: async () => undefined,
      input: note,
      post: (input) => void note(input),
      publishedHead: async () => undefined,
    };
  });
  let servers = new RestoredServers(world);
  return {
    clock,
    told,
    opened: () => opened,
    restart: () => (servers = new RestoredServers(world)),
    hear: (days: number, isSigned = 1, of = host) => servers.hear(of, Uint8Array.of(days, isSigned), () => conversations),
    silence: () => servers.hear(host, new Uint8Array(), () => conversations),
  };
}

describe("[E-82] the statement of a restore", () => {
  it("is acted on once, in the conversations of that host, whatever is said again and by whatever connection", async () => {
    const { told, hear, opened, restart, silence } = setting();
    await silence();
    for (let connection = 0; connection < 1000; connection++) await hear(99);
    expect(opened()).toBe(1);
    restart();
    await hear(99);
    await hear(98);
    expect(told).toEqual(["chat.example 99"]);
  });

  it("that the log did not sign, of another host, from long ago or from the future is nothing", async () => {
    const { told, hear, clock } = setting();
    await hear(99, 0);
    await hear(99, 1, "other.example");
    await hear(60);
    await hear(101);
    expect(told).toEqual([]);
    // When its time has come it counts.
    clock.nowMs += dayMs;
    await hear(101);
    expect(told).toEqual(["chat.example 101"]);
  });

  it("counts once a day at most, however many restores a server claims", async () => {
    const { told, hear, clock } = setting();
    for (let days = 71; days < 100; days++) await hear(days);
    expect(told).toEqual(["chat.example 71"]);
    clock.nowMs += dayMs;
    for (let days = 72; days < 100; days++) await hear(days);
    expect(told).toEqual(["chat.example 71", "chat.example 72"]);
  });
});
