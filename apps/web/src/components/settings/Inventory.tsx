import { fetchInventory } from "@latchkey/client/holdings";
import { useRef, useState } from "react";
import type { ReactElement } from "react";
import type { ClientFailure } from "@latchkey/client";
import { failureWords, t } from "../../messages/words.ts";
import { readInventory } from "../../state/inventory.ts";
import type { InventoryView } from "../../state/inventory.ts";
import { failureOf } from "../../worker/protocol.ts";

const unreadable: ClientFailure = { code: "server_lied", message: "What the server sent is no inventory.", canRetry: true };

/** What the server keeps of everybody, fetched when it is opened for the first time: in the server's words, which are English. */
export function Inventory(): ReactElement {
  const [view, setView] = useState<InventoryView>();
  const [failure, setFailure] = useState<ClientFailure>();
  const isAsking = useRef(false);
  const ask = (): void => {
    if (view !== undefined || isAsking.current) return;
    isAsking.current = true;
    setFailure(undefined);
    fetchInventory("")
      .then(
        (text) => {
          const read = readInventory(text);
          setView(read);
          setFailure(read === undefined ? unreadable : undefined);
        },
        (error: unknown) => setFailure(failureOf(error)),
      )
      .finally(() => (isAsking.current = false));
  };
  return (
    <details className="raw" onToggle={(event) => event.currentTarget.open && ask()}>
      <summary>{t("holdings.everybody")}</summary>
      <p className="section-hint">{t("holdings.everybodyHint")}</p>
      {failure !== undefined && (
        <div className="notice notice-danger" role="alert">
          <p>
            {failureWords(failure).title}. {failureWords(failure).advice}
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
