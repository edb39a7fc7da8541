import { useId, useState } from "react";
import type { ReactElement } from "react";
import type { JoinLinkOptions } from "@latchkey/client";
import { t } from "../messages/words.ts";
import { useBusyAction } from "../state/context.ts";
import { Modal } from "./Dialog.tsx";
import { Switch } from "./settings/Switch.tsx";

/** As long, and for as many, as a link may be (spec X-14). */
const days = [1, 7, 30];
const uses = [1, 10, 50, 200, 1000];

/** Asks how long a link lasts, for how many it is, and whether it says where it leads. */
export function JoinLinkForm({
  make,
  close,
}: {
  readonly make: (options: JoinLinkOptions) => Promise<unknown>;
  readonly close: () => void;
}): ReactElement {
  const id = useId();
  const [isBusy, act] = useBusyAction();
  const [options, setOptions] = useState({ days: 7, uses: 50, isNamed: true });
  const submit = async (): Promise<void> => {
    if (await act(() => make(options))) close();
  };
  const choice = (name: "days" | "uses", label: string, values: readonly number[], text: (n: number) => string): ReactElement => (
    <div className="field">
      <label htmlFor={`${id}${name}`}>{label}</label>
      <select
        id={`${id}${name}`}
        className="input"
        value={options[name]}
        onChange={(event) => setOptions({ ...options, [name]: Number(event.target.value) })}
      >
        {values.map((value) => (
          <option key={value} value={value}>
            {text(value)}
          </option>
        ))}
      </select>
    </div>
  );
  return (
    <Modal title={t("join.make")} close={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        {choice("days", t("join.days"), days, (n) => t("join.dayCount", { n }))}
        {choice("uses", t("join.uses"), uses, (n) => t("join.useCount", { n }))}
        <Switch
          className="row-button join-named"
          label={t("join.named")}
          hint={t("join.namedHint")}
          isOn={options.isNamed}
          change={(isNamed) => setOptions({ ...options, isNamed })}
        />
        <div className="dialog-actions">
          <button type="button" className="button" onClick={close}>
            {t("common.cancel")}
          </button>
          <button type="submit" className="button button-primary" disabled={isBusy}>
            {t("join.create")}
          </button>
        </div>
      </form>
    </Modal>
  );
}
