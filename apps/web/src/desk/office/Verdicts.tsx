import type { ReactElement } from "react";
import type { ClaimVerdict } from "@latchkey/client/desk";
import { Icon } from "../../components/Icon.tsx";
import { named, t } from "../../messages/words.ts";

const icons = { proved: "check", "not-proved": "info", contradicted: "alert" } as const;

/** What became of each claim: what contradicts first, since that is not to be overlooked. */
export function Verdicts({ verdicts }: { readonly verdicts: readonly ClaimVerdict[] }): ReactElement | undefined {
  if (verdicts.length === 0) return undefined;
  const order = ["contradicted", "not-proved", "proved"];
  const sorted = verdicts.toSorted((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict));
  return (
    <ul className="verdicts">
      {sorted.map(({ claim, verdict, why }) => (
        <li key={`${claim} ${verdict}`} className={`verdict-${verdict}`}>
          <Icon name={icons[verdict]} size={16} />
          <span>
            <strong>{t(`cases.verdict.${verdict}`)}:</strong> {named("cases.claim", claim)}
            {why !== undefined && <span className="setting-hint">{named("cases.why", why)}</span>}
          </span>
        </li>
      ))}
    </ul>
  );
}
