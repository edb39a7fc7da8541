import { useEffect, useId, useState } from "react";
import type { ReactElement } from "react";
import { t } from "../messages/words.ts";
import { useSelector } from "../state/context.ts";
import { ownLink } from "../state/invitation-link.ts";
import { Icon } from "./Icon.tsx";

/** The person's own link, to be given to others. */
export function CopyLink(): ReactElement | undefined {
  const account = useSelector((state) => state.account);
  if (account === undefined) return undefined;
  return (
    <CopyField value={ownLink(globalThis.location.origin, account.username)} label={t("empty.linkLabel")} copyLabel={t("empty.copyLink")} />
  );
}

/** Something to be copied. */
export function CopyField({
  value,
  label,
  copyLabel,
}: {
  readonly value: string;
  readonly label: string;
  readonly copyLabel: string;
}): ReactElement {
  const id = useId();
  const [isCopied, setIsCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return undefined;
    const timer = setTimeout(() => setIsCopied(false), 2500);
    return () => clearTimeout(timer);
  }, [isCopied]);
  return (
    <div className="copy-link">
      <label htmlFor={id} className="visually-hidden">
        {label}
      </label>
      <input id={id} className="copy-link-field" readOnly dir="ltr" value={value} onFocus={(event) => event.target.select()} />
      <button
        type="button"
        className="button"
        onClick={() =>
          void navigator.clipboard.writeText(value).then(
            () => setIsCopied(true),
            () => document.getElementById(id)?.focus(),
          )
        }
      >
        <Icon name={isCopied ? "check" : "copy"} size={18} />
        <span aria-live="polite">{isCopied ? t("common.copied") : copyLabel}</span>
      </button>
    </div>
  );
}
