import { useEffect, useId, useRef, useState } from "react";
import type { ReactElement } from "react";
import { decisionLimits, dsaContentTypes, maxLimitDays, maxSanctionDays, restrictions } from "@latchkey/client/desk";
import type { DecisionInput, SavedReason } from "@latchkey/client/desk";
import { ConfirmDialog } from "../../components/Dialog.tsx";
import { rowOf, t } from "../../messages/words.ts";
import { dayText } from "../../state/days.ts";
import { categoriesByWords, sanctionText } from "./case-words.ts";
import { decisionOf, draftOf, emptyDraft, isSanction } from "./decision-draft.ts";
import type { DecisionDraft, DraftField } from "./decision-draft.ts";
import { Choices, Field } from "./fields.tsx";
import { useOffice } from "./office-context.ts";

const kinds = ["dismiss", "warn", "restrict", "suspend"] as const;
const dayMs = 86_400_000;

/** Fields that are a text with a hint that is always the same. */
type PlainField = Extract<
  DraftField,
  "basis" | "explanation" | "referenceUrl" | "toReporter" | "keywords" | "territory" | "contentLanguage"
>;

/** Writes a decision: what is done, why, until when, and who is told what. It says what a decision cannot do. */
export function DecisionForm(props: {
  readonly heading: string;
  readonly isBusy: boolean;
  readonly decide: (decision: DecisionInput) => Promise<void>;
  readonly cancel: () => void;
  /** What the button says; deciding, where it is absent. */
  readonly confirmLabel?: string;
  /** Whether it is only kept for later: then nobody is asked whether they are sure. */
  readonly isForLater?: boolean;
  readonly initial?: DecisionInput;
}): ReactElement {
  const { heading, isBusy, decide, cancel, isForLater = false, initial } = props;
  const id = useId();
  const [draft, setDraft] = useState<DecisionDraft>(initial === undefined ? emptyDraft : draftOf(initial));
  const [missing, setMissing] = useState<readonly DraftField[]>([]);
  const head = useRef<HTMLHeadingElement>(null);
  // What was pressed is not there any more.
  useEffect(() => head.current?.focus(), []);
  const [asked, setAsked] = useState<DecisionInput>();
  const label = props.confirmLabel ?? t("cases.decide");
  const set = (change: Partial<DecisionDraft>): void => {
    setDraft({ ...draft, ...change });
    setMissing([]);
  };
  const submit = (): void => {
    const decided = decisionOf(draft);
    if ("missing" in decided) setMissing(decided.missing);
    else if (isForLater) void decide(decided.input);
    else setAsked(decided.input);
  };
  const field = (name: PlainField, rows?: number, most?: number): ReactElement => (
    <Field
      label={t(`cases.field.${name}`)}
      hint={t(`cases.fieldHint.${name}`)}
      value={draft[name]}
      isWrong={missing.includes(name)}
      rows={rows}
      most={most}
      change={(value) => set({ [name]: value })}
    />
  );
  return (
    <section className="desk-card decision" aria-labelledby={`${id}h`}>
      <h2 id={`${id}h`} ref={head} tabIndex={-1}>
        {heading}
      </h2>
      {!isForLater && <SavedReasons use={(decision) => set(draftOf(decision))} />}
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <fieldset className="office-roles">
          <legend>{t("cases.field.kind")}</legend>
          {kinds.map((kind) => (
            <label key={kind}>
              <input type="radio" name={`${id}kind`} checked={draft.kind === kind} onChange={() => set({ kind })} />
              <span>
                {t(`cases.kind.${kind}`)}
                <span className="setting-hint">{t(`cases.kindHint.${kind}`)}</span>
              </span>
            </label>
          ))}
        </fieldset>
        {draft.kind === "restrict" && (
          <Choices
            label={t("cases.field.restrictions")}
            choices={restrictions.map((one) => [one, t(`cases.restriction.${one}`), t(`cases.restrictionHint.${one}`)])}
            chosen={draft.restrictions}
            isWrong={missing.includes("restrictions")}
            change={(chosen) => set({ restrictions: chosen })}
          />
        )}
        {isSanction(draft.kind) && (
          <>
            <Field
              label={t("cases.field.days")}
              hint={untilText(draft.days)}
              value={draft.days}
              isWrong={missing.includes("days")}
              isNumber
              change={(days) => set({ days })}
            />
            <p className="notice">{t("cases.cannot")}</p>
          </>
        )}
        {draft.kind === "dismiss" && (
          <fieldset className="office-roles">
            <legend>{t("cases.unfounded")}</legend>
            <label>
              <input type="checkbox" checked={draft.isUnfounded} onChange={(event) => set({ isUnfounded: event.target.checked })} />
              <span>
                {t("cases.unfounded.warn")}
                <span className="setting-hint">{t("cases.unfounded.warnHint")}</span>
              </span>
            </label>
            {draft.isUnfounded && (
              <Field
                label={t("cases.field.limitDays")}
                hint={t("cases.fieldHint.limitDays", { n: maxLimitDays })}
                value={draft.limitDays}
                isWrong={missing.includes("limitDays")}
                isNumber
                change={(limitDays) => set({ limitDays })}
              />
            )}
          </fieldset>
        )}
        {draft.kind !== "dismiss" && (
          <>
            <fieldset className="office-roles">
              <legend>{t("cases.field.ground")}</legend>
              {(["incompatible", "illegal"] as const).map((kind) => (
                <label key={kind}>
                  <input type="radio" name={`${id}ground`} checked={draft.groundKind === kind} onChange={() => set({ groundKind: kind })} />
                  <span>{t(`cases.ground.${kind}`)}</span>
                </label>
              ))}
              {draft.groundKind === "incompatible" && (
                <label>
                  <input type="checkbox" checked={draft.isAlsoIllegal} onChange={(event) => set({ isAlsoIllegal: event.target.checked })} />
                  <span>{t("cases.alsoIllegal")}</span>
                </label>
              )}
            </fieldset>
            {field("basis", undefined, decisionLimits.basis)}
            {field("explanation", 3, decisionLimits.explanation)}
            {field("referenceUrl", undefined, decisionLimits.reference)}
          </>
        )}
        <Field
          label={t("cases.field.facts")}
          hint={draft.kind === "dismiss" ? t("cases.fieldHint.factsDismissed") : t("cases.fieldHint.facts")}
          value={draft.facts}
          isWrong={missing.includes("facts")}
          rows={4}
          most={decisionLimits.facts}
          change={(facts) => set({ facts })}
        />
        <div className="field">
          <label htmlFor={`${id}category`}>{t("cases.field.category")}</label>
          <select
            id={`${id}category`}
            className="input"
            aria-invalid={missing.includes("category")}
            value={draft.category}
            onChange={(event) => set({ category: categoriesByWords().find(([one]) => one === event.target.value)?.[0] ?? "" })}
          >
            <option value="">{t("cases.choosePlease")}</option>
            {categoriesByWords().map(([category, words]) => (
              <option key={category} value={category}>
                {words}
              </option>
            ))}
          </select>
        </div>
        {field("toReporter", 3, decisionLimits.note)}
        <details className="office-more">
          <summary>{t("cases.publication")}</summary>
          <p className="section-hint">{t("cases.publicationHint")}</p>
          <Choices
            label={t("cases.field.contentTypes")}
            choices={dsaContentTypes.map((one) => [one, t(`cases.content.${one}`)])}
            chosen={draft.contentTypes}
            isWrong={missing.includes("contentTypes")}
            change={(contentTypes) => set({ contentTypes })}
          />
          <Choices
            label={t("cases.field.addedCategories")}
            choices={categoriesByWords().filter(([one]) => one !== draft.category)}
            chosen={draft.addedCategories}
            isWrong={false}
            change={(addedCategories) => set({ addedCategories })}
          />
          {field("keywords")}
          {field("territory")}
          {field("contentLanguage")}
        </details>
        {missing.length > 0 && (
          <p className="field-error" role="alert">
            {t("cases.missing", { fields: rowOf(missing.map((name) => t(`cases.field.${name}`))) })}
          </p>
        )}
        <div className="office-acts">
          <button type="submit" className="button button-primary" disabled={isBusy}>
            {label}
          </button>
          <button type="button" className="button" onClick={cancel}>
            {t("common.cancel")}
          </button>
        </div>
      </form>
      {asked !== undefined && (
        <ConfirmDialog
          title={sanctionText({ ...asked, ...(asked.days === undefined ? {} : { untilDay: untilDayOf(asked.days) }) })}
          body={asked.kind === "dismiss" ? t(asked.unfounded === undefined ? "cases.sureDismiss" : "cases.sureUnfounded") : t("cases.sure")}
          confirmLabel={label}
          isHarmless={!isSanction(asked.kind)}
          confirm={() => decide(asked).then(() => true)}
          close={() => setAsked(undefined)}
        />
      )}
    </section>
  );
}

