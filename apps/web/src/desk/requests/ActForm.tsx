import { useState } from "react";
import type { ReactElement, ReactNode } from "react";
import { requestLimits } from "@latchkey/client/desk";
import { Field } from "../office/fields.tsx";

/** An act with words of its author: why, or what was found. It empties when it was done. */
export function ActForm(props: {
  readonly label: string;
  readonly hint?: string;
  readonly button: string;
  readonly isBusy: boolean;
  readonly isOptional?: boolean;
  /** What is chosen beside was not chosen yet. */
  readonly isUnready?: boolean;
  readonly isDanger?: boolean;
  readonly send: (words: string) => Promise<boolean>;
  readonly children?: ReactNode;
}): ReactElement {
  const { label, hint, button, isBusy, isOptional = false, isUnready = false, isDanger = false, send, children } = props;
  const [words, setWords] = useState("");
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void send(words.trim()).then((isDone) => isDone && setWords(""));
      }}
    >
      {children}
      <Field label={label} {...(hint === undefined ? {} : { hint })} value={words} rows={2} most={requestLimits.words} change={setWords} />
      <button
        type="submit"
        className={`button ${isDanger ? "button-danger-quiet" : ""}`}
        disabled={isBusy || isUnready || (!isOptional && words.trim() === "")}
      >
        {button}
      </button>
    </form>
  );
}
