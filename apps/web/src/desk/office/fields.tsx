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
  readonly change: (value: string) => void;
}): ReactElement {
  const { label, hint = "", value, isWrong = false, rows, most, isNumber = false, change } = props;
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
      <legend className={isWrong ? "field-error" : undefined}>{isWrong ? t("cases.oneAtLeast", { label }) : label}</legend>
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
