import { useCallback, useEffect, useState } from "react";
import type { ReactElement } from "react";
import type { SavedReason } from "@latchkey/client/desk";
import { t } from "../../messages/words.ts";
import { sanctionText } from "./case-words.ts";
import { DecisionForm } from "./DecisionForm.tsx";
import { Field } from "./fields.tsx";
import { Heading } from "./Heading.tsx";
import { useOperation } from "./office-context.ts";
import { Refusal } from "./Refusal.tsx";

const longestTitle = 100;

/** Decisions' texts that are kept for the next like them. */
export function ReasonsPage(): ReactElement {
  const { isBusy, refusal, run } = useOperation();
  const [reasons, setReasons] = useState<readonly SavedReason[]>();
  /** Which is being changed; "new" for one that is not there yet. */
  const [open, setOpen] = useState<SavedReason | "new">();
  const [title, setTitle] = useState("");
  const [isUntitled, setIsUntitled] = useState(false);
  const read = useCallback(async () => {
    const answer = await run("reason-list", {});
    if (answer !== undefined) setReasons(answer.reasons);
  }, [run]);
  useEffect(() => void read(), [read]);
  const edit = (one: SavedReason | "new"): void => {
    setOpen(one);
    setTitle(one === "new" ? "" : one.title);
    setIsUntitled(false);
  };
  return (
    <>
      <Heading text={t("office.page.reasons")} />
      <p className="section-hint">{t("cases.reasonsLead")}</p>
      <Refusal code={refusal} />
      {open === undefined ? (
        <>
          <ul className="case-rows">
            {reasons?.map((one) => (
              <li key={one.id} className="case-row">
                <div className="case-row-text">
                  <strong dir="auto">{one.title}</strong>
                  <p className="section-hint">{sanctionText(one.decision)}</p>
                </div>
                <button
                  type="button"
                  className="button button-small"
                  aria-label={t("cases.reasonChange", { title: one.title })}
                  onClick={() => edit(one)}
                >
                  {t("cases.change")}
                </button>
                <button
                  type="button"
                  className="button button-small button-danger-quiet"
                  aria-label={t("cases.reasonRemove", { title: one.title })}
                  disabled={isBusy}
                  onClick={() => void run("reason-remove", { id: one.id }).then((done) => (done === undefined ? undefined : read()))}
                >
                  {t("cases.remove")}
                </button>
              </li>
            ))}
          </ul>
          <button type="button" className="button button-primary" onClick={() => edit("new")}>
            {t("cases.reasonNew")}
          </button>
        </>
      ) : (
        <>
          <Field label={t("cases.reasonTitle")} value={title} isWrong={isUntitled} most={longestTitle} change={setTitle} />
          <DecisionForm
            heading={t("cases.reasonTexts")}
            isBusy={isBusy}
            isForLater
            confirmLabel={t("cases.save")}
            {...(open === "new" ? {} : { initial: open.decision })}
            cancel={() => setOpen(undefined)}
            decide={async (decision) => {
              if (title.trim() === "") {
                setIsUntitled(true);
                return;
              }
              const answer = await run("reason-save", { title: title.trim(), decision, ...(open === "new" ? {} : { id: open.id }) });
              if (answer === undefined) return;
              setOpen(undefined);
              await read();
            }}
          />
        </>
      )}
    </>
  );
}
