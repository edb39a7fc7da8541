import { decodeContent } from "@latchkey/protocol";
import { createFakeClock } from "@latchkey/testkit";
import { describe, expect, test, vi } from "vitest";
import type { ConversationState, Input } from "../core/types.ts";
import type { ConversationRunner } from "../engine/conversation-runner.ts";
import type { World } from "../engine/world.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import { ClientError } from "../errors.ts";
import { Telling } from "./telling.ts";

let sealed = 0;
let isKnown = true;
vi.mock("./own-token.ts", () => ({
  OwnTokens: class {
    async requireService(address: string) {
      if (!address.startsWith("https://push.example/")) throw new ClientError("not_permitted", "another push service");
    }
    async seal() {
      if (!isKnown) throw new Error("offline");
      sealed++;
      return { token: new Uint8Array([sealed % 256]), notAfterMs: clock.now() + 604_800_000 };
    }
  },
}));

const endpoint = "https://push.example/a";
const day = 86_400_000;
let clock = createFakeClock();
const settled = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 5));

/** Conversations of these sizes as the telling of tokens sees them. */
function scene(...sizes: number[]) {
  clock = createFakeClock();
  isKnown = true;
  const store = createMemoryStore();
  const said: { readonly id: string; readonly token: number | undefined }[] = [];
  const standing = { now: "accepted" };
  const conversations = new Map(
    sizes.map((size, number) => {
      const id = `of-${String(size)}-${String(number)}`;
      const leaves = Array.from({ length: size }, (_, at): [number, object] => [at, { deviceId: new Uint8Array(16).fill(at % 256) }]);
      const state = {
        id,
        logId: new Uint8Array(32),
        kind: size === 2 ? "direct" : "group",
        peer: size === 2 ? new Uint8Array(32) : undefined,
        phase: { kind: "active" },
        link: { kind: "following", readUpTo: 0 },
        chain: { seq: 0 },
        memberCount: size,
        updatedAtMs: clock.now(),
        roster: { leaves: new Map(leaves) },
        leavers: [],
        departed: [],
        unverified: [],
        recovered: [],
      };
      const runner = {
        id,
        state,
        load: () => Promise.resolve(),
        async input(input: Extract<Input, { kind: "compose" }>) {
          const content = decodeContent(input.content);
          if (content.kind !== "profile" || input.purpose !== "receipt") throw new Error(content.kind);
          said.push({ id, token: content.wakeToken?.[0] });
        },
      };
      return [id, runner];
    }),
  );
  const world = {
    store,
    standings: { of: () => standing.now },
    ownThings: { fact: () => undefined },
    platform: {
      nowMs: clock.now,
      setTimer: clock.schedule,
      random: (length: number) => new Uint8Array(length).fill(128),
      sha256: (bytes: Uint8Array) => new Uint8Array(32).fill(bytes.length % 256),
    },
  };
  const access = {
    runner: (id: string) => conversations.get(id) as unknown as ConversationRunner | undefined,
    runners: () => [...conversations.values()] as unknown as ConversationRunner[],
  };
  const open = async (): Promise<Telling> => {
    const telling = new Telling(world as unknown as World, access);
    await telling.start();
    return telling;
  };
  const pass = async (ms: number): Promise<void> => {
    for (let step = 0; step < 20; step++) {
      clock.advance(ms / 20);
      await settled();
    }
  };
  const stateOf = (id: string): ConversationState => conversations.get(id)?.state as unknown as ConversationState;
  return { open, pass, said, stateOf, standing, conversations };
}

describe("[W-1] telling this device's tokens", () => {
  test("each conversation is told another one, one after the other, and after a restart none again", async () => {
    const { open, pass, said } = scene(2, 3);
    const telling = await open();
    await telling.set(endpoint);
    expect(said).toEqual([]);
    await pass(10_000);
    expect(said.map(({ id }) => id)).toEqual(["of-2-0", "of-3-1"]);
    expect(new Set(said.map(({ token }) => token)).size).toBe(2);
    telling.close();
    expect((await open()).endpoint).toBe(endpoint);
    await pass(10_000);
    expect(said).toHaveLength(2);
  });

  test("it is told anew when half of its time is over, and taken back once when it is wanted no more", async () => {
    const { open, pass, said, stateOf } = scene(2);
    const telling = await open();
    await telling.set(endpoint);
    await pass(10_000);
    clock.advance(4 * day);
    telling.tend(stateOf("of-2-0").id);
    await pass(10_000);
    expect(said).toHaveLength(2);
    await telling.set(undefined);
    await pass(10_000);
    telling.tend("of-2-0");
    await pass(10_000);
    expect(said.map(({ token }) => token === undefined)).toEqual([false, false, true]);
    expect(telling.endpoint).toBeUndefined();
  });

  test("in a large group it goes with a text, once; a text that is not sent after all told nothing", async () => {
    const { open, pass, said, stateOf } = scene(101);
    const telling = await open();
    await telling.set(endpoint);
    await pass(10_000);
    const state = stateOf("of-101-0");
    expect(said).toEqual([]);
    expect(telling.ready(state)).toHaveLength(1);
    telling.said(state);
    expect(telling.ready(state)).toBeUndefined();
    telling.unsaid(state.id);
    telling.tend(state.id);
    await pass(10_000);
    expect(telling.ready(state)).toHaveLength(1);
  });

  test("nothing is told to somebody who is not accepted, nor while the host's keys are not to be had", async () => {
    const { open, pass, said, standing } = scene(2);
    const telling = await open();
    standing.now = "stranger";
    await telling.set(endpoint);
    await pass(10_000);
    expect(said).toEqual([]);
    standing.now = "accepted";
    isKnown = false;
    telling.tend("of-2-0");
    await pass(10_000);
    expect(said).toEqual([]);
    isKnown = true;
    await pass(70_000);
    expect(said).toHaveLength(1);
  });

  test("an address that no push service has, or none to which the host speaks, is refused", async () => {
    const { open } = scene(2);
    const telling = await open();
    for (const address of ["http://push.example/a", "push.example", `https://push.example/${"a".repeat(1000)}`])
      await expect(telling.set(address)).rejects.toMatchObject({ code: "invalid_setting" });
    await expect(telling.set("https://elsewhere.example/a")).rejects.toMatchObject({ code: "not_permitted" });
    expect(telling.endpoint).toBeUndefined();
  });
});
