import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { ReactElement } from "react";
import { AlarmBanners, AnnouncementLine, CatchUpLine, ConnectionLine, HistoryLine, LiveMessages } from "./components/Banners.tsx";
import { Boundary } from "./components/Boundary.tsx";
import { fetchAllComponents, lazyComponent } from "./components/lazy.tsx";
import { Resizer } from "./components/Resizer.tsx";
import { t } from "./messages/words.ts";
import { BlockedPage } from "./pages/BlockedPage.tsx";
import { EmptyPage } from "./pages/EmptyPage.tsx";
import { asksForRecoveryPhrase } from "./state/app-state.ts";
import type { KeptProgress, RecoveryProgress } from "./components/RecoveryPanel.tsx";
import { AppContext, threeColumns, twoColumns, useApp, useMedia, useRoute, useSelector } from "./state/context.ts";
import type { App as AppValue, NoticeAction } from "./state/context.ts";
import type { Controller } from "./state/controller.ts";
import { titleOf, totalUnread } from "./state/own.ts";
import { hadAccount, registrationUnderWay, rememberAccount, rememberRegistering } from "./state/preferences.ts";
import { formatRoute, isInSettings } from "./state/router.ts";
import type { Route, Router } from "./state/router.ts";
import { useShortcuts } from "./state/use-shortcuts.ts";

const noticeMs = 8000;
/** After this time the first screen stands, and there is time to fetch the others. */
const calmMs = 3000;

const importList = () => import("./components/ConversationList.tsx");
const ConversationList = lazyComponent(async () => (await importList()).ConversationList);
// Whoever has an account needs it at once; who makes one does not.
if (hadAccount()) void importList().catch(() => undefined);

// What a person with an account does not see at once comes when it is needed.
const ConversationPage = lazyComponent(async () => (await import("./pages/ConversationPage.tsx")).ConversationPage);
const DetailsPane = lazyComponent(async () => (await import("./pages/DetailsPane.tsx")).DetailsPane);
const HelpDialog = lazyComponent(async () => (await import("./components/Dialog.tsx")).HelpDialog);
const HoldingsPage = lazyComponent(async () => (await import("./pages/HoldingsPage.tsx")).HoldingsPage, "settings");
const ImportedPage = lazyComponent(async () => (await import("./portable/ImportedPage.tsx")).ImportedPage, "portable");
const NewConversationPage = lazyComponent(async () => (await import("./pages/NewConversationPage.tsx")).NewConversationPage);
const LockPage = lazyComponent(async () => (await import("./lock/LockPage.tsx")).LockPage, "lock");
const LockWatch = lazyComponent(async () => (await import("./lock/LockWatch.tsx")).LockWatch, "lock");
const RemovedPage = lazyComponent(async () => (await import("./pages/RemovedPage.tsx")).RemovedPage, "settings");
const SettingsPage = lazyComponent(async () => (await import("./pages/SettingsPage.tsx")).SettingsPage, "settings");
const SettingsNav = lazyComponent(async () => (await import("./components/settings/SettingsNav.tsx")).SettingsNav, "settings");
const LicencesPage = lazyComponent(async () => (await import("./pages/LicencesPage.tsx")).LicencesPage, "settings");
const WelcomePage = lazyComponent(async () => (await import("./pages/WelcomePage.tsx")).WelcomePage);
const DevicesPage = lazyComponent(async () => (await import("./pages/DevicesPage.tsx")).DevicesPage, "settings");
const AppLine = lazyComponent(async () => (await import("./components/AppLine.tsx")).AppLine, "app");
const SharePage = lazyComponent(async () => (await import("./pages/SharePage.tsx")).SharePage, "app");
const KnockPage = lazyComponent(async () => (await import("./pages/KnockPage.tsx")).KnockPage);
const LinkPage = lazyComponent(async () => (await import("./pages/LinkPage.tsx")).LinkPage);
const NewDevicePage = lazyComponent(async () => (await import("./pages/NewDevicePage.tsx")).NewDevicePage);
const RequestsPage = lazyComponent(async () => (await import("./pages/RequestsPage.tsx")).RequestsPage);
const BlockedPeoplePage = lazyComponent(async () => (await import("./pages/BlockedPeoplePage.tsx")).BlockedPeoplePage, "settings");
const RecoverPage = lazyComponent(async () => (await import("./pages/RecoverPage.tsx")).RecoverPage);
const RecoveryPage = lazyComponent(async () => (await import("./pages/RecoveryPage.tsx")).RecoveryPage, "settings");
const PlayerLine = lazyComponent(async () => (await import("./files/PlayerLine.tsx")).PlayerLine, "files");
const NoticeLine = lazyComponent(async () => (await import("./reports/NoticeLine.tsx")).NoticeLine);
const PersonCard = lazyComponent(async () => (await import("./components/PersonCard.tsx")).PersonCard);
const RecoveryPanel = lazyComponent(async () => (await import("./components/RecoveryPanel.tsx")).RecoveryPanel, "settings");

