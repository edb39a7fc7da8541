import type { Client, Message } from "@latchkey/client";
import { people } from "./sample-data.ts";

type Methods = Pick<
  Client,
  | "edit"
  | "deleteMessages"
  | "react"
  | "sendPoll"
  | "vote"
  | "endPoll"
  | "pin"
  | "pinned"
  | "forward"
  | "findMessage"
  | "search"
  | "messageInfo"
  | "heldDeletions"
  | "decideDeletions"
>;

/** What is done to messages, on the sample data of the design page. */
export function createFakeMessages(params: {
  get(id: string): { readonly messages: readonly Message[] };
  all(): readonly Message[];
  put(message: Message): void;
  later(): Promise<void>;
  send(id: string, text: string): Promise<Message>;
}): Methods {
  const { get, all, put, later, send } = params;
  const found = (id: string, messageId: string): Message => {
    const message = get(id).messages.find((one) => one.id === messageId);
    if (message === undefined) throw new Error("no such message");
    return message;
  };
  return {
    async edit(id, messageId, text) {
      const message = found(id, messageId);
      put({ ...message, body: { kind: "text", text }, edited: { count: 1, atMs: Date.now() } });
    },
    async deleteMessages(id, messageIds) {
      for (const messageId of messageIds) put({ ...found(id, messageId), body: { kind: "deleted", person: people.me } });
    },
    async react(id, messageId, emoji, isGiven = true) {
      const message = found(id, messageId);
      const others = (message.reactions ?? []).filter((reaction) => reaction.emoji !== emoji);
      put({ ...message, reactions: isGiven ? [...others, { emoji, count: 1, people: [people.me], isOwn: true }] : others });
    },
    async sendPoll(id, { question, options, maxSelections = 1, endsAtMs }) {
      const empty = options.map((text) => ({ text, count: 0, people: [], isChosen: false }));
      const message = await send(id, question);
      const poll = { ...message, body: { kind: "poll", question, options: empty, maxSelections, endsAtMs, isClosed: false } } as const;
      put(poll);
      return poll;
    },
    vote: later,
    endPoll: later,
    pin: later,
    pinned: async () => [],
    forward: async () => [],
    async search(query, { conversationId } = {}) {
      const sought = query.toLowerCase();
      const found = all().flatMap(({ id: messageId, conversationId: where, order, author, sentAtMs, body }) => {
        const start = body.kind === "text" ? body.text.toLowerCase().indexOf(sought) : -1;
        if (body.kind !== "text" || start === -1 || (conversationId ?? where) !== where) return [];
        const hits = [{ start, end: start + sought.length }];
        return [{ conversationId: where, messageId, order, author, sentAtMs, snippet: body.text, hits }];
      });
      return { found: found.toSorted((a, b) => b.sentAtMs - a.sentAtMs), cursor: undefined, unknown: [], indexing: undefined };
    },
    findMessage: () => Promise.reject(new Error("no such message")),
    async messageInfo(id, messageId) {
      const message = found(id, messageId);
      return {
        message,
        claimedAtMs: message.sentAtMs,
        arrivedAtMs: message.sentAtMs,
        versions: [],
        reactions: [],
        deliveredTo: [],
        readBy: [],
        refused: [],
      };
    },
    heldDeletions: async () => [],
    decideDeletions: later,
  };
}
