import { describe, expect, it } from "vitest";
import type { ConversationState } from "../core/types.ts";
import { isStopped } from "./shown.ts";

/** Of a conversation this looks at no more than what is here. */
function stateWith(parts: { cannotRemove: boolean; departed: readonly object[] }): ConversationState {
  const { departed, cannotRemove } = parts;
  const link = { stall: undefined, cannotRemove };
  return { phase: { kind: "active" }, link, stranded: undefined, unverified: [], departed } as unknown as ConversationState;
}

describe("what stops a conversation", () => {
  it("[E-55] a device that cannot be removed does, so that the person may go on elsewhere; one that is being removed does not", () => {
    const departed = [{ leafIndex: 2 }];
    expect(isStopped(stateWith({ cannotRemove: false, departed }))).toBe(false);
    expect(isStopped(stateWith({ cannotRemove: true, departed }))).toBe(true);
    expect(isStopped(stateWith({ cannotRemove: true, departed: [] }))).toBe(false);
  });
});
