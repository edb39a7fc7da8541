import type { ReactElement } from "react";
import type { CaseDetail, CaseItem } from "@latchkey/client/desk";
import { rowOf, t } from "../../messages/words.ts";
import { formatFull, formatNumber, isoTime } from "../../state/format.ts";
import { authorText } from "./case-words.ts";
import { Verdicts } from "./Verdicts.tsx";

/** The messages of a case in their order. What is not shown is a line of its own, and never nothing. */
export function CaseItems({ found }: { readonly found: CaseDetail }): ReactElement {
  if (found.items.length === 0) return <p className="section-hint">{t("cases.noItems")}</p>;
  return (
    <ol className="case-items">
      {found.items.map((item) => (
        <Item key={item.number} item={item} found={found} />
      ))}
    </ol>
  );
}

function Item({ item, found }: { readonly item: CaseItem; readonly found: CaseDetail }): ReactElement {
  const { number, author, role, about, text, saysAtMs, gapBefore, verdicts, attachments } = item;
  const who = authorText(author, found.accused);
  return (
    <>
      {gapBefore !== 0 && (
        <li className="case-gap">{gapBefore < 0 ? t("cases.gapUnknown", { who }) : t("cases.gap", { n: gapBefore, who })}</li>
      )}
      <li id={`item-${number}`} className={role === "reported" ? "case-item case-item-reported" : "case-item"}>
        <p className="case-item-head">
          <span className="tabular">{number}</span> <strong>{who}</strong>
          <span className="case-state">{t(`cases.itemRole.${role}`)}</span>
          {saysAtMs !== undefined && (
            <time className="section-hint" dateTime={isoTime(saysAtMs)}>
              {t("cases.saysAt", { time: formatFull(saysAtMs) })}
            </time>
          )}
        </p>
        {(role === "edit" || role === "delete" || role === "reaction") && (
          <p className="section-hint">{about === undefined ? t("cases.aboutMissing") : t("cases.about", { n: about })}</p>
        )}
        {text !== undefined && (
          <p className="case-item-text" dir="auto">
            {text}
          </p>
        )}
        {attachments.length > 0 && (
          <p className="section-hint">{t("cases.itemFiles", { files: rowOf(attachments.map((one) => formatNumber(one))) })}</p>
        )}
        <Verdicts verdicts={verdicts} />
      </li>
    </>
  );
}