/** The whole app around a controller. */
export function App({ controller, router }: { readonly controller: Controller; readonly router: Router }): ReactElement {
  const [notice, setNotice] = useState<{ readonly key: number; readonly text: string; readonly action: NoticeAction | undefined }>();
  const notify = useCallback((text: string, action?: NoticeAction) => setNotice({ key: Date.now(), text, action }), []);
  useEffect(() => {
    if (notice === undefined) return undefined;
    const timer = setTimeout(() => setNotice(undefined), noticeMs);
    return () => clearTimeout(timer);
  }, [notice]);
  const app = useMemo<AppValue>(() => ({ controller, router, notify }), [controller, notify, router]);
  return (
    <AppContext value={app}>
      <Boundary kind="page" leave={() => router.go({ kind: "home" })}>
        <Screen />
      </Boundary>
      <div role="status" aria-label={t("noticeRegion")} className="toasts">
        {notice !== undefined && (
          <p key={notice.key} className="toast">
            {notice.text}
            {notice.action !== undefined && (
              <button
                type="button"
                className="toast-action"
                onClick={() => {
                  notice.action?.run();
                  setNotice(undefined);
                }}
              >
                {notice.action.label}
              </button>
            )}
          </p>
        )}
      </div>
      <Boundary kind="line">
        <LiveMessages />
      </Boundary>
    </AppContext>
  );
}

function Screen(): ReactElement {
  const phase = useSelector((state) => state.phase);
  const account = useSelector((state) => state.account);
  useTitle();
  const hasAccount = account !== undefined;
  const { controller, notify } = useApp();
  const [begun] = useState(registrationUnderWay);
  useEffect(() => {
    if (!hasAccount) return undefined;
    rememberAccount(true);
    rememberRegistering(undefined);
    if (begun !== undefined) notify(t("resumed", { username: begun.username }));
    const keep = (): Promise<void> => import("./app-worker/keep-app.ts").then(({ keepApp }) => keepApp(controller));
    const timer = setTimeout(
      () =>
        void fetchAllComponents()
          .then(keep, keep)
          .catch(() => undefined),
      calmMs,
    );
    return () => clearTimeout(timer);
  }, [begun, controller, hasAccount, notify]);
  const removal = useSelector((state) => state.alarms.find(({ failure }) => failure.code === "device_removed"));
  const [isReading, setIsReading] = useState(false);
  if (phase.kind === "locked" || phase.kind === "locking" || phase.kind === "sealing") return <LockPage phase={phase} />;
  if (phase.kind !== "ready") return <BlockedPage phase={phase} />;
  if (account === undefined) return <Outside />;
  if (removal !== undefined && !isReading) return <RemovedPage alarm={removal} goOn={() => setIsReading(true)} />;
  return <Messenger />;
}

