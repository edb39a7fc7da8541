import type { Client } from "@latchkey/client";
import { textOf } from "../state/acting.ts";

/** What this device has of messages that are named without their conversation: their texts, in that order; those that are not here are left out. */
export async function ownCopies(client: Pick<Client, "conversations" | "messageInfo">, ids: readonly string[]): Promise<readonly string[]> {
  const conversations = await client.conversations();
  const texts: string[] = [];
  for (const id of ids) {
    for (const conversation of conversations) {
      const info = await client.messageInfo(conversation.id, id).catch(() => undefined);
      if (info === undefined) continue;
      texts.push(textOf(info.message));
      break;
    }
  }
  return texts;
}
