import type { ConversationState } from "../core/types.ts";

/** What conversations tell the part that keeps and moves files, which is loaded where there are any. */
export interface FileNews {
  /** Blobs that a line named and names no more, by id. */
  gone(ids: readonly string[]): void;
  /** Other messages than before wait in a conversation. */
  waiting(state: Pick<ConversationState, "outgoing">): void;
  /** A host refuses an entry since it does not have a blob that it names. */
  missing(conversationId: string, entryId: Uint8Array): void;
}