/** What somebody sees who has no account here. */
function Outside(): ReactElement {
  const { kind } = useRoute();
  const { controller } = useApp();
  useEffect(() => {
    // Of whoever was here before nothing is left: the worker that showed their files goes too.
    if (navigator.serviceWorker?.controller)
      void import("./app-worker/keep-app.ts").then(({ leaveApp }) => leaveApp(controller)).catch(() => undefined);
  }, [controller]);
  return (
    <div className="shell">
      <ConnectionLine />
      <AnnouncementLine />
      <AlarmBanners />
      <Newer />
      {kind === "join" ? <NewDevicePage /> : kind === "recover" ? <RecoverPage /> : <WelcomePage />}
    </div>
  );
}

/** A newer build of the app waits, or the person is asked something. */
function Newer(): ReactElement | undefined {
  const isThere = useSelector(({ update }) => update !== undefined);
  return isThere ? <AppLine /> : undefined;
}

function Messenger(): ReactElement {
  const route = useRoute();
  const isTwo = useMedia(twoColumns);
  const [isHelpOpen, setIsHelpOpen] = useState(false);
  const showHelp = useCallback(() => setIsHelpOpen(true), []);
  const columnsRef = useRef<HTMLDivElement>(null);
  const { router } = useApp();
  const leave = useCallback(() => router.go({ kind: "home" }), [router]);
  useShortcuts(showHelp);
  const hasLock = useSelector(({ lock }) => lock !== undefined);
  useLinked();
  // As in other messengers, the list of settings stands where the conversations were, which are as they were afterwards.
  const areSettings = isTwo && isInSettings(route);
  const opened = useSelector((state) => state.openId !== undefined);
  const [hasConversationPage] = useStaying(opened);
  const isHome = route.kind === "home" || route.kind === "recover" || route.kind === "join";
  const writing = useWriting(isHome);
  return (
    <div className="shell">
      <Boundary kind="part">
        <ConnectionLine />
        <CatchUpLine />
        <HistoryLine />
        <AnnouncementLine />
        <AlarmBanners />
        <NoticeLine />
        <Newer />
        {hasConversationPage && <PlayerLine />}
      </Boundary>
      <div className="columns" ref={columnsRef}>
        {(isTwo || isHome) && (
          <div
            className="column-list"
            role={isTwo ? "complementary" : "main"}
            aria-label={areSettings ? t("settings.heading") : t("list.heading")}
          >
            <div className="column-list-part" hidden={areSettings}>
              <Boundary kind="part">
                <ConversationList headingLevel={isTwo ? 2 : 1}>
                  {isTwo ? undefined : <FirstInvitation writing={writing} />}
                </ConversationList>
              </Boundary>
            </div>
            {areSettings && (
              <Boundary kind="part">
                <SettingsNav isBeside />
              </Boundary>
            )}
            {isTwo && <Resizer columnsRef={columnsRef} />}
          </div>
        )}
        {(isTwo || !isHome) && (
          <Boundary kind="part" place={formatRoute(route)} leave={route.kind === "home" ? undefined : leave}>
            <Place route={route} writing={writing} />
          </Boundary>
        )}
      </div>
      <ShownPerson />
      {hasLock && <LockWatch />}
      {isHelpOpen && <HelpDialog close={() => setIsHelpOpen(false)} />}
    </div>
  );
}

/** The card of whoever is looked at; another place closes it. */
function ShownPerson(): ReactElement | undefined {
  const { controller } = useApp();
  const person = useSelector((state) => state.shownPerson);
  const route = formatRoute(useRoute());
  useEffect(() => () => controller.showPerson(undefined), [controller, route]);
  return person === undefined ? undefined : <PersonCard key={person.accountId} person={person} />;
}

/** Once a new device has everything, it says so, and the address is that of the list. */
function useLinked(): void {
  const { controller, notify, router } = useApp();
  const isDone = useSelector((state) => state.link?.kind === "done");
  const isNew = useRoute().kind === "join";
  useEffect(() => {
    if (!isDone || !isNew) return;
    controller.endLink();
    router.go({ kind: "home" }, { replace: true });
    notify(t("linked"));
  }, [controller, isDone, isNew, notify, router]);
}

