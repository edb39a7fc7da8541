import { useCallback, useEffect, useRef, useState } from "react";
import type { KeyboardEvent, ReactElement } from "react";
import type { DeskOutput, RequestState, RequestSummary } from "@latchkey/client/desk";
import { rowOf, t } from "../../messages/words.ts";
import { countryName, formatAgo } from "../../state/format.ts";
import { useNow } from "../../state/use-now.ts";
import { Heading } from "../office/Heading.tsx";
import { useOffice, useOperation } from "../office/office-context.ts";
import { requestAddress } from "../office/office-places.ts";
import { Refusal } from "../office/Refusal.tsx";
import { ClockLine } from "./Clocks.tsx";

/** What the queue can be narrowed to. */
const filters = {
  open: ["received", "verified", "narrowed", "challenged", "approved"],
  answered: ["released", "refused"],
  closed: ["closed"],
} as const satisfies Readonly<Record<string, readonly RequestState[]>>;

type Filter = keyof typeof filters;
// The keys of an object of our own.
const filterNames = Object.keys(filters) as Filter[];

/** Requests of authorities: what is due first comes first, each with the time that counts next. */
export function RequestQueue(): ReactElement {
  const { session } = useOffice();
  const { isBusy, refusal, run } = useOperation();
  const nowMs = useNow();
  const [filter, setFilter] = useState<Filter>("open");
  const [requests, setRequests] = useState<readonly RequestSummary[]>();
  const [next, setNext] = useState<number>();
  /** The filter that was chosen last: another may be chosen while requests of the one before come. */
  const wanted = useRef(filter);
  const read = useCallback(
    async (which: Filter): Promise<void> => {
      wanted.current = which;
      let answer: DeskOutput<"request-list"> | undefined;
      for (let asked: Filter | undefined; asked !== wanted.current;) {
        asked = wanted.current;
        answer = await run("request-list", { states: filters[asked] });
        if (answer === undefined) return;
      }
      setRequests(answer?.requests);
      setNext(answer?.next);
    },
    [run],
  );
  useEffect(() => void read(filter), [read, filter]);
  const more = async (): Promise<void> => {
    const answer = next === undefined ? undefined : await run("request-list", { states: filters[filter], after: next });
    if (answer === undefined) return;
    setRequests([...(requests ?? []), ...answer.requests]);
    setNext(answer.next);
  };
  return (
    <>
      <Heading text={t("office.page.requests")} />
      <div className="segments office-filters" role="group" aria-label={t("legal.filters")}>
        {filterNames.map((one) => (
          <label key={one} className="segment">
            <input type="radio" name="filter" checked={filter === one} onChange={() => setFilter(one)} />
            <span>{t(`legal.filter.${one}`)}</span>
          </label>
        ))}
      </div>
      <div className="office-acts">
        {session.staff.roles.includes("intake") && (
          <a className="button button-primary" href={requestAddress("new")}>
            {t("legal.new")}
          </a>
        )}
        <button type="button" className="button" disabled={isBusy} onClick={() => void read(filter)}>
          {t("desk.readAgain")}
        </button>
      </div>
      <Refusal code={refusal} tryAgain={() => void read(filter)} />
      {requests !== undefined && <Rows requests={requests} nowMs={nowMs} />}
      {next !== undefined && (
        <button type="button" className="button" disabled={isBusy} onClick={() => void more()}>
          {t("desk.more")}
        </button>
      )}
    </>
  );
}

/** The rows of the queue, gone through by arrows. */
export function Rows({ requests, nowMs }: { readonly requests: readonly RequestSummary[]; readonly nowMs: number }): ReactElement {
  const list = useRef<HTMLUListElement>(null);
  const follow = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = event.key === "ArrowDown" || event.key === "j" ? 1 : event.key === "ArrowUp" || event.key === "k" ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const links = [...(list.current?.querySelectorAll<HTMLAnchorElement>("a.case-link") ?? [])];
    const now = links.findIndex((link) => link === document.activeElement);
    links[Math.min(links.length - 1, Math.max(0, now + step))]?.focus();
  };
  if (requests.length === 0) return <p className="office-empty">{t("legal.none")}</p>;
  return (
    <>
      {/* The keys are for the links within, which have the focus. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
      <ul ref={list} className="case-rows" onKeyDown={follow}>
        {requests.map((one) => (
          <li key={one.number} className="case-row">
            <div className="case-row-text">
              <a className="case-link" href={requestAddress(one.number)}>
                {t("legal.title", { n: one.number })}
                <span className="case-reasons" lang="en">
                  {one.title}
                </span>
              </a>
              <p className="section-hint">
                {rowOf([
                  one.authority,
                  countryName(one.country),
                  t("legal.cameAgo", { when: formatAgo(one.receivedAtMs, nowMs) }),
                  ...(one.tasks === 0 ? [] : [t("legal.tasks", { n: one.tasks })]),
                ])}
              </p>
              {one.due !== undefined && <ClockLine clock={one.due} nowMs={nowMs} />}
            </div>
            {one.isEmergency && <span className="case-state request-emergency">{t("legal.emergency")}</span>}
            <span className="case-state">{t(`legal.state.${one.state}`)}</span>
          </li>
        ))}
      </ul>
      <p className="section-hint">{t("legal.keys")}</p>
    </>
  );
}
