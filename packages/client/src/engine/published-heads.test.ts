import { describe, expect, it } from "vitest";
import { createDirectory } from "../account/directory.ts";
import { createFakeDirectory } from "../account/fake-directory.testing.ts";
import type { ConversationState, Input } from "../core/types.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import { createConnections } from "../transport/connection-manager.ts";
import { createFakeServer } from "../transport/fake-server.testing.ts";
import { PublishedHeads } from "./published-heads.ts";
import type { Watched, World } from "./world.ts";

const hourMs = 3_600_000;
const logId = new Uint8Array(32).fill(9);

function setting(): {
  heads: PublishedHeads;
  told: Input[];
  runner: Watched;
  looks: () => number;
  doubt: () => void;
  jump: (ms: number) => void;
  answer: (proof: Uint8Array | undefined) => void;
  publish: (seq: number, head: Uint8Array) => Promise<Uint8Array>;
} {
  const server = createFakeServer("heads");
  const directory = createFakeDirectory(server);
  const store = createMemoryStore();
  const { platform } = server;
  const connections = createConnections({ platform, serverUrl: "https://chat.example" });
  const told: Input[] = [];
  let proof: Uint8Array | undefined;
  // Of the world and of a conversation this reads no more than what is here.
  const world = { store, platform, directory: createDirectory({ store, platform, connections }) } as unknown as World;
  const state = { host: "chat.example", logId, chain: { seq: 7, head: new Uint8Array(32) }, doubts: [], awaited: undefined };
  let looks = 0;
  const runner: Watched = {
    id: "c",
    state: state as unknown as ConversationState,
    load: async () => undefined,
    input: async (input) => void told.push(input),
    post: (input) => void told.push(input),
    publishedHead: async () => {
      looks++;
      return proof;
    },
  };
  return {
    heads: new PublishedHeads(world),
    told,
    runner,
    looks: () => looks,
    doubt: () => Object.assign(state, { doubts: [{ leafIndex: 1, accountId: logId, seq: 7, isNamed: false }] }),
    jump: (ms) => server.clock.advance(ms),
    answer: (next) => {
      proof = next;
    },
    async publish(seq, head) {
      const record = await directory.record;
      const size = await record.publish([], { heads: [{ logId, seq, head }] });
      return await record.headsProof(logId, size - 1);
    },
  };
}

describe("[L-11] published heads", () => {
  it("are shown to the conversation, once a day", async () => {
    const { heads, told, runner, jump, answer, publish } = setting();
    const head = new Uint8Array(32).fill(4);
    answer(await publish(7, head));
    await heads.ask(runner);
    expect(told).toEqual([{ kind: "published_head", published: { seq: 7, head } }]);
    await heads.check([runner]);
    jump(23 * hourMs);
    await heads.check([runner]);
    expect(told).toHaveLength(1);
    jump(2 * hourMs);
    await heads.check([runner]);
    expect(told).toHaveLength(2);
  });

  it("that stay away although the log was written to more than a day ago are missing, after three answers", async () => {
    const { heads, told, runner, jump, answer, publish } = setting();
    answer(new Uint8Array(0));
    await heads.ask(runner);
    jump(25 * hourMs);
    await heads.check([runner]);
    // A head of before is no head of what came since.
    answer(await publish(5, new Uint8Array(32)));
    const missing = (): number => told.filter((input) => input.kind === "published_head" && input.published === "missing").length;
    for (let asked = 0; asked < 2; asked++) {
      jump(25 * hourMs);
      await heads.check([runner]);
    }
    expect(missing()).toBe(0);
    jump(2 * hourMs);
    await heads.check([runner]);
    expect(missing()).toBe(1);
  });

  it("that reached the log's end are not missing later: the server keeps the newest of them only, and a silent log is in none", async () => {
    const { heads, told, runner, jump, answer, publish } = setting();
    answer(await publish(7, new Uint8Array(32)));
    await heads.ask(runner);
    answer(new Uint8Array(0));
    for (let asked = 0; asked < 6; asked++) {
      jump(25 * hourMs);
      await heads.check([runner]);
    }
    expect(told).toHaveLength(1);
    // What is written now is to be published again.
    Object.assign(runner.state.chain, { seq: 8 });
    for (let asked = 0; asked < 6; asked++) {
      jump(25 * hourMs);
      await heads.check([runner]);
    }
    expect(told.at(-1)).toEqual({ kind: "published_head", published: "missing" });
  });

  it("[E-33] one look at a time, however many ask for it, and a minute between those that somebody's word causes", async () => {
    const { heads, runner, looks, jump, answer, publish } = setting();
    answer(await publish(7, new Uint8Array(32)));
    expect(heads.delayMs(runner)).toBe(0);
    await Promise.all([heads.ask(runner), heads.ask(runner), heads.ask(runner)]);
    expect(looks()).toBe(1);
    expect(heads.delayMs(runner)).toBe(60_000);
    jump(45_000);
    expect(heads.delayMs(runner)).toBe(15_000);
  });

  it("[E-33] while somebody's word is open it is looked at every hour", async () => {
    const { heads, runner, looks, doubt, jump, answer } = setting();
    answer(new Uint8Array(0));
    await heads.check([runner]);
    jump(hourMs);
    await heads.check([runner]);
    expect(looks()).toBe(1);
    doubt();
    await heads.check([runner]);
    expect(looks()).toBe(2);
  });

  it("that cannot be asked for, or do not hold, say nothing of the log", async () => {
    const { heads, told, runner, answer } = setting();
    await heads.ask(runner);
    answer(new Uint8Array([1, 2, 3]));
    await heads.ask(runner);
    expect(told).toEqual([]);
  });
});
