import { useState } from "react";
import type { ReactElement } from "react";
import { t } from "../../messages/words.ts";
import { formatFull } from "../../state/format.ts";
import { ActForm } from "./ActForm.tsx";
import { Part, WhyNot } from "./Part.tsx";
import { leftText } from "./request-words.ts";
import { useRequest, whyNot } from "./request-work.ts";

/** The copy that is kept for a request: since when, until when, and what can be done about it. */
export function Preservation(): ReactElement | undefined {
  const work = useRequest();
  const { found, at, isBusy, act, nowMs } = work;
  const { preservation } = found;
  const [open, setOpen] = useState<"extend" | "end">();
  const why = whyNot("request-preserve", work);
  if (preservation === undefined) {
    // Later than that it is offered by types that have a copy at all.
    if (found.state !== "received" && why !== undefined) return undefined;
    return (
      <Part name="preservation">
        <p className="section-hint">{t("legal.nothingPreserved")}</p>
        {why === undefined ? (
          <button type="button" className="button" disabled={isBusy} onClick={() => void act("request-preserve", at)}>
            {t("legal.preserveNow")}
          </button>
        ) : (
          <WhyNot text={why} />
        )}
      </Part>
    );
  }
  const { state, fromMs, untilMs, extensions, mayExtend, endedWhy } = preservation;
  return (
    <Part name="preservation">
      <p className={state === "kept" ? "request-done" : ""}>
        {state === "asked" && found.verification !== undefined ? t("legal.preservation.making") : t(`legal.preservation.${state}`)}
      </p>
      <dl className="case-facts">
        <dt>{t("legal.preservedFrom")}</dt>
        <dd>{formatFull(fromMs)}</dd>
        {state !== "over" && (
          <>
            <dt>{t("legal.preservedUntil")}</dt>
            <dd>
              {formatFull(untilMs)}
              {"\n"}
              {leftText(untilMs, nowMs)}
            </dd>
          </>
        )}
        {extensions > 0 && (
          <>
            <dt>{t("legal.extensions")}</dt>
            <dd>{t("legal.extendedTimes", { n: extensions })}</dd>
          </>
        )}
        {endedWhy !== undefined && (
          <>
            <dt>{t("legal.endedWhy")}</dt>
            <dd dir="auto">{endedWhy}</dd>
          </>
        )}
      </dl>
      {state !== "over" && open === undefined && (
        <div className="office-acts">
          {mayExtend && (
            <button type="button" className="button button-small" disabled={isBusy} onClick={() => setOpen("extend")}>
              {t("legal.extend")}
            </button>
          )}
          {found.may.includes("request-preservation-end") && (
            <button type="button" className="button button-small button-danger-quiet" disabled={isBusy} onClick={() => setOpen("end")}>
              {t("legal.endCopy")}
            </button>
          )}
        </div>
      )}
      {state !== "over" && !mayExtend && <p className="section-hint">{t("legal.noMoreExtensions")}</p>}
      {open !== undefined && (
        <ActForm
          key={open}
          label={t("legal.words")}
          hint={open === "extend" ? t("legal.extendHint") : t("legal.endCopyHint")}
          button={open === "extend" ? t("legal.extend") : t("legal.endCopy")}
          isDanger={open === "end"}
          isBusy={isBusy}
          send={async (words) => {
            const isDone = await act(open === "extend" ? "request-preservation-extend" : "request-preservation-end", { ...at, words });
            if (isDone) setOpen(undefined);
            return isDone;
          }}
        />
      )}
      <p className="section-hint">{t("legal.copySaid")}</p>
    </Part>
  );
}
