import { useState } from "react";
import type { ReactElement } from "react";
import { t } from "../../messages/words.ts";
import { formatFull } from "../../state/format.ts";
import { SelectField } from "../office/fields.tsx";
import { useRequest } from "./request-work.ts";

const now = "now";

/** Puts together what would go out; where an order to preserve had a copy kept of the same account, of that or of what is held now. */
export function Assemble(): ReactElement {
  const { found, at, isBusy, act } = useRequest();
  const { keptForOthers, release } = found;
  const [chosen, setChosen] = useState(String(release?.copyOf ?? now));
  const kept = keptForOthers.find(({ number }) => String(number) === chosen);
  return (
    <>
      {keptForOthers.length > 0 && (
        <SelectField
          label={t("legal.assembleOf")}
          hint={t("legal.assembleOfHint")}
          chosen={kept === undefined ? now : chosen}
          choices={[
            [now, t("legal.assembleNow")],
            ...keptForOthers.map(
              ({ number, authority, reference }) => [String(number), t("legal.assembleKept", { n: number, authority, reference })] as const,
            ),
          ]}
          change={setChosen}
        />
      )}
      {kept !== undefined && (
        <p className="section-hint">
          {t("legal.keptOf", {
            who: kept.places.map((place) => found.intake.identifiers[place - 1]?.value ?? String(place)).join(", "),
            time: formatFull(kept.asOfMs),
            end: formatFull(kept.untilMs),
          })}
        </p>
      )}
      <button
        type="button"
        className={release === undefined ? "button button-primary" : "button button-small"}
        disabled={isBusy}
        onClick={() => void act("request-package", { ...at, ...(kept === undefined ? {} : { copyOf: kept.number }) })}
      >
        {release === undefined ? t("legal.assemble") : t("legal.assembleAgain")}
      </button>
    </>
  );
}
