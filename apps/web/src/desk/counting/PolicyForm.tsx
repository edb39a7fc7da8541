import { useState } from "react";
import type { ReactElement } from "react";
import type { CountingChoice } from "@latchkey/client/desk";
import { t } from "../../messages/words.ts";
import { formatNumber } from "../../state/format.ts";
import { Field, RadioChoice, SelectField } from "../office/fields.tsx";
import { choiceOf, draftOf, sealedInHalfYear, slotChoices } from "./counting-draft.ts";
import type { CountingDraft, NumberField } from "./counting-draft.ts";
import { bandWords } from "./PolicyFacts.tsx";

/** What is chosen for half-years to come. */
export function PolicyForm(props: {
  readonly choice: CountingChoice;
  readonly bands: readonly string[];
  readonly isBusy: boolean;
  readonly save: (choice: CountingChoice) => Promise<void>;
  readonly changed: () => void;
}): ReactElement {
  const { bands, isBusy, save, changed } = props;
  const [draft, setDraft] = useState(draftOf(props.choice));
  const [wrong, setWrong] = useState<readonly NumberField[]>([]);
  const set = (change: Partial<CountingDraft>): void => {
    setDraft({ ...draft, ...change });
    setWrong([]);
    changed();
  };
  const { choice } = choiceOf(draft);
  const number = (name: NumberField, hint: string): ReactElement => (
    <Field
      label={t(`counting.field.${name}`)}
      hint={wrong.includes(name) ? t("counting.wrong") : hint}
      isWrong={wrong.includes(name)}
      value={draft[name]}
      most={4}
      isNumber
      change={(value) => set({ [name]: value })}
    />
  );
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const made = choiceOf(draft);
        if (made.choice === undefined) setWrong(made.wrong);
        else void save(made.choice);
      }}
    >
      <RadioChoice
        label={t("counting.kind")}
        choices={[
          ["covered", t("counting.kind.covered"), t("counting.kindHint.covered")],
          ["exact", t("counting.kind.exact"), t("counting.kindHint.exact")],
        ]}
        chosen={draft.kind}
        change={(kind) => set({ kind })}
      />
      <RadioChoice
        label={t("counting.batches")}
        choices={[
          ["1", t("counting.every.day")],
          ["7", t("counting.every.week"), t("counting.everyHint.week")],
        ]}
        chosen={draft.everyDays}
        change={(everyDays) => set({ everyDays })}
      />
      <div className="counting-fields">
        <SelectField
          label={t("counting.field.slots")}
          hint={t("counting.hint.slots")}
          choices={slotChoices.map((one) => [one, one] as const)}
          chosen={draft.slots}
          change={(slots) => set({ slots })}
        />
        {draft.kind === "covered" &&
          number("sealed", choice === undefined ? "" : t("counting.hint.sealed", { all: formatNumber(sealedInHalfYear(choice)) }))}
        {number("hour", t("counting.hint.hour"))}
        {number("openingDays", t("counting.hint.openingDays"))}
        {number("delayPeriods", t("counting.hint.delayPeriods"))}
        {number("smallNumber", t("counting.hint.smallNumber"))}
        <SelectField
          label={t("counting.band")}
          hint={t("counting.hint.band")}
          choices={bands.map((one) => [one, bandWords(one)] as const)}
          chosen={draft.band}
          change={(band) => set({ band })}
        />
      </div>
      <button type="submit" className="button button-primary" disabled={isBusy}>
        {t("counting.save")}
      </button>
    </form>
  );
}
