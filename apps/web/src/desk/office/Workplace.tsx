import { useEffect, useMemo, useRef, useState } from "react";
import type { ReactElement } from "react";
import type { DeskSession } from "@latchkey/client/desk";
import { Boundary } from "../../components/Boundary.tsx";
import { Mark } from "../../components/Icon.tsx";
import { lazyComponent } from "../../components/lazy.tsx";
import { t } from "../../messages/words.ts";
import type { AskDesk } from "./desk-api.ts";
import { Heading } from "./Heading.tsx";
import { OfficeContext } from "./office-context.ts";
import { pagesOf, placeOf } from "./office-places.ts";
import type { OfficePage, OfficePlace } from "./office-places.ts";
import { useDue } from "./use-due.ts";
import { StaffPage } from "./StaffPage.tsx";
import { TrailPage } from "./TrailPage.tsx";

/** How often the desk is told that somebody still writes, at most. */
const stayMs = 300_000;

const CasePages = lazyComponent(async () => (await import("./CasePages.tsx")).CasePages, "cases");
const CountingPage = lazyComponent(async () => (await import("../counting/CountingPage.tsx")).CountingPage, "counting");
const DueSoon = lazyComponent(async () => (await import("../requests/DueSoon.tsx")).DueSoon, "legal");
const RequestPages = lazyComponent(async () => (await import("../requests/RequestPages.tsx")).RequestPages, "legal");

/** The pages of whoever is signed in: a menu of those that their roles open. */
export function Workplace(props: {
  readonly session: DeskSession;
  readonly ask: AskDesk;
  readonly leave: () => void;
  readonly toServer: (() => void) | undefined;
}): ReactElement {
  const { session, ask, leave, toServer } = props;
  const pages = pagesOf(session.staff.roles);
  const place = usePlace(pages);
  const [acts, setActs] = useState(0);
  /** After each act on a request other things are due. */
  const office = useMemo(() => ({ ask: noticing(ask, () => setActs((before) => before + 1)), session }), [ask, session]);
  const due = useDue(ask, pages.includes("requests"), `${acts} ${JSON.stringify(place)}`);
  const told = useRef(0);
  /** Who writes for long is not signed out meanwhile, and loses nothing of it. */
  const stay = (): void => {
    const nowMs = Date.now();
    if (Math.abs(nowMs - told.current) < stayMs) return;
    told.current = nowMs;
    void ask("session", {});
  };
  const signOut = (): void => {
    // Leaves at any rate: a session that the server could not be told of ends by itself.
    void ask("sign-out", {});
    leave();
  };
  return (
    <OfficeContext value={office}>
      <main className="page office" onInput={stay}>
        <header className="page-header office-header">
          <Mark size={28} />
          <span className="office-host">{t("office.of", { host: session.host })}</span>
          <span className="office-me">
            <bdi>{session.staff.name}</bdi>
          </span>
          <button type="button" className="button button-small" onClick={signOut}>
            {t("office.signOut")}
          </button>
        </header>
        <nav className="office-nav" aria-label={t("office.pages")}>
          {pages.map((kind) => (
            <a key={kind} href={`#${kind}`} aria-current={place?.kind === kind ? "page" : undefined}>
              {t(`office.page.${kind}`)}
            </a>
          ))}
          {toServer !== undefined && (
            <button type="button" className="link-button" onClick={toServer}>
              {t("desk.heading")}
            </button>
          )}
        </nav>
        {due.length > 0 && <DueSoon tasks={due} />}
        <div className="page-body office-body">
          <Boundary kind="part" place={JSON.stringify(place)}>
            <Page place={place} />
          </Boundary>
        </div>
      </main>
    </OfficeContext>
  );
}

function Page({ place }: { readonly place: OfficePlace | undefined }): ReactElement {
  switch (place?.kind) {
    case "cases":
    case "reasons":
      return <CasePages place={place} />;
    case "requests":
    case "types":
      return <RequestPages place={place} />;
    case "counting":
      return <CountingPage />;
    case "staff":
      return <StaffPage />;
    case "trail":
      return <TrailPage />;
    case undefined:
      return (
        <>
          <Heading text={t("office.nothing.title")} />
          <p>{t("office.nothing.advice")}</p>
        </>
      );
  }
}

/** Says when something was done about a request. What only reads has no revision in it. */
function noticing(ask: AskDesk, notice: () => void): AskDesk {
  return async (name, input) => {
    const result = await ask(name, input);
    const isAct = name === "request-open" || name === "request-task-done" || (name.startsWith("request-") && "revision" in input);
    if (isAct && result.kind === "done") notice();
    return result;
  };
}

/** Follows the address. */
function usePlace(pages: readonly OfficePage[]): OfficePlace | undefined {
  const [hash, setHash] = useState(globalThis.location.hash);
  useEffect(() => {
    const follow = (): void => setHash(globalThis.location.hash);
    // A link may have been pressed since this was drawn.
    follow();
    globalThis.addEventListener("hashchange", follow);
    return () => globalThis.removeEventListener("hashchange", follow);
  }, []);
  return placeOf(hash, pages);
}
