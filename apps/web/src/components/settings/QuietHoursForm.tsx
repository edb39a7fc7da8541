import { quietUntil } from "@latchkey/client/own";
import type { QuietHours, QuietSpan, Weekday } from "@latchkey/client";
import type { ReactElement } from "react";
import { locale, t } from "../../messages/words.ts";
import { useAction, useApp, useSelector } from "../../state/context.ts";
import { whenEnds } from "../../state/mute-state.ts";
import { everyDay, isSameEveryDay, minuteOf, timeOf, usualSpan, weekdayName, weekdaysFrom, withDay } from "../../state/quiet-hours.ts";
import { useNow } from "../../state/use-now.ts";

/** The days of the week, and from when to when each is quiet. What is changed holds at once, on all devices. */
export function QuietHoursForm(): ReactElement {
  const { controller } = useApp();
  const act = useAction();
  const nowMs = useNow();
  const hours = useSelector((state) => state.quietHours);
  const change = (next: QuietHours): void => void act(() => controller.setQuietHours(next));
  const days = weekdaysFrom(locale());
  const first = days.find((day) => hours[day] !== undefined);
  const span = first === undefined ? undefined : hours[first];
  const untilMs = quietUntil(hours, nowMs);
  return (
    <>
      <p>{t("notifications.quietHint")}</p>
      {/* oxlint-disable-next-line jsx-a11y/no-redundant-roles */}
      <ul role="list" className="quiet-days" aria-label={t("notifications.quietHours")}>
        {days.map((day) => (
          <QuietDay key={day} day={day} span={hours[day]} change={(next) => change(withDay(hours, day, next))} />
        ))}
      </ul>
      {first !== undefined && span !== undefined && !isSameEveryDay(hours) && (
        <button type="button" className="button" onClick={() => change(everyDay(span))}>
          {t("notifications.everyDay", { day: weekdayName(first, locale()) })}
        </button>
      )}
      <p role="status" className="section-hint">
        {untilMs === undefined ? "" : t("notifications.quietNow", { time: whenEnds(untilMs, nowMs) })}
      </p>
    </>
  );
}

function QuietDay({
  day,
  span,
  change,
}: {
  readonly day: Weekday;
  readonly span: QuietSpan | undefined;
  readonly change: (span: QuietSpan | undefined) => void;
}): ReactElement {
  const name = weekdayName(day, locale());
  const edge = (which: "fromMinute" | "toMinute", label: string, value: number, whole: QuietSpan): ReactElement => (
    <input
      type="time"
      className="input quiet-time"
      aria-label={label}
      required
      value={timeOf(value)}
      onChange={(event) => {
        const minute = minuteOf(event.target.value);
        if (minute !== undefined) change({ ...whole, [which]: minute });
      }}
    />
  );
  return (
    <li className="quiet-day">
      <label className="quiet-name">
        <input type="checkbox" checked={span !== undefined} onChange={(event) => change(event.target.checked ? usualSpan : undefined)} />
        <span>{name}</span>
      </label>
      {span !== undefined && (
        <span className="quiet-span">
          {edge("fromMinute", t("notifications.from", { day: name }), span.fromMinute, span)}
          <span aria-hidden="true">–</span>
          {edge("toMinute", t("notifications.to", { day: name }), span.toMinute, span)}
          {span.toMinute <= span.fromMinute && <small className="quiet-next">{t("notifications.nextDay")}</small>}
        </span>
      )}
    </li>
  );
}
