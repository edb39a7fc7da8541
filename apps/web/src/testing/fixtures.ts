import { nothingSetFor } from "@latchkey/client/own";
import type { Conversation, Message, MessageBody, Person } from "@latchkey/client";

/** A person for tests. */
export function testPerson(username: string, isSelf = false): Person {
  return {
    accountId: `id-${username}`,
    username,
    host: "a.example",
    address: username,
    displayName: username,
    isSelf,
    besideName: undefined,
    isNameLookedUp: true,
  };
}

/** Oneself, in tests. */
export const me: Person = testPerson("me", true);

/** Somebody else, in tests. */
export const ben: Person = testPerson("ben");

/** A message for tests. */
export function testMessage(params: { order: number; author?: Person; body?: MessageBody; sentAtMs?: number } & Partial<Message>): Message {
  return {
    id: `m${params.order}`,
    conversationId: "c",
    author: ben,
    body: { kind: "text", text: `text ${params.order}` },
    sentAtMs: params.order * 1000,
    delivery: undefined,
    ...params,
  };
}

/** A conversation for tests. */
export function testConversation(params: Partial<Conversation> = {}): Conversation {
  return {
    id: "c",
    kind: "direct",
    title: "ben",
    peer: ben,
    memberCount: 2,
    lastMessage: undefined,
    updatedAtMs: 0,
    unreadCount: 0,
    readThrough: 0,
    timerS: 0,
    draft: "",
    status: "active",
    stop: undefined,
    offers: [],
    continuedIn: undefined,
    invitations: [],
    receipts: [],
    isBlocked: false,
    own: nothingSetFor,
    host: "a.example",
    ...params,
  };
}
