import { useEffect, useMemo, useRef, useState } from "react";
import type { FocusEvent, KeyboardEvent, ReactElement, ReactNode } from "react";
import { t } from "../messages/words.ts";
import { sortConversations } from "../state/app-state.ts";
import { useApp, useRoute, useSelector } from "../state/context.ts";
import { lastSearch } from "../state/last-search.ts";
import { isMentioned, passes } from "../state/list-filter.ts";
import type { ListFilter } from "../state/list-filter.ts";
import { namesWith } from "../state/name-search.ts";
import { isIn, titleOf } from "../state/own.ts";
import { loadListFilter, saveListFilter } from "../state/preferences.ts";
import { formatRoute } from "../state/router.ts";
import { useNow } from "../state/use-now.ts";
import { Boundary } from "./Boundary.tsx";
import { ConversationItem } from "./ConversationItem.tsx";
import { ConversationMenuHost } from "./ConversationMenuHost.tsx";
import { Icon, Mark } from "./Icon.tsx";
import { ListFilters } from "./ListFilters.tsx";
import { lazyComponent } from "./lazy.tsx";
import { ListNote } from "./ListNote.tsx";
import { useStillList } from "./use-still-list.ts";

const FoundMessages = lazyComponent(async () => (await import("./FoundMessages.tsx")).FoundMessages);
const LockNowButton = lazyComponent(async () => (await import("../lock/LockNowButton.tsx")).LockNowButton, "lock");
const DueReminders = lazyComponent(async () => (await import("../later/parts.ts")).DueReminders, "files");
const KnocksLine = lazyComponent(async () => (await import("./KnocksLine.tsx")).KnocksLine);

/**
 * The list of conversations with its search; `headingLevel` 1 where no other page has the h1. `children` stand where the conversations
 * would be while there are none.
 */
