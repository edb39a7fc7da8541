import { toBase64Url } from "@latchkey/codec";
import { expect, test } from "vitest";
import type { ConversationRunner } from "../engine/conversation-runner.ts";
import type { World } from "../engine/world.ts";
import type { Input } from "../core/types.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import { Drafts } from "./drafts-in-step.ts";
import { noDraftMark, noLog } from "./facts.ts";
import type { OwnFact } from "./facts.ts";
import { nothingSet } from "./own-state.ts";

test("[X-18] what the person writes in the moment in which another device's draft comes stays, and that one is offered beside it", async () => {
  const logId = new Uint8Array(32).fill(3);
  const state = { logId, kind: "direct", draft: "" };
  const runner = {
    id: toBase64Url(logId),
    state,
    // What was written before the input had its turn.
    input({ text, insteadOf }: Extract<Input, { kind: "draft" }>) {
      state.draft = "written here";
      if (insteadOf === undefined || insteadOf === state.draft) state.draft = text;
      return Promise.resolve();
    },
  };
  const store = createMemoryStore();
  const platform = { sha256: () => new Uint8Array(32) };
  const world = { store, platform, ownThings: { state: nothingSet } } as unknown as World;
  const drafts = new Drafts(world, { runners: () => [runner as unknown as ConversationRunner] });
  const fact = { kind: "draft" as const, logId, text: "written there", over: noDraftMark };
  await drafts.taking([{ place: { era: 1, log: noLog, order: 1 }, fact }], async (along) => {
    await store.transact("write", (tx) => Promise.resolve(along(tx)));
    return [];
  });
  expect([state.draft, drafts.other(runner.id)]).toEqual(["written here", "written there"]);
});

test("[X-18] a draft that another device told is not told as one's own by who looks for such in that moment", async () => {
  const logId = new Uint8Array(32).fill(3);
  const state = { logId, kind: "direct", draft: "" };
  const [isWritten, isKept] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const runner = {
    id: toBase64Url(logId),
    state,
    async input({ text }: Extract<Input, { kind: "draft" }>) {
      state.draft = text;
      isWritten.resolve();
      await isKept.promise;
    },
  };
  const store = createMemoryStore();
  const said: OwnFact[] = [];
  const ownThings = {
    state: nothingSet,
    fact: () => undefined,
    async say(facts: readonly OwnFact[]) {
      said.push(...facts);
      await Promise.resolve();
    },
  };
  const world = { store, platform: { sha256: () => new Uint8Array(32) }, ownThings } as unknown as World;
  const drafts = new Drafts(world, { runners: () => [runner as unknown as ConversationRunner] });
  const fact = { kind: "draft" as const, logId, text: "written there", over: noDraftMark };
  const taking = drafts.taking([{ place: { era: 1, log: noLog, order: 1 }, fact }], async (along) => {
    await store.transact("write", (tx) => Promise.resolve(along(tx)));
    return [];
  });
  await isWritten.promise;
  const looking = drafts.look();
  isKept.resolve();
  await Promise.all([taking, looking]);
  expect([state.draft, said]).toEqual(["written there", []]);
});

test("[X-18] a draft that was told before its conversation was here is taken over where that comes, and not told as one's own", async () => {
  const logId = new Uint8Array(32).fill(3);
  let state = { logId, kind: "direct", draft: "" };
  const runner = {
    id: toBase64Url(logId),
    get state() {
      return state;
    },
    async input({ text }: Extract<Input, { kind: "draft" }>) {
      await Promise.resolve();
      state = { ...state, draft: text };
    },
  };
  const said: OwnFact[] = [];
  const ownThings = {
    fact: () => ({ kind: "draft", logId, text: "written there", over: noDraftMark }),
    async say(facts: readonly OwnFact[]) {
      said.push(...facts);
      await Promise.resolve();
    },
  };
  const world = { store: createMemoryStore(), platform: { sha256: () => new Uint8Array(32) }, ownThings } as unknown as World;
  const drafts = new Drafts(world, { runners: () => [runner as unknown as ConversationRunner] });
  await drafts.look();
  expect([state.draft, said]).toEqual(["written there", []]);
});