/**
 * How far somebody is in writing the recovery phrase down at home: a phone that is turned shows it in another place. It is forgotten with leaving
 * there.
 */
function useWriting(isHome: boolean): KeptProgress {
  const [progress, setProgress] = useState<RecoveryProgress>();
  useEffect(() => {
    if (!isHome) setProgress(undefined);
  }, [isHome]);
  return [progress, setProgress];
}

/** On a phone, in place of a list that is empty. */
function FirstInvitation({ writing }: { readonly writing: KeptProgress }): ReactElement {
  const asksForPhrase = useSelector(asksForRecoveryPhrase);
  const [isWriting, endWriting] = useStaying(asksForPhrase);
  if (!isWriting) return <EmptyPage isFirst headingLevel={2} />;
  return (
    <div className="recovery-place">
      <RecoveryPanel headingLevel={2} kept={writing} finish={endWriting} />
    </div>
  );
}

/** `value` while it is true, and then until it is ended: a panel that has done its work still says so. */
function useStaying(value: boolean): readonly [boolean, () => void] {
  const [isStaying, setIsStaying] = useState(value);
  useEffect(() => {
    if (value) setIsStaying(true);
  }, [value]);
  return [value || isStaying, () => setIsStaying(false)];
}

function HomePlace({ writing }: { readonly writing: KeptProgress }): ReactElement {
  const isFirst = useSelector((state) => state.conversations.size === 0);
  const asksForPhrase = useSelector(asksForRecoveryPhrase);
  const [isWriting, endWriting] = useStaying(asksForPhrase);
  return (
    <main className="column-place-empty">
      {isWriting ? (
        <div className="recovery-place">
          <RecoveryPanel headingLevel={1} kept={writing} finish={endWriting} />
        </div>
      ) : (
        <EmptyPage isFirst={isFirst} headingLevel={1} />
      )}
    </main>
  );
}

function Place({ route, writing }: { readonly route: Route; readonly writing: KeptProgress }): ReactElement {
  const isThree = useMedia(threeColumns);
  switch (route.kind) {
    case "home":
    case "join":
    case "recover":
      return <HomePlace writing={writing} />;
    case "conversation":
      // What stands open in the details stays so where the window is turned or made wider.
      return (
        <>
          {(isThree || !route.details) && <ConversationPage key={route.id} id={route.id} areDetailsOpen={route.details} />}
          {route.details && (
            <Boundary kind="part">
              <DetailsPane key={route.id} id={route.id} isMain={!isThree} />
            </Boundary>
          )}
        </>
      );
    case "new":
      return <NewConversationPage key={route.to} to={route.to} />;
    case "knock":
      return <KnockPage key={route.link} link={route.link} />;
    case "share":
      return <SharePage token={route.token} />;
    case "requests":
      return <RequestsPage />;
    case "blocked":
      return <BlockedPeoplePage />;
    case "settings":
      return <SettingsPage section={route.section} />;
    case "licences":
      return <LicencesPage />;
    case "holdings":
      return <HoldingsPage />;
    case "imported":
      return <ImportedPage key={route.id} id={route.id} />;
    case "devices":
      return <DevicesPage />;
    case "link":
      return <LinkPage />;
    case "recovery_phrase":
      return <RecoveryPage />;
  }
}

function useTitle(): void {
  const route = useRoute();
  const unread = useSelector((state) => totalUnread(state.conversations));
  const open = useSelector((state) => (route.kind === "conversation" ? state.conversations.get(route.id) : undefined));
  // The browser writes titles down: with a lock they say nothing.
  const isPlain = useSelector(({ lock }) => lock !== undefined);
  const title = open === undefined || isPlain ? undefined : titleOf(open);
  useEffect(() => {
    // Where the app is installed, its icon says how much waits, of what is not muted.
    void navigator.setAppBadge?.(unread).catch(() => undefined);
    document.title = `${unread > 0 && !isPlain ? `(${unread}) ` : ""}${title === undefined ? "" : `${title} – `}${t("appName")}`;
  }, [isPlain, title, unread]);
}