/** First day on which what begins today does not hold any more. */
function untilDayOf(days: number): number {
  return Math.floor(Date.now() / dayMs) + days;
}

function untilText(days: string): string {
  const count = Number(days);
  return Number.isSafeInteger(count) && count >= 1 && count <= maxSanctionDays
    ? t("cases.endsOn", { day: dayText(untilDayOf(count)) })
    : t("cases.daysAtMost", { n: maxSanctionDays });
}

/** What was written for cases like this. */
function SavedReasons({ use }: { readonly use: (decision: DecisionInput) => void }): ReactElement | undefined {
  const { ask } = useOffice();
  const id = useId();
  const [reasons, setReasons] = useState<readonly SavedReason[]>([]);
  useEffect(() => {
    let isGone = false;
    void ask("reason-list", {}).then((result) => {
      if (!isGone && result.kind === "done") setReasons(result.value.reasons);
    });
    return () => {
      isGone = true;
    };
  }, [ask]);
  if (reasons.length === 0) return undefined;
  return (
    <div className="field">
      <label htmlFor={id}>{t("cases.fromSaved")}</label>
      <select
        id={id}
        className="input"
        value=""
        onChange={(event) => {
          const found = reasons.find((one) => one.id === event.target.value);
          if (found !== undefined) use(found.decision);
        }}
      >
        <option value="">{t("cases.choosePlease")}</option>
        {reasons.map((one) => (
          <option key={one.id} value={one.id}>
            {one.title}
          </option>
        ))}
      </select>
    </div>
  );
}
