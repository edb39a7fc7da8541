import { summarize } from "@latchkey/client/counts";
import type { KindSummary } from "@latchkey/client/counts";
import type { ReactElement } from "react";
import { t } from "../messages/words.ts";
import { formatDate, formatNumber } from "../state/format.ts";
import { halfYearText, numberText, tablesOf } from "./counts-view.ts";
import type { CountTableView, ShownHalfYear } from "./counts-view.ts";

/** A half-year: how many batches, and what was opened of it. */
export function HalfYear({ shown }: { readonly shown: ShownHalfYear }): ReactElement {
  const { period, claimed, verified } = shown;
  const report = verified?.report ?? claimed;
  const { opening, opensMs, batches, due, sealed, policy } = report;
  return (
    <section className="counts-card" aria-label={halfYearText(period)}>
      <h2>{halfYearText(period)}</h2>
      <dl className="counts-rows">
        <Row name={t("counts.batches")} value={t("counts.batchesOf", { n: formatNumber(batches), due: formatNumber(due) })} />
        {opening > 0 && <Row name={t("counts.sealed")} value={formatNumber(sealed)} />}
        {policy !== undefined && policy.band !== "none" && <Row name={t("counts.band")} value={policy.band} />}
      </dl>
      {opening === 0 ? (
        <p className="counts-soft">{opensMs === undefined ? "" : t("counts.opensOn", { date: formatDate(opensMs) })}</p>
      ) : (
        <div className="counts-kinds">
          {summarize(report).map((kind) => (
            <Kind key={kind.of} kind={kind} />
          ))}
        </div>
      )}
    </section>
  );
}

function Kind({ kind }: { readonly kind: KindSummary }): ReactElement {
  const { of, arrivals, accounts, emergencies, median } = kind;
  return (
    <section className="counts-kind">
      <h3>
        {t(`counts.${of}`)} <span className="counts-total">{numberText(arrivals)}</span>
      </h3>
      {arrivals.most > 0 && (
        <dl className="counts-rows">
          <Row name={t("counts.accounts")} value={numberText(accounts)} />
          {of === "request" && <Row name={t("counts.emergencies")} value={numberText(emergencies)} />}
          {median !== undefined && (
            <Row
              name={t("counts.median")}
              value={t("counts.medianDays", { days: median === "91 or more" ? t("counts.moreDays") : median })}
            />
          )}
        </dl>
      )}
      {tablesOf(kind).map((table) => (
        <Table key={table.heading} table={table} />
      ))}
    </section>
  );
}

function Table({ table: { heading, rows } }: { readonly table: CountTableView }): ReactElement {
  return (
    <table className="counts-table">
      <thead>
        <tr>
          <th scope="col">{heading}</th>
          <td aria-hidden="true" />
          <th scope="col">{t("counts.number")}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ name, text, share }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td className="counts-bar" aria-hidden="true">
              <svg viewBox="0 0 100 10" preserveAspectRatio="none" focusable="false">
                <rect width={Math.max(1, share * 100)} height="10" rx="1" />
              </svg>
            </td>
            <td className="tabular">{text}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Row({ name, value }: { readonly name: string; readonly value: string }): ReactElement {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
