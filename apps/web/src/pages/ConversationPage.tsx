import { useCallback, useEffect, useRef, useState } from "react";
import type { ReactElement } from "react";
import "../styles/acting.css";
import "../styles/own.css";
import { t } from "../messages/words.ts";
import { Avatar } from "../components/Avatar.tsx";
import { Composer } from "../components/Composer.tsx";
import { HeldLine } from "../components/HeldLine.tsx";
import { TypingLine } from "../components/TypingLine.tsx";
import { HoldLine } from "../components/HoldLine.tsx";
import { Icon } from "../components/Icon.tsx";
import { ReturnLine } from "../components/ReturnLine.tsx";
import { OtherDraft } from "../components/OwnOnMessages.tsx";
import { MessageList } from "../components/MessageList.tsx";
import { MessageMenuHost } from "../components/MessageMenuHost.tsx";
import { PinLine } from "../components/PinLine.tsx";
import { StopPanel } from "../components/StopPanel.tsx";
import { lazyComponent } from "../components/lazy.tsx";
import { isAllVerified } from "../state/app-state.ts";
import { titleOf } from "../state/own.ts";
import { fetchMarkdown } from "../state/use-markdown.ts";
import { useApp, useMedia, useSelector, twoColumns } from "../state/context.ts";

const ConversationSearch = lazyComponent(async () => (await import("../components/ConversationSearch.tsx")).ConversationSearch);
const LaterLine = lazyComponent(async () => (await import("../later/parts.ts")).LaterLine, "files");
const TimerNote = lazyComponent(async () => (await import("../later/parts.ts")).TimerNote, "files");
const WaitingLine = lazyComponent(async () => (await import("../components/WaitingLine.tsx")).WaitingLine);

// Most conversations have a message that needs it.
void fetchMarkdown();

/** A conversation: head, messages, composer. Mounted anew for each. */
export function ConversationPage({ id, areDetailsOpen }: { readonly id: string; readonly areDetailsOpen: boolean }): ReactElement {
  const { router } = useApp();
  const conversation = useSelector((state) => state.conversations.get(id));
  const isVerified = useSelector((state) => isAllVerified(state.verifications.get(id)));
  const timeline = useSelector((state) => state.timelines.get(id));
  const isWide = useMedia(twoColumns);
  const detailsButton = useRef<HTMLButtonElement>(null);
  const wereDetailsOpen = useRef(areDetailsOpen);
  useEffect(() => {
    if (wereDetailsOpen.current && !areDetailsOpen) detailsButton.current?.focus();
    wereDetailsOpen.current = areDetailsOpen;
  }, [areDetailsOpen]);

  const [isSearched, setIsSearched] = useState(false);
  const searchButton = useRef<HTMLButtonElement>(null);
  const endSearch = useCallback(() => {
    setIsSearched(false);
    searchButton.current?.focus();
  }, []);

  const continuedIn = conversation?.continuedIn;
  useEffect(() => {
    if (continuedIn !== undefined) router.go({ kind: "conversation", id: continuedIn, details: false }, { replace: true });
  }, [continuedIn, router]);

  if (conversation === undefined) {
    return (
      <main className="conversation page-centre">
        <h1>{t("conversation.notFound")}</h1>
        <p>{t("conversation.notFoundAdvice")}</p>
        <button type="button" className="button button-primary" onClick={() => router.go({ kind: "home" }, { replace: true })}>
          {t("conversation.toList")}
        </button>
      </main>
    );
  }
  const title = titleOf(conversation);
  const toggleDetails = (): void => {
    if (areDetailsOpen) router.back();
    else router.go({ kind: "conversation", id, details: true });
  };
  return (
    <main className="conversation">
      <header className="conversation-header">
        {!isWide && (
          <button
            type="button"
            className="icon-button"
            aria-label={t("conversation.backToList")}
            onClick={() => router.go({ kind: "home" })}
          >
            <Icon name="back" />
          </button>
        )}
        <Avatar id={conversation.peer?.accountId ?? conversation.id} name={title} isGroup={conversation.kind === "group"} />
        <div className="conversation-title">
          <h1>
            <bdi>{title}</bdi>
          </h1>
          <p>
            {isVerified && (
              <>
                <span className="header-verified">
                  <Icon name="shield" size={14} />
                  {t("conversation.verified")}
                </span>
                {" · "}
              </>
            )}
            {conversation.timerS > 0 && <TimerNote seconds={conversation.timerS} />}
            {conversation.kind === "group" ? (
              t("conversation.members", { n: conversation.memberCount })
            ) : conversation.peer !== undefined && conversation.peer.address !== conversation.title ? (
              <bdi>{conversation.peer.address}</bdi>
            ) : (
              t("conversation.encrypted")
            )}
          </p>
        </div>
        <button
          ref={searchButton}
          type="button"
          className="icon-button"
          aria-label={t("search.inConversation")}
          title={t("search.inConversation")}
          aria-expanded={isSearched}
          onClick={() => (isSearched ? endSearch() : setIsSearched(true))}
        >
          <Icon name="search" size={22} />
        </button>
        <button
          ref={detailsButton}
          type="button"
          className="icon-button"
          aria-label={t("conversation.details")}
          title={t("conversation.details")}
          aria-expanded={areDetailsOpen}
          onClick={toggleDetails}
        >
          <Icon name="info" size={22} />
        </button>
      </header>
      {isSearched && <ConversationSearch id={id} close={endSearch} />}
      <PinLine id={id} />
      <MessageMenuHost
        conversation={conversation}
        composer={
          <>
            <OtherDraft conversation={conversation} />
            <Composer conversation={conversation} />
          </>
        }
      >
        {timeline === undefined ? <div className="messages" /> : <MessageList conversation={conversation} timeline={timeline} />}
        {conversation.status === "active" && <HoldLine id={id} openDetails={areDetailsOpen ? undefined : toggleDetails} />}
        {conversation.status === "active" && conversation.kind === "group" && <ReturnLine id={id} />}
        <HeldLine id={id} />
        {conversation.kind === "group" && !areDetailsOpen && <WaitingLine id={id} />}
        <LaterLine id={id} />
        <StopPanel conversation={conversation} />
        <TypingLine id={id} />
      </MessageMenuHost>
    </main>
  );
}
