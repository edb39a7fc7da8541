import { useCallback, useEffect, useRef, useState } from "react";
import type { KeyboardEvent, ReactElement } from "react";
import { maxCasesAtOnce } from "@latchkey/client/desk";
import type { CaseState, CaseSummary, DeskOutput } from "@latchkey/client/desk";
import { rowOf, t } from "../../messages/words.ts";
import { dayText } from "../../state/days.ts";
import { formatNumber } from "../../state/format.ts";
import { reasonsText } from "./case-words.ts";
import { DecisionForm } from "./DecisionForm.tsx";
import { Heading } from "./Heading.tsx";
import { useOffice, useOperation } from "./office-context.ts";
import { caseAddress } from "./office-places.ts";
import { Refusal } from "./Refusal.tsx";

/** What the queue can be narrowed to. */
const filters = {
  open: ["new", "taken"],
  appeals: ["appealed"],
  decided: ["decided"],
  closed: ["closed"],
} as const satisfies Readonly<Record<string, readonly CaseState[]>>;

type Filter = keyof typeof filters;
// The keys of an object of our own.
const filterNames = Object.keys(filters) as Filter[];

/** The queue: what waits longest first, with doubles beside each other's names, several decided or merged at once. */
export function QueuePage(): ReactElement {
  const { session } = useOffice();
  const { isBusy, refusal, run } = useOperation();
  const [filter, setFilter] = useState<Filter>("open");
  const [cases, setCases] = useState<readonly CaseSummary[]>();
  const [next, setNext] = useState<number>();
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set());
  const [isDeciding, setIsDeciding] = useState(false);
  const [note, setNote] = useState("");
  const isModerator = session.staff.roles.includes("moderator");
  /** The filter that was chosen last: another may be chosen while cases of the one before come. */
  const wanted = useRef(filter);
  const read = useCallback(
    async (which: Filter): Promise<void> => {
      wanted.current = which;
      let answer: DeskOutput<"case-list"> | undefined;
      for (let asked: Filter | undefined; asked !== wanted.current;) {
        asked = wanted.current;
        answer = await run("case-list", { states: filters[asked] });
        if (answer === undefined) return;
      }
      if (answer === undefined) return;
      setCases(answer.cases);
      setNext(answer.next);
      setChosen(new Set());
      setIsDeciding(false);
    },
    [run],
  );
  useEffect(() => void read(filter), [read, filter]);
  const more = async (): Promise<void> => {
    const answer = next === undefined ? undefined : await run("case-list", { states: filters[filter], after: next });
    if (answer === undefined) return;
    if (wanted.current !== filter) {
      await read(wanted.current);
      return;
    }
    setCases([...(cases ?? []), ...answer.cases]);
    setNext(answer.next);
  };
  const toggle = (number: number): void => {
    const changed = new Set(chosen);
    if (!changed.delete(number) && changed.size < maxCasesAtOnce) changed.add(number);
    setChosen(changed);
  };
  const selected = cases?.filter(({ number }) => chosen.has(number)) ?? [];
  const [first, second] = selected;
  const canMerge = selected.length === 2 && first !== undefined && second !== undefined && first.sameAccused.includes(second.number);
  const merge = async (): Promise<void> => {
    if (first === undefined || second === undefined) return;
    const [into, from] = first.number < second.number ? [first, second] : [second, first];
    const answer = await run("case-merge", { from: at(from), into: at(into) });
    if (answer === undefined) return;
    setNote(t("cases.merged", { from: from.number, into: into.number }));
    await read(wanted.current);
  };
  return (
    <>
      <Heading text={t("office.page.cases")} />
      <div className="segments office-filters" role="group" aria-label={t("cases.filters")}>
        {filterNames.map((one) => (
          <label key={one} className="segment">
            <input type="radio" name="filter" checked={filter === one} onChange={() => setFilter(one)} />
            <span>{t(`cases.filter.${one}`)}</span>
          </label>
        ))}
      </div>
      <Refusal code={refusal} tryAgain={() => void read(filter)} />
      <p role="status" className="section-hint">
        {note}
      </p>
      {selected.length > 0 && !isDeciding && (
        <div className="office-bulk">
          <span>{t("cases.chosen", { n: selected.length })}</span>
          {isModerator && filter === "open" && (
            <button type="button" className="button button-primary" onClick={() => setIsDeciding(true)}>
              {t("cases.decideAlike")}
            </button>
          )}
          {isModerator && canMerge && filter === "open" && (
            <button type="button" className="button" disabled={isBusy} onClick={() => void merge()}>
              {t("cases.merge")}
            </button>
          )}
          <button type="button" className="link-button" onClick={() => setChosen(new Set())}>
            {t("cases.chooseNone")}
          </button>
        </div>
      )}
      {isDeciding && (
        <DecisionForm
          heading={t("cases.decideMany", { n: selected.length })}
          isBusy={isBusy}
          cancel={() => setIsDeciding(false)}
          decide={async (decision) => {
            const answer = await run("case-decide", { cases: selected.map(at), decision });
            if (answer === undefined) return;
            setNote(t("cases.decidedMany", { n: answer.decided.length, m: answer.changed.length }));
            await read(wanted.current);
          }}
        />
      )}
      {cases !== undefined && <Rows cases={cases} chosen={chosen} canChoose={isModerator && filter === "open"} toggle={toggle} />}
      <div className="office-acts">
        {next !== undefined && (
          <button type="button" className="button" disabled={isBusy} onClick={() => void more()}>
            {t("desk.more")}
          </button>
        )}
        <button type="button" className="button" disabled={isBusy} onClick={() => void read(filter)}>
          {t("desk.readAgain")}
        </button>
      </div>
    </>
  );
}

