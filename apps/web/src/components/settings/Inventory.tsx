import { fetchInventory } from "@latchkey/client/holdings";
import { useRef, useState } from "react";
import type { ReactElement } from "react";
import type { ClientFailure } from "@latchkey/client";
import { failureWords, t } from "../../messages/words.ts";
import { readInventory } from "../../state/inventory.ts";
import type { InventoryView } from "../../state/inventory.ts";

const offline: ClientFailure = { code: "offline", message: "The server could not be asked.", canRetry: true };

/** What the server keeps of everybody, fetched when it is opened for the first time: in the server's words, which are English. */
export function Inventory(): ReactElement {
  const [view, setView] = useState<InventoryView>();
  const [hasFailed, setHasFailed] = useState(false);
  const isAsking = useRef(false);
  const ask = (): void => {
    if (view !== undefined || isAsking.current) return;
    isAsking.current = true;
    setHasFailed(false);
    inventoryOfServer()
      .then(setView, () => setHasFailed(true))
      .finally(() => (isAsking.current = false));
  };
  return (
    <details className="raw" onToggle={(event) => event.currentTarget.open && ask()}>
      <summary>{t("holdings.everybody")}</summary>
      <p className="section-hint">{t("holdings.everybodyHint")}</p>
      {hasFailed && (
        <div className="notice notice-danger" role="alert">
          <p>
            {failureWords(offline).title}. {failureWords(offline).advice}
          </p>
          <button type="button" className="button" onClick={ask}>
            {t("common.tryAgain")}
          </button>
        </div>
      )}
      {view !== undefined && (
        <div lang="en" dir="ltr">
          <p className="notice notice-good">{view.notHeld}</p>
          {view.groups.map(({ name, entries }) => (
            <section key={name} aria-label={name}>
              <h3 className="section-heading">{name}</h3>
              <dl className="inventory">
                {entries.map((entry) => (
                  <div key={entry.name}>
                    <dt>{entry.name}</dt>
                    <dd>
                      {entry.what} {entry.why} {entry.kept}
                    </dd>
                  </div>
                ))}
              </dl>
            </section>
          ))}
        </div>
      )}
    </details>
  );
}

async function inventoryOfServer(): Promise<InventoryView> {
  const view = readInventory(await fetchInventory(""));
  if (view === undefined) throw new Error("no inventory");
  return view;
}
