import type { Client, Conversation, Message } from "@latchkey/client";
import { CommandError } from "./errors.ts";

/** How long a command waits for the server before it gives up, in milliseconds. */
export const waitMs = 30_000;

/** The conversation with this id. @throws CommandError `unknown_conversation`. */
export async function findConversation(client: Client, id: string): Promise<Conversation> {
  const found = (await client.conversations()).find((conversation) => conversation.id === id);
  if (found === undefined) throw new CommandError("unknown_conversation", `there is no conversation ${id}: see "latchkey conversations"`);
  return found;
}

/** A conversation by its id, or the direct one with the person of that address, started if there is none. */
export async function conversationOf(client: Client, to: string): Promise<Conversation> {
  const existing = (await client.conversations()).find((conversation) => conversation.id === to);
  return existing ?? (await client.startConversation({ to: [to] }));
}

/** Waits until a message is accepted or failed, or the time is over. Resolves to the message as it is then. */
export async function untilDelivered(client: Client, message: Message, timeoutMs: number): Promise<Message> {
  const { promise, resolve } = Promise.withResolvers<Message>();
  let latest = message;
  const notice = (candidate: Message): void => {
    if (candidate.id !== message.id) return;
    latest = candidate;
    if (candidate.delivery?.kind !== "pending") resolve(candidate);
  };
  const stop = client.subscribe((event) => {
    if (event.kind === "message") notice(event.message);
  });
  const timer = setTimeout(() => {
    resolve(latest);
  }, timeoutMs);
  // It may have been accepted between being sent and being listened for.
  for (const stored of await client.messages(message.conversationId, { limit: 50 })) notice(stored);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    stop();
  }
}
