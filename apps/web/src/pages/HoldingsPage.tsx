import { useCallback, useEffect, useMemo, useState } from "react";
import type { ReactElement } from "react";
import type { ClientFailure } from "@latchkey/client";
import { pageWords } from "../messages/page-words.ts";
import { failureWords, words } from "../messages/words.ts";
import { Icon } from "../components/Icon.tsx";
import { PageHeader } from "../components/PageHeader.tsx";
import { useApp, useSelector } from "../state/context.ts";
import { viewHoldings } from "../state/holdings.ts";
import { failureOf } from "../worker/protocol.ts";

/** What the server holds about the person, as it tells it, with a reason for each thing. */
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
      <PageHeader heading={pageWords.holdings.heading} takesFocus />
      <div className="page-body page-body-wide">
        <p>{pageWords.holdings.intro}</p>
        {failure !== undefined && (
          <div className="notice notice-danger" role="alert">
            <strong>{pageWords.holdings.failed}</strong>
            <p>
              {failureWords(failure).title}. {failureWords(failure).advice}
            </p>
            <button type="button" className="button" onClick={ask}>
              {words.common.tryAgain}
            </button>
          </div>
        )}
        {view !== undefined && (
          <>
            {/* On a narrow screen the table scrolls by itself: reachable by keyboard. */}
            {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
            <div className="table-frame" role="region" aria-label={pageWords.holdings.heading} tabIndex={0}>
              <table className="holdings">
                <thead>
                  <tr>
                    <th scope="col">{pageWords.holdings.what}</th>
                    <th scope="col">{pageWords.holdings.value}</th>
                    <th scope="col">{pageWords.holdings.why}</th>
                  </tr>
                </thead>
                <tbody>
                  {view.rows.map((row) => (
                    <tr key={row.what}>
                      <th scope="row">{row.what}</th>
                      <td className="holdings-value">{row.value}</td>
                      <td>{row.why}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
            <div className="notice notice-good">
              <strong>{pageWords.holdings.notThere}</strong>
              <p>{view.notHeld ?? pageWords.holdings.notThereBody}</p>
            </div>
            <p>
              <button type="button" className="button" onClick={download}>
                <Icon name="download" size={18} />
                {pageWords.holdings.download}
              </button>
            </p>
            <details className="raw">
              <summary>{pageWords.holdings.raw}</summary>
              {/* A long text that scrolls by itself must be reachable by keyboard. */}
              {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
              <pre tabIndex={0}>{json}</pre>
            </details>
          </>
        )}
      </div>
    </main>
  );
}