function at({ number, revision }: CaseSummary): { readonly number: number; readonly revision: number } {
  return { number, revision };
}

function Rows(props: {
  readonly cases: readonly CaseSummary[];
  readonly chosen: ReadonlySet<number>;
  readonly canChoose: boolean;
  readonly toggle: (number: number) => void;
}): ReactElement {
  const { cases, chosen, canChoose, toggle } = props;
  const list = useRef<HTMLUListElement>(null);
  /** Up and down go from case to case, and X chooses: a queue of a hundred is worked through without a mouse. */
  const follow = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const links = [...(list.current?.querySelectorAll<HTMLAnchorElement>("a.case-link") ?? [])];
    const now = links.findIndex((link) => link.closest("li")?.contains(document.activeElement));
    const step = event.key === "ArrowDown" || event.key === "j" ? 1 : event.key === "ArrowUp" || event.key === "k" ? -1 : 0;
    const one = cases[now];
    if (step !== 0) {
      event.preventDefault();
      links[Math.min(links.length - 1, Math.max(0, now + step))]?.focus();
    } else if (event.key === "x" && canChoose && one !== undefined) toggle(one.number);
  };
  if (cases.length === 0) return <p className="office-empty">{t("cases.none")}</p>;
  return (
    <>
      {/* The keys are for the links within, which have the focus. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
      <ul ref={list} className="case-rows" onKeyDown={follow}>
        {cases.map((one) => (
          <li key={one.number} className={`case-row case-${one.state}`}>
            {canChoose && (
              <input
                type="checkbox"
                aria-label={t("cases.choose", { n: one.number })}
                checked={chosen.has(one.number)}
                onChange={() => toggle(one.number)}
              />
            )}
            <div className="case-row-text">
              <a className="case-link" href={caseAddress(one.number)}>
                {t("cases.title", { n: one.number })}
                <span className="case-reasons">{reasonsText(one.reasons)}</span>
              </a>
              <p className="section-hint">{factsOf(one)}</p>
              <Doubles one={one} />
            </div>
            <span className="case-state">
              {one.takenBy === undefined ? t(`cases.state.${one.state}`) : t("cases.takenBy", { name: one.takenBy })}
            </span>
          </li>
        ))}
      </ul>
      <p className="section-hint">{t("cases.keys")}</p>
    </>
  );
}

/** Numbers of a case: shown, and deciding nothing. */
function factsOf({ openedDay, newestDay, reports, messages, proved }: CaseSummary): string {
  return rowOf([
    openedDay === newestDay
      ? t("cases.since", { day: dayText(openedDay) })
      : t("cases.sinceAndNewest", { day: dayText(openedDay), newest: dayText(newestDay) }),
    t("cases.reports", { n: reports }),
    t("cases.messages", { n: messages, proved: formatNumber(proved) }),
  ]);
}

/** Other cases that this one may belong to. */
export function Doubles({ one }: { readonly one: CaseSummary }): ReactElement | undefined {
  const links = (numbers: readonly number[]): ReactElement[] =>
    numbers.map((number) => (
      <a key={number} href={caseAddress(number)}>
        {formatNumber(number)}
      </a>
    ));
  if (one.sameAccused.length === 0 && one.sameConversation.length === 0) return undefined;
  return (
    <p className="case-doubles">
      {one.sameAccused.length > 0 && (
        <span>
          {t("cases.sameAccused")} {links(one.sameAccused)}
        </span>
      )}
      {one.sameConversation.length > 0 && (
        <span>
          {t("cases.sameConversation")} {links(one.sameConversation)}
        </span>
      )}
    </p>
  );
}
