import { useId, useState } from "react";
import type { ReactElement } from "react";
import { decisionLimits } from "@latchkey/client/desk";
import type { AppealOutcome, CaseAppeal, CaseDetail, DecisionInput } from "@latchkey/client/desk";
import { rowOf, t } from "../../messages/words.ts";
import { dayText } from "../../state/days.ts";
import { formatNumber } from "../../state/format.ts";
import { DecisionForm } from "./DecisionForm.tsx";
import { Field } from "./fields.tsx";

const outcomes = ["upheld", "reversed", "replaced"] as const;

/** What is answered to an appeal. */
interface Answer {
  readonly appeal: number;
  readonly outcome: AppealOutcome;
  readonly words: string;
  readonly decision?: DecisionInput;
}

/** Appeals against the decisions of a case, and what another person says to them. */
export function Appeals(props: {
  readonly found: CaseDetail;
  readonly isBusy: boolean;
  readonly answer: (answer: Answer) => Promise<boolean>;
}): ReactElement {
  const { found, isBusy, answer } = props;
  return (
    <>
      {found.appeals.map((one) => (
        <article key={one.number} className="case-report">
          <p className="section-hint">{t("cases.appealBy", { who: one.by, day: dayText(one.arrivedDay) })}</p>
          {one.words !== "" && <blockquote dir="auto">{one.words}</blockquote>}
          {one.items.length > 0 && (
            <p className="section-hint">{t("cases.appealItems", { items: rowOf(one.items.map((item) => formatNumber(item))) })}</p>
          )}
          {one.outcome === undefined ? (
            found.mayDecideAppeal ? (
              <AnswerForm appeal={one} isBusy={isBusy} answer={answer} />
            ) : (
              <p>{t("cases.appealOther")}</p>
            )
          ) : (
            <p>
              <strong>{t(`cases.outcome.${one.outcome.kind}`)}</strong> ({one.outcome.by}): <span dir="auto">{one.outcome.words}</span>
            </p>
          )}
        </article>
      ))}
    </>
  );
}

function AnswerForm({
  appeal,
  isBusy,
  answer,
}: {
  readonly appeal: CaseAppeal;
  readonly isBusy: boolean;
  readonly answer: (answer: Answer) => Promise<boolean>;
}): ReactElement {
  const id = useId();
  const [outcome, setOutcome] = useState<AppealOutcome>();
  const [words, setWords] = useState("");
  const [isEmpty, setIsEmpty] = useState(false);
  const send = async (decision?: DecisionInput): Promise<void> => {
    if (outcome === undefined || words.trim() === "") {
      setIsEmpty(true);
      return;
    }
    await answer({ appeal: appeal.number, outcome, words: words.trim(), ...(decision === undefined ? {} : { decision }) });
  };
  return (
    <>
      <fieldset className="office-roles">
        <legend>{t("cases.appealDecide")}</legend>
        {outcomes.map((one) => (
          <label key={one}>
            <input type="radio" name={id} checked={outcome === one} onChange={() => setOutcome(one)} />
            <span>
              {t(`cases.outcome.${one}`)}
              <span className="setting-hint">{t(`cases.outcomeHint.${one}`)}</span>
            </span>
          </label>
        ))}
      </fieldset>
      <Field
        label={t("cases.appealWords")}
        hint={t("cases.appealWordsHint")}
        value={words}
        isWrong={isEmpty}
        rows={3}
        most={decisionLimits.note}
        change={(text) => {
          setWords(text);
          setIsEmpty(false);
        }}
      />
      {outcome === "replaced" ? (
        <DecisionForm heading={t("cases.replacing")} isBusy={isBusy} cancel={() => setOutcome(undefined)} decide={send} />
      ) : (
        <button type="button" className="button button-primary" disabled={isBusy || outcome === undefined} onClick={() => void send()}>
          {t("cases.appealAnswer")}
        </button>
      )}
    </>
  );
}
