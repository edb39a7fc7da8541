import { useEffect, useId, useState } from "react";
import type { ReactElement } from "react";
import { words } from "../messages/words.ts";
import { useSelector } from "../state/context.ts";
import { ownLink } from "../state/invitation-link.ts";
import { Icon } from "./Icon.tsx";

/** The person's own link, to be given to others. */
export function CopyLink(): ReactElement | undefined {
  const account = useSelector((state) => state.account);
  const id = useId();
  const [isCopied, setIsCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return undefined;
    const timer = setTimeout(() => setIsCopied(false), 2500);
    return () => clearTimeout(timer);
  }, [isCopied]);
  if (account === undefined) return undefined;
  const link = ownLink(globalThis.location.origin, account.username);
  return (
    <div className="copy-link">
      <label htmlFor={id} className="visually-hidden">
        {words.empty.linkLabel}
      </label>
      <input id={id} className="copy-link-field" readOnly dir="ltr" value={link} onFocus={(event) => event.target.select()} />
      <button
        type="button"
        className="button"
        onClick={() =>
          void navigator.clipboard.writeText(link).then(
            () => setIsCopied(true),
            () => document.getElementById(id)?.focus(),
          )
        }
      >
        <Icon name={isCopied ? "check" : "copy"} size={18} />
        <span aria-live="polite">{isCopied ? words.common.copied : words.empty.copyLink}</span>
      </button>
    </div>
  );
}
