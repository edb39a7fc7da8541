import type { ReactElement } from "react";
import { useApp } from "../../state/context.ts";
import type { Route } from "../../state/router.ts";
import { Icon } from "../Icon.tsx";

/** A row of settings that leads to another page. */
export function RowLink({ route, label, hint }: { readonly route: Route; readonly label: string; readonly hint?: string }): ReactElement {
  const { router } = useApp();
  return (
    <button type="button" className="row-button" onClick={() => router.go(route)}>
      <span>
        {label}
        {hint !== undefined && <small className="setting-hint">{hint}</small>}
      </span>
      <Icon name="forward" size={18} />
    </button>
  );
}
