import { createTextContent } from "@latchkey/protocol";
import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, test } from "vitest";
import type { ConversationState, Input, Outgoing } from "../core/types.ts";
import { OwnThings } from "../own/own-things.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import { DirectConversations, supersede } from "./direct-conversations.ts";
import type { Twin } from "./direct-conversations.ts";
import type { ConversationRunner } from "./conversation-runner.ts";
import { contentIdIn } from "./message-ids.ts";
import type { World } from "./world.ts";

function twin(id: string, outgoing: readonly Partial<Outgoing>[]): Twin & { readonly inputs: Input[] } {
  const inputs: Input[] = [];
  // Of the state no more is read.
  const state = {
    host: "chat.example",
    logId: new Uint8Array(32),
    groupId: new Uint8Array(32),
    recovered: [{ accountId: new Uint8Array(32).fill(7), order: 5 }],
    outgoing,
  } as unknown as ConversationState;
  return {
    id,
    state,
    inputs,
    input: async (input) => {
      inputs.push(input);
    },
    showLastText: async () => undefined,
    emitConversation: () => undefined,
  };
}

describe("of two conversations with the same people", () => {
  test("[L-12] what is not sealed goes to the one that counts, with what it waits for; what is sealed stays where it is on its way", async () => {
    const content = createTextContent({ text: "x", salt: new Uint8Array(16), sentAtMs: 1 });
    const text = { purpose: "text", content, sealed: undefined, failure: undefined } as const;
    const loser = twin("b", [
      { ...text, id: "1", text: "plain" },
      { ...text, id: "2", text: "was it taken?", failure: "conversation_unavailable" },
      // Its bytes are not looked at.
      { ...text, id: "3", text: "on its way", sealed: {} as NonNullable<Outgoing["sealed"]> },
      { ...text, id: "4", purpose: "profile", text: "Ada" },
    ]);
    const winner = twin("a", []);
    const own = { host: "chat.example", accountId: new Uint8Array(32) };
    const ownThings = new OwnThings({ store: createMemoryStore(), platform: { random: () => new Uint8Array(16) } });
    const world = { platform: { sha256 }, own, ownThings } as unknown as World;
    await supersede(world, loser, winner);
    const id = contentIdIn(world, winner.state, content);
    expect(winner.inputs).toEqual([
      { kind: "accounts", recovered: [new Uint8Array(32).fill(7)] },
      { kind: "compose", id, purpose: "text", text: "plain", content, failure: undefined },
      { kind: "compose", id, purpose: "text", text: "was it taken?", content, failure: "conversation_unavailable" },
    ]);
    expect(loser.inputs).toEqual([{ kind: "supersede", by: "a" }]);
  });

  test("[L-12] the machine stopped in between: after the start one counts, the lower log id, whatever the server says of them meanwhile", async () => {
    const direct = (first: number, stall?: "unknown_log"): ReturnType<typeof twin> => {
      const made = twin(String(first), []);
      const logId = new Uint8Array(32).fill(first);
      const peer = new Uint8Array(32).fill(9);
      Object.assign(made, { load: async () => undefined });
      Object.assign(made.state, { kind: "direct", peer, logId, recovered: [], draft: "", phase: { kind: "active" }, link: { stall } });
      Object.assign(made.state, { stranded: undefined, unverified: [], departed: [], changes: [], staged: undefined, roster: undefined });
      return made;
    };
    const resumed = async (...twins: ReturnType<typeof twin>[]): Promise<readonly string[][]> => {
      const ownThings = new OwnThings({ store: createMemoryStore(), platform: { random: () => new Uint8Array(16) } });
      const world = { own: { accountId: new Uint8Array(32) }, ownThings, people: { onRenamed: () => () => undefined } } as unknown as World;
      await new DirectConversations(world, () => twins as unknown as ConversationRunner[]).resume();
      // These stay as they are, so that it is told anew for each.
      return twins.map(({ inputs }) => [...new Set(inputs.map(({ kind }) => kind))]);
    };
    expect(await resumed(direct(5), direct(3))).toEqual([["supersede"], []]);
    expect(await resumed(direct(5), direct(3, "unknown_log"))).toEqual([["supersede"], []]);
    expect(await resumed(direct(5))).toEqual([[]]);
  });
});
