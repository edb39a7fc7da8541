import { countryName, languageName } from "../../state/format.ts";
import { useEffect, useId, useRef, useState } from "react";
import type { ReactElement } from "react";
import { dataCategories, requestChannels, requestLimits } from "@latchkey/client/desk";
import type { RequestClock, RequestIntake, RequestTypeRow } from "@latchkey/client/desk";
import { rowOf, t } from "../../messages/words.ts";
import { Choices, Field, SelectField } from "../office/fields.tsx";
import { useOffice } from "../office/office-context.ts";
import { Clocks } from "./Clocks.tsx";
import { IdentifierRows } from "./IdentifierRows.tsx";
import { intakeOf, withType } from "./intake-draft.ts";
import type { IntakeDraft, IntakeField } from "./intake-draft.ts";
import { SecrecyFields } from "./SecrecyFields.tsx";
import { TypeFacts } from "./TypeFacts.tsx";
import { useNow } from "../../state/use-now.ts";

/** Fields that are a line or a text, and nothing else. */
type PlainField = Exclude<
  IntakeField,
  "type" | "channel" | "isEmergency" | "identifiers" | "categories" | "secrecyKind" | "secrecyDay" | "secrecyBasis" | "isNotified"
>;

const pauseMs = 600;

/** Writes down what a request says. What its type means, and which times it would have, stands beside before anything is sent. */
export function IntakeForm(props: {
  readonly initial: IntakeDraft;
  readonly types: readonly RequestTypeRow[];
  readonly isBusy: boolean;
  readonly confirmLabel: string;
  readonly send: (intake: RequestIntake) => Promise<void>;
  readonly cancel?: () => void;
}): ReactElement {
  const { types, isBusy, confirmLabel, send, cancel } = props;
  const id = useId();
  const [draft, setDraft] = useState(props.initial);
  const [missing, setMissing] = useState<readonly IntakeField[]>([]);
  const form = useRef<HTMLFormElement>(null);
  const type = types.find((one) => one.id === draft.type);
  const clocks = useClocks(draft);
  const nowMs = useNow();
  // What is missing is said, and the first of it has the focus.
  useEffect(() => {
    if (missing.length > 0) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [missing]);
  const set = (change: Partial<IntakeDraft>): void => {
    setDraft({ ...draft, ...change });
    if (missing.length > 0) setMissing([]);
  };
  const field = (
    name: PlainField,
    more: { rows?: number; most?: number; type?: "email" | "tel" | "datetime-local" | "date"; hint?: string } = {},
  ) => (
    <Field
      label={t(`legal.field.${name}`)}
      hint={more.hint ?? ""}
      value={draft[name]}
      isWrong={missing.includes(name)}
      rows={more.rows}
      most={more.most}
      type={more.type}
      change={(value) => set({ [name]: value })}
    />
  );
  const { line, name: short, words } = requestLimits;
  return (
    <form
      ref={form}
      className="request-columns"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        const made = intakeOf(draft, Date.now());
        if ("missing" in made) setMissing(made.missing);
        else void send(made.intake);
      }}
    >
      <div className="request-main">
        <section className="desk-card">
          <h2>{t("legal.part.kind")}</h2>
          <SelectField
            label={t("legal.field.type")}
            choices={types.map((one) => [one.id, one.title])}
            chosen={draft.type}
            isWrong={missing.includes("type")}
            change={(chosen) => {
              const row = types.find((one) => one.id === chosen);
              if (row !== undefined) set(withType(draft, row, Date.now()));
            }}
          />
          {field("legalBasis", { most: line })}
          <div className="request-pair">
            {field("receivedAt", { type: "datetime-local", hint: missing.includes("receivedAt") ? t("legal.notFuture") : "" })}
            <SelectField
              label={t("legal.field.channel")}
              choices={requestChannels.map((one) => [one, t(`legal.channel.${one}`)])}
              chosen={draft.channel}
              change={(channel) => set({ channel })}
            />
          </div>
          <label className="request-check">
            <input type="checkbox" checked={draft.isEmergency} onChange={(event) => set({ isEmergency: event.target.checked })} />
            <span>
              {t("legal.field.isEmergency")}
              <span className="setting-hint">{t("legal.emergencyHint")}</span>
            </span>
          </label>
          {draft.isEmergency && field("emergencyGrounds", { rows: 2, most: words })}
        </section>
        <section className="desk-card">
          <h2>{t("legal.part.who")}</h2>
          {field("authorityName", { most: short })}
          <div className="request-pair">
            {field("authorityCountry", { most: 2, hint: countryName(draft.authorityCountry.toUpperCase()) || t("legal.twoLetters") })}
            {field("authorityReference", { most: short })}
          </div>
          <div className="request-pair">
            {field("officerName", { most: short })}
            {field("officerRole", { most: short })}
          </div>
          <div className="request-pair">
            {field("officerEmail", { most: short, type: "email" })}
            {field("officerPhone", { most: short, type: "tel", hint: t("legal.phoneHint") })}
          </div>
          {field("authorityAddress", { most: line })}
          <div className="request-pair">
            {field("addressee", { most: line })}
            {field("language", { most: 2, hint: languageName(draft.language.toLowerCase()) })}
          </div>
        </section>
        <section className="desk-card">
          <h2>{t("legal.part.what")}</h2>
          <IdentifierRows
            identifiers={draft.identifiers}
            isWrong={missing.includes("identifiers")}
            change={(identifiers) => set({ identifiers })}
          />
          <Choices
            label={t("legal.field.categories")}
            choices={dataCategories.map((one) => [
              one,
              t(`legal.category.${one}`),
              type !== undefined && !type.categories.includes(one) ? t("legal.categoryNotByType") : t(`legal.categoryHint.${one}`),
            ])}
            chosen={draft.categories}
            isWrong={missing.includes("categories")}
            change={(categories) => set({ categories: dataCategories.filter((one) => categories.includes(one)) })}
          />
          <div className="request-pair">
            {field("fromDay", { type: "date" })}
            {field("toDay", { type: "date", hint: missing.includes("toDay") ? t("legal.periodTurned") : "" })}
          </div>
          <SecrecyFields value={draft} wrong={missing} change={set} />
          {field("deliverTo", { most: line, hint: t("legal.deliverHint") })}
        </section>
        <details className="office-more desk-card" open={draft.isNotified || draft.route !== "" || draft.deadlineAsked !== ""}>
          <summary>{t("legal.part.more")}</summary>
          {field("deadlineAsked", { type: "datetime-local", hint: t("legal.deadlineHint") })}
          <label className="request-check">
            <input type="checkbox" checked={draft.isNotified} onChange={(event) => set({ isNotified: event.target.checked })} />
            <span>
              {t("legal.field.isNotified")}
              <span className="setting-hint">{t("legal.notifiedHint")}</span>
            </span>
          </label>
          {draft.isNotified && (
            <>
              {field("notifiedName", { most: short })}
              <div className="request-pair">
                {field("notifiedCountry", { most: 2, hint: countryName(draft.notifiedCountry.toUpperCase()) })}
                {field("notifiedConfirmedAt", { type: "datetime-local" })}
              </div>
            </>
          )}
          {field("route", { most: line })}
          {field("cost", { most: line })}
          {field("remark", { rows: 2, most: words })}
        </details>
        {missing.length > 0 && (
          <p className="field-error" role="alert">
            {t("legal.missing", { fields: rowOf(missing.map((one) => t(`legal.field.${one}`))) })}
          </p>
        )}
        <div className="office-acts">
          <button type="submit" className="button button-primary" disabled={isBusy}>
            {confirmLabel}
          </button>
          {cancel !== undefined && (
            <button type="button" className="button" onClick={cancel}>
              {t("common.cancel")}
            </button>
          )}
        </div>
      </div>
      <aside className="request-side" aria-labelledby={`${id}t`}>
        <section className="desk-card" aria-live="polite">
          <h2 id={`${id}t`}>{t("legal.byType")}</h2>
          {type === undefined ? (
            <p className="section-hint">{t("legal.chooseType")}</p>
          ) : (
            <>
              {type.preservation?.isAtIntake === true && <p className="notice notice-brass">{t("legal.preservesNow")}</p>}
              <TypeFacts type={type} />
            </>
          )}
        </section>
        <section className="desk-card" aria-live="polite">
          <h2>{t("legal.part.clocks")}</h2>
          {clocks === undefined ? <p className="section-hint">{t("legal.clocksLater")}</p> : <Clocks clocks={clocks} nowMs={nowMs} />}
        </section>
      </aside>
    </form>
  );
}

/** The times that a draft would have, once nothing is missing of it; nothing is written down for that. */
function useClocks(draft: IntakeDraft): readonly RequestClock[] | undefined {
  const { ask } = useOffice();
  const [clocks, setClocks] = useState<readonly RequestClock[]>();
  useEffect(() => {
    const made = intakeOf(draft, Date.now());
    if ("missing" in made) {
      setClocks(undefined);
      return undefined;
    }
    let isGone = false;
    const timer = setTimeout(() => {
      void ask("request-clocks", { intake: made.intake }).then((result) => {
        if (!isGone) setClocks(result.kind === "done" ? result.value.clocks : undefined);
      });
    }, pauseMs);
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, [ask, draft]);
  return clocks;
}
