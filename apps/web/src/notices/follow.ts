import type { ClientEvent, Message } from "@latchkey/client";
import { container, tell } from "../app-worker/registration.ts";
import { wordsToHand } from "../messages/text.ts";
import { fetchWords, onLanguageChange, t } from "../messages/words.ts";
import type { NoticeWords, PageQuestion } from "../service-worker/messages.ts";
import type { Controller } from "../state/controller.ts";
import { hasLock } from "../state/preferences.ts";
import { isFromOthers } from "../state/timeline.ts";
import { beginAsking } from "./ask.ts";
import { isAskingPutOff, noticeDepth, onNoticeDepth } from "./choices.ts";
import { followWaking, noticeState } from "./device.ts";
import { isSilent, noticeOf } from "./notice.ts";

/** Once a browser was woken, what waits is read for so long before it says that something came. */
const catchUpMs = 2500;

/** What of the app this needs. */
type NoticedApp = Pick<Controller, "store" | "listen" | "client">;

/**
 * Has the system show what comes while nobody looks, in this tab or any: the service worker shows it, once for all tabs, and merges what is
 * of one conversation. Muted conversations and quiet hours are silent, and what was read is taken away. Until `signal` ends it.
 */
export function followNotices({ store, listen, client }: NoticedApp, signal: AbortSignal): void {
  const worker = (): ServiceWorker | null | undefined => container()?.controller;
  const counts = new Map<string, number>();
  const conversations = new Map(store.get().conversations);

  // While it is being locked this still knows what was open.
  const isReady = (): boolean => store.get().phase.kind === "ready";
  const arrived = async (message: Message): Promise<void> => {
    const conversation = conversations.get(message.conversationId) ?? store.get().conversations.get(message.conversationId);
    if (!isReady() || !isFromOthers(message) || conversation === undefined) return;
    askOnce();
    if (document.hasFocus() || noticeState() !== "on") return;
    if (isSilent(conversation, store.get().quietHours, Date.now())) return;
    const count = (counts.get(conversation.id) ?? 0) + 1;
    counts.set(conversation.id, count);
    await fetchWords("app");
    if (!isReady()) return;
    // The state forgets it while it is being locked, and a browser may keep no preferences.
    const isUnderLock = hasLock() || store.get().lock !== undefined;
    tell(worker(), {
      kind: "notice_show",
      notice: noticeOf({ message, conversation, depth: noticeDepth(), count, hasLock: isUnderLock }),
    });
  };
  /** The person is asked after the first message that came, and never before. */
  const askOnce = (): void => {
    if (noticeState() === "off" && !isAskingPutOff()) beginAsking({ store });
  };
  const onEvent = (event: ClientEvent): void => {
    if (event.kind === "message" && event.isNew) void arrived(event.message).catch(() => undefined);
    if (event.kind !== "conversation") return;
    const { id, unreadCount } = event.conversation;
    conversations.set(id, event.conversation);
    if (unreadCount > 0) return;
    counts.delete(id);
    const isNothingLeft = [...conversations.values()].every((one) => one.unreadCount === 0);
    tell(worker(), { kind: "notice_read", tags: isNothingLeft ? [id, ""] : [id] });
  };

  let { quietHours } = store.get();
  const keepWords = async (): Promise<void> => {
    await fetchWords("app");
    const words: NoticeWords = {
      title: "Latchkey",
      body: t("app.notices.some"),
      quietHours: store.get().quietHours,
      telling: { depth: noticeDepth(), said: wordsToHand("app.notices.") },
    };
    void container()?.ready.then(({ active }) => tell(active, { kind: "notice_words", words }));
  };
  const onState = (): void => {
    if (store.get().quietHours === quietHours) return;
    ({ quietHours } = store.get());
    void keepWords();
  };
  const onWorker = ({ data, ports }: MessageEvent<PageQuestion>): void => {
    if (data.kind === "notice_open") open(data.path);
    if (data.kind !== "push_came") return;
    void catchUp().finally(() => ports[0]?.postMessage(true));
  };
  const catchUp = async (): Promise<void> => {
    client.wake();
    // What could not be read now comes later, and is told then.
    await client.settle({ timeoutMs: catchUpMs }).catch(() => undefined);
  };

  void keepWords();
  void followWaking(client);
  const ends = [listen(onEvent), store.subscribe(onState), onLanguageChange(() => void keepWords()), onNoticeDepth(() => void keepWords())];
  container()?.addEventListener("message", onWorker, { signal });
  signal.addEventListener("abort", () => {
    for (const end of ends) end();
  });
}

/** Leads there as a link of the app does. */
function open(path: string): void {
  const state: unknown = globalThis.history.state;
  const depth = typeof state === "object" && state !== null && "depth" in state && typeof state.depth === "number" ? state.depth : 0;
  if (path !== globalThis.location.pathname) globalThis.history.pushState({ depth: depth + 1 }, "", path);
  globalThis.dispatchEvent(new PopStateEvent("popstate"));
}
