import { useCallback, useEffect, useMemo, useState } from "react";
import type { ReactElement } from "react";
import type { ClientFailure } from "@latchkey/client";
import { t } from "../messages/words.ts";
import { failureWords } from "../messages/words.ts";
import { Icon } from "../components/Icon.tsx";
import { PageHeader } from "../components/PageHeader.tsx";
import { twoColumns, useApp, useMedia, useSelector } from "../state/context.ts";
import { sumUpHoldings, viewHoldings } from "../state/holdings.ts";
import type { HoldingsRow } from "../state/holdings.ts";
import { failureOf } from "../worker/protocol.ts";

/** What the server holds about the person, as it tells it: what is not there, what is in a few sentences, and each field with its reason when asked for. */
export function HoldingsPage(): ReactElement {
  const { controller } = useApp();
  const account = useSelector((state) => state.account);
  const [json, setJson] = useState<string>();
  const [failure, setFailure] = useState<ClientFailure>();
  const ask = useCallback(() => {
    setFailure(undefined);
    controller.client.inspect().then(
      (holdings) => setJson(holdings.json),
      (error: unknown) => setFailure(failureOf(error)),
    );
  }, [controller]);
  useEffect(ask, [ask]);
  const view = useMemo(() => (json === undefined ? undefined : viewHoldings(json)), [json]);
  const plain = useMemo(() => sumUpHoldings(json ?? ""), [json]);
  const [isAll, setIsAll] = useState(false);
  const isWide = useMedia(twoColumns);

  const download = (): void => {
    const address = URL.createObjectURL(new Blob([json ?? ""], { type: "application/json" }));
    const link = document.createElement("a");
    link.href = address;
    link.download = `latchkey-${account?.username ?? "account"}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  };

  return (
    <main className="page">
      <PageHeader heading={t("holdings.heading")} takesFocus />
      <div className="page-body page-body-wide">
        <p>{t("holdings.intro")}</p>
        {failure !== undefined && (
          <div className="notice notice-danger" role="alert">
            <strong>{t("holdings.failed")}</strong>
            <p>
              {failureWords(failure).title}. {failureWords(failure).advice}
            </p>
            <button type="button" className="button" onClick={ask}>
              {t("common.tryAgain")}
            </button>
          </div>
        )}
        {view !== undefined && (
          <>
            <div className="notice notice-good">
              <strong>{t("holdings.notThere")}</strong>
              <p>{t("holdings.notThereBody")}</p>
            </div>
            {plain.length > 0 && (
              <>
                <h2 className="section-heading">{t("holdings.plainHeading")}</h2>
                <ul className="holdings-plain">
                  {plain.map((sentence) => (
                    <li key={sentence}>
                      <bdi>{sentence}</bdi>
                    </li>
                  ))}
                </ul>
              </>
            )}
            <div className="holdings-ways">
              <button type="button" className="button" aria-expanded={isAll} onClick={() => setIsAll(!isAll)}>
                {isAll ? t("holdings.hideAll") : t("holdings.showAll")}
              </button>
              <button type="button" className="button" onClick={download}>
                <Icon name="download" size={18} />
                {t("holdings.download")}
              </button>
            </div>
            {isAll && (isWide ? <Table rows={view.rows} /> : <Cards rows={view.rows} />)}
            {isAll && (
              <details className="raw">
                <summary>{t("holdings.raw")}</summary>
                {/* A long text that scrolls by itself must be reachable by keyboard. */}
                {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
                <pre tabIndex={0}>{json}</pre>
              </details>
            )}
          </>
        )}
      </div>
    </main>
  );
}

function Table({ rows }: { readonly rows: readonly HoldingsRow[] }): ReactElement {
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
function Cards({ rows }: { readonly rows: readonly HoldingsRow[] }): ReactElement {
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
