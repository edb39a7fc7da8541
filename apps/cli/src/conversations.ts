import type { Client, ClientFailure, Conversation, Message, Person } from "@latchkey/client";
import { CommandError } from "./errors.ts";
import { printableLine } from "./output.ts";
import type { Output } from "./output.ts";

/** How long a command waits for the server before it gives up, in milliseconds. */
export const waitMs = 30_000;

/** Why the server is not reached is found out with the second try, a moment after the first; so long it is waited for. */
const causeWaitMs = 3000;

/** Waits until everything that is waiting was read and sent, or, at once, fails when the server is not reached, with the cause where it is known. */
export async function catchUp(client: Client): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  let timer: NodeJS.Timeout | undefined;
  const stop = client.subscribe((event) => {
    if (event.kind !== "connection" || event.connection.kind !== "offline") return;
    const { cause } = event.connection;
    if (cause !== undefined) reject(new CommandError(cause.code, cause.message));
    timer ??= setTimeout(() => {
      reject(new CommandError("offline", "the server cannot be reached now"));
    }, causeWaitMs);
  });
  try {
    await Promise.race([client.settle({ timeoutMs: waitMs }), promise]);
  } finally {
    clearTimeout(timer);
    stop();
  }
}

/** Why the server is not reached now, where that is known and is not the network. */
export async function causeOfOffline(client: Client): Promise<ClientFailure | undefined> {
  const connection = await client.connection();
  return connection.kind === "offline" ? connection.cause : undefined;
}

/** The conversation with this id. @throws CommandError `unknown_conversation`. */
export async function findConversation(client: Client, id: string): Promise<Conversation> {
  const found = (await client.conversations()).find((conversation) => conversation.id === id);
  if (found === undefined) throw new CommandError("unknown_conversation", `there is no conversation ${id}: see "latchkey conversations"`);
  return found;
}

/** Whether somebody typed this person's address: `ada`, `@Ada` or `ada@chat.example`. */
export function isNamed({ address, username, host }: Person, typed: string): boolean {
  return [address, `${username}@${host}`].includes(typed.trim().toLowerCase().replace(/^@/, ""));
}

/** How one writes to oneself: no account is called so, as names have three characters at least. */
const oneself = "me";

/** A conversation by its id, or the direct one with the person of that address. @throws CommandError `unknown_conversation` */
export async function knownConversation(client: Client, to: string): Promise<Conversation> {
  return (await findFor(client, to)) ?? (await findConversation(client, to));
}

async function findFor(client: Client, to: string): Promise<Conversation | undefined> {
  return (await client.conversations()).find(({ id, kind, peer, status }) => {
    if (id === to) return true;
    if (kind !== "direct" || status === "removed" || peer === undefined) return false;
    return to === oneself ? peer.isSelf : isNamed(peer, to);
  });
}

/** A conversation by its id, or the direct one with the person of that address, started if there is none. */
export async function conversationOf(client: Client, to: string, timeoutMs: number): Promise<Conversation> {
  const known = await findFor(client, to);
  if (known !== undefined) return known;
  // They may have started one already: it must be known before another is made.
  await client.settle({ timeoutMs });
  const address = to === oneself ? ((await client.account())?.address ?? to) : to;
  return (await findFor(client, to)) ?? client.startConversation({ to: [address] });
}

/** Tells why nothing can be sent in a conversation that is paused. @throws CommandError `paused`. */
export async function refuseIfPaused(client: Client, conversation: Conversation): Promise<void> {
  if (conversation.status !== "paused") return;
  const messages = await client.messages(conversation.id, { limit: 100 });
  const alarm = messages.findLast(({ body }) => body.kind === "alarm")?.body;
  const told = alarm?.kind === "alarm" ? alarm.reason : "something must not have happened there";
  throw new CommandError("paused", `sending is paused in this conversation: ${conversation.stop?.failure.message ?? told}`);
}

/**
 * Waits until a message is accepted or failed, or the time is over. Resolves to the message as it is then.
 * @throws CommandError when an alarm pauses the conversation meanwhile.
 */
export async function untilDelivered(client: Client, message: Message, timeoutMs: number): Promise<Message> {
  const { promise, resolve, reject } = Promise.withResolvers<Message>();
  let latest = message;
  const notice = (candidate: Message): void => {
    if (candidate.id !== message.id) return;
    latest = candidate;
    if (candidate.delivery?.kind !== "pending") resolve(candidate);
  };
  const timer = setTimeout(() => {
    resolve(latest);
  }, timeoutMs);
  const stop = client.subscribe((event) => {
    if (event.kind === "message") notice(event.message);
    // As long as its files go on, it is waited for.
    if (event.kind === "file" && event.messageId === message.id) timer.refresh();
    if (event.kind === "alarm" && (event.conversationId ?? message.conversationId) === message.conversationId)
      reject(new CommandError(event.failure.code, event.failure.message));
  });
  // It may have been accepted between being sent and being listened for.
  for (const stored of await client.messages(message.conversationId, { limit: 50 })) notice(stored);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    stop();
  }
}

/** The account of a member by their name. @throws CommandError `not_a_member` */
export async function memberId(client: Client, conversationId: string, address: string): Promise<string> {
  const { members } = await client.details(conversationId);
  const found = members.find(({ person }) => isNamed(person, address));
  if (found === undefined) throw new CommandError("not_a_member", `${printableLine(address)} is not a member of this conversation`);
  return found.person.accountId;
}

/** Waits until a message that was just sent is on the server's disk, and tells what became of it. @throws CommandError where it is not */
export async function deliver(
  { output }: { readonly output: Output },
  client: Client,
  sent: Message,
  timeoutMs: number = waitMs,
): Promise<void> {
  const message = await untilDelivered(client, sent, timeoutMs);
  const delivery = message.delivery ?? { kind: "pending" };
  output.result(message, delivery.kind);
  if (delivery.kind === "failed") throw new CommandError(delivery.failure.code, delivery.failure.message);
  if (delivery.kind === "pending") throw await whyPending(client, message.conversationId);
  await client.settle({ timeoutMs });
}

/** What keeps a message here that waited long enough. */
async function whyPending(client: Client, id: string): Promise<CommandError> {
  const stop = (await client.conversations()).find((conversation) => conversation.id === id)?.stop;
  if (stop !== undefined)
    return new CommandError(stop.failure.code, `${stop.failure.message} The message is kept: latchkey conversations says how to go on.`);
  const { code, message } = (await causeOfOffline(client)) ?? { code: "offline", message: "The server was not reached." };
  return new CommandError(code, `${message} The message is kept and goes out with the next command that reaches it.`);
}
