import { useId, useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { t } from "../messages/words.ts";
import { formatTime } from "../state/format.ts";
import { inputOf, momentOfInput, momentsFrom } from "../state/moments.ts";
import { useNow } from "../state/use-now.ts";

/** Asks for a time to come: some that are offered, and one's own. */
export function MomentForm({
  isBusy,
  label,
  choose,
}: {
  readonly isBusy: boolean;
  /** Of the button for a time of one's own. */
  readonly label: string;
  readonly choose: (atMs: number) => void;
}): ReactElement {
  const id = useId();
  const nowMs = useNow();
  const [value, setValue] = useState(() => inputOf(nowMs + 2 * 3_600_000));
  const atMs = momentOfInput(value, nowMs);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (atMs !== undefined) choose(atMs);
  };
  return (
    <form className="moments" onSubmit={submit}>
      {momentsFrom(nowMs).map((moment) => (
        <button key={moment.name} type="button" className="button button-wide moment" disabled={isBusy} onClick={() => choose(moment.atMs)}>
          <span>{t(`later.moment.${moment.name}`)}</span> <small>{formatTime(moment.atMs)}</small>
        </button>
      ))}
      <div className="field">
        <label htmlFor={id}>{t("later.own")}</label>
        <input
          id={id}
          type="datetime-local"
          className="input"
          required
          value={value}
          min={inputOf(nowMs)}
          aria-invalid={atMs === undefined}
          aria-describedby={`${id}bounds`}
          onChange={(event) => setValue(event.target.value)}
        />
        <p id={`${id}bounds`} className="field-error">
          {atMs === undefined && t("later.bounds")}
        </p>
      </div>
      <button type="submit" className="button button-primary button-wide" disabled={isBusy || atMs === undefined}>
        {label}
      </button>
    </form>
  );
}
