import { isWritable } from "../core/phase.ts";
import { pauseCode, pauseSentences } from "../core/turn.ts";
import type { ConversationState } from "../core/types.ts";
import { ClientError } from "../errors.ts";
import type { People } from "./people.ts";
import { sentenceOf } from "./sentences.ts";

/** @throws ClientError that says why nothing can be sent here */
export function requireWritable(state: ConversationState): void {
  if (isWritable(state)) return;
  if (state.phase.kind === "superseded" || state.phase.kind === "continued") {
    throw new ClientError(
      "not_permitted",
      "This was said in the conversation before this one: it can be read, and nothing is done to it any more.",
    );
  }
  if (state.phase.kind === "paused") {
    throw new ClientError(pauseCode(state.phase.reason), pauseSentences[state.phase.reason]);
  }
  throw new ClientError("not_a_member", sentenceOf("not_a_member"));
}

/** @throws ClientError `blocked` where the person blocked one of these accounts */
export function requireUnblocked(people: Pick<People, "isBlocked">, accountIds: readonly Uint8Array[]): void {
  if (accountIds.some((accountId) => people.isBlocked(accountId))) {
    throw new ClientError("blocked", "You blocked this person. Unblock them first.");
  }
}
