import type { Message } from "@latchkey/client";

/** So many messages of a conversation are held when others come on one side: those furthest away on the other side go. */
export const usualWindow = 1500;
/** So many may be held where all of them are on the screen, behind lines that stand for many; no more are asked for then. */
export const largestWindow = 10_000;

/** Pending messages last, whatever their `order`; else by `order`, then by time. */
export function byOrder(a: Message, b: Message): number {
  return a.order - b.order || a.sentAtMs - b.sentAtMs;
}

/** The first place of `messages` (sorted) at which a message with this order, or a later one, stands. By halving. */
export function placeOf(messages: readonly Message[], order: number): number {
  let [from, to] = [0, messages.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    const message = messages[middle];
    if (message !== undefined && message.order < order) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** Where a message stands in `messages`, by its id; -1 where it is not there. One of one's own may have waited at another place. */
export function indexOfMessage(messages: readonly Message[], { id, order, author }: Message): number {
  for (let at = placeOf(messages, order); messages[at]?.order === order; at += 1) if (messages[at]?.id === id) return at;
  if (author?.isSelf !== true) return -1;
  // What waits stands at the end; told late, it may be in the log here already.
  return messages.findLastIndex((message) => message.id === id);
}

function isWaiting(message: Message | undefined): boolean {
  return message?.delivery !== undefined && message.delivery.kind !== "accepted";
}

/**
 * `existing` with `incoming` put in or replaced by id, sorted by `order`. Both are sorted already; what lies wholly before or behind is put
 * there without a look at the rest. Returns `existing` itself when nothing changes.
 */
export function mergeMessages(existing: readonly Message[], incoming: readonly Message[]): readonly Message[] {
  if (incoming.length === 0) return existing;
  const sorted = isSorted(incoming) ? incoming : [...incoming].sort(byOrder);
  const [oldest, newest] = [existing[0], existing.at(-1)];
  if (oldest === undefined || newest === undefined) return withoutDoubles(sorted);
  const own = incoming.filter(({ author }) => author?.isSelf === true);
  const mayBeDouble = own.some(isWaiting) || (own.length > 0 && isWaiting(newest));
  if (!mayBeDouble && (sorted.at(-1)?.order ?? 0) < oldest.order) return [...withoutDoubles(sorted), ...existing];
  if (!mayBeDouble && (sorted[0]?.order ?? 0) > newest.order) return [...existing, ...withoutDoubles(sorted)];
  const merged = [...existing];
  // In the order in which they came: of two states of one message the later counts.
  for (const message of incoming) {
    const known = indexOfMessage(merged, message);
    if (known >= 0 && merged[known]?.order === message.order) merged[known] = message;
    else {
      if (known >= 0) merged.splice(known, 1);
      const place = placeOf(merged, message.order);
      const isLater = merged[place]?.order === message.order && byOrder(merged[place], message) <= 0;
      merged.splice(isLater ? place + 1 : place, 0, message);
    }
  }
  return merged;
}

function isSorted(messages: readonly Message[]): boolean {
  return messages.every((message, at) => at === 0 || (messages[at - 1]?.order ?? 0) <= message.order);
}

function withoutDoubles(messages: readonly Message[]): readonly Message[] {
  const byId = new Map(messages.map((message) => [message.id, message]));
  return byId.size === messages.length ? messages : [...byId.values()];
}

/**
 * The messages without those furthest from where somebody reads, so that no more than `usualWindow` are held; none that is seen goes.
 * @param far the side on which they may go
 * @param seen places of the first and the last message on the screen
 */
export function trimmed(
  messages: readonly Message[],
  far: "older" | "newer",
  seen: { readonly first: number; readonly last: number },
): readonly Message[] {
  const excess = messages.length - usualWindow;
  if (excess <= 0) return messages;
  if (far === "older") {
    const most = placeOf(messages, seen.first);
    return messages.slice(Math.min(excess, most));
  }
  const least = placeOf(messages, seen.last + 1);
  return messages.slice(0, Math.max(usualWindow, least));
}
