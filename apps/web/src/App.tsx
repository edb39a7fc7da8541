import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { ReactElement } from "react";
import { AlarmBanners, ConnectionLine, LiveMessages } from "./components/Banners.tsx";
import { ConversationList } from "./components/ConversationList.tsx";
import { HelpDialog } from "./components/Dialog.tsx";
import { Resizer } from "./components/Resizer.tsx";
import { words } from "./messages/words.ts";
import { BlockedPage } from "./pages/BlockedPage.tsx";
import { ConversationPage } from "./pages/ConversationPage.tsx";
import { DetailsPane } from "./pages/DetailsPane.tsx";
import { EmptyPage } from "./pages/EmptyPage.tsx";
import { HoldingsPage } from "./pages/HoldingsPage.tsx";
import { NewConversationPage } from "./pages/NewConversationPage.tsx";
import { SettingsPage } from "./pages/SettingsPage.tsx";
import { WelcomePage } from "./pages/WelcomePage.tsx";
import { totalUnread } from "./state/app-state.ts";
import { AppContext, threeColumns, twoColumns, useMedia, useRoute, useSelector } from "./state/context.ts";
import type { App as AppValue } from "./state/context.ts";
import type { Controller } from "./state/controller.ts";
import { rememberAccount } from "./state/preferences.ts";
import type { Route, Router } from "./state/router.ts";
import { useShortcuts } from "./state/use-shortcuts.ts";

const noticeMs = 8000;

/** The whole app around a controller. */
export function App({ controller, router }: { readonly controller: Controller; readonly router: Router }): ReactElement {
  const [notice, setNotice] = useState<{ readonly key: number; readonly text: string }>();
  const notify = useCallback((text: string) => setNotice({ key: Date.now(), text }), []);
  useEffect(() => {
    if (notice === undefined) return undefined;
    const timer = setTimeout(() => setNotice(undefined), noticeMs);
    return () => clearTimeout(timer);
  }, [notice]);
  const app = useMemo<AppValue>(() => ({ controller, router, notify }), [controller, notify, router]);
  return (
    <AppContext value={app}>
      <Screen />
      <div role="status" aria-label={words.noticeRegion} className="toasts">
        {notice !== undefined && (
          <p key={notice.key} className="toast">
            {notice.text}
          </p>
        )}
      </div>
      <LiveMessages />
    </AppContext>
  );
}

function Screen(): ReactElement {
  const phase = useSelector((state) => state.phase);
  const account = useSelector((state) => state.account);
  useTitle();
  const hasAccount = account !== undefined;
  useEffect(() => {
    if (hasAccount) rememberAccount(true);
  }, [hasAccount]);
  if (phase.kind !== "ready") return <BlockedPage phase={phase} />;
  if (account === undefined) {
    return (
      <div className="shell">
        <ConnectionLine />
        <AlarmBanners />
        <WelcomePage />
      </div>
    );
  }
  return <Messenger />;
}

function Messenger(): ReactElement {
  const route = useRoute();
  const isTwo = useMedia(twoColumns);
  const isThree = useMedia(threeColumns);
  const [isHelpOpen, setIsHelpOpen] = useState(false);
  const showHelp = useCallback(() => setIsHelpOpen(true), []);
  const columnsRef = useRef<HTMLDivElement>(null);
  useShortcuts(showHelp);
  const isHome = route.kind === "home";
  return (
    <div className="shell">
      <ConnectionLine />
      <AlarmBanners />
      <div className="columns" ref={columnsRef}>
        {(isTwo || isHome) && (
          <div className="column-list" role={isTwo ? "complementary" : "main"} aria-label={words.list.heading}>
            <ConversationList headingLevel={isTwo ? 2 : 1} />
            {isTwo ? <Resizer columnsRef={columnsRef} /> : <FirstInvitation />}
          </div>
        )}
        {(isTwo || !isHome) && <Place route={route} isThree={isThree} />}
      </div>
      {isHelpOpen && <HelpDialog close={() => setIsHelpOpen(false)} />}
    </div>
  );
}

function FirstInvitation(): ReactElement | undefined {
  const isFirst = useSelector((state) => state.hasConversations && state.conversations.size === 0);
  return isFirst ? <EmptyPage isFirst headingLevel={2} /> : undefined;
}

function Place({ route, isThree }: { readonly route: Route; readonly isThree: boolean }): ReactElement {
  const isFirst = useSelector((state) => state.conversations.size === 0);
  switch (route.kind) {
    case "home":
      return (
        <main className="column-place-empty">
          <EmptyPage isFirst={isFirst} headingLevel={1} />
        </main>
      );
    case "conversation":
      if (route.details && !isThree) return <DetailsPane key={route.id} id={route.id} isMain />;
      return (
        <>
          <ConversationPage id={route.id} areDetailsOpen={route.details} />
          {route.details && <DetailsPane key={route.id} id={route.id} isMain={false} />}
        </>
      );
    case "new":
      return <NewConversationPage key={route.to} to={route.to} />;
    case "settings":
      return <SettingsPage />;
    case "holdings":
      return <HoldingsPage />;
  }
}

function useTitle(): void {
  const route = useRoute();
  const unread = useSelector((state) => totalUnread(state.conversations));
  const title = useSelector((state) => (route.kind === "conversation" ? state.conversations.get(route.id)?.title : undefined));
  useEffect(() => {
    document.title = `${unread > 0 ? `(${unread}) ` : ""}${title === undefined ? "" : `${title} – `}${words.appName}`;
  }, [title, unread]);
}
