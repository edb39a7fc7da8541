import { useCallback, useEffect, useState } from "react";
import type { ReactElement } from "react";
import { requestLimits } from "@latchkey/client/desk";
import type { RequestCalendar } from "@latchkey/client/desk";
import { t } from "../../messages/words.ts";
import { Field } from "../office/fields.tsx";
import { useOperation } from "../office/office-context.ts";
import { Refusal } from "../office/Refusal.tsx";

const longestZone = 60;

/** By which calendar times are counted: its zone, and the days on which nobody works. */
export function Calendar({ isAdministrator }: { readonly isAdministrator: boolean }): ReactElement | undefined {
  const { isBusy, refusal, run } = useOperation();
  const [calendar, setCalendar] = useState<RequestCalendar>();
  const [zone, setZone] = useState("");
  const [holidays, setHolidays] = useState("");
  const [isSaved, setIsSaved] = useState(false);
  const take = useCallback((found: RequestCalendar): void => {
    setCalendar(found);
    setZone(found.zone);
    setHolidays(found.holidays.join("\n"));
  }, []);
  useEffect(() => void run("request-calendar", {}).then((answer) => answer !== undefined && take(answer.calendar)), [run, take]);
  const days = [...new Set(holidays.split(/[\s,;]+/u).filter((day) => day !== ""))].toSorted();
  const isGood = days.every((day) => /^\d{4}-\d{2}-\d{2}$/.test(day)) && days.length <= requestLimits.holidays && zone.trim() !== "";
  if (calendar === undefined) return undefined;
  return (
    <section className="desk-card">
      <h2>{t("legal.calendar")}</h2>
      <p>{t("legal.calendarFacts", { zone: calendar.zone, n: calendar.holidays.length })}</p>
      {isAdministrator && (
        <details className="office-more">
          <summary>{t("legal.change")}</summary>
          <form
            onSubmit={(event) => {
              event.preventDefault();
              setIsSaved(false);
              void run("request-calendar-set", { calendar: { zone: zone.trim(), holidays: days } }).then((answer) => {
                if (answer === undefined) return;
                take(answer.calendar);
                setIsSaved(true);
              });
            }}
          >
            <Field label={t("legal.zone")} hint={t("legal.zoneHint")} value={zone} most={longestZone} change={setZone} />
            <Field
              label={t("legal.holidays")}
              hint={t("legal.holidaysHint")}
              value={holidays}
              isWrong={!isGood}
              rows={4}
              change={setHolidays}
            />
            <button type="submit" className="button" disabled={isBusy || !isGood}>
              {t("legal.save")}
            </button>
          </form>
        </details>
      )}
      <p role="status" className="section-hint">
        {isSaved ? t("legal.saved") : ""}
      </p>
      <Refusal code={refusal} />
    </section>
  );
}
