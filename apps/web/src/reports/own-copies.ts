import type { Client, Message } from "@latchkey/client";
import { textOf } from "../state/acting.ts";

type Looked = Pick<Client, "conversations" | "messageInfo">;

/** A message that is named without its conversation, where this device has it. */
export async function findMessage(client: Looked, id: string): Promise<Message | undefined> {
  for (const conversation of await client.conversations()) {
    const info = await client.messageInfo(conversation.id, id).catch(() => undefined);
    if (info !== undefined) return info.message;
  }
  return undefined;
}

/** What this device has of messages that are named so: their texts, in that order; those that are not here are left out. */
export async function ownCopies(client: Looked, ids: readonly string[]): Promise<readonly string[]> {
  const texts: string[] = [];
  for (const id of ids) {
    const message = await findMessage(client, id);
    if (message !== undefined) texts.push(textOf(message));
  }
  return texts;
}
