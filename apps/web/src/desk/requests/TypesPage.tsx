import { useCallback, useEffect, useState } from "react";
import type { ReactElement } from "react";
import type { RequestTypeRow } from "@latchkey/client/desk";
import { t } from "../../messages/words.ts";
import { formatFull } from "../../state/format.ts";
import { Heading } from "../office/Heading.tsx";
import { useOffice, useOperation } from "../office/office-context.ts";
import { Refusal } from "../office/Refusal.tsx";
import { Calendar } from "./Calendar.tsx";
import { TypeFacts } from "./TypeFacts.tsx";
import { TypeForm } from "./TypeForm.tsx";

/** The table of types: what each goes by, where that was read and when; an administrator may say otherwise of each row. */
export function TypesPage(): ReactElement {
  const { session } = useOffice();
  const { isBusy, refusal, run } = useOperation();
  const [types, setTypes] = useState<readonly RequestTypeRow[]>();
  /** The row that is being changed. */
  const [open, setOpen] = useState<string>();
  const isAdministrator = session.staff.roles.includes("administrator");
  const read = useCallback(async () => {
    const answer = await run("request-types", {});
    if (answer !== undefined) setTypes(answer.types);
  }, [run]);
  useEffect(() => void read(), [read]);
  const set = async (id: string, change?: Parameters<Parameters<typeof TypeForm>[0]["save"]>[0]): Promise<void> => {
    const answer = await run("request-type-set", { id, ...(change === undefined ? {} : { change }) });
    if (answer === undefined) return;
    setTypes((before) => before?.map((one) => (one.id === id ? answer.type : one)));
    setOpen(undefined);
  };
  const unchecked = types?.filter(({ isChecked }) => !isChecked).length ?? 0;
  return (
    <>
      <Heading text={t("office.page.types")} />
      <p className="section-hint">{t("legal.typesLead")}</p>
      {unchecked > 0 && <p className="section-hint">{t("legal.uncheckedRows", { n: unchecked })}</p>}
      <Refusal code={refusal} tryAgain={() => void read()} />
      <Calendar isAdministrator={isAdministrator} />
      <ul className="request-types" aria-busy={types === undefined}>
        {types?.map((type) => (
          <li key={type.id} className="desk-card">
            <h2>
              <span lang="en" dir="ltr">
                {type.title}
              </span>
              {!type.isChecked && <span className="case-state request-unchecked-mark">{t("legal.uncheckedMark")}</span>}
              {type.changed !== undefined && (
                <span className="section-hint">{t("legal.changedBy", { name: type.changed.by, time: formatFull(type.changed.atMs) })}</span>
              )}
            </h2>
            {open === type.id ? (
              <TypeForm type={type} isBusy={isBusy} save={(change) => set(type.id, change)} cancel={() => setOpen(undefined)} />
            ) : (
              <>
                <TypeFacts type={type} />
                {isAdministrator && (
                  <div className="office-acts">
                    <button
                      type="button"
                      className="button button-small"
                      aria-label={t("legal.changeType", { title: type.title })}
                      onClick={() => setOpen(type.id)}
                    >
                      {t("legal.change")}
                    </button>
                    {type.changed !== undefined && (
                      <button
                        type="button"
                        className="button button-small"
                        aria-label={t("legal.resetType", { title: type.title })}
                        disabled={isBusy}
                        onClick={() => void set(type.id)}
                      >
                        {t("legal.reset")}
                      </button>
                    )}
                  </div>
                )}
              </>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}
