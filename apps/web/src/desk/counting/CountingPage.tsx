import "./counting.css";
import { useCallback, useEffect, useState } from "react";
import type { ReactElement } from "react";
import type { CountingPolicies, SealedCount } from "@latchkey/client/desk";
import { t } from "../../messages/words.ts";
import { formatNumber } from "../../state/format.ts";
import { Heading } from "../office/Heading.tsx";
import { useOperation } from "../office/office-context.ts";
import { Refusal } from "../office/Refusal.tsx";
import { PolicyForm } from "./PolicyForm.tsx";
import { halfYearWords, PolicyFacts } from "./PolicyFacts.tsx";
import { SealedRow } from "./SealedRow.tsx";

/** How a server counts in public, chosen for half-years to come; and what stays sealed, with what ended its secrecy. */
export function CountingPage(): ReactElement {
  const { isBusy, refusal, run } = useOperation();
  const [policies, setPolicies] = useState<CountingPolicies>();
  const [list, setList] = useState<{
    readonly sealed: readonly SealedCount[];
    readonly next: number | undefined;
    readonly waiting: { readonly sealed: number; readonly others: number };
  }>();
  const [isSaved, setIsSaved] = useState(false);
  const read = useCallback(async () => {
    const chosen = await run("counts-policy-get", {});
    if (chosen === undefined) return;
    setPolicies(chosen);
    const answer = await run("counts-list", { after: 0 });
    if (answer !== undefined) setList({ ...answer, next: answer.next });
  }, [run]);
  useEffect(() => void read(), [read]);
  const more = async (after: number): Promise<void> => {
    const answer = await run("counts-list", { after });
    if (answer !== undefined)
      setList((before) => ({ ...answer, next: answer.next, sealed: [...(before?.sealed ?? []), ...answer.sealed] }));
  };
  const show = (one: SealedCount): void =>
    setList((before) => before && { ...before, sealed: before.sealed.map((other) => (other.id === one.id ? one : other)) });
  return (
    <>
      <Heading text={t("office.page.counting")} />
      <p className="section-hint">{t("counting.lead")}</p>
      <Refusal code={refusal} tryAgain={() => void read()} />
      {policies !== undefined && (
        <>
          <section className="desk-card counting-card" aria-labelledby="counting-now">
            <h2 id="counting-now">{t("counting.now")}</h2>
            {policies.now === undefined ? <p>{t("counting.notYet")}</p> : <PolicyFacts choice={policies.now} />}
          </section>
          <section className="desk-card counting-card" aria-labelledby="counting-next">
            <h2 id="counting-next">{t("counting.next", { period: halfYearWords(policies.nextPeriod) })}</h2>
            <p className="section-hint">{t("counting.nextHint")}</p>
            <PolicyForm
              key={JSON.stringify(policies.next)}
              choice={policies.next}
              bands={policies.bands}
              isBusy={isBusy}
              save={async (policy) => {
                const answer = await run("counts-policy-set", { policy });
                if (answer === undefined) return;
                setPolicies(answer);
                setIsSaved(true);
              }}
              changed={() => setIsSaved(false)}
            />
            {isSaved && (
              <p className="notice notice-good" role="status">
                {t("counting.saved")}
              </p>
            )}
          </section>
        </>
      )}
      {list !== undefined && (
        <section className="desk-card counting-card" aria-labelledby="counting-sealed">
          <h2 id="counting-sealed">{t("counting.sealed")}</h2>
          <p className="section-hint">{t("counting.sealedHint")}</p>
          {list.waiting.sealed + list.waiting.others > 0 && (
            <p>{t("counting.waiting", { sealed: formatNumber(list.waiting.sealed), others: formatNumber(list.waiting.others) })}</p>
          )}
          {list.sealed.length === 0 && <p>{t("counting.noneSealed")}</p>}
          <ul className="case-rows">
            {list.sealed.map((one) => (
              <SealedRow
                key={one.id}
                one={one}
                isBusy={isBusy}
                clear={async (to) => {
                  const answer = await run("counts-clear", { id: one.id, ...to });
                  if (answer !== undefined) show(answer.sealed);
                  return answer !== undefined;
                }}
              />
            ))}
          </ul>
          {list.next !== undefined && (
            <button type="button" className="button" disabled={isBusy} onClick={() => void more(list.next ?? 0)}>
              {t("counting.more")}
            </button>
          )}
        </section>
      )}
    </>
  );
}
