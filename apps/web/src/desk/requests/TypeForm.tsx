import { useState } from "react";
import type { ReactElement } from "react";
import { dataCategories, requestLimits } from "@latchkey/client/desk";
import type { NoticeOwner, RequestType, RequestTypeChange } from "@latchkey/client/desk";
import { t } from "../../messages/words.ts";
import { Choices, Field, RadioChoice } from "../office/fields.tsx";
import { durationText } from "./request-words.ts";
import { changeOf, typeDraftOf } from "./type-draft.ts";
import type { TypeDraft } from "./type-draft.ts";

const owners: readonly NoticeOwner[] = ["us", "authority", "none"];
const durations = ["notBefore", "deadline", "emergencyDeadline", "validation", "deadlineExtension"] as const;

/** Says something else of a row of the table. Durations are ISO 8601, and stand in words below. */
export function TypeForm(props: {
  readonly type: RequestType;
  readonly isBusy: boolean;
  readonly save: (change: RequestTypeChange) => Promise<void>;
  readonly cancel: () => void;
}): ReactElement {
  const { type, isBusy, save, cancel } = props;
  const [draft, setDraft] = useState<TypeDraft>(() => typeDraftOf(type));
  const [isWrong, setIsWrong] = useState(false);
  const set = (change: Partial<TypeDraft>): void => {
    setDraft({ ...draft, ...change });
    setIsWrong(false);
  };
  const { line, words } = requestLimits;
  const duration = (name: (typeof durations)[number] | "period" | "extension"): ReactElement => (
    <Field
      key={name}
      label={t(`legal.duration.${name}`)}
      hint={draft[name] === "" ? t("legal.durationHint") : durationText(draft[name])}
      value={draft[name]}
      most={20}
      change={(value) => set({ [name]: value.toUpperCase() })}
    />
  );
  const check = (name: "isChecked" | "isNotBeforeIfNotified" | "isAtIntake" | "isPreserved" | "isSecret", label: string): ReactElement => (
    <label className="request-check">
      <input type="checkbox" checked={draft[name]} onChange={(event) => set({ [name]: event.target.checked })} />
      <span>{label}</span>
    </label>
  );
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const change = changeOf(draft);
        if (change === undefined) setIsWrong(true);
        else void save(change);
      }}
    >
      <Field label={t("legal.type.basis")} value={draft.basis} most={line} change={(basis) => set({ basis })} />
      <div className="request-pair">
        <Field label={t("legal.type.sourceLabel")} value={draft.source} most={line} change={(source) => set({ source })} />
        <Field label={t("legal.checkedDay")} value={draft.checkedOn} type="date" change={(checkedOn) => set({ checkedOn })} />
      </div>
      {check("isChecked", t("legal.isChecked"))}
      <Choices
        label={t("legal.type.categories")}
        choices={dataCategories.map((one) => [one, t(`legal.category.${one}`)])}
        chosen={draft.categories}
        isWrong={false}
        change={(categories) => set({ categories: dataCategories.filter((one) => categories.includes(one)) })}
      />
      <div className="request-pair">{durations.slice(0, 2).map((name) => duration(name))}</div>
      <div className="request-pair">{durations.slice(2).map((name) => duration(name))}</div>
      {check("isNotBeforeIfNotified", t("legal.onlyIfNotified"))}
      {check("isPreserved", t("legal.isPreserved"))}
      {draft.isPreserved && (
        <>
          {check("isAtIntake", t("legal.isAtIntake"))}
          <div className="request-pair">
            {duration("period")}
            {duration("extension")}
          </div>
          <Field
            label={t("legal.extensionsMost")}
            value={draft.extensions}
            isNumber
            most={3}
            change={(extensions) => set({ extensions })}
          />
        </>
      )}
      <RadioChoice
        label={t("legal.type.notice")}
        choices={owners.map((one) => [one, t(`legal.noticeOwner.${one}`)])}
        chosen={draft.notice}
        change={(notice) => set({ notice })}
      />
      {check("isSecret", t("legal.isSecret"))}
      <Field
        label={t("legal.reviewDays")}
        hint={t("legal.reviewHint", { n: requestLimits.reviewDays })}
        value={draft.reviewDays}
        isNumber
        most={3}
        change={(reviewDays) => set({ reviewDays })}
      />
      <Field label={t("legal.typeRemark")} value={draft.remark} rows={3} most={words} change={(remark) => set({ remark })} />
      {isWrong && (
        <p className="field-error" role="alert">
          {t("legal.typeWrong")}
        </p>
      )}
      <div className="office-acts">
        <button type="submit" className="button button-primary" disabled={isBusy}>
          {t("legal.save")}
        </button>
        <button type="button" className="button" onClick={cancel}>
          {t("common.cancel")}
        </button>
      </div>
    </form>
  );
}
