import type { ReactElement } from "react";

/** A row of settings that is on or off. */
export function Switch({
  label,
  hint,
  isOn,
  isDisabled = false,
  change,
  className = "row-button",
}: {
  readonly label: string;
  readonly hint: string;
  readonly isOn: boolean;
  readonly isDisabled?: boolean;
  readonly change: (isOn: boolean) => void;
  readonly className?: string;
}): ReactElement {
  return (
    <label className={className}>
      <span>
        {label}
        <small className="setting-hint">{hint}</small>
      </span>
      <input
        type="checkbox"
        role="switch"
        checked={isOn}
        aria-checked={isOn}
        disabled={isDisabled}
        onChange={({ target }) => change(target.checked)}
      />
    </label>
  );
}
