import { equalBytes, toBase64Url } from "@latchkey/codec";
import type { ConversationState, Effect } from "../core/types.ts";

/**
 * What is left of a step where the other person of a direct conversation is blocked (spec I-4): the log is followed, so that nothing
 * is missing afterwards and they learn nothing, and what they wrote is neither stored nor counted nor shown.
 */
export function withoutPeer(
  before: ConversationState,
  after: ConversationState,
  effects: readonly Effect[],
): { state: ConversationState; effects: readonly Effect[] } {
  const { peer } = before;
  if (peer === undefined) return { state: after, effects };
  const own = effects.filter((effect) => !isFrom(peer, effect));
  if (own.length === effects.length) return { state: after, effects };
  const { unread, updatedAtMs } = before;
  return { state: { ...after, unread, updatedAtMs }, effects: own };
}

function isFrom(peer: Uint8Array, effect: Effect): boolean {
  if (effect.kind === "named" || effect.kind === "pictured" || effect.kind === "append_secret") return equalBytes(effect.accountId, peer);
  if (effect.kind === "wake_token") return effect.device.account === toBase64Url(peer);
  if (effect.kind === "content") return equalBytes(effect.said.author, peer);
  if (effect.kind !== "line" || effect.line.author === undefined || !equalBytes(effect.line.author, peer)) return false;
  const { kind } = effect.line.body;
  return kind === "unsupported" || kind === "unreadable";
}
