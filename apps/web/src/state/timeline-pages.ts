import type { Message } from "@latchkey/client";
import { indexOfMessage, largestWindow, mergeMessages, trimmed, usualWindow } from "./message-window.ts";
import type { Timeline } from "./timeline.ts";

/** So many messages are kept aside while something is loaded; what comes beyond is asked for later. */
const mostAside = 500;

/** What was loaded of a conversation. */
export interface LoadedPage {
  readonly messages: readonly Message[];
  /** `all`: in place of what was there; else beyond it on that side. */
  readonly side: "all" | "older" | "newer";
  /** Whether the client has more: on that side, or on both. */
  readonly hasOlder: boolean;
  readonly hasNewer: boolean;
  /** Places of the first and the last message on the screen: these stay. */
  readonly seen: { readonly first: number; readonly last: number };
}

/** The timeline with messages that were loaded from the client. */
export function withPage(timeline: Timeline, page: LoadedPage): Timeline {
  const { side, seen } = page;
  const hasOlder = side === "newer" ? timeline.hasOlder : page.hasOlder;
  // What did not fit aside is still to come.
  const hasNewer = side === "older" ? timeline.hasNewer : page.hasNewer || timeline.aside.length >= mostAside;
  const loaded = side === "all" ? mergeMessages([], page.messages) : mergeMessages(timeline.messages, page.messages);
  const whole = mergeMessages(loaded, timeline.aside.filter(isWithin({ messages: loaded, hasOlder, hasNewer })));
  const messages = side === "all" ? whole : trimmed(whole, side === "older" ? "newer" : "older", seen);
  return {
    ...timeline,
    messages,
    hasOlder: hasOlder || messages[0]?.order !== whole[0]?.order,
    hasNewer: hasNewer || messages.at(-1)?.id !== whole.at(-1)?.id,
    aside: [],
    isLoading: false,
  };
}

/** Whether a message belongs to what is loaded: what lies beyond belongs to a page that was not asked for. */
function isWithin({ messages, hasOlder, hasNewer }: Pick<Timeline, "messages" | "hasOlder" | "hasNewer">): (message: Message) => boolean {
  const [oldest, newest] = [messages[0], messages.at(-1)];
  return (message) =>
    (!hasOlder || oldest === undefined || message.order >= oldest.order) &&
    (!hasNewer || (newest !== undefined && message.order <= newest.order) || indexOfMessage(messages, message) >= 0);
}

/** Whether a message is older than all that is loaded, while there are older ones. */
export function isBeforeAll(timeline: Timeline | undefined, { order }: Message): boolean {
  const oldest = timeline?.hasOlder === true ? timeline.messages[0] : undefined;
  return oldest !== undefined && order < oldest.order;
}

/** What the client told, and who looks on. */
export interface Received {
  readonly messages: readonly Message[];
  /** Those of others that were not here before. */
  readonly fresh: readonly Message[];
  /** The conversation is on the screen, and the person looks at it. */
  readonly isOpen: boolean;
  readonly isWatched: boolean;
}

/** The timeline after messages came, or changed. */
export function withReceived(timeline: Timeline, { messages, fresh, isOpen, isWatched }: Received): Timeline {
  const { isLoading } = timeline;
  const aside = isLoading ? [...timeline.aside, ...messages].slice(0, mostAside) : timeline.aside;
  const isSending = messages.some((message) => message.author?.isSelf === true && message.delivery?.kind === "pending");
  const here = messages.filter(isWithin(timeline));
  let merged = mergeMessages(timeline.messages, here);
  let { hasOlder, hasNewer } = timeline;
  if (merged.length > usualWindow && merged.length > timeline.messages.length) {
    // At the end the oldest go. Whoever reads on further up keeps that, and when much has come the rest waits behind.
    if (timeline.isAtEnd || isSending) {
      merged = merged.slice(merged.length - usualWindow);
      hasOlder = true;
    } else if (!isLoading && merged.length > largestWindow) {
      merged = timeline.messages.map((message) => here.findLast(({ id }) => id === message.id) ?? message);
      hasNewer = true;
    }
  }
  const received = { ...timeline, messages: merged, hasOlder, hasNewer, aside };
  if (isSending) return { ...received, newAfter: undefined, newCount: 0 };
  if (timeline.newAfter !== undefined) return { ...received, newCount: timeline.newCount + fresh.length };
  const [first] = fresh;
  return isWatched || !isOpen || first === undefined ? received : { ...received, newAfter: first.order - 1, newCount: fresh.length };
}
