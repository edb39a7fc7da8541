import { useCallback, useEffect, useState } from "react";
import type { ReactElement, ReactNode } from "react";
import { decisionLimits } from "@latchkey/client/desk";
import type { CaseDetail, DeskInput } from "@latchkey/client/desk";
import { named, t } from "../../messages/words.ts";
import { dayText } from "../../state/days.ts";
import { Attachments } from "./Attachments.tsx";
import { Appeals } from "./Appeals.tsx";
import { CaseItems } from "./CaseItems.tsx";
import { sanctionText } from "./case-words.ts";
import { DecisionForm } from "./DecisionForm.tsx";
import { Decisions, Timeline } from "./CaseStory.tsx";
import { Field } from "./fields.tsx";
import { Heading } from "./Heading.tsx";
import { useOffice, useOperation } from "./office-context.ts";
import { Doubles } from "./QueuePage.tsx";
import { Refusal } from "./Refusal.tsx";
import { Verdicts } from "./Verdicts.tsx";

/** What changes a case and answers with how it is then. */
type CaseAct = "case-take" | "case-note" | "appeal-decide";

/** Everything that the desk has of a case, and what can be done about it. */
export function CasePage({ number }: { readonly number: number }): ReactElement {
  const { session } = useOffice();
  const { isBusy, refusal, run } = useOperation();
  const [found, setFound] = useState<CaseDetail>();
  const [isDeciding, setIsDeciding] = useState(false);
  /** Somebody else decided first. */
  const [isLate, setIsLate] = useState(false);
  const read = useCallback(async () => {
    const answer = await run("case-get", { number });
    if (answer !== undefined) setFound(answer.case);
  }, [run, number]);
  useEffect(() => void read(), [read]);
  const act = async <Name extends CaseAct>(name: Name, input: DeskInput<Name>): Promise<boolean> => {
    // Each of these answers with the case.
    const answer = await run(name, input);
    if (answer !== undefined) setFound(answer.case);
    return answer !== undefined;
  };
  if (found === undefined) {
    return (
      <>
        <Heading text={t("cases.title", { n: number })} />
        <Back />
        <Refusal code={refusal} tryAgain={() => void read()} />
      </>
    );
  }
  const at = { number, revision: found.revision };
  const isMine = found.takenBy === session.staff.name;
  const isOpen = found.state === "new" || found.state === "taken";
  return (
    <>
      <Heading text={t("cases.title", { n: number })} />
      <Back />
      <div className="case-head">
        <span className="case-state">
          {found.takenBy === undefined ? t(`cases.state.${found.state}`) : t("cases.takenBy", { name: found.takenBy })}
        </span>
        {isOpen && (
          <button
            type="button"
            className="button button-small"
            disabled={isBusy}
            onClick={() => void act("case-take", { ...at, isTaken: !isMine })}
          >
            {isMine ? t("cases.giveBack") : t("cases.take")}
          </button>
        )}
        <button type="button" className="button button-small" disabled={isBusy} onClick={() => void read()}>
          {t("desk.readAgain")}
        </button>
      </div>
      <Refusal code={isLate ? "changed" : refusal} {...(refusal === "changed" ? { tryAgain: () => void read() } : {})} />
      <Accused found={found} />
      <Part heading={t("cases.part.received")}>
        <Doubles one={found} />
        {found.received.map((report, index) => (
          <article key={`${report.arrivedDay} ${index}`} className="case-report">
            <p className="section-hint">
              {t("cases.reportedBy", {
                who: report.reporter === "account" ? "account" : "other",
                day: dayText(report.arrivedDay),
                reason: named("cases.reason", report.reason),
              })}
            </p>
            {report.unfoundedBefore !== undefined && (
              <p className="section-hint">{t("cases.unfoundedBefore", { n: report.unfoundedBefore })}</p>
            )}
            {report.words !== "" && <blockquote dir="auto">{report.words}</blockquote>}
            <Verdicts verdicts={report.verdicts} />
          </article>
        ))}
      </Part>
      <Part heading={t("cases.part.evidence")}>
        <CaseItems found={found} />
      </Part>
      {found.attachments.length > 0 && (
        <Part heading={t("cases.part.files")}>
          <Attachments number={number} files={found.attachments} />
        </Part>
      )}
      {found.appeals.length > 0 && (
        <Part heading={t("cases.part.appeals")}>
          <Appeals
            found={found}
            isBusy={isBusy}
            answer={({ appeal, outcome, words, decision }) =>
              act("appeal-decide", { ...at, appeal, outcome, words, ...(decision === undefined ? {} : { decision }) })
            }
          />
        </Part>
      )}
      {found.decisions.length > 0 && (
        <Part heading={t("cases.part.decisions")}>
          <Decisions decisions={found.decisions} />
        </Part>
      )}
      {found.mayDecide &&
        (isDeciding ? (
          <DecisionForm
            heading={t("cases.decideOne", { n: number })}
            isBusy={isBusy}
            cancel={() => setIsDeciding(false)}
            decide={async (decision) => {
              const answer = await run("case-decide", { cases: [at], decision });
              if (answer === undefined) return;
              setIsDeciding(false);
              setIsLate(answer.changed.length > 0);
              await read();
            }}
          />
        ) : (
          <button type="button" className="button button-primary" onClick={() => setIsDeciding(true)}>
            {t("cases.decide")}
          </button>
        ))}
      <Part heading={t("cases.part.timeline")}>
        <Timeline events={found.timeline} />
        <Note isBusy={isBusy} write={(text) => act("case-note", { number, text })} />
      </Part>
    </>
  );
}

function Back(): ReactElement {
  return (
    <p>
      <a href="#cases">{t("cases.back")}</a>
    </p>
  );
}

/** A part of a case under its heading. */
function Part({ heading, children }: { readonly heading: string; readonly children: ReactNode }): ReactElement {
  return (
    <section className="desk-card">
      <h2>{heading}</h2>
      {children}
    </section>
  );
}

function Accused({ found }: { readonly found: CaseDetail }): ReactElement {
  const { username, host, restricted } = found.accused;
  return (
    <section className="desk-card">
      <h2>{t("cases.part.accused")}</h2>
      <p className="case-accused">
        <bdi>{username === undefined ? t("cases.noName") : `${username}@${host}`}</bdi>
      </p>
      {username === undefined && <p className="section-hint">{t("cases.noNameHint", { host })}</p>}
      {restricted.map(({ what, untilDay }) => (
        <p key={`${what} ${untilDay}`}>
          {what === "suspended"
            ? sanctionText({ kind: "suspend", untilDay })
            : sanctionText({ kind: "restrict", restrictions: [what], untilDay })}
        </p>
      ))}
    </section>
  );
}

function Note({ isBusy, write }: { readonly isBusy: boolean; readonly write: (text: string) => Promise<boolean> }): ReactElement {
  const [text, setText] = useState("");
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void write(text.trim()).then((isDone) => isDone && setText(""));
      }}
    >
      <Field label={t("cases.note")} hint={t("cases.noteHint")} value={text} rows={2} most={decisionLimits.note} change={setText} />
      <button type="submit" className="button" disabled={isBusy || text.trim() === ""}>
        {t("cases.noteWrite")}
      </button>
    </form>
  );
}
