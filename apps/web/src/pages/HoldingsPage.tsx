import { readHoldings } from "@latchkey/client/holdings";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { ReactElement } from "react";
import type { Client, ClientFailure } from "@latchkey/client";
import { failureWords, t } from "../messages/words.ts";
import { HoldingsCards, HoldingsTable } from "../components/settings/HoldingsRows.tsx";
import { Icon } from "../components/Icon.tsx";
import { Inventory } from "../components/settings/Inventory.tsx";
import { PageHeader } from "../components/PageHeader.tsx";
import { twoColumns, useApp, useMedia, useSelector } from "../state/context.ts";
import { formatBytes } from "../state/format.ts";
import { giveFile } from "../state/give-file.ts";
import { sumUpHoldings, viewHoldings } from "../state/holdings.ts";
import { failureOf } from "../worker/protocol.ts";

/** What is longer is only saved: a browser would stand still over it. */
const mostShownBytes = 16_777_216;
/** What is longer is given up: no browser keeps it. */
const mostBytes = 1_073_741_824;

/** How far the package is. */
type Fetched =
  | { readonly kind: "fetching"; readonly sizeBytes: number }
  | { readonly kind: "stopped" }
  | { readonly kind: "failed"; readonly failure: ClientFailure }
  /** `json` where it is short enough to be shown. */
  | { readonly kind: "whole"; readonly content: Blob; readonly json: string | undefined };

/** What the server holds about the person, as it tells it: what is not there, what is in a few sentences, and each field with its reason when asked for. */
export function HoldingsPage(): ReactElement {
  const account = useSelector((state) => state.account);
  const [fetched, ask, stop] = usePackage();
  const json = fetched.kind === "whole" ? fetched.json : undefined;
  const view = useMemo(() => (json === undefined ? undefined : viewHoldings(json)), [json]);
  const plain = useMemo(() => sumUpHoldings(json ?? ""), [json]);
  const [isAll, setIsAll] = useState(false);
  const isWide = useMedia(twoColumns);

  return (
    <main className="page">
      <PageHeader heading={t("holdings.heading")} takesFocus />
      <div className="page-body page-body-wide">
        {fetched.kind === "whole" && <p>{t("holdings.intro")}</p>}
        <p className="section-hint">{t("holdings.copyKept")}</p>
        {fetched.kind === "failed" && (
          <div className="notice notice-danger" role="alert">
            <strong>{t("holdings.failed")}</strong>
            <p>
              {failureWords(fetched.failure).title}. {failureWords(fetched.failure).advice}
            </p>
            <button type="button" className="button" onClick={ask}>
              {t("common.tryAgain")}
            </button>
          </div>
        )}
        {(fetched.kind === "fetching" || fetched.kind === "stopped") && (
          <div className="holdings-ways">
            <p role="status">
              {fetched.kind === "stopped" ? t("holdings.stopped") : t("holdings.fetching", { size: formatBytes(fetched.sizeBytes) })}
            </p>
            <button type="button" className="button" onClick={fetched.kind === "stopped" ? ask : stop}>
              {fetched.kind === "stopped" ? t("common.tryAgain") : t("holdings.stop")}
            </button>
          </div>
        )}
        {fetched.kind === "whole" && (
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
            {json === undefined && <p>{t("holdings.long", { size: formatBytes(fetched.content.size) })}</p>}
            <div className="holdings-ways">
              {json !== undefined && (
                <button type="button" className="button" aria-expanded={isAll} onClick={() => setIsAll(!isAll)}>
                  {isAll ? t("holdings.hideAll") : t("holdings.showAll")}
                </button>
              )}
              <button
                type="button"
                className="button"
                onClick={() => giveFile(fetched.content, `latchkey-${account?.username ?? "account"}.json`)}
              >
                <Icon name="download" size={18} />
                {t("holdings.download")}
              </button>
            </div>
            {isAll && view !== undefined && (isWide ? <HoldingsTable rows={view.rows} /> : <HoldingsCards rows={view.rows} />)}
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
        <Inventory />
      </div>
    </main>
  );
}

/** The package, asked for at once; to ask for it anew, and to stop. What is not whole is thrown away. */
function usePackage(): [Fetched, () => void, () => void] {
  const { controller } = useApp();
  const [fetched, setFetched] = useState<Fetched>({ kind: "fetching", sizeBytes: 0 });
  const reading = useRef<AbortController>(undefined);
  const ask = useCallback(() => {
    reading.current?.abort();
    const mine = new AbortController();
    reading.current = mine;
    const tell = (next: Fetched): void => {
      if (!mine.signal.aborted) setFetched(next);
    };
    tell({ kind: "fetching", sizeBytes: 0 });
    fetchPackage(controller.client, mine.signal, tell).catch((error: unknown) => tell({ kind: "failed", failure: failureOf(error) }));
  }, [controller]);
  useEffect(() => {
    ask();
    return () => reading.current?.abort();
  }, [ask]);
  const stop = useCallback(() => {
    reading.current?.abort();
    setFetched({ kind: "stopped" });
  }, []);
  return [fetched, ask, stop];
}

async function fetchPackage(client: Pick<Client, "inspect">, signal: AbortSignal, tell: (next: Fetched) => void): Promise<void> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let sizeBytes = 0;
  for await (const piece of readHoldings(await client.inspect(), { signal, mostBytes })) {
    pieces.push(new Uint8Array(piece));
    sizeBytes += piece.length;
    tell({ kind: "fetching", sizeBytes });
  }
  const content = new Blob(pieces, { type: "application/json" });
  tell({ kind: "whole", content, json: sizeBytes <= mostShownBytes ? await content.text() : undefined });
}
