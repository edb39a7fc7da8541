import { useState } from "react";
import type { ReactElement } from "react";
import type { SealedCount } from "@latchkey/client/desk";
import { ConfirmDialog } from "../../components/Dialog.tsx";
import { rowOf, t } from "../../messages/words.ts";
import { formatDate, formatFull } from "../../state/format.ts";
import { Field } from "../office/fields.tsx";
import { halfYearWords } from "./PolicyFacts.tsx";

const mostDocument = 300;

/** A record that stays sealed: of what it is, where it stands, and what ended its secrecy. */
export function SealedRow(props: {
  readonly one: SealedCount;
  readonly isBusy: boolean;
  readonly clear: (to: { readonly document: string } | { readonly isNever: true }) => Promise<boolean>;
}): ReactElement {
  const { one, isBusy, clear } = props;
  const { id, of, what, atMs, period, batch, isNever, clearance } = one;
  const [isOpen, setIsOpen] = useState(false);
  const [isAsking, setIsAsking] = useState(false);
  const [document, setDocument] = useState("");
  const name = nameOf(of);
  return (
    <li className="case-row" data-record={id}>
      <div className="case-row-text">
        <strong>{rowOf([name, t(`counting.what.${what}`)])}</strong>
        <p className="section-hint">
          {rowOf([
            formatFull(atMs),
            period === undefined ? t("counting.noBatch") : t("counting.inBatch", { period: halfYearWords(period), n: (batch ?? 0) + 1 }),
          ])}
        </p>
        {isNever && <p>{t("counting.never")}</p>}
        {clearance !== undefined && (
          <p>
            {clearance.by === undefined
              ? t("counting.cleared", { day: formatDate(Date.parse(clearance.day), { timeZone: "UTC" }) })
              : t("counting.clearedBy", { day: formatDate(Date.parse(clearance.day), { timeZone: "UTC" }), name: clearance.by })}{" "}
            <q dir="auto">{clearance.document}</q>
          </p>
        )}
        {isOpen && (
          <form
            onSubmit={(event) => {
              event.preventDefault();
              void clear({ document: document.trim() }).then((isDone) => (isDone ? setIsOpen(false) : undefined));
            }}
          >
            <Field
              label={t("counting.document")}
              hint={t("counting.documentHint")}
              value={document}
              most={mostDocument}
              change={setDocument}
            />
            <button type="submit" className="button button-primary" disabled={isBusy || document.trim() === ""}>
              {t("counting.clear")}
            </button>
          </form>
        )}
      </div>
      {!isNever && (
        <div className="office-acts">
          <button
            type="button"
            className="button button-small"
            aria-expanded={isOpen}
            aria-label={t("counting.clearOf", { name })}
            disabled={isBusy}
            onClick={() => setIsOpen(!isOpen)}
          >
            {isOpen ? t("common.cancel") : t("counting.clearBegin")}
          </button>
          <button
            type="button"
            className="button button-small button-danger-quiet"
            aria-label={t("counting.neverOf", { name })}
            disabled={isBusy}
            onClick={() => setIsAsking(true)}
          >
            {t("counting.neverBegin")}
          </button>
        </div>
      )}
      {isAsking && (
        <ConfirmDialog
          title={t("counting.neverTitle", { name })}
          body={t("counting.neverBody")}
          confirmLabel={t("counting.neverBegin")}
          confirm={() => clear({ isNever: true })}
          close={() => setIsAsking(false)}
        />
      )}
    </li>
  );
}

/** `request:3`, `case:12` in words. */
function nameOf(of: string): string {
  const [kind, number = ""] = of.split(":");
  return t(kind === "request" ? "counting.request" : "counting.case", { n: Number(number) });
}
