import { useCallback, useEffect, useRef, useState } from "react";
import type { ReactElement } from "react";
import { requestLimits } from "@latchkey/client/desk";
import type { ImportDraft, RequestTypeRow } from "@latchkey/client/desk";
import { Icon } from "../../components/Icon.tsx";
import { t } from "../../messages/words.ts";
import { formatBytes } from "../../state/format.ts";
import { Heading } from "../office/Heading.tsx";
import { useOffice, useOperation } from "../office/office-context.ts";
import { requestAddress } from "../office/office-places.ts";
import { Refusal } from "../office/Refusal.tsx";
import { draftOfIntake, emptyIntake } from "./intake-draft.ts";
import type { IntakeDraft } from "./intake-draft.ts";
import { IntakeForm } from "./IntakeForm.tsx";

/** Opens a request: by hand, or from an XML document, of which first is shown what the desk did not understand. */
export function IntakePage(): ReactElement {
  const { session } = useOffice();
  const { isBusy, refusal, run } = useOperation();
  /** Apart from the rest: a file may be chosen while the table of types comes. */
  const importing = useOperation();
  const [types, setTypes] = useState<readonly RequestTypeRow[]>();
  const [imported, setImported] = useState<ImportDraft>();
  const [isTooLarge, setIsTooLarge] = useState(false);
  const [initial, setInitial] = useState<IntakeDraft>(() => ({ ...emptyIntake(Date.now()), addressee: session.host }));
  /** Documents that were read, and drafts of them: each draft has a form of its own. */
  const [round, setRound] = useState(0);
  const [drafts, setDrafts] = useState(0);
  const file = useRef<HTMLInputElement>(null);
  const read = useCallback(async () => {
    const answer = await run("request-types", {});
    if (answer !== undefined) setTypes(answer.types);
  }, [run]);
  useEffect(() => void read(), [read]);
  const take = async (chosen: File): Promise<void> => {
    setIsTooLarge(chosen.size > requestLimits.importBytes);
    if (chosen.size > requestLimits.importBytes) return;
    const answer = await importing.run("request-import", { text: await chosen.text() });
    if (answer === undefined) return;
    const { draft } = answer;
    setImported(draft);
    setRound(round + 1);
    // What was written by hand stays.
    if (draft.refused !== undefined) return;
    setDrafts(drafts + 1);
    setInitial({
      ...draftOfIntake({ addressee: session.host, ...draft.intake }, Date.now()),
      ...(draft.type === undefined ? {} : { type: draft.type }),
    });
  };
  return (
    <>
      <Heading text={t("legal.new")} />
      <p>
        <a href="#requests">{t("legal.back")}</a>
      </p>
      <div className="office-acts">
        <input
          ref={file}
          type="file"
          className="visually-hidden"
          accept=".xml,application/xml,text/xml"
          aria-label={t("legal.import")}
          tabIndex={-1}
          onChange={(event) => {
            const [chosen] = event.target.files ?? [];
            event.target.value = "";
            if (chosen !== undefined) void take(chosen);
          }}
        />
        <button type="button" className="button" disabled={importing.isBusy} onClick={() => file.current?.click()}>
          <Icon name="file" size={18} />
          {t("legal.import")}
        </button>
      </div>
      {isTooLarge && (
        <p className="notice notice-danger" role="alert">
          {t("legal.importTooLarge", { size: formatBytes(requestLimits.importBytes) })}
        </p>
      )}
      <Refusal code={importing.refusal} />
      <Refusal code={refusal} {...(types === undefined ? { tryAgain: () => void read() } : {})} />
      {imported !== undefined && <Imported key={`i${round}`} draft={imported} />}
      {types !== undefined && (
        <IntakeForm
          key={drafts}
          initial={initial}
          types={types}
          isBusy={isBusy}
          confirmLabel={t("legal.open")}
          send={async (intake) => {
            const answer = await run("request-open", { intake });
            if (answer !== undefined) globalThis.location.hash = requestAddress(answer.request.number);
          }}
        />
      )}
    </>
  );
}

/** What came of a document: what stands there and is in no field first, since nobody else sees it. */
export function Imported({ draft }: { readonly draft: ImportDraft }): ReactElement {
  const { notUnderstood, warnings } = draft;
  const head = useRef<HTMLHeadingElement>(null);
  useEffect(() => head.current?.focus(), []);
  if (draft.refused !== undefined) {
    return (
      <section className="notice notice-danger request-imported">
        <h2 ref={head} tabIndex={-1}>
          {t("legal.importRefused")}
        </h2>
        <p lang="en" dir="ltr">
          {draft.refused}
        </p>
      </section>
    );
  }
  return (
    <section className={`desk-card request-imported${notUnderstood.length > 0 ? " request-imported-open" : ""}`}>
      <h2 ref={head} tabIndex={-1}>
        {notUnderstood.length === 0 ? t("legal.importWhole") : t("legal.importOpen", { n: notUnderstood.length })}
      </h2>
      {notUnderstood.length > 0 && (
        <dl className="request-remarks">
          {notUnderstood.map(({ path, value }, at) => (
            // The same may stand there twice.
            // oxlint-disable-next-line react/no-array-index-key
            <div key={`${at} ${path}`}>
              <dt>
                <code dir="ltr">{path}</code>
              </dt>
              <dd dir="auto">{value}</dd>
            </div>
          ))}
        </dl>
      )}
      {warnings.length > 0 && (
        <>
          <h3>{t("legal.importWarnings")}</h3>
          <ul className="request-warnings" lang="en" dir="ltr">
            {warnings.map((one) => (
              <li key={one}>{one}</li>
            ))}
          </ul>
        </>
      )}
      <p className="section-hint">{t("legal.importHint")}</p>
    </section>
  );
}
