import { useId } from "react";
import type { ReactElement } from "react";
import { t } from "../../messages/words.ts";

/** A text to be written. */
export function Field(props: {
  readonly label: string;
  readonly hint?: string;
  readonly value: string;
  readonly isWrong?: boolean;
  /** Lines; a single one when absent. */
  readonly rows?: number | undefined;
  readonly most?: number | undefined;
  readonly isNumber?: boolean;
  /** What a browser helps to write; a plain text when absent. */
  readonly type?: "date" | "datetime-local" | "email" | "tel" | undefined;
  readonly change: (value: string) => void;
}): ReactElement {
  const { label, hint = "", value, isWrong = false, rows, most, isNumber = false, type, change } = props;
  const id = useId();
  const shared = {
    id,
    className: "input",
    dir: "auto",
    value,
    maxLength: most,
    "aria-invalid": isWrong,
    "aria-describedby": hint === "" ? undefined : `${id}h`,
  } as const;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {rows === undefined ? (
        <input
          {...shared}
          type={type}
          inputMode={isNumber ? "numeric" : undefined}
          autoComplete="off"
          onChange={(event) => change(event.target.value)}
        />
      ) : (
        <textarea {...shared} rows={rows} onChange={(event) => change(event.target.value)} />
      )}
      {hint !== "" && (
        <div id={`${id}h`} className={isWrong ? "field-hint field-error" : "field-hint"}>
          {hint}
        </div>
      )}
    </div>
  );
}

/** Some of several. */
export function Choices<Name extends string>(props: {
  readonly label: string;
  readonly choices: readonly (readonly [name: Name, words: string, hint?: string])[];
  readonly chosen: readonly Name[];
  readonly isWrong: boolean;
  readonly change: (chosen: readonly Name[]) => void;
}): ReactElement {
  const { label, choices, chosen, isWrong, change } = props;
  return (
    <fieldset className="office-roles">
      <legend className={isWrong ? "field-error" : undefined}>{isWrong ? t("office.oneAtLeast", { label }) : label}</legend>
      {choices.map(([name, words, hint]) => (
        <label key={name}>
          <input
            type="checkbox"
            checked={chosen.includes(name)}
            onChange={(event) => change(event.target.checked ? [...chosen, name] : chosen.filter((one) => one !== name))}
          />
          <span>
            {words}
            {hint !== undefined && <span className="setting-hint">{hint}</span>}
          </span>
        </label>
      ))}
    </fieldset>
  );
}

/** One of several, in a list that opens. */
export function SelectField<Name extends string>(props: {
  readonly label: string;
  readonly hint?: string;
  readonly choices: readonly (readonly [name: Name, words: string])[];
  /** Empty where nothing is chosen yet. */
  readonly chosen: Name | "";
  readonly isWrong?: boolean;
  readonly change: (chosen: Name) => void;
}): ReactElement {
  const { label, hint = "", choices, chosen, isWrong = false, change } = props;
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        className="input"
        aria-invalid={isWrong}
        aria-describedby={hint === "" ? undefined : `${id}h`}
        value={chosen}
        onChange={(event) => {
          const found = choices.find(([name]) => name === event.target.value);
          if (found !== undefined) change(found[0]);
        }}
      >
        {chosen === "" && <option value="">{t("office.choose")}</option>}
        {choices.map(([name, words]) => (
          <option key={name} value={name}>
            {words}
          </option>
        ))}
      </select>
      {hint !== "" && (
        <div id={`${id}h`} className="field-hint">
          {hint}
        </div>
      )}
    </div>
  );
}

/** One of several that are all seen. */
export function RadioChoice<Name extends string>(props: {
  readonly label: string;
  readonly choices: readonly (readonly [name: Name, words: string, hint?: string])[];
  readonly chosen: Name | undefined;
  readonly change: (chosen: Name) => void;
}): ReactElement {
  const { label, choices, chosen, change } = props;
  const id = useId();
  return (
    <fieldset className="office-roles">
      <legend>{label}</legend>
      {choices.map(([name, words, hint]) => (
        <label key={name}>
          <input type="radio" name={id} checked={chosen === name} onChange={() => change(name)} />
          <span>
            {words}
            {hint !== undefined && <span className="setting-hint">{hint}</span>}
          </span>
        </label>
      ))}
    </fieldset>
  );
}
