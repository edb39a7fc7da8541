import { toBase64Url } from "@latchkey/codec";
import { expect, test } from "vitest";
import type { Person } from "../api.ts";
import type { ConversationState } from "../core/types.ts";
import { Receipts } from "../receipts/receipts.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import { loadLines } from "../timeline/history.ts";
import { ada, ben, conversationId, said, takeAll } from "../timeline/saying.testing.ts";
import { messageOfLine } from "./shown-message.ts";
import type { MessageWorld } from "./shown-message.ts";

test.each([
  ["direct", [[], ["ben"]]],
  ["group", [[], []]],
] as const)("[X-12] what is said after the other one had left says of two that it does not reach them: %s", async (kind, expected) => {
  const store = createMemoryStore();
  await takeAll(store, [said(1, ada, { kind: "text", text: "before" }), said(3, ada, { kind: "text", text: "after" })]);
  const receipts = new Receipts();
  await store.transact("write", (tx) =>
    receipts.follow(tx, conversationId, { author: ben, order: 2, body: { kind: "left" } }, [toBase64Url(ben)]),
  );
  const people = {
    self: { accountId: ada, account: toBase64Url(ada) },
    person: (accountId: Uint8Array) => ({ username: accountId === ben ? "ben" : "ada", isSelf: accountId !== ben }) as Person,
    vouches: () => false,
    departed: () => false,
  };
  // Of both this looks at no more than what is here.
  const world = { people, receipts } as unknown as MessageWorld;
  const state = { id: conversationId, kind, peer: ben, outgoing: [], unverified: [], away: [] } as unknown as ConversationState;
  const lines = await store.transact("read", (tx) => loadLines(tx, conversationId, { limit: 9 }));
  const without = lines.map((line) => {
    const { delivery } = messageOfLine(world, state, line);
    return delivery?.kind === "accepted" ? (delivery.withoutReader ?? []).map(({ username }) => username) : undefined;
  });
  expect(without).toEqual(expected);
});
