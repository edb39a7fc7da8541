import type { ReactElement } from "react";
import type { RequestClock } from "@latchkey/client/desk";
import { Icon } from "../../components/Icon.tsx";
import type { IconName } from "../../components/Icon.tsx";
import { t } from "../../messages/words.ts";
import { isoTime } from "../../state/format.ts";
import { clockState, leftText, zonedText } from "./request-words.ts";
import type { ClockState } from "./request-words.ts";

const icons: Readonly<Record<ClockState, IconName>> = { open: "clock", soon: "bell", over: "alert", reached: "check" };

/** A time in a line: what it is, how it stands, how much is left. Nothing of it is said by colour alone. */
export function ClockLine({ clock, nowMs }: { readonly clock: RequestClock; readonly nowMs: number }): ReactElement {
  const state = clockState(clock, nowMs);
  return (
    <span className={`request-clock-line request-clock-${state}`}>
      <Icon name={icons[state]} size={16} />
      <span>
        <strong>{t(`legal.clock.${clock.kind}`)}</strong>{" "}
        <time dateTime={isoTime(clock.atMs)}>{state === "reached" ? t("legal.reached") : leftText(clock.atMs, nowMs)}</time>
        {state === "soon" && <span className="case-state">{t("legal.soon")}</span>}
        {state === "over" && <span className="case-state">{t("legal.late")}</span>}
      </span>
    </span>
  );
}

/** All times that count, each with the rule that it was counted by. */
export function Clocks({ clocks, nowMs }: { readonly clocks: readonly RequestClock[]; readonly nowMs: number }): ReactElement {
  if (clocks.length === 0) return <p className="section-hint">{t("legal.noClocks")}</p>;
  return (
    <ul className="request-clocks">
      {clocks.map((clock) => (
        <li key={`${clock.kind} ${clock.atMs}`}>
          <ClockLine clock={clock} nowMs={nowMs} />
          <p>{zonedText(clock)}</p>
          {/* The table of types is in English. */}
          <p className="section-hint" lang="en" dir="ltr">
            {clock.rule}
          </p>
          <p className="section-hint">
            <bdi lang="en">{clock.source}</bdi>
          </p>
          {!clock.isChecked && <Unchecked />}
        </li>
      ))}
    </ul>
  );
}

/** Says that a rule was not read in the law. */
export function Unchecked(): ReactElement {
  return (
    <p className="request-unchecked">
      <Icon name="info" size={16} />
      <span>{t("legal.unchecked")}</span>
    </p>
  );
}
