import type { ReactElement } from "react";
import type { ImportedConversation } from "@latchkey/client";
import { RowLink } from "../components/settings/RowLink.tsx";
import { t } from "../messages/words.ts";
import { formatBytes, formatDate } from "../state/format.ts";

/** Names of programs are the same in every language. */
export const sourceNames: Readonly<Record<ImportedConversation["source"], string>> = {
  whatsapp: "WhatsApp",
  telegram: "Telegram",
  signal: "Signal",
};

/** What was brought in, each with the way to read it. */
export function ImportedList({ list }: { readonly list: readonly ImportedConversation[] }): ReactElement {
  if (list.length === 0) return <p className="section-hint">{t("portable.nothingImported")}</p>;
  return (
    // A list without markers is no list to some screen readers unless told.
    // oxlint-disable-next-line jsx-a11y/no-redundant-roles
    <ul role="list" className="portable-list">
      {list.map((one) => (
        <li key={one.id}>
          <RowLink route={{ kind: "imported", id: one.id }} label={one.title} hint={hintOf(one)} />
        </li>
      ))}
    </ul>
  );
}

function hintOf({ source, lineCount, importedAtMs, isWhole, files: { sizeBytes } }: ImportedConversation): string {
  const values = { source: sourceNames[source], lines: lineCount, day: formatDate(importedAtMs) };
  const hint = isWhole ? t("portable.row", values) : t("portable.rowBroken", values);
  return sizeBytes === 0 ? hint : `${hint} · ${formatBytes(sizeBytes)}`;
}