export function ConversationList({
  headingLevel,
  children,
}: {
  readonly headingLevel: 1 | 2;
  readonly children?: ReactNode;
}): ReactElement {
  const { controller, router } = useApp();
  const route = useRoute();
  const conversations = useSelector((state) => state.conversations);
  const hasConversations = useSelector((state) => state.hasConversations);
  const alarms = useSelector((state) => state.alarms);
  const hasLock = useSelector(({ lock }) => lock !== undefined);
  const requests = useSelector((state) => state.requests.list.length);
  const nowMs = useNow();
  const [query, setQueryShown] = useState(() => (headingLevel === 1 && router.before()?.kind === "conversation" ? lastSearch.query : ""));
  const setQuery = (next: string): void => {
    lastSearch.query = next;
    setQueryShown(next);
  };
  const listRef = useRef<HTMLUListElement>(null);
  const scrollRef = useRef<HTMLElement>(null);
  const searchRef = useRef<HTMLInputElement>(null);
  const sorted = useMemo(() => sortConversations(conversations), [conversations]);
  const needle = query.trim();
  const folder = useSelector((state) => state.folder);
  const archived = useMemo(() => sorted.filter((one) => isIn("archived", one)), [sorted]);
  const openId = route.kind === "conversation" ? route.id : undefined;
  const [chosen, setChosen] = useState(loadListFilter);
  const mentions = useSelector((state) => state.mentions);
  const filter = folder === "all" ? chosen : "all";
  const chooseFilter = (one: ListFilter): void => {
    setChosen(one);
    saveListFilter(one);
  };
  const shown = useMemo(() => {
    // What is open stays, though it is read by that.
    if (needle === "") return sorted.filter((one) => isIn(folder, one) && (passes(filter, one, mentions) || one.id === openId));
    const isCalled = namesWith(needle);
    return sorted.filter((one) => isCalled(titleOf(one), one.peer?.address));
  }, [filter, folder, mentions, needle, openId, sorted]);
  const [focusId, setFocusId] = useState<string>();
  const isShown = (id: string | undefined): boolean => shown.some((one) => one.id === id);
  useStillList(scrollRef, `${folder} ${filter} ${needle}`);
  const tabStop = isShown(focusId) ? focusId : isShown(openId) ? openId : shown[0]?.id;
  const Heading = headingLevel === 1 ? "h1" : "h2";
  const isLed = children !== undefined && hasConversations && conversations.size === 0 && needle === "";

  useEffect(() => {
    const focusSearch = (): void => {
      searchRef.current?.focus();
      searchRef.current?.select();
    };
    document.addEventListener("latchkey:search", focusSearch);
    return () => document.removeEventListener("latchkey:search", focusSearch);
  }, []);

  useEffect(() => {
    // On a phone: back from a conversation, one goes on from its place in the list.
    const before = headingLevel === 1 ? router.before() : undefined;
    if (before?.kind !== "conversation") return;
    const link = listRef.current?.querySelector<HTMLElement>(`a[href="${formatRoute(before)}"]`);
    // Among what was found it may not be, or not yet.
    (link ?? scrollRef.current)?.focus();
  }, [headingLevel, router]);

  const moveFocus = (event: KeyboardEvent): void => {
    // Of the messages that were found as well, which come behind.
    const links = [...(scrollRef.current?.querySelectorAll<HTMLElement>("ul a") ?? [])];
    const at = links.findIndex((link) => link === document.activeElement);
    const target = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: links.length - 1 }[event.key];
    if (target === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    if (target < 0) searchRef.current?.focus();
    else links[Math.min(target, links.length - 1)]?.focus();
  };

  // Who comes back with the Tab key goes on where they were.
  const followFocus = ({ target }: FocusEvent): void => setFocusId(target.closest<HTMLElement>("[data-id]")?.dataset["id"]);

  return (
    <>
      <div className="list-header">
        <Heading className="list-heading">
          <Mark size={24} />
          {t("list.heading")}
        </Heading>
        {hasLock && <LockNowButton />}
        <button
          type="button"
          className="icon-button"
          aria-label={t("list.settings")}
          title={t("list.settings")}
          onClick={() => router.go({ kind: "settings" })}
        >
          <Icon name="settings" />
        </button>
        <button
          type="button"
          className="icon-button icon-button-accent"
          aria-label={t("list.newConversation")}
          title={t("list.newConversation")}
          onClick={() => router.go({ kind: "new", to: "" })}
        >
          <Icon name="compose" />
        </button>
      </div>
      <div className="list-search" role="search">
        <Icon name="search" size={18} />
        <input
          ref={searchRef}
          type="search"
          value={query}
          placeholder={t("list.search")}
          aria-label={t("list.searchLabel")}
          aria-keyshortcuts="Control+K"
          autoComplete="off"
          spellCheck={false}
          onChange={(event) => setQuery(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Escape") {
              if (query === "") event.currentTarget.blur();
              setQuery("");
              event.stopPropagation();
            } else if (event.key === "Enter" && shown[0] !== undefined && needle !== "") {
              router.go({ kind: "conversation", id: shown[0].id, details: false });
              setQuery("");
            } else if (event.key === "Enter" && needle !== "") scrollRef.current?.querySelector<HTMLElement>("ul a")?.click();
            else if (event.key === "ArrowDown") moveFocus(event);
          }}
        />
      </div>
      {folder === "all" && needle === "" && sorted.length > 0 && <ListFilters filter={chosen} choose={chooseFilter} />}
      <nav ref={scrollRef} tabIndex={-1} className={isLed ? "list-scroll list-scroll-led" : "list-scroll"} aria-label={t("list.heading")}>
        {needle === "" && folder === "all" && <DueReminders />}
        {needle === "" && folder === "all" && <ListNote />}
        {folder === "archived" && needle === "" && (
          <button type="button" className="list-folder" aria-label={t("list.leaveArchive")} onClick={() => controller.showFolder("all")}>
            <Icon name="back" size={18} />
            <span>{t("list.archivedHeading")}</span>
          </button>
        )}
        {needle === "" && folder === "all" && <KnocksLine />}
        {requests > 0 && needle === "" && folder === "all" && (
          <button type="button" className="list-requests" onClick={() => router.go({ kind: "requests" })}>
            <Icon name="addPerson" size={20} />
            <span>{t("list.requests", { n: requests })}</span>
            <Icon name="forward" size={16} />
          </button>
        )}
        <ConversationMenuHost>
          {/* A list without markers is no list to some screen readers unless told. */}
          {/* oxlint-disable-next-line jsx-a11y/no-redundant-roles, jsx-a11y/no-noninteractive-element-interactions */}
          <ul ref={listRef} role="list" aria-label={t("list.label")} className="list" onKeyDown={moveFocus} onFocus={followFocus}>
            {shown.map((conversation) => (
              <Boundary key={conversation.id} kind="item">
                <ConversationItem
                  conversation={conversation}
                  nowMs={nowMs}
                  isOpen={conversation.id === openId}
                  isTabStop={conversation.id === tabStop}
                  isNamed={isMentioned(conversation, mentions)}
                  hasAlarm={conversation.status === "paused" || alarms.some((alarm) => alarm.conversationId === conversation.id)}
                />
              </Boundary>
            ))}
          </ul>
        </ConversationMenuHost>
        {filter !== "all" && needle === "" && shown.length === 0 && (
          <div className="list-empty">
            <p>{t(`list.filterEmpty.${filter}`)}</p>
            <button type="button" className="button" onClick={() => chooseFilter("all")}>
              {t("list.filterAll")}
            </button>
          </div>
        )}
        {filter === "all" &&
          hasConversations &&
          !isLed &&
          shown.length === 0 &&
          needle === "" &&
          (folder === "archived" || archived.length === 0) && (
            <p className="list-empty">{folder === "archived" ? t("list.noArchived") : t("list.empty")}</p>
          )}
        {needle !== "" && (
          <FoundMessages query={query} conversations={shown.length} headingLevel={headingLevel === 1 ? 2 : 3} onKeyDown={moveFocus} />
        )}
        {folder === "all" && needle === "" && archived.length > 0 && (
          <button type="button" className="list-folder" onClick={() => controller.showFolder("archived")}>
            <Icon name="archive" size={18} />
            <span>{t("list.archived", { n: archived.length })}</span>
            <Icon name="forward" size={16} />
          </button>
        )}
      </nav>
      {isLed && children}
    </>
  );
}
