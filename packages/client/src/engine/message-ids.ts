import { toBase64Url } from "@latchkey/codec";
import { decodeContent } from "@latchkey/protocol";
import type { ConversationState } from "../core/types.ts";
import { contentIdOf } from "../core/view.ts";
import type { World } from "./world.ts";

/** The id that content of one's own has in a conversation, in base64url: the same on every device. */
export function contentIdIn({ platform, own }: Pick<World, "platform" | "own">, state: ConversationState, content: Uint8Array): string {
  const decoded = decodeContent(content);
  if (decoded.kind === "malformed") throw new Error("content of one's own is well-formed");
  return toBase64Url(contentIdOf(state, platform.sha256, { sender: own, content, salt: decoded.salt }));
}
