import type { ConversationRunner } from "../engine/conversation-runner.ts";

/** What pictures need of the engine. */
export interface PicturesAccess {
  runner(id: string): ConversationRunner | undefined;
  runners(): readonly ConversationRunner[];
}
