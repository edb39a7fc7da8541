import type { ReactElement } from "react";
import { t } from "../../messages/words.ts";
import type { HoldingsRow } from "../../state/holdings.ts";

/** What the server holds, field by field, where there is room for three columns. */
export function HoldingsTable({ rows }: { readonly rows: readonly HoldingsRow[] }): ReactElement {
  return (
    // Where it is wider than its place it scrolls by itself: reachable by keyboard.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="table-frame" role="region" aria-label={t("holdings.heading")} tabIndex={0}>
      <table className="holdings">
        <thead>
          <tr>
            <th scope="col">{t("holdings.what")}</th>
            <th scope="col">{t("holdings.value")}</th>
            <th scope="col">{t("holdings.why")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.what}>
              <th scope="row">{row.what}</th>
              <td className="holdings-value">{row.value}</td>
              <td lang="en" dir="ltr">
                {row.why}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The same on a phone, where a table of three columns is read sideways. */
export function HoldingsCards({ rows }: { readonly rows: readonly HoldingsRow[] }): ReactElement {
  return (
    // A list without markers is no list to some screen readers unless told.
    // oxlint-disable-next-line jsx-a11y/no-redundant-roles
    <ul role="list" className="holdings-cards" aria-label={t("holdings.heading")}>
      {rows.map((row) => (
        <li key={row.what}>
          <strong>{row.what}</strong>
          <p className="holdings-value">{row.value}</p>
          {row.why !== "" && (
            <p className="holdings-why" lang="en" dir="ltr">
              {row.why}
            </p>
          )}
        </li>
      ))}
    </ul>
  );
}
